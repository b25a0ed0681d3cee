"""Verbs of `blender -c riff` that write new actions into a copy of the file: generate, compose, spans, blend."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ..core.blending.amount import Amount, amounts_of_parts
from ..core.cli.direction_options import read_direction
from ..core.directing import compose as composing
from ..core.directing.direction import Direction, direct
from ..core.directing.model_spans import ENTRY, generate_model_spans
from ..core.directing.span_models import span_models
from ..core.directing.takes import generate_takes
from ..core.directing.timed_clips import VARIATION, ClipSpan, check_spans, generate_spans, parse_clip_spans
from ..core.errors import ClipError, ModelError
from ..core.generation.generate import Sampler
from ..core.matching.instant import instant_model
from ..core.model.model import Model
from ..core.model.model_file import load_model
from ..core.motion.motion import Motion
from ..core.motion.retarget import match_skeletons, onto_skeleton
from ..rig.compat import name_of_two
from ..rig.library.blend_files import armature_for, check_bones, open_file, save_file, source_actions
from ..rig.library.models import MODEL_SUFFIX, models_folder
from ..rig.reading.actions import range_of
from ..rig.steps import run_through
from ..rig.stored import stored_text
from ..rig.writing.write import write_motion
from ..state.rig_settings import rig_settings
from ..state.source import clip_of
from ..state.variations.history import RUN_KEY, next_run
from ..state.variations.recording import Order, record_steps


def generate(options: argparse.Namespace) -> dict[str, Any]:
    """Write variations as actions of the armature and save the file. Raises RiffError."""
    path, model = _named_model(options)
    _open(options)
    ob, action, fps = _stage(options)
    if model is None:
        model = instant_model(clip_of(ob, action, bpy.context.scene).motion, action.name)
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
    order = Order("generate", {**known, "fps": fps}, settings, [action.name], path) if path else None
    names = _numbered("Variation", options.seed, len(motions))
    return _write(options, ob, action, motions, names, more, order, "riff.generate", "Generate", model=model.name)


def compose(options: argparse.Namespace) -> dict[str, Any]:
    """Write motions around what is kept of an action, and save the file. Raises RiffError."""
    path, model = _named_model(options)
    _open(options)
    ob, action, _ = _stage(options)
    clip = clip_of(ob, action, bpy.context.scene).motion
    if model is None:
        model = instant_model(clip, action.name)
    source, bones = onto_skeleton(clip, model.skeleton), match_skeletons(model.skeleton, clip.skeleton)
    asked: Direction = read_direction(options, clip.skeleton if bones else source.skeleton)
    direction = asked.renamed(bones.renamed) if bones else asked
    motions = composing.compose(
        model, direct(source, direction), count=options.count, seed=options.seed, clean=not options.raw
    )
    content = {"armature": "", "action": action.name, "options": True}
    known = {"direction": asked.to_json(), "seed": options.seed, "clean": not options.raw, "bones": None}
    settings = {"seed": options.seed, "count": options.count}
    order = Order("compose", {**known, "content": content}, settings, [action.name], path) if path else None
    names, more = _numbered("Take", options.seed, len(motions)), {"riff_composition": str(direction.to_json())}
    return _write(options, ob, action, motions, names, more, order, label="Compose", model=model.name)


def spans(options: argparse.Namespace) -> dict[str, Any]:
    """Write takes in which actions play in spans and pass over between them, and save the file. Raises RiffError."""
    timed = parse_clip_spans(options.spans)
    path, model = _named_model(options)
    options.action = [timed[0].clip]
    _open(options)
    ob, action, fps = _stage(options)
    variation = VARIATION if options.variation is None else options.variation
    chosen: dict[str, Any] = {"fps": fps, "seed": options.seed, "variation": variation, "clean": True}
    clips: dict[str, Motion] = {}
    if model is None:
        clips = _played(ob, timed, fps)
        motions = generate_spans(span_models(clips, timed), timed, count=options.count, **chosen)
    else:
        chosen["entry"] = ENTRY
        motions = generate_model_spans(Sampler(model, torch=False), timed, count=options.count, **chosen)
    rows = [[span.clip, span.start, span.end, span.speed] for span in timed]
    settings = {"spans": rows, "seed": options.seed, "variation": variation}
    settings["played_by"] = "INSTANT" if model is None else "MODEL"
    order = Order("spans", {"spans": rows, **chosen}, settings, [action.name, *clips], path)
    names, name = _numbered("Spans", options.seed, len(motions)), " + ".join(clips) if model is None else model.name
    more, made = {"riff_spans": options.spans}, ("riff.generate_spans", "Generate Spans")
    return _write(options, ob, action, motions, names, more, order, *made, model=name, start=timed[0].start)


def _played(ob: Any, spans: Sequence[ClipSpan], fps: float) -> dict[str, Motion]:
    """Read the actions that play in spans. Raises RiffError."""
    check_spans(spans, fps, bpy.data.actions.keys())
    clips: dict[str, Motion] = {}
    for span in spans:
        played = bpy.data.actions[span.clip]
        check_bones(ob, played, span.start)
        if span.clip not in clips:
            clips[span.clip] = clip_of(ob, played, bpy.context.scene).motion
    return clips


def blend(options: argparse.Namespace) -> dict[str, Any]:
    """Write takes between an action and its variation, and save the file. Raises RiffError."""
    _open(options)
    variation = bpy.data.actions.get(options.variation)
    if variation is None:
        raise ClipError(f"“{options.file}” has no action “{options.variation}”.")
    options.action = options.action or [stored_text(variation, "riff_source")]
    ob, action, _ = _stage(options)
    source, other = (clip_of(ob, one, bpy.context.scene).motion for one in (action, variation))
    of_joints, pair = _amounts_of(options.part, source), Amount.between(source, other)
    motions = [pair.at(amount, of_joints) for amount in options.amount]
    names = [f"{variation.name} {amount:.0%}" for amount in options.amount]
    start = range_of(variation)[0]
    known = stored_text(variation, "riff_model")  # without it, the list would take the result for an action to learn
    more = {"riff_full": variation.name} | ({"riff_model": known} if known else {})
    return _write(options, ob, action, motions, names, more, None, start=start)


def _amounts_of(texts: Sequence[str], motion: Motion) -> dict[int, float]:
    """Return the amounts of joints from texts such as “Spine=0.5”. Raises ClipError for any other."""
    pairs = (text.rpartition("=") for text in texts)
    return amounts_of_parts(motion.skeleton, {name: _number(own) for name, _, own in pairs})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ClipError(f"“{text}” is no number; write a body part as Spine=0.5.") from None


def _named_model(options: argparse.Namespace) -> tuple[Path | None, Model | None]:
    """Return the model that is named and its file, None where none is. Raises ModelError."""
    path = model_path(options.model) if options.model else None
    return path, load_model(path) if path else None


def _open(options: argparse.Namespace) -> None:
    """Open the file once it is sure that the result can be saved."""
    if options.save.exists() and not options.overwrite:
        raise ClipError(f"“{options.save}” exists already; choose another --save or add --overwrite.")
    if not options.save.resolve().parent.is_dir():
        raise ClipError(f"There is no folder “{options.save.parent}” to save the file in.")
    open_file(options.file)


def _stage(options: argparse.Namespace) -> tuple[Any, bpy.types.Action, float]:
    """Return the armature, the chosen action and the frame rate of the open file."""
    actions = chosen(options)
    if len(actions) > 1:
        names = ", ".join(f"“{action.name}”" for action in actions[:3])
        raise ClipError(f"{len(actions)} actions are meant ({names} …); choose one by --action.")
    ob = armature_for(actions[0], options.armature)
    render = bpy.context.scene.render
    return ob, actions[0], render.fps / render.fps_base


def chosen(options: argparse.Namespace) -> list[bpy.types.Action]:
    """Return the chosen actions of the open file. Raises ClipError where there is none."""
    actions = source_actions(options.action)
    if not actions:
        raise ClipError(f"“{options.file}” has no action that moves bones.")
    return actions


def _numbered(result: str, seed: int, count: int) -> list[str]:
    """Return titles such as “Variation 3-1”."""
    return [f"{result} {seed}-{index + 1}" for index in range(count)]


def _write(
    options: argparse.Namespace,
    ob: Any,
    action: bpy.types.Action,
    motions: list[Motion],
    titles: list[str],
    more: dict[str, Any],
    order: Order | None,
    operator: str = "",
    label: str = "",
    *,
    model: str = "",
    start: int | None = None,
) -> dict[str, Any]:
    """Write motions as actions of these titles, record how they were made if that is told, and save the file."""
    seed = {"seed": options.seed} if "seed" in options else {}
    known = {f"riff_{name}": value for name, value in seed.items()} | ({"riff_model": model} if model else {})
    written, number, stepped = list[str](), next_run(ob), not rig_settings(ob).smooth_steps
    for index, (motion, title) in enumerate(zip(motions, titles, strict=True)):
        own = {"riff_index": index, "riff_armature": ob.name, "riff_source": action.name, **more}
        if order is not None:
            own[RUN_KEY] = [number, index]
        name = name_of_two(model, title) if model else title
        properties = {**known, **own}
        made = write_motion(
            ob, motion, name, source_action=action, properties=properties, frame_start=start, stepped=stepped
        )
        written.append(made.name)
    if order is not None:
        render = bpy.context.scene.render
        recording = record_steps(
            ob,
            number,
            order,
            operator=operator,
            label=label,
            names=titles,
            model=model,
            source=action.name,
            fps=render.fps / render.fps_base,
            seed=options.seed,
            stepped=stepped,
            properties=more,
            frame_start=start,
        )
        run_through(recording)
    save_file(options.save)
    return {"file": str(options.save), "actions": written, "frames": motions[0].frames, **seed}


def model_path(name: str) -> Path:
    """A model by its file, or by its name in Riff's own folder. Raises ModelError."""
    path = Path(name)
    if path.suffix == MODEL_SUFFIX or path.exists():
        return path
    own = models_folder() / f"{name}{MODEL_SUFFIX}"
    if not own.exists():
        raise ModelError(f"There is no model “{name}”; `blender -c riff list` names those in Riff's folder.")
    return own
