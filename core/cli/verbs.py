"""The verbs of `python -m core`, for shells, farms and continuous integration.

Progress goes to stderr, results to stdout. PyTorch is imported by the verb that needs it and not before.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ClipError, ModelError, RiffError
from ..model.recipe import RECIPES
from ..motion.bvh import write_bvh
from ..motion.motion import Motion
from ..system.console import ProgressLine
from ..system.devices import check_device
from .arguments import read_direction
from .signals import stop_on_signal

if TYPE_CHECKING:
    from ..model.model import Model
    from ..motion.motion import Motion
    from ..training.checkpoint import Checkpoint


def train_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Train on a clip and save the model; returns its summary. Raises RiffError, Cancelled."""
    from ..files.locks import hold_lease
    from ..model.model_file import load_model, read_info
    from ..motion.clip_file import read_clip
    from ..runs.run import run_with_text
    from ..runs.state_file import state_path
    from ..training.checkpoint import begin

    state = state_path(options.out)
    if options.resume and options.out.is_file() and not state.exists():
        return {"model": str(options.out), "trained": False, **read_info(options.out)}
    check_target(options.out, options.overwrite or options.resume)
    clip = read_clip(options.clip)
    motion = clip.motion
    if options.also:
        from ..directing.concatenate import mix

        motion = mix([motion, *(read_clip(other).motion for other in options.also)])
    with _needs_torch():
        check_device(options.device)
    start = load_model(options.start_from) if options.start_from else None
    begun = begin(motion, RECIPES[options.recipe].scaled(options.scale), options.seed, start)
    begun = replace(begun, name=options.name or clip.name, rig=clip.rig)
    with _needs_torch(), ProgressLine(sys.stderr) as line, stop_on_signal() as stop, hold_lease(state) as lease:
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
    from ..runs.state_file import same_training
    from ..training.checkpoint import load_checkpoint

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
    from ..motion.resampling import resample

    model, motions = _variations(options, options.frames)
    fps = options.fps or model.source_fps
    files = write_motions(options.out, model.name, options.seed, [resample(motion, fps) for motion in motions])
    return {"files": files, "count": len(files), "frames": motions[0].frames, "fps": fps, "seed": options.seed}


def compose_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions around what is kept of a clip as BVH files; returns their paths. Raises RiffError."""
    from ..directing.compose import compose
    from ..directing.direction import direct
    from ..model.model_file import load_model
    from ..motion.clip_file import read_clip
    from ..motion.retarget import onto_skeleton

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
    from ..evaluation.metrics import evaluate

    model, motions = _variations(options, options.frames)
    with ProgressLine(sys.stderr) as line:
        figures = evaluate(model.source, motions, lambda done: line.show(f"Measured {done} of {len(motions)}"))
    size = {"model": str(options.model), "name": model.name, "samples": len(motions), "frames": motions[0].frames}
    return {**size, "seed": options.seed, "figures": figures}


def _variations(options: argparse.Namespace, frames: int | None) -> tuple[Model, list[Motion]]:
    from ..generation.generate import generate
    from ..model.model_file import load_model

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


def write_motions(folder: Path, name: str, seed: int, motions: Sequence[Motion]) -> list[str]:
    """Write motions as NAME-seedS-NN.bvh into a folder, made where it is missing; their paths. Raises ClipError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClipError(f"Cannot make the folder “{folder}”: {error.strerror or error}.") from error
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._") or "variation"
    files = []
    with ProgressLine(sys.stderr) as line:
        for number, motion in enumerate(motions, start=1):
            line.show(f"Writing motion {number} of {len(motions)}")
            path = folder / f"{stem}-seed{seed}-{number:02d}.bvh"
            write_bvh(path, motion)
            files.append(str(path))
    return files
