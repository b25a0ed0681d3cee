"""The zips: the same commit gives the same bytes, and the repository's index describes its files."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("core", "rig", "sample", "state", "operators", "panels", "shell", "farm", "wheels", "requirements")


def builder() -> Path:
    """Blender's own builder, found without starting Blender."""
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        pytest.skip("bpy is not installed here")
    (found,) = Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    return found


def checkout(target: Path) -> Path:
    """A copy of what the zip is made of, its files of other dates than the original's."""
    target.mkdir()
    for path in ROOT.iterdir():
        if path.is_file() and path.suffix in (".toml", ".py", ".md", "") and not path.name.startswith("."):
            shutil.copy(path, target)
    for part in PARTS:
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
    for number, path in enumerate(target.rglob("*")):
        os.utime(path, (time.time() - 1000 * number,) * 2)
    return target


def pack(source: Path, *options: str) -> None:
    command = [sys.executable, str(source / "wheels/pack.py"), "--builder", str(builder()), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    subprocess.run([sys.executable, str(ROOT / "wheels/fetch.py")], check=True)
    source = checkout(tmp_path_factory.mktemp("one") / "riff")
    pack(source)
    return source / "dist"


def test_two_builds_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = checkout(tmp_path / "elsewhere")
    pack(again)
    assert digests(built) == digests(again / "dist")


def test_the_repository_describes_its_files(built: Path) -> None:
    index = json.loads((built / "repository/index.json").read_text(encoding="utf-8"))
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert {tuple(row["platforms"]) for row in index["data"]} == {(name,) for name in manifest["platforms"]}
    sums = (built / "repository/SHA256SUMS").read_text(encoding="utf-8")
    for row in index["data"]:
        path = built / "repository" / row["archive_url"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert row["archive_hash"] == f"sha256:{digest}"
        assert row["archive_size"] == path.stat().st_size
        assert f"{digest}  {path.name}" in sums
        assert row["permissions"].keys() == {"clipboard", "files", "network"}


def test_every_zip_has_its_own_wheel_pip_and_the_pinned_files(built: Path) -> None:
    for path in (built / "repository").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        for package in ("safetensors", "scipy_openblas32"):
            assert len([name for name in names if name.startswith(f"wheels/{package}-")]) == 1, path.name
        assert len([name for name in names if name.startswith("wheels/pip-")]) == 1
        assert "requirements/torch-linux-x64-cpu-py311.txt" in names
        modules = [name for name in names if name.endswith(".py")]
        assert len(modules) > 180
        assert {name for name in modules if name.startswith("core/")} == {
            file.relative_to(ROOT).as_posix() for file in (ROOT / "core").rglob("*.py")
        }
        assert not [name for name in names if name.endswith((".md",)) and name != "README.md"]
        assert not [name for name in names if "dev-" in name or name.endswith("pin.py")]


@pytest.mark.slow
def test_the_full_zip_carries_pytorch(tmp_path: Path) -> None:
    source = checkout(tmp_path / "riff")
    pack(source, "--zip-only", "--full", "--platform", "linux-x64", "--pythons", "py311")
    (made,) = (source / "dist/full").glob("*.zip")
    with zipfile.ZipFile(made) as archive:
        inside = [name for name in archive.namelist() if name.startswith("wheels/torch/")]
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert len(inside) == 10
    assert any(name.startswith("wheels/torch/torch-2") for name in inside)
    assert manifest["platforms"] == ["linux-x64"]
    assert len(manifest["wheels"]) == 2
