"""The verbs of `python -m core`: train, generate, compose and evaluate, for shells, farms and continuous integration.

Progress goes to stderr, results to stdout. PyTorch is imported by the verb that needs it and not before.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from .arguments import build_parser
from .compose_arguments import read_direction
from .errors import ModelError, RiffError, TrainingStopped
from .progress_line import ProgressLine, training_text
from .recipe import RECIPES

if TYPE_CHECKING:
    from .model import Model
    from .motion import Motion


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code; only wrong usage (2) and --help leave by SystemExit."""
    verbs = {
        "train": train_verb, "generate": generate_verb, "compose": compose_verb, "evaluate": evaluate_verb,
    }  # fmt: skip
    options = build_parser(verbs).parse_args(arguments)
    # OpenMP threads that spin while they wait slow training tenfold as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with _terminated_like_interrupted():
            report: dict[str, Any] = options.verb(options)
        _print_report(report, options.json)
    except (KeyboardInterrupt, TrainingStopped):
        print("Stopped.", file=sys.stderr)
        return 130
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    except MemoryError:
        print("There is not enough memory; ask for fewer or shorter variations.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; without this, Python complains once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def train_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Train on a clip and save the model; returns its summary. Raises RiffError, TrainingStopped."""
    _check_target(options.out, options.overwrite)
    from .bvh import read_bvh

    motion = read_bvh(options.clip)
    if options.also:
        from .mix import mix

        motion = mix([motion, *(read_bvh(clip) for clip in options.also)])
    recipe = RECIPES[options.recipe]
    if options.scale != 1.0:
        recipe = recipe.scaled(options.scale)
    with _needs_torch():
        from .train import train
    from .model import load_model, save_model

    _check_device(options.device)
    start = load_model(options.start_from) if options.start_from else None

    with ProgressLine(sys.stderr) as line, _stop_on_signal() as stop:
        model = train(
            motion, recipe, lambda progress: line.show(training_text(progress)), stop.is_set,
            seed=options.seed, device=options.device, threads=options.threads, start_from=start,
        )  # fmt: skip
    model = replace(model, name=options.name or options.clip.stem)
    save_model(model, options.out)
    return {"model": str(options.out), **model.info()}


def _check_target(path: Path, overwrite: bool) -> None:
    """Find out before an hour of training, not after it, that the model cannot be saved."""
    if path.is_dir():
        raise ModelError(f"“{path}” is a folder; --out must name the model file to write.")
    if path.exists() and not overwrite:
        raise ModelError(f"“{path}” exists already; choose another --out or add --overwrite.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ModelError(f"Cannot write into “{path.parent}”: {error.strerror or error}.") from error


def _check_device(name: str) -> None:
    import torch

    present: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name in present and not present[name]():
        raise RiffError(f"This PyTorch finds no “{name}” device on this machine; use --device cpu.")


def generate_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write variations of a model as BVH files; returns their paths. Raises RiffError."""
    from .motion import resample
    from .motion_files import write_motions

    model, motions = _variations(options, options.frames)
    fps = options.fps or model.source_fps
    files = write_motions(options.out, model.name, options.seed, [resample(motion, fps) for motion in motions])
    return {"files": files, "count": len(files), "frames": motions[0].frames, "fps": fps, "seed": options.seed}


def compose_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions around what is kept of a clip as BVH files; returns their paths. Raises RiffError."""
    from .bone_map import onto_skeleton
    from .bvh import read_bvh
    from .direction import direct
    from .model import load_model
    from .motion_files import write_motions

    model = load_model(options.model)
    source = onto_skeleton(read_bvh(options.clip), model.skeleton) if options.clip else model.source
    direction = read_direction(options, source.skeleton)
    composition = direct(source, direction)
    with _needs_torch():
        from .compose import compose
    motions = compose(model, composition, count=options.count, seed=options.seed, clean=not options.raw)
    files = write_motions(options.out, model.name, options.seed, motions)
    size = {"count": len(files), "frames": motions[0].frames, "fps": source.fps, "seed": options.seed}
    return {"files": files, **size, "composition": direction.to_json()}


def evaluate_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Measure variations of a model against its source; returns the figures of `metrics.evaluate`. Raises RiffError."""
    from .metrics import evaluate

    model, motions = _variations(options, options.frames)
    with ProgressLine(sys.stderr) as line:
        figures = evaluate(model.source, motions, lambda done: line.show(f"Measured {done} of {len(motions)}"))
    size = {"model": str(options.model), "name": model.name, "samples": len(motions), "frames": motions[0].frames}
    return {**size, "seed": options.seed, "figures": figures}


def _variations(options: argparse.Namespace, frames: int | None) -> tuple[Model, list[Motion]]:
    from .model import load_model

    model = load_model(options.model)
    if frames is None and options.verb is evaluate_verb:
        frames = 2 * model.source.frames  # the papers' custom
    with _needs_torch():
        from .generate import generate
    return model, generate(model, frames=frames, count=options.count, seed=options.seed)


@contextmanager
def _needs_torch() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        message = f"PyTorch cannot be loaded in this Python ({error}); Riff trains and generates with it."
        raise RiffError(message) from error


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which farms send, do what Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    with _handlers(interrupt, signal.SIGTERM):
        yield


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event that a training looks at; a second one interrupts it."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    with _handlers(ask, signal.SIGINT, signal.SIGTERM):
        yield stop


@contextmanager
def _handlers(handler: Callable[[int, FrameType | None], Any], *numbers: signal.Signals) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets only the main thread handle signals
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _print_report(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(_finite(report), ensure_ascii=False))
    else:
        print("\n".join(_text_lines(report)))
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text_lines(report: dict[str, Any], indent: str = "") -> Iterator[str]:
    width = max(len(name) for name in report) if report else 0
    for name, value in report.items():
        label = f"{indent}{name.replace('_', ' '):<{width}}"
        if isinstance(value, dict):
            yield f"{indent}{name.replace('_', ' ')}"
            yield from _text_lines(value, indent + "  ")
        elif isinstance(value, list | tuple):
            yield f"{label}  {', '.join(str(item) for item in value)}"
        else:
            yield f"{label}  {value:.4g}" if isinstance(value, float) else f"{label}  {value}"
