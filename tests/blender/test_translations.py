"""The interface speaks German where Blender does, and no word of the panel is left out."""

from __future__ import annotations

import ast
import importlib
import string
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

NOT_YET = "compose"
"""Modules whose names begin so are not translated yet."""

SAME = {"Riff", "Python", "GANimator", "rna_type"}


@pytest.fixture
def german(riff: ModuleType) -> ModuleType:
    return importlib.import_module(f"{riff.__name__}.panels.german")


def texts_of(rna: Any) -> set[str]:
    texts = set()
    for prop in rna.properties:
        if prop.identifier in ("rna_type", "name") or not prop.description:
            continue
        texts |= {prop.name, prop.description}
        if prop.type == "ENUM":
            texts |= {text for item in prop.enum_items for text in (item.name, item.description)}
    return texts


def drawn_texts(riff: ModuleType) -> set[str]:
    """What the panels' code says in so many words: labels of classes, text=…, say(…)."""
    texts = set()
    assert riff.__file__ is not None
    for path in (Path(riff.__file__).parent / "panels").glob("*.py"):
        if path.stem.startswith((NOT_YET, "german")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                said = [k.value for k in node.keywords if k.arg == "text"]
                said += node.args[:1] if getattr(node.func, "id", "") == "say" else []
                texts |= {str(v.value) for v in said if isinstance(v, ast.Constant)}
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "bl_label":
                texts.add(ast.literal_eval(node.value))
    return texts


def test_every_word_has_a_translation(riff: ModuleType, german: ModuleType) -> None:
    wanted = drawn_texts(riff)
    modules = [m for m in importlib.import_module(f"{riff.__name__}.operators").MODULES
               if not m.__name__.rpartition(".")[2].startswith(NOT_YET)]  # fmt: skip
    for cls in [cls for module in modules for cls in module.CLASSES]:
        if issubclass(cls, bpy.types.Operator):
            wanted |= {cls.bl_label, cls.__doc__ or ""}
        elif cls.__name__ in ("RiffSettings", "RiffArmature", "RiffRegion", "RiffPreferences"):
            wanted |= texts_of(cls.bl_rna)
    wanted = {text for text in wanted if any(c.isalpha() for c in text)} - SAME
    assert wanted - set(german.WORDS) == set()


def gaps(text: str) -> list[str | None]:
    return [form for _, field, form, _ in string.Formatter().parse(text) if field is not None]


def test_translations_have_the_same_gaps(german: ModuleType) -> None:
    for english, word in german.WORDS.items():
        assert gaps(english) == gaps(word), english
        assert not word.endswith("."), word


def test_blender_finds_the_words(riff: ModuleType) -> None:
    table = importlib.import_module(f"{riff.__name__}.panels.translations").table()
    assert table["de_DE"]["Operator", "Train on Action"] == "Aktion lernen"
    view, say = bpy.context.preferences.view, bpy.app.translations.pgettext_iface
    if "de_DE" not in view.bl_rna.properties["language"].enum_items and not bpy.app.translations.locales:
        pytest.skip("this Blender was built without languages; the real window shows German")
    view.language, view.use_translate_interface = "de_DE", True
    assert say("Train on Action", "Operator") == "Aktion lernen"
    assert say("Coarse Variation") == "Grobe Variation"
    assert say("Level {} of {}, {} left").format(2, 4, "3:05") == "Stufe 2 von 4, noch 3:05"
    view.language = "en_US"
