"""Operator that makes takes around pins and waypoints alone."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from ...core.directing.direction import Direction
from ..runs.compose_run import ComposeRun


class RIFF_OT_reach_places(ComposeRun, bpy.types.Operator):
    """Make takes in which pinned bones are at their places and the root is at its waypoints, each in time"""

    bl_idname = "riff.reach_places"
    bl_label = "Reach Pins and Waypoints"
    result = "Places"

    use_places: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def direction(self: Any, context: bpy.types.Context, first: int) -> Direction:
        return Direction(first)


CLASSES = (RIFF_OT_reach_places,)
