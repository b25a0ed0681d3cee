"""The pip package: the checkout's own code under another name, and a command that works in an empty environment."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHONS = ("3.11", "3.13")
NUMPYS = {"3.11": "numpy==1.26.4", "3.13": "numpy>=2"}
VERBS = ("train", "instant", "generate", "compose", "evaluate", "list", "job", "report")


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pip_package", ROOT / "wheels/pip_package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = builder().build(tmp_path_factory.mktemp("wheel"))
    return made


def test_the_wheel_holds_the_checkouts_code_and_nothing_of_blender(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    core = {name for name in inside if name.startswith("riff/core/")}
    assert core == {f"riff/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "core").rglob("*.py")}
    assert all(inside[name] == (ROOT / name.removeprefix("riff/")).read_bytes() for name in core)
    assert not [name for name, data in inside.items() if name.endswith(".py") and b"import bpy" in data]
    assert "riff/farm/openjd.yaml" in inside, "a job folder can be made"


def test_two_builds_give_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert builder().build(tmp_path).read_bytes() == wheel.read_bytes()


def test_help_speaks_of_the_command(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    for verb in ("", "train", "job"):
        command = [sys.executable, "-m", "riff", *([verb] if verb else []), "--help"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.startswith("usage: riff")
        assert "python -m core" not in done.stdout
        assert f"riff {verb}" in done.stdout


def python(version: str) -> str:
    """An interpreter of a version: this one, on PATH, or kept by pyenv."""
    kept = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python3"))
    candidates = [sys.executable, shutil.which(f"python{version}") or "", *map(str, kept)]
    for candidate in filter(None, candidates):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    pytest.skip(f"NOT TESTED: Python {version} is not here")


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path, version: str) -> None:
    """About half a minute a Python: an environment, numpy and safetensors from the index, every verb but training."""
    subprocess.run([python(version), "-m", "venv", str(tmp_path / "env")], check=True)
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel), NUMPYS[version]], check=True)
    place = tmp_path / "work"
    place.mkdir()
    shutil.copy(ROOT / "sample/dancer.safetensors", place / "dancer.safetensors")

    def riff(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(scripts / "riff"), *arguments]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done

    shown = riff("--help").stdout
    assert all(verb in shown for verb in VERBS)
    riff("generate", "dancer.safetensors", "--count", "2", "--frames", "90", "--out", "takes")
    takes = sorted((place / "takes").glob("*.bvh"))
    assert len(takes) == 2
    shutil.copy(takes[0], place / "walk.bvh")
    riff("instant", "walk.bvh", "--out", "instant.safetensors")
    riff("compose", "instant.safetensors", "--regions", "20-50", "--count", "1", "--out", "composed")
    assert list((place / "composed").glob("*.bvh"))
    measured = json.loads(riff("evaluate", "instant.safetensors", "--count", "2", "--json").stdout)
    assert measured
    listed = json.loads(riff("list", ".", "--json").stdout)
    assert listed
    riff("report", ".", "--no-sheets")
    said = riff("train", "walk.bvh", "--out", "m.safetensors", code=1).stderr
    assert "PyTorch" in said, "one sentence, no traceback"
    assert "Traceback" not in said
