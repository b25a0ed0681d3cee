"""The house: which room may import which, no circles, no late imports without a reason, no crowded folders."""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOPS = ("core", "rig", "sample", "state", "operators", "panels", "shell")

FOUNDATION = {"core", "core.errors"}
"""EXTENSION_ROOT and the errors: every room may import them."""

NUMBERS = {"core.files", "core.numeric"}
DATA = {"core.files", "core.numeric", "core.motion", "core.cycles", "core.model"}
MAKING = DATA | {"core.system", "core.generation", "core.evaluation"}

MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "core.errors": set(),
    "core.files": set(),
    "core.numeric": set(),
    "core.system": {"core.files"},
    "core.motion": NUMBERS,
    "core.cycles": {"core.numeric", "core.motion"},
    "core.hints": {"core.numeric", "core.motion"},
    "core.blending": {"core.numeric", "core.motion"},
    "core.model": NUMBERS | {"core.motion"},
    "core.networks": {"core.numeric", "core.motion", "core.model"},
    "core.matching": DATA | {"core.system", "core.evaluation"},
    "core.generation": DATA | {"core.system", "core.networks", "core.evaluation", "core.matching"},
    "core.evaluation": {"core.numeric", "core.motion"},
    "core.training": MAKING | {"core.networks", "core.matching"},
    "core.runs": MAKING | {"core.matching", "core.training"},
    "core.placing": {"core.numeric", "core.motion"},
    "core.directing": DATA | {"core.system", "core.generation", "core.matching", "core.placing"},
    "core.driving": DATA | {"core.generation", "core.matching"},
    "core.crowd": MAKING | {"core.directing"},
    "core.torch_trial": {"core.system"},
    "core.torch_install": {"core.files", "core.system", "core.torch_trial"},
    "core.farm": MAKING | {"core.training", "core.runs"},
    "core.cli": MAKING
    | {"core.matching", "core.training", "core.runs", "core.placing", "core.directing", "core.farm"}
    | {"core.driving"},
    "core.__main__": {"core.cli"},
    "rig": set(),
    "rig.compat": set(),
    "rig.steps": set(),
    "rig.unseen": set(),
    "rig.bone_paths": set(),
    "rig.stage": {"rig.compat", "rig.unseen", "rig.bone_paths"},
    "rig.ownership": set(),
    "rig.stored": set(),
    "rig.parents": set(),
    "rig.clamping": set(),
    "rig.reading": {"core.*", "rig.bone_paths", "rig.compat", "rig.steps", "rig.unseen", "rig.stage"},
    "rig.writing": {"core.*", "rig.compat", "rig.steps", "rig.unseen", "rig.ownership", "rig.reading"},
    "rig.hints": {"core.*", "rig.compat", "rig.steps", "rig.reading"},
    "rig.background": {"core.*", "rig.compat", "rig.steps", "rig.reading", "rig.writing"},
    "rig.crowd": {
        "core.*",
        "rig.compat",
        "rig.steps",
        "rig.stored",
        "rig.parents",
        "rig.ownership",
        "rig.reading",
        "rig.writing",
        "rig.background",
    },
    "rig.ghosts": {"core.*", "rig.compat", "rig.ownership", "rig.stored", "rig.crowd"},
    "rig.library": {"core.*", "rig.compat", "rig.unseen", "rig.ownership", "rig.reading"},
    "sample": {"core.numeric", "rig.compat"},
    "state": {"core.*", "rig.*"},
    "operators": {"core.*", "rig.*", "sample", "state"},
    "panels": {"state"},
    "shell": {"core.*", "rig.*", "state"},
    "api": {"core.*", "rig.reading", "rig.writing", "rig.ghosts", "state"},
    "": {"state", "operators", "panels", "shell"},
}
"""The rooms that each room may import, beside itself and FOUNDATION; `core.*` is every room of core."""

MOST_FILES = 20
MOST_FILES_OF_CORE = 6
MOST_LINES = 400
"""Modules are about 300 lines; the hard limit leaves room for one that is in the middle of a change."""

TIERS = ("core", "blender", "gui", "soak")
"""Folders of tests: each runs by itself."""

REASONS = ("PyTorch", "start-up time", "--help")


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the extension by its dotted name; "" is the extension itself."""
    paths = [ROOT / "__init__.py", ROOT / "api.py", *(p for top in TOPS for p in sorted((ROOT / top).rglob("*.py")))]
    return {dotted(path): path for path in paths}


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """core.motion for core.motion.bvh, rig.compat for itself, panels for panels.train."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in ("core", "rig") else parts[0]


def imports(path: Path) -> Iterator[tuple[str, ast.ImportFrom]]:
    """Modules that a file imports by a relative import, those under TYPE_CHECKING and in functions included."""
    package = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}" if source else alias.name
                yield (inner if inner in modules() else source), node


