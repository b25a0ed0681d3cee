"""Jobs by themselves: their states, their end, and the end of Python while one runs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import pytest


@pytest.fixture
def jobs(riff: ModuleType) -> ModuleType:
    return importlib.import_module(f"{riff.__name__}.rig.background.jobs")


@pytest.fixture
def motion(riff: ModuleType) -> Any:
    bpy.ops.riff.add_sample_dancer()
    return importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(bpy.context.object)


def begun(riff: ModuleType, motion: Any, factor: float = 1.0, seed: int = 0) -> Any:
    """Task of a training: the fast recipe with a share of its steps."""
    recipe = importlib.import_module(f"{riff.__name__}.core.model.recipe").RECIPES["fast"].scaled(factor)
    return importlib.import_module(f"{riff.__name__}.core.training.checkpoint").Checkpoint(motion, recipe, seed)


def tick_until(job: Any, state: Any) -> None:
    while job.state is not state and job.running:
        job.tick()
        time.sleep(0.01)


def training_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(("Training", "riff-train"))]


def test_job_waits_runs_and_ends(riff: ModuleType, jobs: ModuleType, motion: Any, tmp_path: Path) -> None:
    job = jobs.TrainingJob(begun(riff, motion, 0.0001, seed=3), tmp_path / "m.safetensors", name="Dance")
    assert (job.state, job.running, job.progress) == (jobs.State.WAITING, True, None)
    job.start()
    tick_until(job, jobs.State.DONE)
    assert (job.state, job.error) == (jobs.State.DONE, "")
    model = importlib.import_module(f"{riff.__name__}.core.model.model_file").load_model(job.path)
    assert (model.name, model.seed) == ("Dance", 3)
    assert training_threads() == []


def test_state_changes_only_by_ticks(riff: ModuleType, jobs: ModuleType, motion: Any, tmp_path: Path) -> None:
    job = jobs.TrainingJob(begun(riff, motion, 0.0001), tmp_path / "m.safetensors")
    job.start()
    job.join()
    assert job.state is jobs.State.WAITING
    assert job.tick()
    assert job.state is jobs.State.DONE
    assert not job.tick()


def test_cancelled_job_leaves_nothing(riff: ModuleType, jobs: ModuleType, motion: Any, tmp_path: Path) -> None:
    job = jobs.TrainingJob(begun(riff, motion), tmp_path / "m.safetensors")
    job.start()
    while job.progress is None:
        job.tick()
        time.sleep(0.01)
    job.cancel()
    tick_until(job, jobs.State.CANCELLED)
    assert job.state is jobs.State.CANCELLED
    assert list(tmp_path.iterdir()) == []
    assert training_threads() == []


def test_clip_that_is_too_short_fails_with_its_sentence(
    riff: ModuleType, jobs: ModuleType, motion: Any, tmp_path: Path
) -> None:
    job = jobs.TrainingJob(begun(riff, motion.slice(0, 20)), tmp_path / "m.safetensors")
    job.start()
    tick_until(job, jobs.State.FAILED)
    assert job.error.startswith("The action lasts 0.6 s;")


def test_missing_torch_fails_with_advice(
    riff: ModuleType, jobs: ModuleType, motion: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(f"{riff.__name__}.core.")]:
        if name.rsplit(".", 1)[1] in ("train", "estimate", "networks", "losses", "stage", "pyramid", "packed"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    job = jobs.TrainingJob(begun(riff, motion), tmp_path / "m.safetensors")
    job.start()
    tick_until(job, jobs.State.FAILED)
    assert job.error == jobs.NO_TORCH


def test_disabling_the_extension_ends_a_training(riff: ModuleType) -> None:
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.train()
    addon_utils.disable(riff.__name__)
    try:
        assert training_threads() == []
    finally:
        addon_utils.enable(riff.__name__)


LEAVE_WHILE_TRAINING = """
import pathlib, sys, time
import bpy
from riff.core.training.checkpoint import Checkpoint
from riff.core.model.recipe import RECIPES
from riff.rig.background import jobs
from riff.sample.dancer import add_sample_dancer
from riff.rig.reading.read import read_motion
begun = Checkpoint(read_motion(add_sample_dancer(bpy.context)), RECIPES["fast"])
job = jobs.TrainingJob(begun, pathlib.Path(sys.argv[1]), keep=pathlib.Path(sys.argv[2]))
job.start()
while job.progress is None and job.running:
    job.tick()
    time.sleep(0.01)
print(job.state.value)
"""


def test_python_ends_while_training(riff: ModuleType, tmp_path: Path) -> None:
    assert riff.__file__ is not None
    environment = {**os.environ, "PYTHONPATH": str(Path(riff.__file__).parents[1])}
    keep = tmp_path / "checkpoint.safetensors"
    command = [sys.executable, "-c", LEAVE_WHILE_TRAINING, str(tmp_path / "m.safetensors"), str(keep)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    assert "running" in ended.stdout, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    assert list(tmp_path.iterdir()) == [keep]
    info = importlib.import_module(f"{riff.__name__}.core.training.checkpoint").read_checkpoint_info(keep)
    assert info["recipe"] == "fast"
