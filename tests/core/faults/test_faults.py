"""The soak's faults of training and disks, each tried once or a few times."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training import progress_reporter, snapshot
from tests.support.faults import faults_of_disks as disks
from tests.support.faults import faults_of_training as training
from tests.support.faults.fault import NotHere


@pytest.fixture(autouse=True)
def intervals_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt may change them: its process ends soon, this one does not."""
    for module, name in ((snapshot, "SNAPSHOT_SECONDS"), (progress_reporter, "REPORT_SECONDS")):
        monkeypatch.setattr(module, name, getattr(module, name))


@pytest.mark.parametrize("kind", disks.KINDS)
def test_full_disk_while_writing(kind: str, tmp_path: Path) -> None:
    try:
        disks.full_while_writing(kind, 1, tmp_path)
    except NotHere as reason:
        pytest.skip(str(reason))


def test_full_disk_when_a_training_ends(tmp_path: Path) -> None:
    try:
        disks.full_at_the_end(1, tmp_path)
    except NotHere as reason:
        pytest.skip(str(reason))


def test_full_disk_for_states(tmp_path: Path) -> None:
    try:
        disks.full_for_states(2, tmp_path)
    except NotHere as reason:
        pytest.skip(str(reason))


def test_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    for seed in range(10):
        training.damaged_checkpoint(seed, tmp_path)


def test_no_memory_is_told(tmp_path: Path) -> None:
    training.no_memory(1, tmp_path)
