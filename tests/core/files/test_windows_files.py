"""Troubles of Windows with files, injected on any system: files held open, paths of more than 259 characters."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelError
from core.files import held_open, paths
from core.files.held_open import patiently, reason_of
from core.files.paths import long_path, write_bytes
from core.model.model_file import save_model
from core.motion.motion import Motion
from core.torch_install import folder as folder_module
from core.torch_install.folder import InstallError, TorchFolder
from core.torch_install.unpack import unpack_wheels

MOST_CHARACTERS = 259
"""Longest path that Windows takes without its prefix."""

LICENCE = "torch-9.0.dist-info/licenses/" + "third_party/" * 12 + "LICENSE.txt"
"""A path like PyTorch's longest."""


def held(code: int, name: str = "a file") -> PermissionError:
    """An error as Windows raises it for a file in use."""
    error = PermissionError(13, "The process cannot access the file because it is being used by another process", name)
    error.winerror = code  # type: ignore[attr-defined]
    return error


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, int, int], list[str]]:
    """Function that lets a function of a module fail a number of times as for a held file; the paths it was given."""

    def inject(module: Any, name: str, times: int, code: int) -> list[str]:
        real, asked = getattr(module, name), []

        def function(path: Any, *arguments: Any, **options: Any) -> Any:
            asked.append(str(path))
            if len(asked) <= times:
                raise held(code, str(path))
            return real(path, *arguments, **options)

        monkeypatch.setattr(module, name, function)
        return asked

    monkeypatch.setattr(held_open, "WAITS_SECONDS", (0.001,) * 5)
    return inject


@pytest.mark.parametrize("code", [5, 32, 33])
def test_a_file_that_is_held_for_a_moment_is_replaced(tmp_path: Path, refuse: Any, code: int) -> None:
    target = tmp_path / "model"
    target.write_bytes(b"old")
    tries = refuse(os, "replace", 3, code)
    write_bytes(target, b"new")
    assert target.read_bytes() == b"new"
    assert len(tries) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_file_that_stays_held_is_left_as_it_was_and_named(tmp_path: Path, refuse: Any, small_model: Any) -> None:
    target = tmp_path / "Dance.safetensors"
    target.write_bytes(b"old")
    tries = refuse(os, "replace", 99, 32)
    with pytest.raises(
        ModelError, match=r"Cannot save the model .*another program holds it open, such as an antivirus"
    ):
        save_model(small_model, target)
    assert len(tries) == 6
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_rights_that_are_missing_are_not_waited_for() -> None:
    asked: list[int] = []

    def denied() -> None:
        asked.append(1)
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError):
        patiently(denied)
    assert len(asked) == 1
    assert reason_of(PermissionError(13, "Permission denied")) == "Permission denied"
    assert reason_of(ValueError("something.")) == "something"


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Paths that Windows would not have taken; this system's /proc/self/root stands in for its prefix."""
    if not Path("/proc/self/root/tmp").exists():
        pytest.skip("the stand-in for Windows' prefix is Linux' /proc")
    for module in (paths, folder_module):
        monkeypatch.setattr(module, "LONG_PREFIX", "/proc/self/root")
    wrong: list[str] = []

    def look(path: Any) -> None:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if len(str(text)) > MOST_CHARACTERS and not str(text).startswith("/proc/self/root"):
            wrong.append(str(text))

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def function(path: Any, *rest: Any, **more: Any) -> Any:
            look(path)
            return real(path, *rest, **more)

        return function

    for name in ("stat", "lstat", "mkdir", "open", "scandir", "rmdir", "unlink"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    watching = [True]
    sys.addaudithook(lambda event, values: look(values[0]) if event == "open" and watching[0] else None)
    yield wrong
    watching[0] = False


def test_pytorchs_longest_paths_are_written_asked_about_and_removed(
    tmp_path: Path, limit: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder of a person with a name of 20 letters, as long as Windows makes it."""
    below = "AppData/Roaming/Blender Foundation/Blender/4.5/extensions/.user/user_default/riff/torch"
    root = tmp_path / "Users" / ("x" * 20) / below
    root.mkdir(parents=True)
    place = TorchFolder(root, "py311", "cuda12")
    place.begin()
    assert len(str(place.packages / LICENCE)) > MOST_CHARACTERS
    wheel = tmp_path / "torch-9.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("torch/__init__.py", "")
        archive.writestr(LICENCE, "text")
        archive.writestr(
            "torch-9.0.dist-info/RECORD", f"torch/__init__.py,,\n{LICENCE},,\ntorch-9.0.dist-info/RECORD,,\n"
        )
    limit.clear()
    unpack_wheels([wheel], place.packages, lambda *_: None, lambda: False)
    assert place.missing_files() == [], "Windows would say that the longest is gone"
    Path(long_path(place.packages / LICENCE)).unlink()
    assert place.missing_files() == [LICENCE]
    place.finish({"torch": "9.0"})
    place.begin()
    assert list(place.packages.iterdir()) == []
    place.remove()
    assert not place.packages.exists()
    assert limit == []


def test_a_library_that_windows_has_loaded_is_named(tmp_path: Path, refuse: Any) -> None:
    place = TorchFolder(tmp_path, "py311", "cpu")
    place.begin()
    refuse(shutil, "rmtree", 99, 5)
    with pytest.raises(InstallError, match=r"cannot be deleted .*restart Blender and remove again"):
        place.remove()
    with pytest.raises(InstallError, match=r"Blender may not write into"):
        place.begin()


def test_homes_with_other_letters_and_in_onedrive(tmp_path: Path) -> None:
    place = TorchFolder(tmp_path / "Jürgen Łącki 漢字/OneDrive - Ærø", "py311", "cpu")
    place.begin()
    wheel = tmp_path / "torch-9.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("torch/__init__.py", "")
        archive.writestr("torch-9.0.dist-info/RECORD", "torch/__init__.py,,\ntorch-9.0.dist-info/RECORD,,\n")
    unpack_wheels([wheel], place.packages, lambda *_: None, lambda: False)
    place.finish({"torch": "9.0"})
    assert place.missing_files() == []
    assert place.facts() == {"torch": "9.0"}
    place.remove()


@pytest.fixture
def small_model(walker: Motion) -> Any:
    from core.matching.instant import instant_model

    return instant_model(walker)
