"""The soak's faults that need Blender, each tried once: killed, a second Blender, files gone under the list."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.faults import faults_of_models as models
from tests.support.faults import faults_of_training as training

PYTHON = Path(sys.executable)


@pytest.fixture(autouse=True)
def zip_for_children(riff_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFF_ZIP", str(riff_zip))


def test_killed_blender_leaves_no_child_and_a_state(tmp_path: Path) -> None:
    training.killed(1, tmp_path, "process", 0.02, python=PYTHON)


def test_second_blender_is_not_offered_what_the_first_trains(tmp_path: Path) -> None:
    models.resumed_twice(1, tmp_path, python=PYTHON)


def test_model_files_harmed_under_the_list(tmp_path: Path) -> None:
    models.under_the_list(1, tmp_path, python=PYTHON)
