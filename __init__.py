"""Riff: learns from one action and plays variations of it."""

from . import operators, panels, shell, state

ROOMS = (state, operators, panels, shell)


def register() -> None:
    for room in ROOMS:
        room.register()


def unregister() -> None:
    for room in reversed(ROOMS):
        room.unregister()
