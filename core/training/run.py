"""One training from its beginning, or from where it was stopped, to the model's file; in a thread or a process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, TrainingStopped
from ..evaluation.artefacts import foot_figures, roughness_figures
from ..evaluation.grade import LIMITS
from ..evaluation.metrics import compared_features, coverage, global_diversity
from ..files.claims import try_lock
from ..model.model import Model
from ..model.recipe import FAST, Recipe, rows_a_training, rows_an_iteration
from ..motion.motion import RATE, Motion, learned_groups
from ..motion.resampling import resample
from ..system.console import training_text
from ..system.devices import pick_device
from ..system.log import log
from ..system.memory import is_out_of_memory
from .checkpoint import Checkpoint, CheckpointFile, load_checkpoint, save_checkpoint
from .progress import Progress
from .train import Training

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
    from .train import resume

    file = CheckpointFile(keep, begun.name) if keep else None
    if file:
        file.tell = lambda sentence: send("problem", sentence)
    if file and not begun.state:
        save_checkpoint(begun, file.path)
    if estimate:
        tell_time(begun, send, device)
    try:
        model = retry_with_less_memory(
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
    from ..model.model_file import save_model

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
    from ..system.devices import device_name, pick_device

    send("device", device_name(str(pick_device(device))))
    send("expected", (1.0 - begun.fraction) * expected_seconds(begun.motion, begun.recipe, device=device))


ROUNDS = 3


def expected_seconds(motion: Motion, recipe: Recipe, *, device: str = "auto", threads: int | None = None) -> float:
    """Seconds that `train` will need, from timing a few iterations of level 1 at the size of the fast recipe.

    Raises ClipError for a clip that cannot be trained on.
    """
    probe = replace(recipe, batch=FAST.batch, crop=FAST.crop, critic_steps=1, pool=0)
    training = Training(motion, probe, 0, pick_device(device), threads, lambda: False)
    try:
        level = training.start_level(0)
        level.iterate()
        seconds = min(_timed(level.iterate) for _ in range(ROUNDS))
    finally:
        training.close()
    lengths = training.pyramid.lengths
    rows = sum(rows_an_iteration(probe, lengths, k) for k in range(probe.stages[0]))
    return seconds * rows_a_training(recipe, lengths) / rows


def _timed(call: object) -> float:
    assert callable(call)
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


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

    held = try_lock(state)
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


Result = TypeVar("Result")


def retry_with_less_memory(
    call: Callable[[Checkpoint, str], Result], begun: Checkpoint, device: str, send: Send
) -> Result:
    """`call(begun, device)`; where the card's memory does not suffice, again with half the batch, then on the CPU.

    A training that has a state already keeps its batch, which its state was made with, and goes on on the CPU. Each
    change is told as (“device”, a sentence). Raises MemoryError where the CPU's memory does not suffice either.
    """
    while True:
        try:
            return call(begun, device)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if _computes_on_cpu(device):
                raise MemoryError(str(error)) from error
            _empty_cache()
        smaller = smaller_batch(begun)
        if smaller is not None:
            begun = smaller
            send("device", f"Graphics card, with batches of {max(begun.recipe.batch)}: more did not fit its memory")
        else:
            device = "cpu"
            send("device", "CPU: the graphics card's memory did not suffice")


def smaller_batch(begun: Checkpoint) -> Checkpoint | None:
    """The same training with batches half as large; None where it has begun or they cannot be smaller."""
    batch = tuple(max(1, size // 2) for size in begun.recipe.batch)
    if begun.state or batch == begun.recipe.batch:
        return None
    return replace(begun, recipe=replace(begun.recipe, batch=batch))


def _computes_on_cpu(device: str) -> bool:
    from ..system.devices import pick_device

    return device == "cpu" or (device == "auto" and pick_device(device).type == "cpu")


def _empty_cache() -> None:
    """Give back what PyTorch keeps of the card for later."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


SAMPLES = 3


ROWS = 3000
"""Variations that are measured, and how many rows of them are enough where the source is long; more would tell little
more and keep the person waiting."""


def with_quality(model: Model, should_stop: Callable[[], bool] = lambda: False) -> Model:
    """The same model with its figures, measured on a few variations as long as the source; takes seconds.

    Raises TrainingStopped soon after `should_stop` says so.
    """
    from ..generation.generate import generate

    def check_cancelled() -> None:
        if should_stop():
            raise TrainingStopped("Training was cancelled.")

    check_cancelled()
    source = resample(model.source, RATE)
    samples = generate(model, count=min(SAMPLES, -(-ROWS // source.frames)), seed=1)
    rows = [_figures(source, resample(sample, RATE), check_cancelled) for sample in samples]
    quality = {limit.figure: [row[limit.figure] for row in rows if limit.figure in row] for limit in LIMITS}
    return replace(model, quality={name: float(np.mean(values)) for name, values in quality.items() if values})


def _figures(source: Motion, sample: Motion, check_cancelled: Callable[[], None]) -> dict[str, float]:
    """What `evaluate` says of one sample, but only what is looked at; that of other figures takes minutes for minutes.

    Raises ClipError for motions of about a second.
    """
    ours, theirs = compared_features(sample), compared_features(source)
    return {
        "coverage": coverage(theirs, ours, check_cancelled=check_cancelled),
        "global_diversity": global_diversity(theirs, ours, check_cancelled=check_cancelled),
        **roughness_figures(source, sample),
        **foot_figures(source, sample),
    }