def test_the_whole_extension_is_looked_at() -> None:
    assert len(modules()) > 200
    assert {room_of(name) for name in modules()} <= set(MAY_IMPORT)


def test_no_room_imports_one_that_it_may_not() -> None:
    wrong = []
    for name, path in modules().items():
        room = room_of(name)
        for other, node in imports(path):
            target = room_of(other)
            allowed = MAY_IMPORT[room] | FOUNDATION | {room}
            if target not in allowed and f"{target.split('.')[0]}.*" not in allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {room} may not import {target}")
    assert wrong == []


def test_no_module_imports_itself_by_a_circle() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, path in modules().items():
        arrows[name] |= {other for other, _ in imports(path) if other != name}
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(arrows[name]):
                follow(other, (*way, name))
            done.add(name)

    for name in sorted(modules()):
        follow(name, ())


def test_core_knows_nothing_of_blender() -> None:
    for path in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [one for one in names if one.split(".")[0] in ("bpy", "mathutils", "bpy_extras")], path


def late_imports(path: Path) -> Iterator[ast.stmt]:
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


def test_late_imports_say_why() -> None:
    silent = []
    for path in modules().values():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in late_imports(path):
            first = node.lineno - 1
            while first and lines[first - 1].lstrip().startswith(("from ", "import ", "#")):
                first -= 1
            if not any(reason in "\n".join(lines[first : node.end_lineno]) for reason in REASONS):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}: {lines[node.lineno - 1].strip()}")
    assert silent == []


@pytest.mark.parametrize("top", TOPS)
def test_no_folder_is_crowded(top: str) -> None:
    for folder in [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]:
        files = [path for path in folder.iterdir() if path.suffix == ".py"]
        most = MOST_FILES_OF_CORE if folder == ROOT / "core" else MOST_FILES
        assert len(files) <= most, folder


@pytest.mark.parametrize("top", ["tests", "bench"])
def test_no_folder_of_tests_or_benches_is_crowded(top: str) -> None:
    folders = [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]
    files = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert sum(files.values()) > 40, "too few files were seen"
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}


def imported_by(path: Path) -> Iterator[tuple[str, int]]:
    """Modules and names that a file of the tests imports, each with its line; code in its strings included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for module, names in re.findall(r"(?m)^from ([\w.]+) import ([\w, ]+)$", node.value):
                yield from ((f"{module}.{name.strip()}", node.lineno) for name in names.split(","))


def test_tiers_import_support_and_support_imports_no_tier() -> None:
    """Tiers share code by tests/support alone; no test file imports another test file."""
    wrong, looked_at = [], 0
    for path in sorted((ROOT / "tests").rglob("*.py")):
        looked_at += 1
        parts = path.relative_to(ROOT).parts
        for name, line in imported_by(path):
            others = name.split(".")
            if others[0] != "tests":
                continue
            foreign = others[1] in TIERS and others[1] != parts[1]
            if foreign or any(word.startswith("test_") for word in others) or "conftest" in others:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert looked_at > 120
    assert wrong == []


def names_of(path: Path) -> set[str]:
    """Names that a module defines or imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def dotted_strings(path: Path) -> Iterator[tuple[str, int]]:
    """Strings such as “core.motion.bvh”, alone or behind the extension's name: modules that a test imports late."""
    pattern = re.compile(rf"(?:\{{\}}\.)?((?:{'|'.join(TOPS)})(?:\.\w+)+(?::\w+)?)")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        found = pattern.fullmatch(text)
        if found and not text.endswith((".safetensors", ".bvh", ".py")):
            yield found[1].replace(":", "."), getattr(node, "lineno", 0)


def test_strings_of_tests_name_modules_that_exist() -> None:
    """Modules imported by their names in strings: no checker of types sees that one was renamed."""
    wrong, seen = [], 0
    paths = [path for top in ("tests", "bench") for path in sorted((ROOT / top).rglob("*.py"))]
    for path in paths:
        for text, line in dotted_strings(path) if path != Path(__file__) else ():
            parts = text.split(".")
            known = max((k for k in range(1, len(parts) + 1) if ".".join(parts[:k]) in modules()), default=0)
            module = modules().get(".".join(parts[:known]))
            seen += 1
            if module is None or (known < len(parts) and parts[known] not in names_of(module)):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {text}")
    assert seen > 100
    assert wrong == []


def test_no_module_is_too_long() -> None:
    long = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in long.items() if count > MOST_LINES} == {}


def test_operators_are_in_operators_only() -> None:
    for name, path in modules().items():
        classes = [
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)
        ]
        bases = {ast.unparse(base) for one in classes for base in one.bases}
        assert "bpy.types.Operator" not in bases or room_of(name) == "operators", path
