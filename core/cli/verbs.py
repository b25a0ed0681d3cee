"""The verbs of `python -m core` for one clip, for shells and continuous integration.

Progress goes to stderr, results to stdout. PyTorch is loaded by the verb that needs it and not before.
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
from typing import Any

from ..cycles.unroll import learnable
from ..directing.compose import compose
from ..directing.concatenate import mix_named
from ..directing.direction import direct
from ..directing.model_spans import generate_model_spans
from ..directing.span_models import span_models
from ..directing.takes import generate_takes
from ..directing.timed_clips import VARIATION, check_spans, generate_spans, parse_clip_spans
from ..driving import drive as driving
from ..driving.roles import pair_by_role, parse_pairs
from ..errors import ClipError, ModelError, RiffError, cancel_check
from ..evaluation.metrics import evaluate
from ..files.lease import hold_lease
from ..generation.generate import Sampler, generate
from ..matching.instant import instant_model
from ..model.learned_clips import LearnedClip
from ..model.model_file import load_model, read_info, save_model
from ..motion.bvh import write_bvh
from ..motion.clip_file import Clip, read_clip
from ..motion.motion import Motion
from ..motion.retarget import match_skeletons, onto_skeleton
from ..runs.quality import with_quality
from ..runs.run import run_with_text
from ..runs.state_file import same_training, state_path
from ..system.console import ProgressLine
from ..system.devices import pick_device
from ..training.checkpoint import Checkpoint, begin, load_checkpoint
from .arguments import recipe_of
from .direction_options import read_direction
from .signals import stop_on_signal


def train_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Train on a clip and save the model; returns its summary. Raises RiffError, Cancelled."""
    state = state_path(options.out)
    if options.resume and options.out.is_file() and not state.exists():
        return {"model": str(options.out), "trained": False, **read_info(options.out)}
    check_target(options.out, options.overwrite or options.resume)
    clip = read_clip(options.clip, options.up)
    motion, clips = _learned_together(clip, options)
    require_torch(options.device)
    start = load_model(options.start_from) if options.start_from else None
    begun = begin(motion, recipe_of(options), options.seed, start)
    begun = replace(begun, name=options.name or clip.name, rig=clip.rig, clips=clips)
    overwrite = options.overwrite or options.out.exists()
    with _needs_torch(), ProgressLine(sys.stderr) as line, stop_on_signal() as stop, hold_lease(state) as lease:
        saved = run_with_text(
            resumed(begun, state, options),
            options.out,
            state,
            lambda _, text: line.show(text),
            lambda: stop.is_set() or lease.lost.is_set(),
            options.device,
            options.threads,
            overwrite,
        )
    return {"model": str(saved), "trained": True, **read_info(saved)}


def instant_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Make an instant model of a clip, measure and save it; return its summary. Raises RiffError, Cancelled."""
    check_target(options.out, options.overwrite)
    clip = read_clip(options.clip, options.up)
    motion, clips = _learned_together(clip, options)
    motion = learnable(motion)
    with stop_on_signal() as stop, hold_lease(options.out):
        model = instant_model(motion, options.name or clip.name, check_cancelled=cancel_check(stop.is_set))
        save_model(with_quality(replace(model, rig=clip.rig, clips=clips), stop.is_set), options.out)
    return {"model": str(options.out), **read_info(options.out)}


def _learned_together(clip: Clip, options: argparse.Namespace) -> tuple[Motion, tuple[LearnedClip, ...]]:
    """Return the motion of a clip, or of it and others that `options` name, and the rows of each. Raises ClipError."""
    if not options.also:
        return clip.motion, ()
    clips = [clip, *(read_clip(other, options.up) for other in options.also)]
    return mix_named([one.name for one in clips], [one.motion for one in clips])


def resumed(begun: Checkpoint, state: Path, options: argparse.Namespace) -> Checkpoint:
    """The training, continued from the state in the file where there is one.

    Raises ModelError for a state of another training, or one that the options do not say how to treat.
    """
    if not state.exists() or options.overwrite:
        return begun
    if not options.resume:
        raise ModelError(
            f"“{state}” is the state of an unfinished training; add --resume to continue it, --overwrite to start over."
        )
    kept = load_checkpoint(state)
    if not same_training(kept, begun):
        raise ModelError(
            f"“{state}” belongs to another clip, recipe, seed or starting model; add --overwrite to start over."
        )
    return kept


def check_target(path: Path, overwrite: bool) -> None:
    """Find out before an hour of training, not after it, that the model cannot be saved."""
    if path.is_dir():
        raise ModelError(f"“{path}” is a folder; --out must name the model file to write.")
    if path.exists() and not path.is_file():
        raise ModelError(f"“{path}” is no regular file; --out must name the model file to write.")
    if path.exists() and not overwrite:
        raise ModelError(f"“{path}” exists already; choose another --out or add --overwrite.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ModelError(f"Cannot write into “{path.parent}”: {error.strerror or error}.") from error


def generate_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write variations of a model as BVH files; returns their paths. Raises RiffError."""
    model = load_model(options.model)
    fps = options.fps or model.source_fps
    motions = generate_takes(
        model,
        root=options.root,
        loop=options.loop,
        frames=options.frames,
        fps=fps,
        count=options.count,
        seed=options.seed,
    )
    files = write_motions(options.out, model.name, options.seed, motions)
    return {"files": files, "count": len(files), "frames": motions[0].frames, "fps": fps, "seed": options.seed}


