"""Keys of a crowd's members: computed without Blender data, written by copying one action again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...core.motion.motion import Motion
from ...core.numeric.rotation import Array
from ..compat import channelbag_of, new_channelbag, new_fcurve
from ..reading.actions import Source
from ..writing.new_action import GENERATED, LINEAR
from ..writing.write import WritePlan, written_values

BEZIER, FREE = 2, 0
"""Values of the enums Keyframe.interpolation and Keyframe.handle_type in 4.5 and 5.2."""

LIGHT_STEP_FRAMES = 4
"""Frames from one key of a light member to the next."""

LIGHT_STILL_SPREAD = 0.02
"""Largest spread of a light member's curve that gets a single key, in radians or body sizes."""

STILL_SPREAD = 2e-6
"""Largest spread of a curve that gets a single key, in radians or body sizes."""

Values = NDArray[np.float32]
CurveName = tuple[str, str, int]
"""Bone, property and index; for an empty bone, the whole path instead of a property."""


@dataclass(frozen=True, eq=False)
class Keys:
    """Keys of one motion: `values` (curves, R) at `rows` (R,), with slopes a frame if they are Bézier keys."""

    rows: NDArray[np.int64]
    values: Values
    slopes: Values | None


class KeyMaker:
    """Computes keys of motions without touching Blender data, so that a thread may use it."""

    def __init__(self, plan: WritePlan, light: bool, *, spacing: int = 1) -> None:
        """Prepare for motions of one plan; poses are held for `spacing` frames unless members are `light`."""
        self.plan, self.light, self.spacing = plan, light, spacing

    def names(self, motion: Motion) -> list[CurveName]:
        """Return the curves that `keys` gives values for, in their order."""
        motion = self.plan.match.onto_rig(motion)
        values = written_values(motion, self.plan)
        names = [(bone, channel, k) for bone, channel, columns in values for k in range(columns.shape[1])]
        return names + [("", one.path, one.index) for one in motion.skeleton.properties if not one.owner]

    def keys(self, motion: Motion) -> Keys:
        motion = self.plan.match.onto_rig(motion)
        columns = [values for _, _, values in written_values(motion, self.plan)]
        # Members share their meshes and so their shape keys: only properties of the armature object are a member's own.
        own = [not one.owner for one in motion.skeleton.properties]
        full = np.concatenate([*columns, motion.property_values()[:, own]], axis=1).T
        last = full.shape[1] - 1
        rows = np.unique(np.append(np.arange(0, last, LIGHT_STEP_FRAMES if self.light else self.spacing), last))
        if not self.light:
            return Keys(rows, full[:, rows].astype(np.float32), None)
        slopes = np.gradient(full, axis=1)[:, rows]
        return Keys(rows, full[:, rows].astype(np.float32), slopes.astype(np.float32))


def moving(keys: Sequence[Keys], names: Sequence[CurveName], size: float, light: bool) -> NDArray[np.bool_]:
    """Return a mask (curves,) of the curves that move in any of the motions."""
    still = LIGHT_STILL_SPREAD if light else STILL_SPREAD
    limits = np.array([still * (size if channel.endswith("location") else 1.0) for _, channel, _ in names])
    if not light:
        return np.array([np.ptp(one.values, axis=1) > limits for one in keys]).any(axis=0)
    # the components of a rotation move or stand still together
    moves = np.array([np.ptp(one.values, axis=1) > limits for one in keys]).any(axis=0)
    owners = [(bone, channel) for bone, channel, _ in names]
    active = {owner for owner, moved in zip(owners, moves, strict=True) if moved}
    return np.array([owner in active for owner in owners])


