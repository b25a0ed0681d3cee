"""Hints about an action: oddities that a click can mend, found in steps."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum

import bpy
import numpy as np

from ...core.cycles.find import find_cycle
from ...core.hints.jumps import find_jumps
from ...core.hints.rate import guess_rate, is_baked
from ...core.motion.motion import Motion
from ...core.numeric.rotation import Array
from ..reading.actions import Source, source_of
from ..reading.evaluate import Poses, read_rest, sample_steps, take_of
from ..steps import STEP_SECONDS, stride
from .dead_keys import find_dead_keys
from .layers import shows_layers_below
from .pose_steps import pose_steps

MAX_FALL_ROWS = 500
"""Most rows in which to see how a body falls."""

MAX_FALL_STEP = 2
"""Largest step in frames between them; flights of a few frames are seen no more."""

MIN_JUMP_FRAMES = 24
"""Shortest action in which to look for jumps."""


class HintKind(StrEnum):
    """Kind of a hint; a person closes hints of an action by kind."""

    RATE = "RATE"
    APART = "APART"
    TAKES = "TAKES"
    STEPPED = "STEPPED"
    DEAD = "DEAD"
    STRAY = "STRAY"
    CYCLE = "CYCLE"
    LAYERS = "LAYERS"


@dataclass(frozen=True)
class Hint:
    """Oddity of an action, with the numbers and names that its words and its mending need."""

    kind: HintKind
    numbers: tuple[float, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Look:
    """Everything that a finder may look at: an armature with its active action in a scene, and a motion read of it.

    The motion is None where the action cannot be read, and may have fewer rows than the action has frames. `smooth`
    tells that variations of stepped keys are wished smooth.
    """

    armature: bpy.types.Object
    scene: bpy.types.Scene
    motion: Motion | None = None
    smooth: bool = False

    @property
    def source(self) -> Source:
        """Return the action as it is now: slots and F-curves may not be kept from step to step."""
        return source_of(self.armature)

    @property
    def fps(self) -> float:
        return self.scene.render.fps / self.scene.render.fps_base


Steps = Generator[float, None, list[Hint]]
"""Steps of a finder, which returns the hints that it found; what it yields is ignored."""


def find_hints(look: Look) -> Steps:
    """Run all finders in steps; return the hints in the order of FINDER_OF. Raises ClipError as `source_of` does."""
    found: list[Hint] = []
    for finder in dict.fromkeys(FINDER_OF.values()):
        found += yield from finder(look)
        yield 1.0
    return sorted(found, key=lambda hint: list(FINDER_OF).index(hint.kind))


def find_hint(look: Look, kind: HintKind) -> Generator[float, None, Hint | None]:
    """Look again for a hint of one kind, in steps; return None if the action has no such oddity any more."""
    found = yield from FINDER_OF[kind](look)
    return next((hint for hint in found if hint.kind is kind), None)


def _rate(look: Look) -> Steps:
    """Find a captured biped that falls as no body does; numbers: the rate it was captured at, and the scene's."""
    motion = look.motion
    if motion is None or motion.skeleton.reference_frames or not is_baked(look.source.keys()):
        return []
    yield 0.0
    source, frames = look.source, look.source.frames()
    step = min(MAX_FALL_STEP, stride(0, len(frames), MAX_FALL_ROWS))
    middle = max(0, (len(frames) - step * MAX_FALL_ROWS) // 2)
    frames = frames[middle : middle + step * MAX_FALL_ROWS : step]
    rest = read_rest(look.armature)
    joints = [rest.names.index(name) for name in motion.skeleton.names if name in rest.names]
    if len(joints) < motion.skeleton.joints:  # renamed since the motion was read
        return []
    poses = yield from sample_steps(
        look.armature, take_of(look.armature, source), frames, look.scene, seconds=STEP_SECONDS
    )
    positions = _world_heads(poses, joints) / motion.skeleton.unit
    yield 1.0
    rate = guess_rate(motion.skeleton, positions, look.fps, step)
    return [Hint(HintKind.RATE, (rate, look.fps))] if rate else []


def _world_heads(poses: Poses, joints: list[int]) -> Array:
    """Return the positions (T, J, 3) of bones in the world."""
    world = poses.world[:, None]
    return np.asarray(
        np.einsum("tjab,tjb->tja", world[..., :3, :3], poses.pose[:, joints][..., :3, 3]) + world[..., :3, 3]
    )


def _jumps(look: Look) -> Steps:
    """Find frames at the ends apart from the motion, as a T-pose, and several takes in one action.

    Numbers of frames apart: one of them, and the first and last of the others; of takes: first and last frame of each.
    """
    source = look.source
    frames = source.frames()
    if len(frames) < MIN_JUMP_FRAMES or source.spacing() > 1:
        return []
    turns, ways = yield from pose_steps(look.armature, lambda: look.source, frames)
    jumps = find_jumps(turns, ways)
    (start, stop), hints = jumps.whole, []
    if (start, stop) != (0, len(frames)):
        hints.append(Hint(HintKind.APART, (frames[0] if start else frames[-1], frames[start], frames[stop - 1])))
    if len(jumps.takes) > 1:
        ends = [row for begin, end in jumps.takes for row in (begin, end - 1)]
        hints.append(Hint(HintKind.TAKES, tuple(frames[row] for row in ends)))
    return hints


def _stepped(look: Look) -> Steps:
    """Find poses that are held for some frames, and will be in variations; numbers: the spacing."""
    spacing = 1 if look.smooth else look.source.spacing()
    yield 1.0
    return [Hint(HintKind.STEPPED, (spacing,))] if spacing > 1 else []


def _dead(look: Look) -> Steps:
    """Find rotation keys that the bones' rotation modes do not read; names: the bones."""
    bones = tuple(dict.fromkeys(one.bone for one in find_dead_keys(look.armature, look.source)))
    yield 1.0
    return [Hint(HintKind.DEAD, (len(bones),), bones)] if bones else []


def _stray(look: Look) -> Steps:
    """Find a range of keys longer than what moves; numbers: first and last frame that move."""
    source = look.source
    if source.action.use_frame_range:
        return []
    ends = [curve.range() for curve in source.bag.fcurves if len(curve.keyframe_points)]
    frames = source.frames()
    yield 1.0
    keyed = min(one[0] for one in ends), max(one[1] for one in ends)
    if frames[0] - keyed[0] < 1.0 and keyed[1] - frames[-1] < 1.0:
        return []
    return [Hint(HintKind.STRAY, (frames[0], frames[-1]))]


def _cycle(look: Look) -> Steps:
    """Find a cycle that is not marked as one; numbers: its frames."""
    source, motion = look.source, look.motion
    marked = source.action.use_frame_range and source.action.use_cyclic
    repeats = any(modifier.type == "CYCLES" for curve in source.curves for modifier in curve.modifiers)
    yield 0.0
    if motion is None or marked or repeats or motion.frames != len(source.frames()):
        return []
    cycle = find_cycle(motion)
    yield 1.0
    return [Hint(HintKind.CYCLE, (cycle.rows,))] if cycle is not None and cycle.circular else []


def _layers(look: Look) -> Steps:
    """Find NLA strips below the active action that change what it shows."""
    below = shows_layers_below(look.armature, look.source)
    yield 1.0
    return [Hint(HintKind.LAYERS)] if below else []


FINDER_OF: dict[HintKind, Callable[[Look], Steps]] = {
    HintKind.LAYERS: _layers,
    HintKind.DEAD: _dead,
    HintKind.STRAY: _stray,
    HintKind.APART: _jumps,
    HintKind.TAKES: _jumps,
    HintKind.RATE: _rate,
    HintKind.STEPPED: _stepped,
    HintKind.CYCLE: _cycle,
}
"""Finder of each kind, in the order in which hints are shown."""
