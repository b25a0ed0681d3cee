"""Keyed numbers besides bones' motion: switches, influences, custom properties, scales, shape keys."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np

from ...core.errors import ClipError
from ...core.motion.motion import Motion, with_properties
from ...core.motion.properties import AnimatedProperty
from ...core.numeric.rotation import Array
from ..bone_paths import bone_of_path
from ..compat import channelbag_of
from .actions import OBJECT_CHANNELS, Source, invalid_key_frame, split_bone_path
from .evaluate import Poses, Rest
from .object_scale import SCALE_PATHS

_MAX_SWITCH_VALUES = 32
"""Most different values of a property that counts as switched rather than continuous."""

CONSTANT = "CONSTANT"
"""Keyframe interpolation that holds a value until the next key."""

_STILL_SPREAD = 2e-6
"""Largest spread of a property that counts as still, relative to its largest value or to 1, whichever is larger."""

_STILL_SCALE_SPREAD = 5e-5
"""Largest variation of a scale that counts as still; importers and baking leave that much noise."""

OWN_ACTION_KEY = "riff_own_action"
"""Id-property of a data-block: name of the action that it played before a variation."""


@dataclass(frozen=True)
class Track:
    """A keyed property: its owner, path and index, and a value for each frame (T,).

    `steps` are the values of a property that switches. It belongs to a `bone` (by name), to a `place` in the armature's
    space (3,), or to neither.
    """

    owner: str
    path: str
    index: int
    values: Array
    steps: tuple[float, ...] = ()
    bone: str = ""
    place: tuple[float, ...] = ()


def read_tracks(armature_object: bpy.types.Object, source: Source, frames: Sequence[int], poses: Poses) -> list[Track]:
    """Read the moving properties of the armature object and of its data and meshes.

    Raises ClipError for a property with a key that is not a number.
    """
    tracks = []
    watched = list(poses.watched)
    for owner, block, curves in keyed_owners(armature_object, source):
        seen: set[tuple[str, int]] = set()
        for curve in curves:
            address = (curve.data_path, curve.array_index)
            if address in seen:
                continue
            seen.add(address)
            if curve.mute or (not owner and _is_transform(curve.data_path)):
                continue
            value = property_value(block, curve.data_path, curve.array_index)
            if value is None:
                continue
            if not owner and address in watched:
                values = poses.numbers[:, watched.index(address)]
            else:
                values = np.array([curve.evaluate(frame) for frame in frames])
            if not np.isfinite(values).all():
                key_frame = invalid_key_frame(curve)
                frame = frames[int(np.flatnonzero(~np.isfinite(values))[0])] if key_frame is None else key_frame
                raise ClipError(f"“{curve.data_path}” has an invalid key (not a number) at frame {frame:g}.")
            still = _STILL_SCALE_SPREAD if curve.data_path.endswith("scale") else _STILL_SPREAD
            if np.ptp(values) > still * max(1.0, float(np.abs(values).max())):
                tracks.append(_track(armature_object, owner, block, curve, values, value))
    return tracks


def watched_paths(source: Source) -> list[tuple[str, int]]:
    """Return the object's properties that only Blender can evaluate, because several NLA strips combine; else none."""
    if source.span is None:
        return []
    paths = {(curve.data_path, curve.array_index) for curve in source.curves if not _is_transform(curve.data_path)}
    return sorted(paths)


def with_tracks(motion: Motion, tracks: Sequence[Track], rest: Rest, bones: Sequence[int]) -> Motion:
    """Add properties to a motion as further channels, each on the joint where it belongs.

    `bones` are those of the joints (-1 for the object).
    """
    found = []
    for track in tracks:
        low, high = float(track.values.min()), float(track.values.max())
        joint = _joint_of(track, rest, bones)
        found.append(AnimatedProperty(joint, track.path, track.index, low, high, track.steps, track.owner))
    skeleton = replace(motion.skeleton, properties=tuple(found))
    features = np.zeros((motion.frames, skeleton.channels))
    features[:, : motion.features.shape[1]] = motion.features
    values = np.stack([track.values for track in tracks], axis=1)
    return with_properties(replace(motion, features=features, skeleton=skeleton), values)


