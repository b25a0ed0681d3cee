"""The interface speaks German where Blender does, and no word of the panel is left out."""

from __future__ import annotations

import ast
import importlib
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

SAME = {"Riff", "Python", "GANimator", "Name", "Preset"}


@pytest.fixture
def german(riff: ModuleType) -> dict[str, str]:
    words: dict[str, str] = importlib.import_module(f"{riff.__name__}.panels.translations").read_language("de_DE")
    return words


def texts_of(rna: Any, own: set[str]) -> set[str]:
    """Names, tooltips and choices of the properties that a class adds itself."""
    texts = set()
    for prop in rna.properties:
        if prop.identifier not in own or prop.identifier.startswith("bl_") or not prop.description:
            continue
        texts |= {prop.name, prop.description}
        if prop.type == "ENUM":
            texts |= {text for item in prop.enum_items for text in (item.name, item.description)}
    return texts


def trees(riff: ModuleType, folder: str) -> Iterator[ast.Module]:
    assert riff.__file__ is not None
    for path in (Path(riff.__file__).parent / folder).rglob("*.py"):
        yield ast.parse(path.read_text(encoding="utf-8"))


def strings(node: ast.AST) -> set[str]:
    """String constants in a piece of code but for parts of f-strings, whose whole cannot be translated."""
    if isinstance(node, (ast.JoinedStr, ast.Compare, ast.Subscript)):
        return set()
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    return set().union(*(strings(child) for child in ast.iter_child_nodes(node)))


def drawn_texts(riff: ModuleType) -> set[str]:
    """Texts in the panels' code: labels of classes, text=…, say(…)."""
    texts = set()
    for node in (node for tree in trees(riff, "panels") for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and not any(k.arg == "translate" for k in node.keywords):
            for keyword in node.keywords:
                if keyword.arg == "text":
                    texts |= strings(keyword.value)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            texts |= strings(node.args[0])
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "bl_label":
            texts |= strings(node.value)
    return texts


def poll_sentences(riff: ModuleType) -> set[str]:
    """Sentences of operators that cannot be clicked: in poll() and in functions called …_problem."""
    texts = set()
    folders = ("operators", "state")
    for node in (node for folder in folders for tree in trees(riff, folder) for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef) and (node.name == "poll" or node.name.endswith("_problem")):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            texts |= {text for part in body for text in strings(part) if " " in text}
    return texts


def test_every_word_has_a_translation(riff: ModuleType, german: dict[str, str]) -> None:
    wanted = drawn_texts(riff) | poll_sentences(riff)
    rooms = [importlib.import_module(f"{riff.__name__}.{room}") for room in ("state", "operators")]
    preferences = importlib.import_module(f"{riff.__name__}.panels.preferences")
    for cls in [cls for room in (*rooms, preferences) for cls in room.CLASSES]:
        ours = [base for base in cls.__mro__ if base.__module__.startswith(riff.__name__)]
        own = {name for base in ours for name in vars(base).get("__annotations__", {})} - {"name"}
        wanted |= texts_of(cls.bl_rna, own)
        if issubclass(cls, bpy.types.Operator):
            wanted |= {cls.bl_label, cls.__doc__ or ""}
    wanted = {text for text in wanted if any(c.isalpha() for c in text)} - SAME
    assert wanted - set(german) == set()


def test_no_translation_is_stale(riff: ModuleType, german: dict[str, str]) -> None:
    """A text that nobody says any more goes from the catalogue, too."""
    root = Path(riff.__file__ or "").parent
    source = [ast.parse(path.read_text(encoding="utf-8")) for path in root.rglob("*.py") if "wheels" not in path.parts]
    said = {
        node.value
        for tree in source
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {text for text in german if text not in said} == set()


def gaps(text: str) -> list[str | None]:
    return [form for _, field, form, _ in string.Formatter().parse(text) if field is not None]


def test_translations_have_the_same_gaps(german: dict[str, str]) -> None:
    for english, word in german.items():
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
