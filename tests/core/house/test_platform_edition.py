"""The edition for Blender's extension platform: nothing in its zip can fetch anything or start pip."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from wheels.platform_edition import without_network

ROOT = Path(__file__).resolve().parents[3]

FETCHING = {
    "_socket",
    "_ssl",
    "asyncio",
    "ensurepip",
    "ftplib",
    "http",
    "httpx",
    "imaplib",
    "pip",
    "poplib",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "urllib",
    "urllib3",
    "webbrowser",
    "xmlrpc",
}
"""Modules that reach a network or install packages."""

HARMLESS = {"urllib.parse"}
"""Modules of those packages that do neither."""

STARTING = {"subprocess": {"core/system/child_process.py"}, "os.system": set(), "os.popen": set(), "os.exec": set()}
"""Ways to start a program, and the files that may: all children come from one place."""


@pytest.fixture(scope="module")
def platform_zips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The zips of the edition; Blender's validator has passed each."""
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        pytest.skip("bpy is not installed here")
    (builder,) = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    out = tmp_path_factory.mktemp("platform")
    subprocess.run([sys.executable, str(ROOT / "wheels/fetch.py")], check=True)
    pack = [sys.executable, str(ROOT / "wheels/pack.py"), f"--builder={builder}", f"--out={out}", "--edition=platform"]
    subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
    for path in (out / "platform").glob("*.zip"):
        subprocess.run([sys.executable, str(builder), "validate", str(path)], check=True, stdout=subprocess.DEVNULL)
    return sorted((out / "platform").glob("*.zip"))


@pytest.fixture(scope="module")
def sources(platform_zips: list[Path]) -> dict[str, ast.Module]:
    """Every module of the zip for all platforms."""
    with zipfile.ZipFile(min(platform_zips, key=lambda path: len(path.name))) as archive:
        return {name: ast.parse(archive.read(name)) for name in archive.namelist() if name.endswith(".py")}


def imported(tree: ast.Module) -> Iterator[str]:
    """Absolute names that a module imports, anywhere in it, also by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node).split(".")[-1] in ("import_module", "__import__"):
            yield from (str(inner.value) for inner in node.args if isinstance(inner, ast.Constant))


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_no_module_reaches_a_network_or_installs_packages(sources: dict[str, ast.Module]) -> None:
    assert len(sources) > 200, "too few modules were seen"
    found = [
        f"{name}: {module}"
        for name, tree in sources.items()
        for module in imported(tree)
        if module.split(".")[0] in FETCHING and not any(module.startswith(one) for one in HARMLESS)
    ]
    assert found == []


def test_only_one_module_starts_programs(sources: dict[str, ast.Module]) -> None:
    for way, allowed in STARTING.items():
        users = {name for name, tree in sources.items() if any(one.split(".")[0] == way for one in imported(tree))}
        called = {
            name
            for name, tree in sources.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and _called(node).startswith(way)
        }
        assert users | called == allowed, way


def test_no_command_names_pip(sources: dict[str, ast.Module]) -> None:
    words = {
        node.value
        for tree in sources.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [word for word in words if re.search(r"^pip\b|-m pip\b|pip-.*whl|get-pip", word)] == []


def test_the_installer_its_releases_and_pip_are_not_in_it(platform_zips: list[Path]) -> None:
    for path in platform_zips:
        names = zipfile.ZipFile(path).namelist()
        left = [name for name in names if re.search(r"torch_install|install_job|requirements/|/install\.py|pip-", name)]
        assert left == [], path.name
        assert "core/torch_trial/trial.py" in names


def test_the_manifest_asks_for_no_network(platform_zips: list[Path]) -> None:
    full = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    platforms = []
    for path in platform_zips:
        with zipfile.ZipFile(path) as archive:
            manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        assert manifest["permissions"].keys() == {"clipboard", "files"}
        assert "PyTorch" not in manifest["permissions"]["files"]
        for reason in [*manifest["permissions"].values(), manifest["tagline"]]:
            assert len(reason) <= 64
            assert not reason.endswith(".")
        for name in ("id", "version", "name", "license", "tags", "blender_version_min", "maintainer"):
            assert manifest[name] == full[name]
        # Blender's builder writes a platform of several below the manifest of all.
        generated = manifest["build"].get("generated", {}) if "build" in manifest else {}
        platforms.append(sorted(generated.get("platforms", manifest["platforms"])))
    assert sorted(platforms) == sorted([sorted(full["platforms"]), *([name] for name in full["platforms"])])
    with pytest.raises(ValueError, match="not those that the edition changes"):
        without_network("[permissions]\n")
