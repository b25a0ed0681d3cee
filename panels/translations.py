"""The interface in other languages; a language is a module of words."""

from __future__ import annotations

import bpy

from . import german

LANGUAGES = {"de_DE": german.WORDS}

CONTEXTS = ("*", "Operator", "Riff")
"""Blender looks for operators' labels in a context of their own; the last is that of `operators.settings`."""


def table() -> dict[str, dict[tuple[str, str], str]]:
    """What Blender wants to have: for each language the words by context and English text."""
    return {
        language: {(context, english): word for context in CONTEXTS for english, word in words.items()}
        for language, words in LANGUAGES.items()
    }


def register() -> None:
    bpy.app.translations.register(__package__, table())  # type: ignore[arg-type]


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
