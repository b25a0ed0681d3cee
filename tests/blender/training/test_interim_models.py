"""A training that runs is of use already: its model so far, and *Enough*."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

STEPS = 0.02
"""Share of the recipe's steps: 20 in the first level, some seconds of training."""


@pytest.fixture
def training(riff: ModuleType, models: Path) -> Iterator[Any]:
    """A training of the sample dancer that has just begun."""
    bpy.ops.riff.add_sample_dancer()
    jobs = importlib.import_module(f"{riff.__name__}.rig.background.jobs")
    assert bpy.ops.riff.train(scale=STEPS) == {"FINISHED"}
    yield jobs.latest_training()
    jobs.stop_all()
    shutil.rmtree(models.parent / "trainings", ignore_errors=True)


def follow(riff: ModuleType, until: Callable[[], bool]) -> None:
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    limit = time.monotonic() + 240
    while not until():
        assert tick() or until(), "the training ended before"
        assert time.monotonic() < limit
        time.sleep(0.02)


def rows() -> Any:
    return bpy.context.window_manager.riff.models


def test_the_model_so_far_is_listed_and_generates(riff: ModuleType, training: Any, models: Path) -> None:
    with pytest.raises(RuntimeError, match="No training has made a model yet"):
        bpy.ops.riff.end_training()
    follow(riff, lambda: bool(training.interim))
    assert training.running
    assert [row.name for row in rows()] == ["Sample Dance"]
    assert rows()[0].detail.endswith("% trained so far")
    assert bpy.ops.riff.generate(count=1, frames=90) == {"FINISHED"}
    follow(riff, lambda: not training.running)
    assert rows()[0].detail.startswith("20 s, fast")
    assert "so far" not in rows()[0].detail
    assert [path.name for path in models.iterdir()] == ["Sample Dance.safetensors"]


def test_enough_ends_with_a_complete_model(riff: ModuleType, training: Any, models: Path) -> None:
    follow(riff, lambda: bool(training.interim))
    assert bpy.ops.riff.end_training() == {"FINISHED"}
    assert training.ends_early
    follow(riff, lambda: not training.running)
    assert training.state.name == "DONE"
    assert not list((models.parent / "trainings").glob("*"))
    assert rows()[0].detail == "20 s, fast, all levels matched", "of so few steps the networks are worse than none"
    assert rows()[0].quality in ("Good", "Fair", "Poor")
    assert bpy.ops.riff.generate(count=1, frames=90) == {"FINISHED"}


def test_cancelling_takes_the_model_so_far_back(riff: ModuleType, training: Any, models: Path) -> None:
    follow(riff, lambda: bool(training.interim))
    assert bpy.ops.riff.cancel_training() == {"FINISHED"}
    follow(riff, lambda: not training.running)
    assert list(models.iterdir()) == []
    assert len(rows()) == 0
    assert len(bpy.context.window_manager.riff.unfinished) == 1
