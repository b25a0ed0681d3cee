"""Round trip of one rig: read, write, play back by Blender and train; measure the errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .cases import Case, part

TRAINING_SCALE = 0.001
"""Share of the steps of the recipe `fast`, enough to test a rig from reading to writing."""


@dataclass(frozen=True)
class Outcome:
    """Line of the table; errors in radians, in body heights and in the properties' units.

    `alone` is the rotation error of deforming bones if the motion is written without its source's action, `last_bit`
    their change if the last bit of each of the source's keys is changed.
    """

    rig: str
    bones: int
    frames: int
    joints: int
    properties: int
    root: str
    feet: str
    rotation: float
    place: float
    value: float
    alone: float
    last_bit: float
    trained: bool


def measure(case: Case) -> Outcome:
    """Read, write, play and train on one rig."""
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = case.make()
    source = rig.animation_data.action
    read, write = part("rig.reading.read").read_motion, part("rig.writing.write").write_motion
    motion = read(rig)
    action = write(rig, motion, "Written", source_action=source)
    again = read(rig, action)
    first, last = source.frame_range
    frames = range(math.ceil(first - 1e-3), math.floor(last + 1e-3) + 1)
    alone = write(rig, motion, "Alone", frame_start=frames[0])
    meant, *others = (played(rig, one, frames) for one in (source, action, alone, last_bit(source)))
    deforming = [bone.bone.use_deform for bone in rig.pose.bones]
    turned = [part("core.numeric.rotation").angle_between(meant[0], axes) for axes, _ in others]
    unaided, bit = (float(one[:, deforming].max(initial=0.0)) for one in turned[1:])
    place = np.abs(others[0][1] - meant[1]).max() / (1.8 * motion.skeleton.unit)
    value = np.abs(again.property_values() - motion.property_values()).max(initial=0.0)
    skeleton = motion.skeleton
    feet = {skeleton.names[joint] for joint in skeleton.contacts}
    return Outcome(
        case.name,
        len(rig.pose.bones),
        motion.frames,
        skeleton.joints,
        len(skeleton.properties),
        skeleton.names[0],
        _feet_text(feet, case.feet),
        float(turned[0].max()),
        float(place),
        float(value),
        unaided,
        bit,
        goes_through(rig, motion, source),
    )


def _feet_text(found: set[str], wanted: frozenset[str]) -> str:
    plain = {name.rpartition(":")[2] for name in found}
    names = ", ".join(sorted(found)) or "none"
    return f"{names} ✓" if plain == wanted else f"{names} (not {', '.join(sorted(wanted)) or 'any'})"


def last_bit(source: Any) -> Any:
    """Copy an action with the last bit of every key's value changed, to measure Blender's precision."""
    changed = source.copy()
    for slot in changed.slots:
        bag = part("rig.compat").channelbag_of(changed, slot)
        for curve in bag.fcurves if bag else ():
            keys = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
            curve.keyframe_points.foreach_get("co", keys)
            keys[1::2] = np.nextafter(keys[1::2], np.float32(np.inf))
            curve.keyframe_points.foreach_set("co", keys)
            curve.update()
    return changed


def played(rig: Any, action: Any, frames: range) -> tuple[np.ndarray, np.ndarray]:
    """Return unscaled world axes (T, n, 3, 3) and positions (T, n, 3) of all bones while Blender plays an action."""
    part("rig.writing.play").play(rig, action)
    found = np.empty((len(frames), len(rig.pose.bones), 4, 4))
    rows = np.empty(found[0].size, dtype=np.float32)
    for row, frame in enumerate(frames):
        bpy.context.scene.frame_set(frame)
        posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        posed.pose.bones.foreach_get("matrix", rows)  # column by column
        found[row] = np.array(posed.matrix_world) @ rows.reshape(-1, 4, 4).swapaxes(1, 2)
    axes = found[..., :3, :3]
    return axes / np.linalg.norm(axes, axis=-2, keepdims=True), found[..., :3, 3]


def goes_through(rig: Any, motion: Any, source: Any) -> bool:
    """Train a model for a few steps; return true if its variations key the source's channels with finite numbers."""
    recipe = part("core.model.recipe").RECIPES["fast"].scaled(TRAINING_SCALE)
    model = part("core.training.train").train(motion, recipe)
    variation = part("core.motion.resampling").resample(
        part("core.generation.generate").generate(model)[0], model.source_fps
    )
    action = part("rig.writing.write").write_motion(rig, variation, "Variation", source_action=source)
    bags = [part("rig.compat").channelbag_of(one, one.slots[0]) for one in (source, action)]
    keyed = [{curve.data_path for curve in bag.fcurves} for bag in bags]
    return keyed[1] >= keyed[0] and bool(np.isfinite(variation.features).all())