class ActionMaker:
    """Writes actions with the same curves and number of keys: all but the first are copies."""

    def __init__(
        self,
        armature_object: bpy.types.Object,
        names: Sequence[CurveName],
        moves: NDArray[np.bool_],
        count: int,
        source: Source | None,
        first: int,
        *,
        interpolation: int,
        loop: bool,
    ) -> None:
        """Create the action that is copied. Raises KeyError if the armature lacks a bone."""
        self.moves, self.interpolation, self._loop = moves, interpolation, loop
        self._model = bpy.data.actions.new("Riff Crowd")
        try:
            slot = self._model.slots.new(id_type="OBJECT", name=armature_object.name)
            bag = new_channelbag(self._model, slot)
            written = self._add_curves(bag, armature_object, names, count)
            _hold_the_rest(bag, source, written, first)
        except BaseException:
            self.close()
            raise

    def _add_curves(
        self, bag: bpy.types.ActionChannelbag, armature_object: bpy.types.Object, names: Sequence[CurveName], count: int
    ) -> set[tuple[str, int]]:
        """Add curves without values and return their paths and indices."""
        bones, written = armature_object.pose.bones, set()
        for (bone, channel, index), moved in zip(names, self.moves, strict=True):
            path = bones[bone].path_from_id(channel) if bone else channel
            written.add((path, index))
            curve = new_fcurve(bag, path, index, bone)
            _add_points(curve, count if moved else 1, self.interpolation)
            curve.color_mode = "AUTO_YRGB" if channel == "rotation_quaternion" else "AUTO_RGB"
            if self._loop and moved:
                curve.modifiers.new("CYCLES")
        return written

    def write(self, name: str, slot: str, keys: Keys, start: int, properties: Mapping[str, Any]) -> bpy.types.Action:
        """Create an action with these keys from frame `start` on."""
        action = self._model.copy()
        action.name = name
        action.slots[0].name_display = slot
        frames = (keys.rows + start).astype(np.float32)
        curves = channelbag_of(action, action.slots[0]).fcurves
        flat = np.empty((len(frames), 2), dtype=np.float32)
        flat[:, 0] = frames
        for k, (moved, values) in enumerate(zip(self.moves, keys.values, strict=True)):
            curve = curves[k]
            if not moved:
                curve.keyframe_points.foreach_set("co", (float(start), float(values[0])))
                continue
            flat[:, 1] = values
            curve.keyframe_points.foreach_set("co", flat.ravel())
            if keys.slopes is not None:
                _set_handles(curve, flat, keys.slopes[k])
            curve.update()
        for key, value in properties.items():
            action[key] = value
        return action

    def close(self) -> None:
        """Remove the action that was copied, unless it is gone with an undo or another file."""
        with suppress(ReferenceError):
            bpy.data.actions.remove(self._model)


def _add_points(curve: bpy.types.FCurve, count: int, interpolation: int = LINEAR) -> None:
    points = curve.keyframe_points
    points.add(count)
    points.foreach_set("co", np.stack([np.arange(count), np.zeros(count)], axis=1).astype(np.float32).ravel())
    points.foreach_set("type", np.full(count, GENERATED, dtype=np.uint8))
    points.foreach_set("interpolation", np.full(count, interpolation, dtype=np.uint8))
    for selected in ("select_control_point", "select_left_handle", "select_right_handle"):
        points.foreach_set(selected, np.zeros(count, dtype=bool))
    if interpolation == BEZIER:
        for side in ("handle_left_type", "handle_right_type"):
            points.foreach_set(side, np.full(count, FREE, dtype=np.uint8))
    curve.update()


def _set_handles(curve: bpy.types.FCurve, keys: Values, slopes: Values) -> None:
    """Set handles a third of the way to the next key, where Blender's Bézier is the cubic with these slopes."""
    spans = np.diff(keys[:, 0]) / 3.0
    before, behind = np.append(spans[:1], spans), np.append(spans, spans[-1:])
    for side, reach in (("handle_left", -before), ("handle_right", behind)):
        handles = keys + np.stack([reach, reach * slopes], axis=1)
        curve.keyframe_points.foreach_set(side, handles.astype(np.float32).ravel())


def _hold_the_rest(
    bag: bpy.types.ActionChannelbag, source: Source | None, written: set[tuple[str, int]], first: int
) -> None:
    """Hold the source's other curves at their first value, except the object's own transform, which the crowd sets."""
    for curve in source.bag.fcurves if source else ():
        value = curve.evaluate(first)
        own = curve.data_path.removeprefix("delta_").split("_")[0] in ("location", "rotation", "scale")
        if (curve.data_path, curve.array_index) in written or own or not np.isfinite(value) or curve.mute:
            continue
        held = new_fcurve(bag, curve.data_path, curve.array_index, curve.group.name if curve.group else "")
        _add_points(held, 1)
        held.keyframe_points[0].co = (first, value)
        held.update()


def root_path(motion: Motion, world: Array) -> Array:
    """Return the root's path (T, 3) in the space of an object with this world matrix, which the motion is meant for."""
    inverse = np.linalg.inv(world)
    path: Array = motion.root_positions() * motion.skeleton.unit @ inverse[:3, :3].T + inverse[:3, 3]
    return path
