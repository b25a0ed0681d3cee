"""Creation of an action from values: one key a frame, or held keys at the source's spacing; all of type Generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...core.errors import ModelError
from ...core.numeric.rotation import Array
from ..compat import new_channelbags, new_fcurve
from ..ownership import mark_made
from ..unseen import unseen

GENERATED, LINEAR, HOLD = 5, 1, 0
"""Values of the enums Keyframe.type and Keyframe.interpolation in 4.5 and 5.2; `foreach_set` takes numbers only."""


@dataclass(frozen=True)
class Curve:
    """An F-curve to write: a value for each frame, or a single value if it is constant.

    A `switched` curve gets a held key at each change, one with a `spacing` over 1 a held key each so many frames.
    `owner` is that of an `AnimatedProperty`.
    """

    path: str
    index: int
    group: str
    values: Array
    owner: str = ""
    switched: bool = False
    spacing: int = 1


def new_action(
    owner: str, name: str, curves: list[Curve], frame_start: int, properties: Mapping[str, Any]
) -> bpy.types.Action:
    """Create an action with a slot for the object called `owner`, unseen by the user's handlers.

    Raises ModelError for a value that is not finite.
    """
    for curve in curves:
        if not np.isfinite(curve.values).all():
            raise ModelError(f"“{curve.path}” would be keyed with what is not a number; nothing was written.")
    with unseen():
        action = bpy.data.actions.new(name)
        try:
            bags, written = new_channelbags(action, owner, [curve.owner for curve in curves]), {}
            for curve in curves:
                bag = bags[curve.owner]
                fcurve = new_fcurve(bag, curve.path, curve.index, curve.group)
                written[bag.slot_handle, curve.path, curve.index] = _write_keys(fcurve, curve, frame_start)
            for key, value in properties.items():
                action[key] = value
            action.use_fake_user = True
            mark_made(action, written)
        except BaseException:
            bpy.data.actions.remove(action)
            raise
    return action


def _write_keys(curve: bpy.types.FCurve, written: Curve, frame_start: int) -> NDArray[np.float32]:
    """Write the keys of a curve; return them (T, 2)."""
    points, values = curve.keyframe_points, written.values
    rows = np.arange(0, len(values), written.spacing)
    if written.switched:
        rows = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    held = written.switched or written.spacing > 1
    count = len(rows)
    points.add(count)
    keys = np.empty((count, 2), dtype=np.float32)
    keys[:, 0] = frame_start + rows
    keys[:, 1] = values[rows]
    points.foreach_set("co", keys.ravel())
    points.foreach_set("type", np.full(count, GENERATED, dtype=np.uint8))
    points.foreach_set("interpolation", np.full(count, HOLD if held else LINEAR, dtype=np.uint8))
    for selected in ("select_control_point", "select_left_handle", "select_right_handle"):
        points.foreach_set(selected, np.zeros(count, dtype=bool))
    is_quaternion = curve.data_path.endswith("rotation_quaternion")
    curve.color_mode = "AUTO_YRGB" if is_quaternion else "AUTO_RGB"
    curve.update()
    return keys