def _joint_of(track: Track, rest: Rest, bones: Sequence[int]) -> int:
    """Return the joint of a property's bone or of the nearest bone above; else the joint nearest to
    its place; else 0.
    """
    index = {bone: joint for joint, bone in enumerate(bones) if bone >= 0}
    if track.bone in rest.names:
        bone = rest.names.index(track.bone)
        return next((index[one] for one in (bone, *rest.ancestors(bone)) if one in index), 0)
    if track.place and index:
        heads = rest.matrices[list(index), :3, 3]
        return list(index.values())[int(np.linalg.norm(heads - np.array(track.place), axis=1).argmin())]
    return 0


def keyed_owners(
    armature_object: bpy.types.Object, source: Source
) -> Iterator[tuple[str, bpy.types.ID, list[bpy.types.FCurve]]]:
    """Iterate over keyed data-blocks and their F-curves: the armature object (“”), its data, and its meshes' shape
    keys.

    The F-curves come from a slot of the same action or from an action of the data-block's own.
    """
    yield "", armature_object, source.curves
    blocks: list[tuple[str, Any]] = [(f"ARMATURE:{armature_object.data.name}", armature_object.data)]
    blocks += [(f"KEY:{ob.data.shape_keys.name}", ob.data.shape_keys) for ob in deformed_meshes(armature_object)]
    for owner, block in dict(blocks).items():
        bag = _bag_of(source.action, ("KE" if owner.startswith("KEY") else "AR") + block.name)
        bag = bag or _own_bag(block)
        if bag is not None:
            yield owner, block, list(bag.fcurves)


def _bag_of(action: bpy.types.Action, identifier: str) -> bpy.types.ActionChannelbag | None:
    slot = next((slot for slot in action.slots if slot.identifier == identifier), None)
    return channelbag_of(action, slot) if slot is not None else None


def _own_bag(block: Any) -> bpy.types.ActionChannelbag | None:
    """Return the channelbag of a data-block's own action: the one that it plays, or played before a variation."""
    data = block.animation_data
    action = data.action if data is not None else None
    if action is not None and action.get("riff_model") is not None:
        action = bpy.data.actions.get(str(block.get(OWN_ACTION_KEY, "")))
        return channelbag_of(action, action.slots[0]) if action is not None and len(action.slots) else None
    slot = data.action_slot if action is not None else None
    return channelbag_of(action, slot) if slot is not None else None


