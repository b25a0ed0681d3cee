"""Trainings that were stopped go on; trainings in a child process; two in a row."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import numpy as np
import pytest

FEW_STEPS = 0.0001
SOME_STEPS = 0.01


@pytest.fixture
def folders(riff: ModuleType) -> Iterator[tuple[Path, Path]]:
    """Folders of models and of unfinished trainings, empty before and after."""
    empty_folders(riff)  # trainings that other tests cancelled are kept by design
    models, trainings = (
        Path(bpy.utils.extension_path_user(riff.__name__, path=name, create=True)) for name in ("models", "trainings")
    )
    yield models, trainings
    empty_folders(riff)


def empty_folders(riff: ModuleType) -> None:
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()
    for name in ("models", "trainings"):
        shutil.rmtree(bpy.utils.extension_path_user(riff.__name__, path=name, create=True))
    importlib.import_module(f"{riff.__name__}.state.session").refresh()


@pytest.fixture
def jobs(riff: ModuleType) -> ModuleType:
    return importlib.import_module(f"{riff.__name__}.rig.background.jobs")


@pytest.fixture
def dancer(riff: ModuleType) -> bpy.types.Object:
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


@pytest.fixture
def in_a_process(riff: ModuleType) -> Iterator[None]:
    """The preference that trainings run in a process of their own."""
    preferences = bpy.context.preferences.addons[riff.__name__].preferences
    preferences.separate_process = True
    yield
    preferences.separate_process = False
    preferences.python = ""


@pytest.fixture
def snapshot_each_step(riff: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module(f"{riff.__name__}.core.training.snapshot"), "SNAPSHOT_SECONDS", 0.0)


def tick_until(riff: ModuleType, done: Any) -> None:
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    deadline = time.monotonic() + 900  # a busy machine is no failure
    while not done() and tick() and time.monotonic() < deadline:
        time.sleep(0.02)
    tick()


def load(riff: ModuleType, path: Path) -> Any:
    return importlib.import_module(f"{riff.__name__}.core.model.model_file").load_model(path)


def test_cancelled_training_is_listed_and_resumed(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType, snapshot_each_step: None
) -> None:
    models, trainings = folders
    session = bpy.context.window_manager.riff
    with pytest.raises(RuntimeError, match="no unfinished training"):
        bpy.ops.riff.resume_training()
    bpy.ops.riff.train(scale=SOME_STEPS, seed=5)
    job = jobs.latest_training()
    tick_until(riff, lambda: job.progress is not None and job.progress.step > 2)
    bpy.ops.riff.cancel_training()
    tick_until(riff, lambda: not job.running)
    assert job.state is jobs.State.CANCELLED
    assert [row.name for row in session.unfinished] == ["Sample Dance"]
    assert session.unfinished[0].detail.endswith("% done, fast")
    assert bpy.ops.riff.resume_training() == {"FINISHED"}
    resumed = jobs.latest_training()
    assert (resumed.name, len(session.unfinished)) == ("Sample Dance", 0)
    tick_until(riff, lambda: not resumed.running)
    assert (resumed.state, resumed.error) == (jobs.State.DONE, "")
    assert list(trainings.iterdir()) == []
    whole = jobs.TrainingJob(resumed_checkpoint(riff, dancer, SOME_STEPS, 5), models / "Whole.safetensors")
    whole.start()
    tick_until(riff, lambda: not whole.running)
    one, other = load(riff, models / "Sample Dance.safetensors"), load(riff, models / "Whole.safetensors")
    for name, value in other.weights.items():
        np.testing.assert_array_equal(one.weights[name], value)


def resumed_checkpoint(riff: ModuleType, ob: bpy.types.Object, scale: float, seed: int) -> Any:
    recipe = importlib.import_module(f"{riff.__name__}.core.model.recipe").RECIPES["fast"].scaled(scale)
    motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(ob)
    return importlib.import_module(f"{riff.__name__}.core.training.checkpoint").Checkpoint(motion, recipe, seed)


def test_disabling_while_training_leaves_a_checkpoint(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType
) -> None:
    bpy.ops.riff.train()
    job = jobs.latest_training()
    tick_until(riff, lambda: job.progress is not None)
    addon_utils.disable(riff.__name__)
    addon_utils.enable(riff.__name__)
    importlib.import_module(f"{riff.__name__}.state.session").refresh()
    assert [row.name for row in bpy.context.window_manager.riff.unfinished] == ["Sample Dance"]


def test_unfinished_training_can_be_discarded(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType
) -> None:
    bpy.ops.riff.train()
    job = jobs.latest_training()
    tick_until(riff, lambda: job.expected is not None)
    bpy.ops.riff.cancel_training()
    tick_until(riff, lambda: not job.running)
    assert bpy.ops.riff.discard_training(name="Sample Dance") == {"FINISHED"}
    assert list(folders[1].iterdir()) == []
    with pytest.raises(RuntimeError, match="no longer exists"):
        bpy.ops.riff.discard_training(name="Sample Dance")


def test_damaged_checkpoint_is_told(riff: ModuleType, folders: tuple[Path, Path], jobs: ModuleType) -> None:
    (folders[1] / "Broken.safetensors").write_bytes(b"nothing")
    importlib.import_module(f"{riff.__name__}.state.session").refresh()
    row = bpy.context.window_manager.riff.unfinished[0]
    assert "damaged" in row.problem
    bpy.ops.riff.resume_training(name="Broken")
    job = jobs.latest_training()
    tick_until(riff, lambda: not job.running)
    assert (job.state, "damaged" in job.error) == (jobs.State.FAILED, True)


def test_a_waiting_training_can_be_cancelled(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType
) -> None:
    for _ in range(2):
        bpy.ops.riff.train(scale=FEW_STEPS)
    first, second = jobs.trainings()
    bpy.ops.riff.cancel_training(name=second.name)
    assert (first.running, second.state) == (True, jobs.State.CANCELLED)
    tick_until(riff, lambda: not first.running)
    assert [path.stem for path in folders[0].iterdir()] == ["Sample Dance"]


def test_training_in_a_child_process(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType, in_a_process: None
) -> None:
    bpy.ops.riff.train(scale=FEW_STEPS, seed=4)
    job = jobs.latest_training()
    tick_until(riff, lambda: not job.running)
    assert (job.state, job.error) == (jobs.State.DONE, "")
    assert job.expected > 0
    assert job.device_name
    assert job.progress.fraction == pytest.approx(1.0)
    model = load(riff, folders[0] / "Sample Dance.safetensors")
    assert (model.name, model.rig, model.seed) == ("Sample Dance", "Dancer", 4)
    assert list(folders[1].iterdir()) == []


def children() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if any(b"core.runs.worker" in word for word in words) and parent == os.getpid():
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for child processes in /proc")
def test_cancel_ends_the_child_process(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType, in_a_process: None
) -> None:
    bpy.ops.riff.train()
    job = jobs.latest_training()
    tick_until(riff, lambda: job.progress is not None)
    assert len(children()) == 1
    bpy.ops.riff.cancel_training()
    tick_until(riff, lambda: not job.running)
    assert job.state is jobs.State.CANCELLED
    assert children() == []
    assert [path.stem for path in folders[1].iterdir()] == ["Sample Dance"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for child processes in /proc")
def test_killed_child_process_is_told_and_can_be_resumed(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType, in_a_process: None
) -> None:
    bpy.ops.riff.train(scale=SOME_STEPS)
    job = jobs.latest_training()
    tick_until(riff, lambda: job.progress is not None)
    os.kill(children()[0], signal.SIGKILL)
    tick_until(riff, lambda: not job.running)
    assert job.state is jobs.State.FAILED
    assert "ended unexpectedly" in job.error
    bpy.ops.riff.resume_training()
    resumed = jobs.latest_training()
    tick_until(riff, lambda: not resumed.running)
    assert (resumed.state, resumed.error) == (jobs.State.DONE, "")


def test_python_without_torch_is_told(
    riff: ModuleType,
    dancer: bpy.types.Object,
    folders: tuple[Path, Path],
    jobs: ModuleType,
    in_a_process: None,
    tmp_path: Path,
) -> None:
    preferences = bpy.context.preferences.addons[riff.__name__].preferences
    cases = ((tmp_path / "none", "cannot be started"), (bare_python(tmp_path), "has no package “numpy”"))
    for python, sentence in cases:
        preferences.python = str(python)
        bpy.ops.riff.train(scale=FEW_STEPS)
        job = jobs.latest_training()
        tick_until(riff, lambda job=job: not job.running)
        assert job.state is jobs.State.FAILED
        assert sentence in job.error
        shutil.rmtree(folders[1])


def bare_python(folder: Path) -> Path:
    """An interpreter without any packages."""
    venv.create(folder / "bare", symlinks=True)
    return folder / "bare/bin/python3"


def test_estimate_in_a_process(riff: ModuleType, dancer: bpy.types.Object, jobs: ModuleType) -> None:
    job = jobs.EstimateJob(resumed_checkpoint(riff, dancer, 1.0, 0), Path(sys.executable))
    job.start()
    tick_until(riff, lambda: not job.running)
    assert (job.state, job.error) == (jobs.State.DONE, "")
    assert job.expected > 1.0
    assert job.device_name


def test_whatever_happens_to_the_armature_the_training_goes_on(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType
) -> None:
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.riff.train(scale=FEW_STEPS)
    job = jobs.latest_training()
    dancer.data.bones[4].name = "Renamed"
    bpy.ops.ed.undo_push(message="Rename")
    bpy.ops.ed.undo()
    bpy.data.actions.remove(bpy.data.actions["Sample Dance"])
    bpy.data.objects.remove(bpy.data.objects["Dancer"])
    tick_until(riff, lambda: not job.running)
    assert (job.state, job.error) == (jobs.State.DONE, "")
    assert [row.name for row in bpy.context.window_manager.riff.models] == ["Sample Dance"]


def test_generating_for_renamed_bones_changes_nothing(
    riff: ModuleType, dancer: bpy.types.Object, folders: tuple[Path, Path], jobs: ModuleType
) -> None:
    bpy.ops.riff.train(scale=FEW_STEPS)
    job = jobs.latest_training()
    tick_until(riff, lambda: not job.running)
    dancer.data.bones["chest"].name = "Renamed"
    before = set(bpy.data.actions.keys())
    with pytest.raises(RuntimeError, match="has no bone “chest”"):
        bpy.ops.riff.generate(count=1)
    assert set(bpy.data.actions.keys()) == before
    assert len(bpy.context.window_manager.riff.variations) == 0


def test_losses_are_painted(riff: ModuleType) -> None:
    picture = importlib.import_module(f"{riff.__name__}.state.loss_picture")
    share = np.linspace(0.0, 0.4, 50)
    losses = np.stack([share, np.exp(-5 * share), 1 - share, np.sin(20 * share)], axis=1)
    pixels = picture.pixels(losses)
    assert pixels.shape == (128, 128, 4)
    for colour in picture.CURVE_COLOURS:
        drawn = np.abs(pixels[..., :3] - colour).max(axis=2) < 1e-3
        assert drawn.any(axis=0).mean() > 0.8  # nearly every column shows it, unless another lies above
