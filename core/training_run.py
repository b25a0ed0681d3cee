"""One training from its beginning, or from where it was stopped, to the model's file; in a thread or a process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .checkpoint import Checkpoint, CheckpointFile, save_checkpoint
from .errors import ModelError, TrainingStopped
from .model.model import Model
from .system.log import log

Send = Callable[[str, Any], None]

AGAIN = 2.0
"""Seconds after which a model that the disk refused is offered to it again."""


def run_training(
    begun: Checkpoint,
    path: Path,
    send: Send,
    should_stop: Callable[[], bool],
    *,
    keep: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    estimate: bool = True,
    patience: float = math.inf,
) -> None:
    """Train, measure and save the model as `path`; its state is kept in the file `keep` until it is done.

    Sends (“device”, name) and (“expected”, seconds) where an `estimate` is wanted, (“progress”, Progress), (“phase”,
    what it does now) and (“problem”, a sentence, or "" when it is over). A model that the disk refuses is kept in
    memory and saved as soon as there is room, for `patience` seconds. Raises TrainingStopped, ModelError where
    something cannot be saved, ClipError.
    """
    # Loading PyTorch takes seconds, so it happens here rather than when the extension is enabled.
    from .evaluation.grade import with_quality
    from .out_of_memory import with_less
    from .train import resume

    file = CheckpointFile(keep, begun.name) if keep else None
    if file:
        file.tell = lambda sentence: send("problem", sentence)
    if file and not begun.state:
        save_checkpoint(begun, file.path)
    if estimate:
        tell_time(begun, send, device)
    try:
        model = with_less(
            lambda begun, device: resume(
                begun,
                lambda progress: send("progress", progress),
                should_stop,
                device=device,
                threads=threads,
                on_snapshot=file.keep if file else None,
            ),
            begun,
            device,
            send,
        )
        send("phase", "Measuring quality")
        measured = with_quality(replace(model, name=begun.name, rig=begun.rig), should_stop)
        save_when_there_is_room(measured, path, send, should_stop, patience)
    except BaseException:
        if file:
            file.close()
        raise
    if file:
        file.remove()


def save_when_there_is_room(
    model: Model, path: Path, send: Send, should_stop: Callable[[], bool], patience: float = math.inf
) -> None:
    """Save a model; where the disk refuses, say so and try again. Raises ModelError after `patience` seconds, or
    TrainingStopped."""
    from .model.model_file import save_model

    until, told = time.monotonic() + patience, False
    while True:
        try:
            save_model(model, path)
        except ModelError as error:
            if time.monotonic() >= until:
                raise
            if not told:
                log.note(f"Training: {error}")
                send("problem", f"{error} The trained model is kept until there is room; Riff tries again.")
            told = True
            _wait(AGAIN, should_stop)
        else:
            if told:
                send("problem", "")
            return


def _wait(seconds: float, should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if should_stop():
            raise TrainingStopped("Training was cancelled.")
        time.sleep(0.05)


def tell_time(begun: Checkpoint, send: Send, device: str = "auto") -> None:
    """Send (“device”, name) and (“expected”, seconds) of a training without beginning it."""
    from .estimate import expected_seconds
    from .system.devices import device_name, pick_device

    send("device", device_name(str(pick_device(device))))
    send("expected", (1.0 - begun.fraction) * expected_seconds(begun.motion, begun.recipe, device=device))
