"""Traces that must be the same, or gone, after Riff has worked: keys, users, scenes, threads, processes."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import bpy
import numpy as np

FIELDS = {
    "co": 2,
    "handle_left": 2,
    "handle_right": 2,
    "interpolation": 1,
    "easing": 1,
    "type": 1,
    "handle_left_type": 1,
    "handle_right_type": 1,
    "amplitude": 1,
    "back": 1,
    "period": 1,
}
KINDS = ("actions", "armatures", "collections", "images", "materials", "meshes", "objects", "scenes", "shape_keys")


def digest(action: bpy.types.Action, names: bool = True) -> str:
    """A hash of all that an action keys, slot by slot; its own name and users aside.

    Without `names` also the names of slots, bones and groups, which Blender changes when a person renames a bone.
    """
    sum_of = hashlib.sha256(repr([(slot.identifier if names else "", slot.handle) for slot in action.slots]).encode())
    for layer in action.layers:
        for strip in layer.strips:
            for bag in getattr(strip, "channelbags", ()):
                sum_of.update(str(bag.slot_handle).encode())
                for curve in bag.fcurves:
                    _add_curve(sum_of, curve, names)
    return sum_of.hexdigest()


def _add_curve(sum_of: Any, curve: Any, names: bool) -> None:
    called = (curve.data_path, curve.group.name if curve.group else "") if names else ()
    says = (*called, curve.array_index, curve.extrapolation, curve.mute, len(curve.modifiers))
    sum_of.update(repr(says).encode())
    count = len(curve.keyframe_points)
    for name, width in FIELDS.items():
        numbers = name in ("co", "handle_left", "handle_right", "amplitude", "back", "period")
        values: Any = np.empty(count * width, dtype=np.float32 if numbers else np.uint8)
        curve.keyframe_points.foreach_get(name, values)
        sum_of.update(values.tobytes())


def users() -> dict[tuple[str, str], int]:
    """Number of users of each data-block."""
    return {(kind, block.name): block.users for kind in KINDS for block in _blocks(kind)}


def real_users() -> dict[tuple[str, str], int]:
    """At how many other data-blocks' hands each is, its fake user aside."""
    found = bpy.data.user_map()
    return {(kind, block.name): len(found.get(block, ())) for kind in KINDS for block in _blocks(kind)}


def _blocks(kind: str) -> Any:
    return getattr(bpy.data, kind, ())


def jobs_at_work() -> list[str]:
    """Names of threads that work for Riff."""
    return [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]


def children() -> list[int]:
    """Processes that this one has started and that are not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
