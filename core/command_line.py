"""The verbs of `python -m core`, for shells, farms and continuous integration.

Progress goes to stderr, results to stdout. PyTorch is imported by the verb that needs it and not before.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import build_parser
from .compose_arguments import read_direction
from .errors import ModelError, RiffError, TrainingStopped
from .library_verbs import job_verb, list_verb, report_verb
from .model.recipe import RECIPES
from .signals import stop_on_signal, terminated_like_interrupted
from .system.console import ProgressLine
from .system.devices import check_device
from .system.memory import share_one_arena, told_as_memory_error

if TYPE_CHECKING:
    from .model.model import Model
    from .motion.motion import Motion
    from .training.checkpoint import Checkpoint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code; only wrong usage (2) and --help leave by SystemExit."""
    verbs = {
        "train": train_verb,
        "generate": generate_verb,
        "compose": compose_verb,
        "evaluate": evaluate_verb,
        "list": list_verb,
        "job": job_verb,
        "report": report_verb,
    }
    share_one_arena()
    return run_verb(build_parser(verbs).parse_args(arguments))


def run_verb(options: argparse.Namespace) -> int:
    """Run the verb that the options name, print what it returns, and turn what goes wrong into an exit code."""
    # OpenMP threads that spin while they wait slow training tenfold as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        quiet = redirect_stderr(io.StringIO()) if options.quiet else nullcontext()
        with terminated_like_interrupted(), quiet, told_as_memory_error():
            report: dict[str, Any] = options.verb(options)
        print_report(report, options.json)
    except (KeyboardInterrupt, TrainingStopped):
        print("Stopped.", file=sys.stderr)
        return 130
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    except MemoryError:
        less = "use a shorter clip" if options.verb is train_verb else "ask for fewer or shorter variations"
        print(f"There is not enough memory; {less}.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; without this, Python complains once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if options.verb is not job_verb:
        return 0
    for name, problem in report["failed"].items():
        print(f"“{name}” failed: {problem}", file=sys.stderr)
    return 1 if report["failed"] else 0


def train_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Train on a clip and save the model; returns its summary. Raises RiffError, TrainingStopped."""
    from .files.locks import hold
    from .model.model_file import load_model, read_info
    from .motion.clip_file import read_clip
    from .training.checkpoint import begin
    from .training.run import run_with_text, state_path

    state = state_path(options.out)
    if options.resume and options.out.is_file() and not state.exists():
        return {"model": str(options.out), "trained": False, **read_info(options.out)}
    check_target(options.out, options.overwrite or options.resume)
    clip = read_clip(options.clip)
    motion = clip.motion
    if options.also:
        from .directing.concatenate import mix

        motion = mix([motion, *(read_clip(other).motion for other in options.also)])
    with _needs_torch():
        check_device(options.device)
    start = load_model(options.start_from) if options.start_from else None
    begun = begin(motion, RECIPES[options.recipe].scaled(options.scale), options.seed, start)
    begun = replace(begun, name=options.name or clip.name, rig=clip.rig)
    with _needs_torch(), ProgressLine(sys.stderr) as line, stop_on_signal() as stop, hold(state) as lease:
        run_with_text(
            resumed(begun, state, options),
            options.out,
            state,
            lambda _, text: line.show(text),
            lambda: stop.is_set() or lease.lost.is_set(),
            options.device,
            options.threads,
        )
    return {"model": str(options.out), "trained": True, **read_info(options.out)}


def resumed(begun: Checkpoint, state: Path, options: argparse.Namespace) -> Checkpoint:
    """The training, or what the file says of how far it is. Raises ModelError where that is not what was asked for."""
    from .training.checkpoint import load_checkpoint
    from .training.run import same_training

    if not state.exists() or options.overwrite:
        return begun
    if not options.resume:
        raise ModelError(f"“{state}” is left of a training; add --resume to go on with it, --overwrite to begin anew.")
    kept = load_checkpoint(state)
    if not same_training(kept, begun):
        raise ModelError(f"“{state}” is of another clip, recipe, seed or start; add --overwrite to begin anew.")
    return kept


def check_target(path: Path, overwrite: bool) -> None:
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


def generate_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write variations of a model as BVH files; returns their paths. Raises RiffError."""
    from .motion.resampling import resample
    from .motion_files import write_motions

    model, motions = _variations(options, options.frames)
    fps = options.fps or model.source_fps
    files = write_motions(options.out, model.name, options.seed, [resample(motion, fps) for motion in motions])
    return {"files": files, "count": len(files), "frames": motions[0].frames, "fps": fps, "seed": options.seed}


def compose_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions around what is kept of a clip as BVH files; returns their paths. Raises RiffError."""
    from .directing.compose import compose
    from .directing.direction import direct
    from .model.model_file import load_model
    from .motion.clip_file import read_clip
    from .motion.retarget import onto_skeleton
    from .motion_files import write_motions

    model = load_model(options.model)
    source = onto_skeleton(read_clip(options.clip).motion, model.skeleton) if options.clip else model.source
    direction = read_direction(options, source.skeleton)
    composition = direct(source, direction)
    motions = compose(model, composition, count=options.count, seed=options.seed, clean=not options.raw)
    files = write_motions(options.out, model.name, options.seed, motions)
    size = {"count": len(files), "frames": motions[0].frames, "fps": source.fps, "seed": options.seed}
    return {"files": files, **size, "composition": direction.to_json()}


def evaluate_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Measure variations of a model against its source; returns the figures of `metrics.evaluate`. Raises RiffError."""
    from .evaluation.metrics import evaluate

    model, motions = _variations(options, options.frames)
    with ProgressLine(sys.stderr) as line:
        figures = evaluate(model.source, motions, lambda done: line.show(f"Measured {done} of {len(motions)}"))
    size = {"model": str(options.model), "name": model.name, "samples": len(motions), "frames": motions[0].frames}
    return {**size, "seed": options.seed, "figures": figures}


def _variations(options: argparse.Namespace, frames: int | None) -> tuple[Model, list[Motion]]:
    from .generation.generate import generate
    from .model.model_file import load_model

    model = load_model(options.model)
    if frames is None and options.verb is evaluate_verb:
        frames = 2 * model.source.frames  # the papers' custom
    return model, generate(model, frames=frames, count=options.count, seed=options.seed)


@contextmanager
def _needs_torch() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        message = f"PyTorch cannot be loaded in this Python ({error}); Riff trains with it."
        raise RiffError(message) from error


def print_report(report: dict[str, Any], as_json: bool) -> None:
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
