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
from ..core.cli.direction_options import read_direction
from ..core.cli.main import Verb, run_verb
from ..core.cli.signals import stop_on_signal
from ..core.cli.verbs import check_target, evaluate_verb, require_torch, resumed
from ..core.directing import compose as composing
from ..core.directing.direction import Direction, direct
from ..core.directing.takes import generate_takes
from ..core.errors import ClipError, ModelError, RiffError
from ..core.evaluation.grade import grade
from ..core.farm.export import complete_job
from ..core.farm.job import JobWriter
from ..core.files.lease import hold_lease
from ..core.model.model_file import load_model, read_info
from ..core.motion.motion import Motion
from ..core.motion.retarget import match_skeletons, onto_skeleton
from ..core.runs.run import run_with_text
from ..core.runs.state_file import state_path
from ..core.system.console import ProgressLine
from ..core.training.checkpoint import begin
from ..rig.compat import name_of_two
from ..rig.library.blend_files import armature_for, open_file, save_file, sentence, source_actions
from ..rig.library.models import MODEL_SUFFIX, file_name_for, model_files, models_folder
from ..rig.writing.write import write_motion
from ..state.rig_settings import rig_settings
from ..state.source import clip_of
from ..state.variations.history import RUN_KEY, next_number
from .arguments import build_parser
from .record import Making, record_making

_handle: list[Any] = []


