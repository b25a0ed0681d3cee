"""Large files, strange names, folders that cannot be written: the quick part of what `make soak` tries in full."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from tests.support import limits, rounds
from tests.support.faults.faults_of_editing import NotHere, read_only_home


@pytest.fixture(autouse=True)
def clean(riff: ModuleType) -> Iterator[None]:
    yield
    limits.part("rig.background.jobs").stop_all()
    for folder in (
        limits.part("rig.library.models").models_folder(),
        limits.part("rig.library.models").trainings_folder(),
    ):
        for path in folder.iterdir():
            path.unlink()
    bpy.ops.riff.refresh_models()


def test_many_actions(riff: ModuleType, trained: Path) -> None:
    limits.many_actions(40, trained)


def test_strange_names(riff: ModuleType, tmp_path: Path) -> None:
    limits.strange_names(tmp_path)


def test_strange_names_of_models(riff: ModuleType, trained: Path, tmp_path: Path) -> None:
    limits.strange_model_names(trained, tmp_path, limits.NAMES[::3])


def test_read_only_home(riff_zip: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFF_ZIP", str(riff_zip))
    shutil.copy(trained, tmp_path / "model.safetensors")
    try:
        read_only_home(0, tmp_path, python=Path(sys.executable))
    except NotHere as reason:
        pytest.skip(str(reason))


def test_nothing_stays_of_what_is_generated_and_discarded(riff: ModuleType, trained: Path) -> None:
    rounds.generate_and_discard(5, 2, trained)


def test_disabling_and_enabling_again_and_again(riff: ModuleType) -> None:
    rounds.disable_and_enable(3)
