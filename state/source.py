"""Reading of the action that Riff learns from, in steps."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path

import bpy

from ..core.cycles.unroll import UNROLL_BELOW_SECONDS, learnable
from ..core.motion.clip_file import Clip
from ..core.motion.motion import Motion
from ..rig.reading.actions import Source, source_of, stack_of
from ..rig.reading.read import read_steps
from ..rig.steps import STEP_SECONDS, run_through, stride
from .rig_settings import plays_nla, read_options

MIN_GLANCE_FPS = 8.0
"""Fewest frames a second to look at: with fewer, standing feet are not found."""


def active_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    return ob.animation_data.action if ob.animation_data else None


def learned_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    """Return the armature's action; for a variation, the action from which it was made."""
    action = active_action(ob)
    source = bpy.data.actions.get(str(action.get("riff_source", ""))) if action is not None else None
    return source or action


def is_variation(action: bpy.types.Action) -> bool:
    """Return True for an action made by Riff, which is not one to learn from."""
    return action.get("riff_model") is not None


def read_source(ob: bpy.types.Object, scene: bpy.types.Scene, step: int = 1) -> Motion:
    """Read the armature's action as Riff learns it, with the user's root and feet. Raises ClipError."""
    return run_through(source_steps(ob, scene, step=step, seconds=math.inf))


def source_steps(
    ob: bpy.types.Object,
    scene: bpy.types.Scene,
    action: bpy.types.Action | None = None,
    *,
    step: int = 1,
    seconds: float = STEP_SECONDS,
) -> Generator[float, None, Motion]:
    """Read like `read_source`, in steps of about `seconds`; `action` replaces the armature's own."""
    options = read_options(ob, nla=action is None and plays_nla(ob), step=step)
    return read_steps(ob, action, scene=scene, options=options, seconds=seconds)


def learned_steps(ob: bpy.types.Object, scene: bpy.types.Scene) -> Generator[float, None, Motion]:
    """Read what a model is made of, in steps: the armature's action, but the source of a variation that it plays."""
    action = learned_action(ob)
    return source_steps(ob, scene, None if plays_nla(ob) or action == active_action(ob) else action)


def source_played(ob: bpy.types.Object) -> Source:
    """Return the armature's action, or its whole NLA where the user wants that learned. Raises ClipError."""
    return stack_of(ob) if plays_nla(ob) else source_of(ob)


def glance_steps(ob: bpy.types.Object, scene: bpy.types.Scene, frames: int) -> Generator[float, None, Motion]:
    """Read about `frames` frames, more of a long action, in steps: enough to find joints, feet and body parts.

    Of an action that may be a short cycle every frame is read: its last one tells.
    """
    played, fps = source_played(ob).frames(), scene.render.fps / scene.render.fps_base
    if len(played) <= UNROLL_BELOW_SECONDS * fps:
        return source_steps(ob, scene)
    slowest = max(1, int(fps / MIN_GLANCE_FPS))
    return source_steps(ob, scene, step=min(slowest, stride(0, len(played) - 1, frames)))


def clip_of(ob: bpy.types.Object, action: bpy.types.Action, scene: bpy.types.Scene, name: str = "") -> Clip:
    """Read an action as the clip that Train on Action learns. Raises ClipError if it cannot be learned."""
    return run_through(clip_steps(ob, action, scene, name))


def clip_steps(
    ob: bpy.types.Object, action: bpy.types.Action, scene: bpy.types.Scene, name: str = ""
) -> Generator[float, None, Clip]:
    """Read like `clip_of`, in steps."""
    name = name or action.name
    motion = yield from source_steps(ob, scene, action)
    learnable(motion)
    return Clip(name, motion, ob.name, Path(bpy.data.filepath).name)
