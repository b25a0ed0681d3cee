"""An interpreter that the user names: one sentence about what is wrong with it, whatever it is."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.torch_trial.trial import TrialError, ask_python, try_python

pytestmark = pytest.mark.skipif(os.name == "nt", reason="interpreters are shell scripts")


def program(folder: Path, script: str, name: str = "python") -> Path:
    """A program that does what a shell script does."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def answering(folder: Path, version: tuple[int, int], missing: list[str]) -> Path:
    return program(folder, f"echo '{json.dumps({'version': list(version), 'missing': missing})}'")


def test_an_interpreter_says_its_version_without_loading_pytorch() -> None:
    pytest.importorskip("torch")
    started = time.monotonic()
    assert ask_python(Path(sys.executable)) == {"version": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    assert time.monotonic() - started < 5.0


def test_a_bare_interpreter_lacks_pytorch(tmp_path: Path) -> None:
    base = Path(sys.base_prefix) / "bin/python3"
    bare = program(tmp_path, f'exec "{base}" -S "$@"')
    with pytest.raises(TrialError, match=r"has no PyTorch and no NumPy; install what is missing there"):
        ask_python(bare)


@pytest.mark.parametrize(
    ("version", "missing", "sentence"),
    [
        ((3, 9), [], r"is Python 3\.9, and Riff needs 3\.11 or newer"),
        ((2, 7), ["torch", "numpy"], r"is Python 2\.7, and Riff needs"),
        ((3, 12), ["torch"], r"\(Python 3\.12\) has no PyTorch; install"),
        ((3, 12), ["numpy"], r"\(Python 3\.12\) has no NumPy; install"),
    ],
)
def test_an_old_or_incomplete_python_is_named(
    tmp_path: Path, version: tuple[int, int], missing: list[str], sentence: str
) -> None:
    with pytest.raises(TrialError, match=sentence):
        ask_python(answering(tmp_path, version, missing))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo hello", "is no Python interpreter; asked for its version it said “hello”"),
        ("echo 'I am a shell' >&2; exit 3", "it said “I am a shell”"),
        ("exit 9", "it said “it ended with code 9”"),
        ("echo '[1, 2]'", "is no Python interpreter"),
        ("""echo '{"version": "x", "missing": 3}'""", "is no Python interpreter"),
        ("""echo '{"version": [], "missing": []}'""", "is no Python interpreter"),
    ],
)
def test_another_program_is_no_python(tmp_path: Path, script: str, sentence: str) -> None:
    with pytest.raises(TrialError, match=sentence):
        ask_python(program(tmp_path, script))


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="is a folder; choose the interpreter in it"):
        ask_python(tmp_path)
    with pytest.raises(TrialError, match="cannot be started: No such file"):
        ask_python(tmp_path / "nothing")
    text = tmp_path / "text"
    text.write_text("hello")
    with pytest.raises(TrialError, match="cannot be started: Permission denied"):
        ask_python(text)
    with pytest.raises(TrialError, match=r"is Blender, not Python; leave the field empty"):
        ask_python(program(tmp_path, "touch started; echo", "blender-5.2"))
    assert not list(tmp_path.rglob("started")), "Blender would open a window"


def test_in_a_flatpak_the_sandbox_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / ".flatpak-info"
    monkeypatch.setattr("core.torch_trial.trial.FLATPAK_MARK", mark)
    for there in (False, True):
        if there:
            mark.touch()
        with pytest.raises(TrialError, match="cannot be started") as caught:
            ask_python(tmp_path / "usr/bin/python3")
        assert ("This Blender is a Flatpak" in str(caught.value)) is there


def test_an_interpreter_that_hangs_is_given_up_and_can_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.torch_trial.trial.ANSWER_SECONDS", 0.5)
    hanging = program(tmp_path, "sleep 60")
    started = time.monotonic()
    with pytest.raises(TrialError, match="has not ended"):
        ask_python(hanging)
    with pytest.raises(Cancelled):
        ask_python(hanging, lambda: True)
    assert time.monotonic() - started < 5.0


def test_of_two_pythons_the_named_one_is_tried_with_its_own_pytorch(tmp_path: Path) -> None:
    """Neither Blender's packages nor PYTHONPATH reach into another Python, and its PyTorch is the one that is tried."""
    packages = tmp_path / "packages"
    for name, code in (("torch", "raise RuntimeError('of the other Python')"), ("numpy", "")):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text(code)
    base = Path(sys.base_prefix) / "bin/python3"
    # A virtual environment: a link to the interpreter, and packages of its own.
    other = tmp_path / "env"
    (other / "bin").mkdir(parents=True)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = other / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "packages.pth").write_text(f"{packages}\n")
    (other / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    (other / "bin/python").symlink_to(base)
    assert ask_python(other / "bin/python")["version"] == version.removeprefix("python")
    with pytest.raises(TrialError, match="of the other Python"):
        try_python(other / "bin/python", lambda: False)
