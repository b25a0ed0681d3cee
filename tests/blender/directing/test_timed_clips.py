"""Actions of a rig that play in spans of a take: the list, the operator, the functions for scripts."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.composing import compose
from tests.support.rigs.biped import add_swinging_biped, bent, state_of_file

SPANS = "Swing@11-60, Bow@71-120, Swing@135-184x1.5"


@pytest.fixture
def biped(riff: ModuleType) -> Any:
    return add_swinging_biped()


def read(riff: ModuleType, ob: Any, action: Any) -> Any:
    return importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(ob, action)


def test_actions_play_in_their_spans(riff: ModuleType, biped: Any) -> None:
    made = compose(bpy.ops.riff.generate_spans, spans=SPANS, count=2, seed=3)
    assert len(made) == 2
    limits = [bent(read(riff, biped, bpy.data.actions[name])) for name in ("Swing", "Bow")]
    border = (limits[0].max() + limits[1].min()) / 2.0
    assert limits[0].max() < limits[1].min()
    for action in made:
        assert tuple(action.frame_range) == (11.0, 184.0)
        assert action["riff_spans"] == "Swing@11-60x1, Bow@71-120x1, Swing@135-184x1.5"
        bows = bent(read(riff, biped, action)) > border
        assert not bows[:50].any()
        assert bows[60:110].all()
        assert not bows[124:].any()
    assert biped.animation_data.action.name == "Swing"


def test_the_list_says_when_they_play(riff: ModuleType, biped: Any) -> None:
    bpy.context.scene.frame_start = 5
    fps = bpy.context.scene.render.fps
    assert bpy.ops.riff.add_span() == {"FINISHED"}
    assert bpy.ops.riff.add_span(action="Bow") == {"FINISHED"}
    one, other = biped.riff.spans
    assert (one.action, one.start, one.end) == ("Swing", 5, 4 + 4 * fps)
    assert (other.action, other.start) == ("Bow", one.end + round(0.5 * fps) + 1)
    assert tuple(one.color) != tuple(other.color)
    made = compose(bpy.ops.riff.generate_spans)
    assert tuple(made[0].frame_range) == (one.start, other.end)
    assert bpy.ops.riff.remove_span() == {"FINISHED"}
    assert [span.action for span in biped.riff.spans] == ["Swing"]
    with pytest.raises(RuntimeError, match="no action “Run”"):
        bpy.ops.riff.add_span(action="Run")


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ("", "There is no span"),
        ("Run@1-60", "no clip “Run” to play at frame 1"),
        ("Swing@1-5", "1-5 .“Swing”. has fewer than 8 frames"),
        ("Swing@1-60, Bow@61-120", "only 0 frames to pass over"),
        ("Swing@1-60, Bow@50-120", "overlap"),
        ("Swing@1-60, Tail@71-120", "“Tail” at frame 71 is of another rig"),
    ],
)
def test_bad_spans_leave_the_file_as_it_was(riff: ModuleType, biped: Any, spans: str, problem: str) -> None:
    tail = biped.animation_data.action.copy()
    tail.name = "Tail"
    bag = tail.layers[0].strips[0].channelbags[0]
    bag.fcurves.new('pose.bones["Tail"].location', index=0).keyframe_points.insert(1.0, 0.0)
    before = state_of_file()
    with pytest.raises(RuntimeError, match=problem):
        bpy.ops.riff.generate_spans(spans=spans)
    assert state_of_file() == before


def test_scripts(riff: ModuleType, biped: Any) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    clips = {name: api.read(biped, bpy.data.actions[name]) for name in ("Swing", "Bow")}
    take = api.generate_spans(clips, [("Bow", 1, 50), ("Swing", 65, 110, 0.8)], seed=2)[0]
    assert take.frames == 110
    assert bent(take)[:50].min() > bent(take)[64:].max()
    with pytest.raises(api.RiffError, match="no clip “Run”"):
        api.generate_spans(clips, [("Run", 1, 50)])
    assert api.write(biped, take, "Both").frame_range[1] == 110


def test_a_span_needs_an_armature(riff: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Select an armature"):
        bpy.ops.riff.add_span()
    with pytest.raises(RuntimeError, match="Select an armature"):
        bpy.ops.riff.generate_spans()
