"""The file that keeps the state of an unfinished training beside its model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..training.checkpoint import Checkpoint, load_checkpoint

STATE_SUFFIX = ".training"


def state_path(model: Path) -> Path:
    """Return the path of the checkpoint of the training whose model is written to `model`."""
    return model.with_name(f"{model.stem}{STATE_SUFFIX}")


def same_training(one: Checkpoint, other: Checkpoint) -> bool:
    """Return whether two trainings have the same clip, recipe, seed and start, at any progress."""
    mine, theirs = one.motion, other.motion
    clips = mine.skeleton.to_json() == theirs.skeleton.to_json() and np.array_equal(mine.features, theirs.features)
    starts = np.array_equal(_start_of(one), _start_of(other))
    return clips and starts and (one.recipe, one.seed) == (other.recipe, other.seed)


def _start_of(checkpoint: Checkpoint) -> NDArray[np.float64]:
    """All that a training takes over from a model, in one row; nothing for one that starts afresh."""
    weights = checkpoint.start.weights.values() if checkpoint.start else ()
    return np.concatenate([np.zeros(0), *(np.ravel(value) for value in weights)])


def go_on_from(state: Path, begun: Checkpoint) -> Checkpoint:
    """The state in this file if it is one of the same training, else the training as it begins. Raises nothing."""
    try:
        kept = load_checkpoint(state)
    except ModelError:
        return begun
    return kept if same_training(kept, begun) else begun
