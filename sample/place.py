"""A free place for the sample dancer in a scene, and whether anything moves there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np

from ..core.numeric.rotation import Array

REACH_METRES = 2.2
"""Distance from the dancer's start that the dance stays within, arms included."""

GAP_METRES = 0.3
"""Distance between the dance and what stands beside it."""

FLOOR_METRES, HEIGHT_METRES = 0.05, 2.2
"""Heights between which things are in the way: lower ones are a floor to dance on."""

SOLID = {"MESH", "CURVE", "CURVES", "SURFACE", "FONT", "META", "ARMATURE", "POINTCLOUD", "VOLUME"}
"""Types of objects that take up room."""


def free_place(scene: bpy.types.Scene) -> float:
    """Return the place on the X axis, nearest to the origin on its positive side, at which the dance meets nothing."""
    boxes = [box for box in _boxes(scene) if box[1, 2] > FLOOR_METRES and box[0, 2] < HEIGHT_METRES]
    place = 0.0
    while True:
        near = [box for box in boxes if _meets(box, place)]
        if not near:
            return place
        place = max(float(box[1, 0]) for box in near) + REACH_METRES + GAP_METRES


def _meets(box: Array, place: float) -> bool:
    reach = REACH_METRES
    return bool(box[0, 0] < place + reach and box[1, 0] > place - reach and box[0, 1] < reach and box[1, 1] > -reach)


def _boxes(scene: bpy.types.Scene) -> Iterator[Array]:
    """Iterate over the lowest and highest corners (2, 3) in the world of the scene's solid objects."""
    for ob in scene.objects:
        if ob.type in SOLID and not ob.hide_render:
            world = np.array(ob.matrix_world)
            corners = np.array(ob.bound_box) @ world[:3, :3].T + world[:3, 3]
            yield np.stack([corners.min(0), corners.max(0)])


def is_animated(scene: bpy.types.Scene) -> bool:
    """Return whether anything in the scene plays an action, strips or a driver, or has strips in its sequencer."""
    owners: list[Any] = [scene, scene.world]
    for ob in scene.objects:
        data: Any = ob.data
        owners += [ob, data, getattr(data, "shape_keys", None), *(slot.material for slot in ob.material_slots)]
    if any(_moves(owner) for owner in owners):
        return True
    editor: Any = scene.sequence_editor
    return editor is not None and len(getattr(editor, "strips", None) or getattr(editor, "sequences", ())) > 0


def _moves(owner: Any) -> bool:
    data = getattr(owner, "animation_data", None)
    return data is not None and (data.action is not None or len(data.nla_tracks) > 0 or len(data.drivers) > 0)
