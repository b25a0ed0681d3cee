"""The documents: links lead somewhere, and paths and names of the code are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "bench/lab.md"]

LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
SOURCE_PATH = re.compile(
    r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.py|(?:core|rig|tests|bench)/[a-z_0-9/]*)(?:: ([A-Za-z_.0-9]+))?`"
)
OTHERS = {"demo.py", "evaluate.py", "fix_contact.py"}
"""Files of GANimator's code, which the method compares."""

STARTS = ("", "core/", "bench/")
"""Folders from which paths in documents start."""


def known_names(path: Path) -> set[str]:
    """Names that a module defines: functions, classes, constants, and attributes of classes as Class.name."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names |= _defined(node)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for inner in node.body for name in _defined(inner)}
    return names


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if d.name not in ("lab.md", "CHANGELOG.md")], ids=lambda path: path.name
)
def test_paths_and_names_of_the_code_exist(document: Path) -> None:
    """The lab book and the changelog tell of the past: their paths may be gone."""
    wrong = []
    for path, name in SOURCE_PATH.findall(document.read_text(encoding="utf-8")):
        found = [ROOT / start / path for start in STARTS if (ROOT / start / path).exists()]
        if not found and path.endswith(".py") and "/" not in path:
            found = [file for top in ("core", "rig", "bench", "tests") for file in (ROOT / top).rglob(path)]
        if path in OTHERS:
            continue
        if not found or (name and not any(name in known_names(file) for file in found)):
            wrong.append(f"{path}: {name}" if name else path)
    assert wrong == []


def test_the_method_names_its_code() -> None:
    """The table of the method has the code of each thing: at least a path for most of its rows."""
    assert len(SOURCE_PATH.findall((ROOT / "docs/method.md").read_text(encoding="utf-8"))) > 30
