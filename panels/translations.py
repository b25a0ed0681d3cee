"""Translations of the interface: a JSON file for each language in `languages/`, from English text to translation."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

LANGUAGES = Path(__file__).with_name("languages")

CONTEXTS = ("*", "Operator", "Riff")
"""Translation contexts: Blender uses its own for operators' labels; the last is that of `state.settings`."""


def read_language(name: str) -> dict[str, str]:
    """Read the translations into a language such as de_DE, by English text."""
    catalogue: dict[str, str] = json.loads((LANGUAGES / f"{name}.json").read_text(encoding="utf-8"))
    return catalogue


def table() -> dict[str, dict[tuple[str, str], str]]:
    """Return the translations for each language by context and English text, as Blender registers them."""
    catalogues = {path.stem: read_language(path.stem) for path in sorted(LANGUAGES.glob("*.json"))}
    return {
        language: {(context, english): text for context in CONTEXTS for english, text in catalogue.items()}
        for language, catalogue in catalogues.items()
    }


def register() -> None:
    bpy.app.translations.register(__package__, table())  # type: ignore[arg-type]


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
