"""`blender -c riff VERB …`: Riff in shells and scripts, on .blend files and actions by name or pattern.

As with `python -m core`, progress goes to stderr, results to stdout, and the exit codes are the same.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..core.cli.arguments import recipe_of
from ..core.cli.main import Verb, run_verb
from ..core.cli.signals import stop_on_signal
from ..core.cli.verbs import check_target, evaluate_verb, require_torch, resumed
from ..core.errors import ClipError, ModelError, RiffError
from ..core.evaluation.grade import grade
from ..core.farm.export import complete_job
from ..core.farm.job import JobWriter
from ..core.files.lease import hold_lease
from ..core.model.model_file import read_info
from ..core.runs.run import run_with_text
from ..core.runs.state_file import state_path
from ..core.system.console import ProgressLine
from ..core.training.checkpoint import begin
from ..rig.library.blend_files import armature_for, open_file, sentence, source_actions
from ..rig.library.models import MODEL_SUFFIX, file_name_for, model_files, models_folder
from ..state.source import clip_of
from .arguments import build_parser
from .takes import blend, chosen, compose, generate, model_path, spans

_handle: list[Any] = []


def run(arguments: Sequence[str]) -> int:
    """Run the words after `blender -c riff`; return the exit code."""
    verbs: dict[str, Verb] = {
        "train": train,
        "generate": generate,
        "compose": compose,
        "spans": spans,
        "blend": blend,
        "evaluate": evaluate,
        "list": list_all,
        "export": export,
    }
    try:
        options = build_parser().parse_args(list(arguments))
    except SystemExit as end:  # Blender prints a traceback of it and forgets the code
        return int(end.code or 0)

    def run_off_stdout(options: argparse.Namespace) -> dict[str, Any]:
        with _stdout_on_stderr():
            return verbs[options.verb](options)

    return run_verb(run_off_stdout, options)


@contextmanager
def _stdout_on_stderr() -> Iterator[None]:
    """Blender itself tells on stdout which file it reads; there it would be taken for a result."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):  # where operators' reports go, which Python prints
            yield
    finally:
        sys.stdout.flush()
        _flush_blender()
        os.dup2(kept, 1)
        os.close(kept)


def _flush_blender() -> None:
    """Have C write out what Blender has printed and Python does not know of."""
    library = "ucrtbase" if os.name == "nt" else None
    ctypes.CDLL(library).fflush(None)


def list_all(options: argparse.Namespace) -> dict[str, Any]:
    """The actions of the files, each with its armature and what keeps it from being learned; without a file, models."""
    rows = [row for file in options.files for row in _listed(file)] if options.files else _models()
    return {"items": rows, "count": len(rows)}


def _listed(file: Path) -> Iterator[dict[str, Any]]:
    open_file(file)
    for action in source_actions():
        row: dict[str, Any] = {"file": str(file), "action": action.name}
        try:
            ob = armature_for(action)
            clip = clip_of(ob, action, bpy.context.scene)
            size = {"frames": clip.motion.frames, "duration": clip.motion.duration}
            yield {**row, "armature": ob.name, **size, "joints": clip.motion.skeleton.joints}
        except RiffError as error:
            yield {**row, "problem": str(error)}


def _models() -> list[dict[str, Any]]:
    rows = []
    for path in model_files():
        try:
            info = read_info(path)
            rows.append({"model": path.stem, "path": str(path), **info, "verdict": grade(info.get("quality", {}))})
        except ModelError as error:
            rows.append({"model": path.stem, "path": str(path), "problem": str(error)})
    return rows


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train a model on each chosen action, one after the other. Raises RiffError, Cancelled."""
    require_torch(options.device)
    open_file(options.file)
    actions = chosen(options)
    folder = _made(options.out) if options.out else models_folder()
    targets = [folder / f"{file_name_for(action.name)}{MODEL_SUFFIX}" for action in actions]
    todo = [pair for pair in zip(actions, targets, strict=True) if not _is_finished(pair[1], options)]
    for _, target in todo:
        check_target(target, options.overwrite or options.resume)
    clips = [(clip_of(armature_for(a, options.armature), a, bpy.context.scene), target) for a, target in todo]
    recipe = recipe_of(options)
    begun = [(replace(begin(c.motion, recipe, options.seed), name=c.name, rig=c.rig), target) for c, target in clips]
    for training, target in begun:
        resumed(training, state_path(target), options)  # refused now rather than after an hour of the others
    saved: dict[Path, Path] = {}
    with ProgressLine(sys.stderr) as line, stop_on_signal() as stop:
        for number, (training, target) in enumerate(begun, start=1):
            label = f"{number} of {len(clips)}, “{training.name}”: "
            with hold_lease(state_path(target)) as lease:
                saved[target] = run_with_text(
                    resumed(training, state_path(target), options),
                    target,
                    state_path(target),
                    lambda _, text, label=label: line.show(label + text),  # type: ignore[misc]
                    lambda lease=lease: stop.is_set() or lease.lost.is_set(),  # type: ignore[misc]
                    options.device,
                    options.threads,
                    options.overwrite or target.exists(),
                )
    models = [(saved.get(target, target), target in saved) for target in targets]
    return {"models": [{"model": str(path), "trained": trained, **read_info(path)} for path, trained in models]}


def _made(folder: Path) -> Path:
    """The folder, made where there is none. Raises ModelError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"Cannot make the folder “{folder}”: {error.strerror or error}.") from error
    return folder


def _is_finished(target: Path, options: argparse.Namespace) -> bool:
    return bool(options.resume) and target.is_file() and not state_path(target).exists()


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Write the chosen actions as a job folder; actions that cannot be learned are left out and named."""
    open_file(options.file)
    recipe = recipe_of(options)
    actions, left_out = chosen(options), {}
    writer = JobWriter(options.out, options.file.stem, recipe, options.seed)
    try:
        with ProgressLine(sys.stderr) as line:
            for number, action in enumerate(actions, start=1):
                line.show(f"Reading action {number} of {len(actions)}")
                try:
                    writer.add(clip_of(armature_for(action, options.armature), action, bpy.context.scene))
                except ClipError as error:
                    left_out[action.name] = sentence(error)
        job = writer.finish()
        complete_job(job)
    except BaseException:
        writer.discard()
        raise
    return {"job": str(options.out), "clips": len(job.entries), "left_out": left_out}


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Measure a model's variations against its source, as `python -m core evaluate` does."""
    options.model = model_path(options.model)
    return evaluate_verb(options)


def register() -> None:
    _handle.append(bpy.utils.register_cli_command("riff", run))


def unregister() -> None:
    while _handle:
        bpy.utils.unregister_cli_command(_handle.pop())
