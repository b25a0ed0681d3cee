"""Motion of the armature object itself: its keyed channels without what drivers, a parent or constraints add."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import bpy
import numpy as np

from ...core.numeric.rotation import Array
from .actions import driven_channels
from .evaluate import Poses, column_lengths, rotation_part
from .object_scale import SCALE_PATHS


def as_keyed(poses: Poses, driven: Collection[tuple[str, int]] = ()) -> Poses:
    """Return poses with the object moved by its own keyed channels alone.

    A parent or constraint of the object stays as in the first frame, and so do its `driven` channels: Riff neither
    learns nor writes them.
    """
    if not np.isfinite(poses.world).all() or abs(np.linalg.det(poses.own[0, :3, :3])) < 1e-20:
        return poses
    own = _without_drivers(poses, driven) if driven else poses.own
    keyed = poses.world[0] @ np.linalg.inv(poses.own[0]) @ own
    return replace(poses, world=keyed)


def _without_drivers(poses: Poses, driven: Collection[tuple[str, int]]) -> Array:
    """Return the object's own channels (T, 4, 4) with the driven ones as in the first frame."""
    shift, turn = poses.delta[:, :3, 3].copy(), poses.delta[:, :3, :3].copy()
    place = poses.own[:, :3, 3] - shift
    plain = turn.swapaxes(-1, -2) @ rotation_part(poses.own[:, :3, :3])
    lengths = column_lengths(poses.own[:, :3, :3])
    for path, index in driven:
        if path == "location":
            place[:, index] = place[0, index]
        elif path == "delta_location":
            shift[:, index] = shift[0, index]
        elif path.startswith("rotation"):
            plain[:] = plain[0]
        elif path.startswith("delta_rotation"):
            turn[:] = turn[0]
        elif path in SCALE_PATHS:
            lengths[:] = lengths[0]
    own = poses.own.copy()
    own[:, :3, :3] = turn @ plain * lengths[:, None, :]
    own[:, :3, 3] = place + shift
    return own


def driven_transforms(armature_object: bpy.types.Object) -> set[tuple[str, int]]:
    """Return path and index of each location, rotation and scale of the object that a driver sets."""
    kinds = ("location", "rotation_", "scale", "delta_")
    return {channel for channel in driven_channels(armature_object) if channel[0].startswith(kinds)}
