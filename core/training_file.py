"""A training whose state lies in a file beside its model, so that it can be ended at any time and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Checkpoint, load_checkpoint
from .errors import ModelError
from .files.claims import claim
from .motion.motion import learned_groups
from .progress import Progress
from .system.console import training_text
from .training_run import run_training

SUFFIX = ".training"

PATIENCE = 300.0
"""Seconds that a trained model waits for room on a full disk: nobody may be there to make some."""


def state_path(model: Path) -> Path:
    """Where the state of an unfinished training is kept whose model will be at this path."""
    return model.with_name(f"{model.stem}{SUFFIX}")


def same_training(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two trainings have the same clip, recipe, seed and start, however far each is."""
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


def run_with_text(
    begun: Checkpoint,
    model: Path,
    state: Path,
    show: Callable[[Progress | None, str], None],
    should_stop: Callable[[], bool],
    device: str = "auto",
    threads: int | None = None,
) -> None:
    """`run_training` without the estimate; `show` hears of each progress, or None, with a line to print.

    A clip that cannot be learned is refused (ClipError) before anything is written.
    """
    learned_groups(begun.motion)

    seen: list[str] = []

    def take(kind: str, value: object) -> None:
        if isinstance(value, Progress):
            seen.append(f"Level {value.level} of {value.levels}, {value.fraction:.0%}")
            show(value, training_text(value))
        elif kind == "phase":
            show(None, ", ".join([*seen[-1:], str(value).lower()]))
        elif kind == "problem" and value:
            show(None, str(value))

    held = claim(state)
    if held is None:
        raise ModelError(f"“{model.name}” is being trained by another process; wait for it, or choose another name.")
    try:
        run_training(
            begun,
            model,
            take,
            should_stop,
            keep=state,
            device=device,
            threads=threads,
            estimate=False,
            patience=PATIENCE,
        )
    finally:
        held.release()
