"""A training that was stopped goes on as if it never had been."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, ModelError
from core.model.model import Model
from core.model.recipe import FAST, PAPER, Recipe
from core.motion.motion import Motion
from core.training import checkpoint as checkpoint_module
from core.training.checkpoint import (
    Checkpoint,
    CheckpointFile,
    begin,
    load_checkpoint,
    read_checkpoint_info,
    save_checkpoint,
)
from core.training.progress import Progress
from core.training.train import resume, train

TINY = replace(FAST, iterations=(3, 2, 2, 2), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
WITH_POOL = replace(PAPER, iterations=(4, 2, 1, 2), hidden=(32, 32, 32), batch=(2, 2, 2, 2), pool=3)


def snapshots(motion: Motion, recipe: Recipe) -> tuple[Model, list[Checkpoint]]:
    taken: list[Checkpoint] = []
    return train(motion, recipe, seed=3, on_snapshot=taken.append, snapshot_seconds=0.0), taken


@pytest.mark.parametrize("recipe", [TINY, WITH_POOL], ids=["fast", "paper"])
def test_resumed_training_equals_an_uninterrupted_one(walker: Motion, recipe: Recipe, tmp_path: Path) -> None:
    whole, taken = snapshots(walker, recipe)
    assert [c.step for c in taken] == list(range(1, sum(recipe.iterations) + 1))
    for stopped in taken:
        save_checkpoint(stopped, tmp_path / "c.safetensors")
        model = resume(load_checkpoint(tmp_path / "c.safetensors"))
        assert model.amplitudes == whole.amplitudes
        np.testing.assert_array_equal(model.code, whole.code)
        for name, value in whole.weights.items():
            np.testing.assert_array_equal(model.weights[name], value, err_msg=f"{name} from step {stopped.step}")


def test_resumed_training_counts_on(walker: Motion) -> None:
    _, taken = snapshots(walker, TINY)
    stopped = replace(taken[3], seconds=100.0)
    seen: list[Progress] = []
    model = resume(stopped, seen.append)
    assert seen[-1].step == 9
    assert seen[-1].fraction == pytest.approx(1.0)
    assert seen[0].seconds > 100.0
    assert seen[0].seconds_left < 60.0
    assert model.seconds > 100.0


def test_stopping_leaves_the_last_state(walker: Motion, tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "c.safetensors", "Walk")
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        train(walker, TINY.scaled(50), seen.append, lambda: len(seen) > 1, on_snapshot=file.keep, snapshot_seconds=0.0)
    assert not file.path.exists()
    file.close()
    kept = load_checkpoint(file.path)
    assert (kept.name, kept.recipe) == ("Walk", TINY.scaled(50).fitted(walker.frames))
    assert kept.step == seen[-1].step
    assert read_checkpoint_info(file.path)["fraction"] == pytest.approx(seen[-1].fraction)
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_states_are_written_while_the_training_goes_on(walker: Motion, tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "c.safetensors", "Walk", every=0.0)
    written: list[bool] = []

    def keep(state: Checkpoint) -> None:
        file.keep(state)
        written.append(file.path.exists())

    train(walker, TINY, on_snapshot=keep, snapshot_seconds=0.0)
    file.close()
    assert load_checkpoint(file.path).step == 9
    assert any(written[:-1])
    assert not [thread for thread in threading.enumerate() if thread.name == "riff-checkpoint"]


def test_checkpoint_without_a_state_begins_from_the_start(walker: Motion, tmp_path: Path) -> None:
    save_checkpoint(replace(begin(walker, TINY, 3), name="Walk"), tmp_path / "c.safetensors")
    model = resume(load_checkpoint(tmp_path / "c.safetensors"))
    whole = train(walker, TINY, seed=3)
    for name, value in whole.weights.items():
        np.testing.assert_array_equal(model.weights[name], value)


def test_damaged_checkpoints_are_refused(walker: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, taken = snapshots(walker, TINY)
    path = tmp_path / "c.safetensors"
    save_checkpoint(taken[4], path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_checkpoint(path)
    with pytest.raises(ModelError, match="damaged"):
        resume(replace(taken[4], arrays={}))
    with pytest.raises(ModelError, match="damaged"):
        resume(replace(taken[4], step=0))
    with pytest.raises(ModelError, match="damaged"):
        load_checkpoint(tmp_path / "none.safetensors")
    monkeypatch.setattr(checkpoint_module, "CHECKPOINT_FORMAT", 2)
    path.write_bytes(whole)
    with pytest.raises(ModelError, match="another version"):
        read_checkpoint_info(path)