def deformed_meshes(armature_object: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the meshes with shape keys that are parented to the armature or deformed by it."""
    found = []
    for ob in bpy.data.objects:
        if ob.type == "MESH" and ob.data.shape_keys is not None:
            bound = any(getattr(modifier, "object", None) == armature_object for modifier in ob.modifiers)
            if bound or ob.parent == armature_object:
                found.append(ob)
    return found


def owner_block(armature_object: bpy.types.Object, owner: str) -> Any:
    """Return the data-block for an owner's name; None if it is gone."""
    if not owner:
        return armature_object
    kind, _, name = owner.partition(":")
    if kind == "ARMATURE":
        return armature_object.data
    found = [ob.data.shape_keys for ob in deformed_meshes(armature_object)]
    return next((block for block in found if block.name == name), None)


def set_property(block: Any, path: str, index: int, value: Any) -> None:
    """Set a property of a data-block by its path, as a key would; enums by number or by identifier.

    Raises ClipError where no number is any more, KeyError, IndexError or ValueError where the path leads nowhere.
    """
    if path.endswith('"]'):
        start = path.rindex('["')
        owner, name = block.path_resolve(path[:start]) if start else block, path[start + 2 : -2]
        name = bpy.utils.unescape_identifier(name)
        current = owner[name]
        if hasattr(current, "__len__") and not isinstance(current, str) and not hasattr(current, "keys"):
            current[index] = _as_number(current[index], value, path)
        else:
            owner[name] = _as_number(current, value, path)
        return
    before, _, name = path.rpartition(".")
    owner = block.path_resolve(before) if before else block
    known = owner.bl_rna.properties.get(name)
    if known is None or not known.is_animatable or known.type in ("STRING", "POINTER", "COLLECTION"):
        return  # the path may come from an untrusted model: set only properties that can be keyed
    current = getattr(owner, name)
    if isinstance(value, str):
        setattr(owner, name, value)
    elif isinstance(current, str):
        items = owner.bl_rna.properties[name].enum_items
        current = next((item.identifier for item in items if item.value == round(value)), current)
        setattr(owner, name, current)
    elif hasattr(current, "__len__"):
        current[index] = _as_number(current[index], value, path)
    else:
        setattr(owner, name, _as_number(current, value, path))


def _as_number(current: Any, value: float, path: str) -> bool | int | float:
    """Return a value as the kind of number that a property holds now, as a key would set it.

    Raises ClipError if it holds none, or the value is not finite.
    """
    if not math.isfinite(value) or not isinstance(current, (bool, int, float)):
        raise ClipError(f"The property “{path}” is no number any more.")
    if isinstance(current, float):
        return float(value)
    whole = max(-_LARGEST_WHOLE, min(_LARGEST_WHOLE, round(value)))
    return type(current)(whole)


_LARGEST_WHOLE = 2**31 - 1
"""Largest whole number that a property of Blender's holds."""


def _is_transform(path: str) -> bool:
    """Return True for a location or rotation, which belong to joints, and for the object's scale, which is no property;
    a bone's scale is a property like any other.
    """
    channel = split_bone_path(path)
    return channel[1] != "scale" if channel else path in (*OBJECT_CHANNELS, *SCALE_PATHS, "rotation_mode")


def property_value(block: bpy.types.ID, path: str, index: int) -> Any:
    """Return the property's value now; None if the path leads nowhere."""
    try:
        value: Any = block.path_resolve(path)
        return value[index] if hasattr(value, "__len__") and not isinstance(value, str) else value
    except (ValueError, IndexError, TypeError):
        return None


def _track(
    armature_object: bpy.types.Object, owner: str, block: Any, curve: bpy.types.FCurve, values: Array, value: Any
) -> Track:
    held = all(key.interpolation == CONSTANT for key in curve.keyframe_points) and not len(curve.modifiers)
    levels = tuple(np.unique(values).tolist())
    switched = held or isinstance(value, (bool, int, str)) or _jumps(values)
    steps = levels if switched and len(levels) <= _MAX_SWITCH_VALUES else ()
    bone = bone_of_path(curve.data_path) if not owner else ""
    place = _moved_place(armature_object, block, curve.data_path) if owner.startswith("KEY") else ()
    return Track(owner, curve.data_path, curve.array_index, values, steps, bone, place)


def _jumps(values: Array) -> bool:
    """Return true for values (T,) that are held between jumps of one frame, whatever interpolation does it.

    The first and the last value may be held for one frame only.
    """
    changes = np.flatnonzero(np.diff(values) != 0) + 1
    return bool(len(changes)) and len(values) > 2 * len(changes) + 2 and bool((np.diff(changes) > 1).all())


def _moved_place(armature_object: bpy.types.Object, keys: bpy.types.Key, path: str) -> tuple[float, ...]:
    """Return the centre of the vertices that a shape key moves, weighted by how far, in the armature's space; () if
    there are none.
    """
    match = re.match(r'key_blocks\["((?:[^"\\]|\\.)*)"\]', path)
    block = keys.key_blocks.get(bpy.utils.unescape_identifier(match[1])) if match else None
    ob = next((ob for ob in deformed_meshes(armature_object) if ob.data.shape_keys == keys), None)
    if block is None or ob is None or block.relative_key is None:
        return ()
    target, base = np.empty((2, len(block.data) * 3), dtype=np.float32)
    block.data.foreach_get("co", target)
    block.relative_key.data.foreach_get("co", base)
    base = base.reshape(-1, 3)
    moved = np.linalg.norm(target.reshape(-1, 3) - base, axis=1)
    if not moved.any():
        return ()
    seen: Any = armature_object.matrix_world
    placed = np.array(seen.inverted_safe() @ ob.matrix_world)
    middle = (base * moved[:, None]).sum(0) / moved.sum()
    return tuple((placed[:3, :3] @ middle + placed[:3, 3]).tolist())
