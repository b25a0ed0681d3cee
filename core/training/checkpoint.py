"""A training that is not finished yet: one .safetensors file from which it goes on; no PyTorch, no pickle."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cycles.unroll import learnable
from ..errors import ClipError, ModelError
from ..files.fields import MAX_MAGNITUDE, FieldError, Fields, as_utf8, parse_json
from ..files.held_open import reason_of, remove_if_possible
from ..files.tensors import read_tensors, read_text, write_tensors
from ..model.learned_clips import LearnedClip, read_learned_clips
from ..model.model import Model
from ..model.model_file import MAX_HISTORY_ROWS
from ..model.recipe import MAX_STAGES, Recipe
from ..motion.clip_file import motion_from_fields
from ..motion.motion import RATE, Motion
from ..motion.resampling import rows_at
from ..motion.retarget import with_names_of
from ..system.log import log
from .warm_start import WarmStart, warm_start_from

CHECKPOINT_FORMAT = 1
"""Version of the file's layout; others are refused, since half a training is worth little."""

METADATA_KEY = "riff_training"
"""Key of Riff's JSON in the metadata of the safetensors file."""

MAX_CHECKPOINT_BYTES = 1 << 34
"""Bytes of a checkpoint: it holds samples and networks several times over."""

WRITE_SECONDS = 20.0
"""Seconds after which a newer state is written to the disk."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """State of a training. `motion` is the clip at its own rate. `arrays` and `state` come from `snapshot.take`:
    networks, optimisers and random numbers, empty before the first step. `fraction` is the share of the work done, in
    `seconds`. `rig` is the armature's name.
    """

    motion: Motion
    recipe: Recipe
    seed: int = 0
    name: str = ""
    step: int = 0
    fraction: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    rig: str = ""
    start: WarmStart | None = None
    """Start from a model; None for a training from random weights."""
    rate_cuts: int = 0
    """Divergences so far, each of which lowered the learning rates."""
    clips: tuple[LearnedClip, ...] = ()
    """Clips that are learned together; empty for a single one."""

    def info(self) -> dict[str, Any]:
        """Return the summary that lists of unfinished trainings show; each value fits JSON."""
        return {
            "name": self.name,
            "recipe": self.recipe.name,
            "seed": self.seed,
            "step": self.step,
            "steps": sum(self.recipe.iterations),
            "fraction": self.fraction,
            "seconds": self.seconds,
            "duration": self.motion.duration,
            "rig": self.rig,
            "calmed": self.rate_cuts,
        }


def begin(motion: Motion, recipe: Recipe, seed: int = 0, start_from: Model | None = None) -> Checkpoint:
    """A training that has not begun, for `train.resume`; one that starts from a model does `recipe.warmed()`.

    A short cycle is repeated, see `learnable`, and the recipe is fitted to the clip; bones of the clip get the names
    that they have in the model. Raises ClipError for a clip that cannot be learned, ModelError for a model that cannot
    be started from.
    """
    motion = learnable(motion)
    recipe = recipe.fitted(rows_at(motion.frames, motion.fps, RATE))
    if start_from is None:
        return Checkpoint(motion, recipe, seed)
    motion = with_names_of(motion, start_from.skeleton)
    stages = start_from.recipe.stages  # another length may have been given fewer
    if recipe.first_rows and len(stages) == recipe.levels and stages != recipe.stages:
        recipe = recipe.with_stages(stages)
    return Checkpoint(motion, recipe.warmed(), seed, start=warm_start_from(start_from, motion.skeleton, recipe))


def save_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
    """Write a checkpoint, whole or not at all. Raises ModelError with one sentence where the disk refuses."""
    target = Path(path)
    motion = checkpoint.motion
    meta = {
        "format": CHECKPOINT_FORMAT,
        "info": checkpoint.info(),
        "recipe": checkpoint.recipe.to_json(),
        "skeleton": motion.skeleton.to_json(),
        "fps": motion.fps,
        "origin": motion.origin.tolist(),
        "cycle": motion.cycle_seconds,
        "history": checkpoint.history,
        "state": checkpoint.state,
        "start": checkpoint.start.to_json() if checkpoint.start else None,
        "clips": [clip.to_json() for clip in checkpoint.clips],
    }
    arrays = {"motion": np.ascontiguousarray(motion.features), **checkpoint.arrays}
    if checkpoint.start:
        arrays |= {f"start.{name}": np.ascontiguousarray(value) for name, value in checkpoint.start.weights.items()}
    try:
        write_tensors(target, METADATA_KEY, json.dumps(meta), arrays)
    except OSError as error:
        raise ModelError(f"The state of the training cannot be saved: {reason_of(error)}.") from error


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint. Raises ModelError in a sentence where the file is missing, damaged or of another version."""
    name = Path(path).name
    with _refusals(name):
        text, arrays = read_tensors(path, METADATA_KEY, MAX_CHECKPOINT_BYTES)
        fields = _description(text, name)
        info, motion = _info(fields), motion_from_fields(fields, arrays.pop("motion", None))
        recipe = Recipe.from_json(fields.raw("recipe"))
        weights = {key[6:]: arrays.pop(key) for key in list(arrays) if key.startswith("start.")}
        start = WarmStart.from_json(fields.part("start"), weights, motion.skeleton) if fields.raw("start") else None
        return Checkpoint(
            motion,
            recipe,
            info["seed"],
            info["name"],
            info["step"],
            info["fraction"],
            info["seconds"],
            fields.figure_rows("history", MAX_HISTORY_ROWS),
            _state(fields, recipe),
            arrays,
            info["rig"],
            start,
            info["calmed"],
            read_learned_clips(fields, rows_at(motion.frames, motion.fps, RATE)),
        )