def run(arguments: Sequence[str]) -> int:
    """Run the words after `blender -c riff`; return the exit code."""
    verbs: dict[str, Verb] = {
        "train": train,
        "generate": generate,
        "compose": compose,
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
    actions = _chosen(options)
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
    with ProgressLine(sys.stderr) as line, stop_on_signal() as stop:
        for number, (training, target) in enumerate(begun, start=1):
            label = f"{number} of {len(clips)}, “{training.name}”: "
            with hold_lease(state_path(target)) as lease:
                run_with_text(
                    resumed(training, state_path(target), options),
                    target,
                    state_path(target),
                    lambda _, text, label=label: line.show(label + text),  # type: ignore[misc]
                    lambda lease=lease: stop.is_set() or lease.lost.is_set(),  # type: ignore[misc]
                    options.device,
                    options.threads,
                )
    done = {target for _, target in todo}
    return {"models": [{"model": str(t), "trained": t in done, **read_info(t)} for t in targets]}


def _made(folder: Path) -> Path:
    """The folder, made where there is none. Raises ModelError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"Cannot make the folder “{folder}”: {error.strerror or error}.") from error
    return folder


def _is_finished(target: Path, options: argparse.Namespace) -> bool:
    return bool(options.resume) and target.is_file() and not state_path(target).exists()


def _chosen(options: argparse.Namespace) -> list[bpy.types.Action]:
    actions = source_actions(options.action)
    if not actions:
        raise ClipError(f"“{options.file}” has no action that moves bones.")
    return actions


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Write the chosen actions as a job folder; actions that cannot be learned are left out and named."""
    open_file(options.file)
    recipe = recipe_of(options)
    actions, left_out = _chosen(options), {}
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


def generate(options: argparse.Namespace) -> dict[str, Any]:
    """Write variations as actions of the armature and save the file. Raises RiffError."""
    model = load_model(_model_path(options.model))
    ob, action, fps = _stage(options)
    motions = generate_takes(
        model,
        root=options.root,
        loop=options.loop,
        frames=options.frames,
        fps=fps,
        count=options.count,
        seed=options.seed,
    )
    more = {"riff_frames": options.frames or 0, "riff_root": options.root.upper(), "riff_loop": options.loop}
    known: dict[str, Any] = {"frames": options.frames, "seed": options.seed, "loop": options.loop, "root": options.root}
    settings = {**known, "frames": options.frames or 0, "count": options.count, "root": options.root.upper()}
    settings["loop"] = "ON" if options.loop else "OFF"
    path = _model_path(options.model)
    making = Making("generate", "riff.generate", "Generate", path, {**known, "fps": fps}, settings)
    return _write(options, ob, action, motions, model.name, "Variation", more, making)


def compose(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions around what is kept of an action, and save the file. Raises RiffError."""
    model = load_model(_model_path(options.model))
    ob, action, _ = _stage(options)
    clip = clip_of(ob, action, bpy.context.scene).motion
    source, bones = onto_skeleton(clip, model.skeleton), match_skeletons(model.skeleton, clip.skeleton)
    asked: Direction = read_direction(options, clip.skeleton if bones else source.skeleton)
    direction = asked.renamed(bones.renamed) if bones else asked
    motions = composing.compose(
        model, direct(source, direction), count=options.count, seed=options.seed, clean=not options.raw
    )
    content = {"armature": "", "action": action.name, "options": True}
    known = {"direction": asked.to_json(), "seed": options.seed, "clean": not options.raw, "bones": None}
    path, settings = _model_path(options.model), {"seed": options.seed, "count": options.count}
    making = Making("compose", "", "Compose", path, {**known, "content": content}, settings)
    more = {"riff_composition": str(direction.to_json())}
    return _write(options, ob, action, motions, model.name, "Take", more, making)


def _stage(options: argparse.Namespace) -> tuple[Any, bpy.types.Action, float]:
    """Armature, action and frame rate, from the opened file, once it is sure that the result can be saved."""
    if options.save.exists() and not options.overwrite:
        raise ClipError(f"“{options.save}” exists already; choose another --save or add --overwrite.")
    if not options.save.resolve().parent.is_dir():
        raise ClipError(f"There is no folder “{options.save.parent}” to save the file in.")
    open_file(options.file)
    actions = _chosen(options)
    if len(actions) > 1:
        names = ", ".join(f"“{action.name}”" for action in actions[:3])
        raise ClipError(f"{len(actions)} actions are meant ({names} …); choose one by --action.")
    ob = armature_for(actions[0], options.armature)
    render = bpy.context.scene.render
    return ob, actions[0], render.fps / render.fps_base


def _write(
    options: argparse.Namespace,
    ob: Any,
    action: bpy.types.Action,
    motions: list[Motion],
    model: str,
    result: str,
    more: dict[str, Any],
    making: Making,
) -> dict[str, Any]:
    names, titles, number = list[str](), list[str](), next_number(ob)
    for index, motion in enumerate(motions):
        properties = {
            "riff_model": model,
            "riff_seed": options.seed,
            "riff_index": index,
            "riff_armature": ob.name,
            "riff_source": action.name,
            RUN_KEY: [number, index],
            **more,
        }
        titles.append(f"{result} {options.seed}-{index + 1}")
        name, stepped = name_of_two(model, titles[-1]), not rig_settings(ob).smooth_steps
        written = write_motion(ob, motion, name, source_action=action, properties=properties, stepped=stepped)
        names.append(written.name)
    record_making(ob, action, number, making, names=titles, model=model, seed=options.seed, properties=more)
    save_file(options.save)
    return {"file": str(options.save), "actions": names, "frames": motions[0].frames, "seed": options.seed}


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Measure a model's variations against its source, as `python -m core evaluate` does."""
    options.model = _model_path(options.model)
    return evaluate_verb(options)


def _model_path(name: str) -> Path:
    """A model by its file, or by its name in Riff's own folder. Raises ModelError."""
    path = Path(name)
    if path.suffix == MODEL_SUFFIX or path.exists():
        return path
    own = models_folder() / f"{name}{MODEL_SUFFIX}"
    if not own.exists():
        raise ModelError(f"There is no model “{name}”; `blender -c riff list` names those in Riff's folder.")
    return own


def register() -> None:
    _handle.append(bpy.utils.register_cli_command("riff", run))


def unregister() -> None:
    while _handle:
        bpy.utils.unregister_cli_command(_handle.pop())