def compose_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions around the kept part of a clip as BVH files; returns their paths. Raises RiffError."""
    model = load_model(options.model)
    clip = read_clip(options.clip, options.up).motion if options.clip else model.source
    source, bones = onto_skeleton(clip, model.skeleton), match_skeletons(model.skeleton, clip.skeleton)
    direction = read_direction(options, clip.skeleton if bones else source.skeleton)
    direction = direction.renamed(bones.renamed) if bones else direction
    composition = direct(source, direction)
    motions = compose(model, composition, count=options.count, seed=options.seed, clean=not options.raw)
    files = write_motions(options.out, model.name, options.seed, motions)
    size = {"count": len(files), "frames": motions[0].frames, "fps": source.fps, "seed": options.seed}
    return {"files": files, **size, "composition": direction.to_json()}


def spans_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions in which clips play in spans of frames as BVH files; return their paths. Raises RiffError."""
    if options.model is not None:
        return _spans_of_model(options)
    if not options.clips:
        raise ClipError("Name the clips that play, or by --model a model that was trained on several.")
    clips = {path.stem: read_clip(path, options.up).motion for path in options.clips}
    spans, fps = parse_clip_spans(options.spans), next(iter(clips.values())).fps
    check_spans(spans, fps, list(clips))
    models = span_models(clips, spans)
    variation = VARIATION if options.variation is None else options.variation
    made = generate_spans(models, spans, fps=fps, count=options.count, seed=options.seed, variation=variation)
    files = write_motions(options.out, "-".join(models), options.seed, made)
    return {"files": files, "count": len(files), "frames": made[0].frames, "fps": fps, "seed": options.seed}


def _spans_of_model(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions in which clips of one model play in spans of frames; return their paths. Raises RiffError."""
    if options.clips:
        raise ClipError("The clips are those that the model was trained on; leave out either the files or --model.")
    model, spans = load_model(options.model), parse_clip_spans(options.spans)
    fps, variation = options.fps or model.source_fps, VARIATION if options.variation is None else options.variation
    sampler = Sampler(model, torch=False)
    made = generate_model_spans(sampler, spans, fps=fps, count=options.count, seed=options.seed, variation=variation)
    files = write_motions(options.out, model.name, options.seed, made)
    return {"files": files, "count": len(files), "frames": made[0].frames, "fps": fps, "seed": options.seed}


def drive_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions with the timing and course of another body's clip as BVH files; return their paths and the pairs of
    bones. Raises RiffError.
    """
    model, driver = load_model(options.model), read_clip(options.by, options.up).motion
    pairs = parse_pairs(options.pairs) or tuple(pair_by_role(model.skeleton, driver.skeleton))
    made = driving.drive(
        model,
        driver,
        pairs,
        frames=options.frames or 0,
        count=options.count,
        seed=options.seed,
        variation=driving.VARIATION if options.variation is None else options.variation,
        scale=options.scale,
    )
    files = write_motions(options.out, model.name, options.seed, made)
    size = {"count": len(files), "frames": made[0].frames, "fps": driver.fps, "seed": options.seed}
    return {"files": files, **size, "pairs": dict(pairs)}


def evaluate_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Measure variations of a model against its source; returns the figures of `metrics.evaluate`. Raises RiffError."""
    model = load_model(options.model)
    frames = options.frames or 2 * model.source.frames  # the papers' custom
    motions = generate(model, frames=frames, count=options.count, seed=options.seed)
    with ProgressLine(sys.stderr) as line:
        figures = evaluate(model.source, motions, lambda done: line.show(f"Measured {done} of {len(motions)}"))
    size = {"model": str(options.model), "name": model.name, "samples": len(motions), "frames": motions[0].frames}
    return {**size, "seed": options.seed, "figures": figures}


def require_torch(device: str) -> None:
    """Raises RiffError where PyTorch cannot be loaded or finds no such device."""
    with _needs_torch():
        pick_device(device)


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
