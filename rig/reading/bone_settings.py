"""Settings of an armature that its motion depends on, taken at once: between two steps a person may change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ...core.motion.skeleton import body_size
from .evaluate import Rest


@dataclass(frozen=True)
class BoneSettings:
    """The object's `name`, its `size` in its own units, and settings of its bones, by name.

    Bones in `connected` start where their parents end; those in `unturned` have locations in the armature's axes.
    `reaching` maps a bone with an active IK constraint to the constraint's name. `reasons` says of each bone why it
    may not follow its keys.
    """

    name: str
    size: float
    connected: frozenset[str]
    unturned: frozenset[str]
    reaching: Mapping[str, str]
    reasons: Mapping[str, str]


def settings_of(armature_object: bpy.types.Object, rest: Rest) -> BoneSettings:
    """Take the settings of an armature."""
    bones = list(armature_object.pose.bones)
    return BoneSettings(
        armature_object.name,
        armature_size(armature_object, rest),
        frozenset(bone.name for bone in bones if bone.bone.use_connect),
        frozenset(bone.name for bone in bones if not bone.bone.use_local_location),
        {bone.name: name for bone in bones for name in _acting(bone, ("IK", "SPLINE_IK"))[:1]},
        {bone.name: _reason(bone) for bone in bones},
    )


def armature_size(armature_object: bpy.types.Object, rest: Rest) -> float:
    """Return the height at rest of the deforming bones (of all bones if none deforms) in the armature's own units."""
    heads = rest.matrices[:, :3, 3]
    deform = [bone.bone.use_deform for bone in armature_object.pose.bones]
    size = body_size(heads[deform]) if any(deform) else 0.0
    return size or max(body_size(heads), float(np.mean(rest.lengths)))


def _acting(bone: bpy.types.PoseBone, kinds: tuple[str, ...] = ()) -> list[str]:
    """Return the names of a bone's active constraints, of some types or all."""
    acting = [one for one in bone.constraints if not one.mute and one.influence > 0]
    return [one.name for one in acting if not kinds or one.type in kinds]


def _reason(bone: bpy.types.PoseBone) -> str:
    acting = _acting(bone)
    if acting:
        return f"its constraint “{acting[0]}” moves it"
    if not bone.bone.use_inherit_rotation:
        return "Inherit Rotation is off"
    if not bone.bone.use_local_location:
        return "Local Location is off"
    return "a constraint on another bone moves it, or it does not inherit scale"
