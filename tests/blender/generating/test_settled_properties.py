"""Progress along a path and IK/FK switches of a rig in generated actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_dancing_biped

PATH = 'pose.bones["root"].constraints["Follow Path"].offset_factor'
SWITCH = '["IK_FK.L"]'
SWITCHED = (30, 61)
"""Frames in which the switch goes on, and off again."""


def add_walker_on_a_path() -> Any:
    """The biped, whose root follows a curve, with a switch keyed by linear keys, each jump one frame long."""
    biped = add_dancing_biped()
    curve = bpy.data.curves.new("Way", "CURVE")
    curve.dimensions = "3D"
    spline = curve.splines.new("POLY")
    spline.points.add(2)
    for point, place in zip(spline.points, ((0, 0, 0, 1), (3, 0, 0, 1), (3, 3, 0, 1)), strict=True):
        point.co = place
    way = bpy.data.objects.new("Way", curve)
    bpy.context.scene.collection.objects.link(way)
    follow = biped.pose.bones["root"].constraints.new("FOLLOW_PATH")
    follow.target, follow.use_fixed_location = way, True
    for frame in range(1, 102, 10):
        follow.offset_factor = min(1.0, ((frame - 1) / 100) ** 1.2)
        follow.keyframe_insert("offset_factor", frame=frame)
    biped["IK_FK.L"] = 0.0
    on, off = SWITCHED
    for frame, value in ((1, 0.0), (on - 1, 0.0), (on, 1.0), (off - 1, 1.0), (off, 0.0), (101, 0.0)):
        biped["IK_FK.L"] = value
        biped.keyframe_insert(SWITCH, frame=frame)
    for curve in curves_of(biped.animation_data.action):
        if curve.data_path == SWITCH:
            for point in curve.keyframe_points:
                point.interpolation = "LINEAR"
    return biped


def curves_of(action: Any) -> Any:
    return action.layers[0].strips[0].channelbags[0].fcurves


def values(action: Any, path: str) -> np.ndarray:
    curve = next(curve for curve in curves_of(action) if curve.data_path == path)
    return np.array([curve.evaluate(frame) for frame in range(1, int(action.frame_range[1]) + 1)])


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_generated_actions(models: Path, fps: int) -> None:
    bpy.context.scene.render.fps = fps
    biped = add_walker_on_a_path()
    source = biped.animation_data.action
    if fps == 60:
        stretch(source, 2)
    bpy.ops.riff.refresh_models()
    assert bpy.ops.riff.generate(count=3, seed=2) == {"FINISHED"}
    made = [action for action in bpy.data.actions if action.get("riff_model")]
    assert len(made) == 3
    for action in made:
        progress = values(action, PATH)
        assert np.diff(progress).min() >= -1e-6, "progress runs back"
        assert progress[0] == pytest.approx(values(source, PATH)[0], abs=1e-4)
        assert np.ptp(progress) > 0.1
        switch = values(action, SWITCH)
        assert set(np.unique(switch)) <= {0.0, 1.0}, "a switch is in between"
        ours, theirs = (np.flatnonzero(np.diff(one)) for one in (switch, values(source, SWITCH)))
        assert np.abs(ours - theirs).max() <= 1, "a switch happens elsewhere"


def stretch(action: Any, factor: int) -> None:
    """Move all keys apart, but for the switch: two seconds of motion at 60 fps take 120 frames."""
    for curve in curves_of(action):
        if curve.data_path not in (SWITCH, PATH):
            for point in curve.keyframe_points:
                point.co.x = 1 + (point.co.x - 1) * factor
            curve.update()
