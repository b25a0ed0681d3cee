"""The action that Riff learns from, and reading it in steps."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path

import bpy

from ..core.motion.clip_file import Clip
from ..core.motion.motion import Motion, learned_groups
from ..rig.reading.actions import stack_of
from ..rig.reading.read import read_steps
from ..rig.steps import STEP_SECONDS, run_through, stride
from .rig_settings import plays_nla, read_options


def active_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    return ob.animation_data.action if ob.animation_data else None


def learned_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    """The armature's action or, where that is a variation, the action which the variation was made beside."""
    action = active_action(ob)
    source = bpy.data.actions.get(str(action.get("riff_source", ""))) if action is not None else None
    return source or action


def is_variation(action: bpy.types.Action) -> bool:
    """Whether Riff made this action: it is not what one would learn from."""
    return action.get("riff_model") is not None


def read_source(ob: bpy.types.Object, scene: bpy.types.Scene, step: int = 1) -> Motion:
    """The armature's action as Riff learns it, with the root and feet that the user chose. Raises ClipError."""
    return run_through(source_steps(ob, scene, step=step, seconds=math.inf))


MIN_GLANCE_FPS = 8.0
"""Frames a second that are looked at least: between fewer, feet are not seen to stand."""


def source_steps(
    ob: bpy.types.Object,
    scene: bpy.types.Scene,
    action: bpy.types.Action | None = None,
    *,
    step: int = 1,
    seconds: float = STEP_SECONDS,
) -> Generator[float, None, Motion]:
    """The same in steps of about so many seconds; of another action where one is given."""
    options = read_options(ob, nla=action is None and plays_nla(ob), step=step)
    return read_steps(ob, action, scene=scene, options=options, seconds=seconds)


def glance_steps(ob: bpy.types.Object, scene: bpy.types.Scene, frames: int) -> Generator[float, None, Motion]:
    """The same of about so many frames, more of a long action: enough to tell joints, feet and body parts."""
    span = (stack_of(ob).span if plays_nla(ob) else None) or ob.animation_data.action.frame_range
    slowest = max(1, int(scene.render.fps / scene.render.fps_base / MIN_GLANCE_FPS))
    return source_steps(ob, scene, step=min(slowest, stride(span[0], span[1], frames)))


def clip_of(ob: bpy.types.Object, action: bpy.types.Action, scene: bpy.types.Scene, name: str = "") -> Clip:
    """An action as the clip that Train on Action would learn. Raises ClipError for one that cannot be learned."""
    return run_through(clip_steps(ob, action, scene, name))


def clip_steps(
    ob: bpy.types.Object, action: bpy.types.Action, scene: bpy.types.Scene, name: str = ""
) -> Generator[float, None, Clip]:
    """The same in steps."""
    name = name or action.name
    motion = yield from source_steps(ob, scene, action)
    learned_groups(motion)
    return Clip(name, motion, ob.name, Path(bpy.data.filepath).name)