def read_checkpoint_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the result of `Checkpoint.info` at the time of saving, without reading tensors. Raises ModelError."""
    name = Path(path).name
    with _refusals(name):
        return _info(_description(read_text(path, METADATA_KEY, MAX_CHECKPOINT_BYTES), name))


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turns what is wrong with a file into one sentence that names it."""
    try:
        yield
    except (OSError, FieldError, ClipError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise ModelError(f"“{name}” is damaged or not a Riff training: {reason}.") from error


def _description(text: str, name: str) -> Fields:
    fields = Fields(parse_json(text))
    if fields.raw("format") != CHECKPOINT_FORMAT:
        raise ModelError(f"“{name}” was started by another version of Riff and cannot be resumed with this one.")
    return fields


def _info(description: Fields) -> dict[str, Any]:
    """The summary of a training, all that a list shows of it."""
    fields = description.part("info")
    return {
        "name": as_utf8(fields.text("name")),
        "recipe": as_utf8(fields.text("recipe")),
        "seed": fields.whole("seed", -(1 << 63), 1 << 64),
        "step": fields.whole("step", 0, 1 << 40),
        "steps": fields.whole("steps", 0, 1 << 40),
        "fraction": fields.number("fraction", 0, 1),
        "seconds": fields.number("seconds", 0, MAX_MAGNITUDE),
        "duration": fields.number("duration", 0, MAX_MAGNITUDE),
        "rig": as_utf8(fields.text("rig", "")),
        "calmed": fields.whole("calmed", 0, 10, 0),
    }


def _state(fields: Fields, recipe: Recipe) -> dict[str, Any]:
    """Read the state of `snapshot.take` other than arrays; empty before the first step. Raises FieldError."""
    state = fields.part("state")
    if "level" not in state:
        return {}
    stages = [
        {"steps": stage.whole("steps", 0, 1 << 40), "losses": stage.figures("losses")}
        for stage in state.parts("stages", MAX_STAGES)
    ]
    draws = list(state.wholes("draws", 0, 10_000, MAX_STAGES))
    return {"level": state.whole("level", 0, recipe.levels - 1), "stages": stages, "draws": draws}


class CheckpointFile:
    """Keeps the newest state of a training on the disk, written beside the training rather than between its steps."""

    def __init__(self, path: Path, name: str, every: float = WRITE_SECONDS) -> None:
        self.path, self.name, self.every = path, name, every
        self.tell: Callable[[str], None] = print
        """Hears, from another thread, why the disk refuses a state; of nothing ("") once it takes one again."""
        self._written_at = time.monotonic()
        self._waiting: Checkpoint | None = None
        self._refused = False
        self._writer: threading.Thread | None = None

    def keep(self, checkpoint: Checkpoint) -> None:
        """Remember a newer state; every now and then, and when it is the last of the training, it is written."""
        self._waiting = replace(checkpoint, name=self.name)
        busy = self._writer is not None and self._writer.is_alive()
        due = time.monotonic() - self._written_at >= self.every or checkpoint.step == sum(checkpoint.recipe.iterations)
        if due and not busy:
            self._written_at = time.monotonic()
            self._writer = threading.Thread(target=self._write_quietly, args=(self._waiting,), name="riff-checkpoint")
            self._waiting = None
            self._writer.start()

    def close(self) -> None:
        """Write what is not written yet. Raises ModelError where the disk refuses."""
        if self._writer is not None:
            self._writer.join()
        if self._waiting is not None:
            save_checkpoint(self._waiting, self.path)
            self._waiting = None

    def remove(self) -> None:
        """The training is done: its checkpoint goes."""
        if self._writer is not None:
            self._writer.join()
        self._waiting = None
        remove_if_possible(self.path)  # where a virus scanner has it open, it is listed as unfinished, and no more

    def _write_quietly(self, checkpoint: Checkpoint) -> None:
        """A full disk must not end an hour of training: there may be room again, and until then the state is kept."""
        try:
            save_checkpoint(checkpoint, self.path)
        except (ModelError, MemoryError) as error:
            self._waiting = self._waiting or checkpoint
            self._refused = True
            sentence = str(error) or "There is not enough memory to save the state of the training."
            log.note(f"Training: {sentence}")
            self.tell(sentence)
        else:
            if self._refused:
                self.tell("")
            self._refused = False
