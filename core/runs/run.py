"""One run of a training, from a checkpoint to the model's file; in a thread or a process."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..errors import Cancelled, ModelError, RiffError
from ..files.held_open import remove_if_possible
from ..model.model import Model
from ..model.model_file import save_model
from ..motion.motion import learned_groups
from ..system.devices import device_in_words, pick_device
from ..system.log import log
from ..system.lost_device import lost_device_sentence
from ..training.checkpoint import Checkpoint, CheckpointFile, save_checkpoint
from ..training.progress import Progress, Send
from .less_memory import retry_with_less_memory
from .matched_choice import LevelChoice
from .quality import with_quality

SAVE_AGAIN_SECONDS = 2.0
"""Seconds after which a model that the disk refused is saved again."""

FULL_DISK_SECONDS = 300.0
"""Seconds that a trained model waits for room on a full disk where nobody may be there to make some."""


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
    is_enough: Callable[[], bool] | None = None,
    interim: bool = False,
    overwrite: bool = True,
) -> Path:
    """Train, measure and save the model as `path`; its state is kept in the file `keep` until it is done.

    Returns the model's file: without `overwrite`, one beside a file that has come to lie at `path` meanwhile.

    For an `interim`, the model so far is saved there, too, now and then, with (“interim”, fraction done); it is removed
    if the training fails or is cancelled. Where `is_enough` says so, the training ends with the model so far. A recipe
    that is calibrated ends after the first level that adds nothing, see `LevelChoice`.

    Sends (“device”, name) and (“expected”, seconds) where an `estimate` is wanted, (“progress”, Progress), (“phase”,
    what it does now) and (“problem”, a sentence, or "" when it is over). A model that the disk refuses is kept in
    memory and saved as soon as there is room, for `patience` seconds. Raises Cancelled, ModelError where
    something cannot be saved, ClipError, RiffError where the graphics card is lost: the state before is kept.
    """
    # late: it loads PyTorch, which takes seconds
    from ..training.train import resume

    file = CheckpointFile(keep, begun.name) if keep else None
    if file:
        file.tell = lambda sentence: send("problem", sentence)
    if file and not begun.state:
        save_checkpoint(begun, file.path)
    models, choice = _InterimFile(path, send), LevelChoice(should_stop)
    last: list[Progress] = []
    tries: list[str] = []

    def take_progress(progress: Progress) -> None:
        last[:] = [progress]
        send("progress", progress)

    def take_model(model: Model) -> None:
        models.save(choice.shown(model) if begun.recipe.calibrate else model)

    def learn(begun: Checkpoint, on: str) -> Model:
        again = bool(tries)
        tries.append(on)
        if estimate:
            # A second try has said why it computes elsewhere, or with smaller batches.
            send_estimate(begun, _all_but_device(send) if again else send, on)
        return resume(
            begun,
            take_progress,
            should_stop,
            device=on,
            threads=threads,
            on_snapshot=file.keep if file else None,
            on_model=take_model if interim else None,
            on_level=choice.compare if begun.recipe.calibrate else None,
            is_enough=lambda: choice.is_made() or (is_enough is not None and is_enough()),
        )

    try:
        model = retry_with_less_memory(learn, begun, device, send)
        if choice.is_made() and last:
            send("progress", replace(last[0], fraction=1.0, seconds_left=0.0))
        send("phase", "Measuring quality")
        measured = with_quality(choice.best(model) if begun.recipe.calibrate else model, should_stop)
        path = path if overwrite else _unused(path)
        save_when_there_is_room(measured, path, send, should_stop, patience)
    except BaseException as error:
        models.remove()
        if file:
            file.close()
        lost = lost_device_sentence(error)
        if lost:
            raise RiffError(lost) from error
        raise
    if file:
        file.remove()
    return path


def _unused(path: Path) -> Path:
    """Return the path, with the first number behind its name that no file has where it is in use."""
    numbered = (path.with_stem(f"{path.stem} {number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], numbered) if not os.path.lexists(one))


def _all_but_device(send: Send) -> Send:
    """Return a function that sends what is not the device's name."""
    return lambda kind, value: None if kind == "device" else send(kind, value)


class _InterimFile:
    """Models so far of a training, saved where the finished one will be."""

    def __init__(self, path: Path, send: Send) -> None:
        self._path, self._send, self._saved = path, send, False

    def save(self, model: Model) -> None:
        """Save a model; the training goes on where the disk refuses."""
        try:
            save_model(model, self._path)
        except ModelError as error:
            log.note(f"Training: {error}")
            return
        self._saved = True
        self._send("interim", model.fraction)

    def remove(self) -> None:
        """Take the model back; one that another program holds open stays, and is listed as a model so far."""
        if self._saved:
            remove_if_possible(self._path)


def save_when_there_is_room(
    model: Model, path: Path, send: Send, should_stop: Callable[[], bool], patience: float = math.inf
) -> None:
    """Save a model; where the disk refuses, say so and try again.

    Raises ModelError after `patience` seconds, Cancelled.
    """
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
            _wait(SAVE_AGAIN_SECONDS, should_stop)
        else:
            if told:
                send("problem", "")
            return


def _wait(seconds: float, should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if should_stop():
            raise Cancelled
        time.sleep(0.05)


def send_estimate(begun: Checkpoint, send: Send, device: str = "auto") -> None:
    """Send (“device”, name) and (“expected”, seconds) of a training without beginning it."""
    # late: they load PyTorch, which takes seconds
    from ..training.session import open_session
    from ..training.time_estimate import expected_seconds, probe_recipe
    from ..training.train import iterate_stages

    used = pick_device(device)
    send("device", device_in_words(str(used), device))
    probe = Checkpoint(begun.motion, probe_recipe(begun.recipe))
    with open_session(probe, used, None, lambda: False) as session:
        seconds = expected_seconds(session, begun.recipe, iterate_stages)
    send("expected", (1.0 - begun.fraction) * seconds)


def run_with_text(
    begun: Checkpoint,
    model: Path,
    state: Path,
    show: Callable[[Progress | None, str], None],
    should_stop: Callable[[], bool],
    device: str = "auto",
    threads: int | None = None,
    overwrite: bool = True,
) -> Path:
    """`run_training` for shells and farms, whose caller holds the lease on the file `state`.

    `show` gets each progress, or None, with a line to print. Returns the model's file. Raises ClipError for a clip that
    cannot be learned, before anything is written.
    """
    learned_groups(begun.motion)
    seen: list[str] = []

    def take(kind: str, value: object) -> None:
        if isinstance(value, Progress):
            seen.append(f"Level {value.level} of {value.levels}, {value.fraction:.0%}")
            show(value, value.describe())
        elif kind == "phase":
            show(None, ", ".join([*seen[-1:], str(value).lower()]))
        elif kind == "problem" and value:
            show(None, str(value))

    saved = run_training(
        begun,
        model,
        take,
        should_stop,
        keep=state,
        device=device,
        threads=threads,
        estimate=False,
        patience=FULL_DISK_SECONDS,
        overwrite=overwrite,
    )
    if saved != model:
        show(None, f"“{model.name}” has come from elsewhere meanwhile, and stays; the model is “{saved.name}”.")
    return saved
