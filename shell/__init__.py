"""`blender -c riff`: the verbs of the shell inside Blender."""

from . import command_line


def register() -> None:
    command_line.register()


def unregister() -> None:
    command_line.unregister()
