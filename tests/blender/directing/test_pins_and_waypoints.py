"""Pins and waypoints as a person sets them; Blender's own evaluation says where the bones are."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Vector

from tests.support.composing import compose, read, train

TRAINED: list[bytes] = []
"""The dancer's model, once it has been trained."""

HEIGHT = 1.8
NEAR = 0.005 * HEIGHT


@pytest.fixture(params=["instant", "trained"])
def dancer(request: pytest.FixtureRequest, riff: ModuleType, models: Path) -> Any:
    """The sample dancer, its first six seconds, with a model of them."""
    assert bpy.ops.riff.add_sample_dancer() == {"FINISHED"}
    ob = bpy.context.object
    action = ob.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 180
    if request.param == "instant":
        assert bpy.ops.riff.instant_model() == {"FINISHED"}
    else:
        path = models / "Sample Dance.safetensors"
        if not TRAINED:
            train(riff)
            TRAINED.append(path.read_bytes())
        path.write_bytes(TRAINED[0])
        bpy.ops.riff.refresh_models()
    return ob


def place(ob: Any, bone: str, frame: int, action: Any = None) -> Vector:
    """Return the place of a bone's head in the world, by Blender."""
    before = ob.animation_data.action
    if action is not None:
        ob.animation_data.action = action
        ob.animation_data.action_slot = action.slots[0]
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    found = ob.evaluated_get(graph)
    result = found.matrix_world @ found.pose.bones[bone].head
    if action is not None:
        ob.animation_data.action = before
    return result.copy()


def activate(ob: Any, bone: str) -> None:
    ob.data.bones.active = ob.data.bones[bone]


def add_empty(at: Any, name: str = "Place") -> Any:
    empty = bpy.data.objects.new(name, None)
    empty.location = at
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    return empty


def test_a_hand_is_where_it_was_in_the_viewport(riff: ModuleType, dancer: Any) -> None:
    wanted = place(dancer, "hand.L", 60)
    activate(dancer, "hand.L")
    assert bpy.ops.riff.add_pin() == {"FINISHED"}
    pin = dancer.riff_places.pins[0]
    assert (pin.bone, pin.start, pin.end) == ("hand.L", 60, 60)
    np.testing.assert_allclose(pin.place, wanted[:], atol=1e-5)
    made = compose(bpy.ops.riff.reach_places, count=2, seed=3)
    for action in made:
        assert (place(dancer, "hand.L", 60, action) - wanted).length < NEAR
        assert json.loads(action["riff_composition"])["pins"][0][:3] == ["hand.L", 60, 60]
    one, other = (read(riff, dancer, action).positions() for action in made)
    assert np.abs(one - other).max() > 0.02, "alternatives differ"


def test_a_head_at_a_moving_empty_over_a_range(dancer: Any) -> None:
    at = place(dancer, "head", 80)
    empty = add_empty(at)
    for frame, shift in ((80, 0.0), (100, 0.06)):
        empty.location = at + Vector((shift, 0.0, -0.1))
        empty.keyframe_insert("location", frame=frame)
    pin = dancer.riff_places.pins.add()
    pin.bone, pin.start, pin.end, pin.source, pin.target = "head", 80, 100, "OBJECT", empty
    made = compose(bpy.ops.riff.reach_places)[0]
    for frame in (80, 90, 100):
        found = place(dancer, "head", frame, made)
        bpy.context.scene.frame_set(frame)
        assert (found - empty.matrix_world.translation).length < NEAR


def test_two_hands_at_bones_of_another_armature(dancer: Any) -> None:
    rail = bpy.data.armatures.new("Rail")
    other = bpy.data.objects.new("Rail", rail)
    bpy.context.scene.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    bpy.ops.object.mode_set(mode="EDIT")
    ends = {"left": place(dancer, "hand.L", 70), "right": place(dancer, "hand.R", 70)}
    for name, at in ends.items():
        end: Any = rail.edit_bones.new(name)
        end.head, end.tail = at, at + Vector((0.0, 0.0, 0.1))
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = dancer
    for bone, other_bone in (("hand.L", "left"), ("hand.R", "right")):
        pin = dancer.riff_places.pins.add()
        pin.bone, pin.start, pin.end = bone, 70, 74
        pin.source, pin.armature, pin.other = "BONE", other, other_bone
    made = compose(bpy.ops.riff.reach_places)[0]
    for frame in (70, 74):
        for bone, other_bone in (("hand.L", "left"), ("hand.R", "right")):
            assert (place(dancer, bone, frame, made) - ends[other_bone]).length < NEAR


def test_a_pinned_direction(dancer: Any) -> None:
    bpy.context.scene.frame_set(60)
    activate(dancer, "hand.R")
    bpy.ops.riff.add_pin()
    dancer.riff_places.pins[0].use_turn = True
    wanted = (dancer.matrix_world @ dancer.pose.bones["hand.R"].matrix).to_quaternion()
    made = compose(bpy.ops.riff.reach_places)[0]
    dancer.animation_data.action, slot = made, made.slots[0]
    dancer.animation_data.action_slot = slot
    bpy.context.scene.frame_set(60)
    found = (dancer.matrix_world @ dancer.pose.bones["hand.R"].matrix).to_quaternion()
    assert found.rotation_difference(wanted).angle < np.radians(2.0)


def test_the_root_is_at_empties_in_time(riff: ModuleType, dancer: Any) -> None:
    root = read(riff, dancer).skeleton.names[0]
    start = place(dancer, root, 1)
    for frame, shift in ((60, (0.3, 0.2)), (150, (-0.2, 0.4))):
        bpy.context.scene.frame_set(frame)
        empty = add_empty((start.x + shift[0], start.y + shift[1], 0.0), f"At {frame}")
        bpy.ops.object.select_all(action="DESELECT")
        empty.select_set(True)
        assert bpy.ops.riff.add_waypoint() == {"FINISHED"}
    points = dancer.riff_places.waypoints
    assert [(one.target.name, one.frame) for one in points] == [("At 60", 60), ("At 150", 150)]
    for action in compose(bpy.ops.riff.reach_places, count=2):
        for one in points:
            found = place(dancer, root, one.frame, action)
            assert (found - one.target.location).xy.length < 0.02 * HEIGHT


def test_the_root_follows_a_curve_in_its_time(riff: ModuleType, dancer: Any) -> None:
    root = read(riff, dancer).skeleton.names[0]
    start = place(dancer, root, 1)
    bpy.ops.curve.primitive_bezier_curve_add()
    curve = bpy.context.object
    spline = curve.data.splines[0]
    for point, x in zip(spline.bezier_points, (0.0, 0.8), strict=True):
        point.co = (start.x + x, start.y, 0.0)
        point.handle_left_type = point.handle_right_type = "VECTOR"
    curve.location = (0.0, 0.0, 0.0)
    curve.data.path_duration = 100
    for frame, time in ((1, 0.0), (160, 100.0)):
        curve.data.eval_time = time
        curve.data.keyframe_insert("eval_time", frame=frame)
    for key in curve.data.animation_data.action.layers[0].strips[0].channelbags[0].fcurves[0].keyframe_points:
        key.interpolation = "LINEAR"
    bpy.context.view_layer.objects.active = dancer
    bpy.ops.riff.add_waypoint()
    made = compose(bpy.ops.riff.reach_places)[0]
    for frame, x in ((1, 0.0), (160, 0.8)):
        assert (place(dancer, root, frame, made) - start - Vector((x, 0, 0))).xy.length < 0.02 * HEIGHT


def test_pins_beside_regions_leave_what_is_kept(riff: ModuleType, dancer: Any) -> None:
    source = read(riff, dancer)
    wanted = place(dancer, "hand.L", 90) + Vector((0.0, 0.0, 0.05))
    text = f"hand.L@90={wanted.x},{wanted.y},{wanted.z}"
    made = compose(bpy.ops.riff.fill_regions, regions="60-120", pins=text)[0]
    assert (place(dancer, "hand.L", 90, made) - wanted).length < NEAR
    outcome = read(riff, dancer, made).positions()
    for rows in (slice(0, 59), slice(120, 180)):
        np.testing.assert_allclose(outcome[rows], source.positions()[rows], atol=1e-4)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"pins": "hand.L@500=0,0,1"}, "The pin of “hand.L” at frame 500 is outside the take's frames 1-180"),
        ({"pins": "horn@60=0,0,1"}, "Riff has not learned “horn”, which is pinned at frame 60"),
        ({"pins": "hand.L@60=0,0,1; hand.L@50-70=0,0,2"}, "Two pins hold “hand.L” at frame 60 in places"),
        ({"pins": "hand.L@60=0,0,9"}, "“hand.L” cannot reach its pin at frame 60: "),
        ({"pins": "hand.L 60"}, "“hand.L 60” is no pin"),
        ({"waypoints": "30=50,0"}, "The waypoint at frame 30 is "),
        ({"waypoints": "30=0,0,left"}, "is no waypoint"),
        ({}, "There is no pin and no waypoint"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(dancer: Any, asked: dict[str, str], said: str) -> None:
    before = {action.name for action in bpy.data.actions}
    with pytest.raises(RuntimeError) as error:
        bpy.ops.riff.reach_places("EXEC_DEFAULT", **asked)
    assert said in str(error.value)
    assert {action.name for action in bpy.data.actions} == before


def test_rows_are_removed_and_set_again(dancer: Any) -> None:
    assert not bpy.ops.riff.set_pin.poll()
    bpy.context.scene.frame_set(20)
    activate(dancer, "hand.L")
    bpy.ops.riff.add_pin()
    bpy.context.scene.frame_set(90)
    assert bpy.ops.riff.set_pin() == {"FINISHED"}
    np.testing.assert_allclose(dancer.riff_places.pins[0].place, place(dancer, "hand.L", 90)[:], atol=1e-5)
    assert bpy.ops.riff.remove_pin() == {"FINISHED"}
    assert not len(dancer.riff_places.pins)
    bpy.ops.object.select_all(action="DESELECT")
    assert bpy.ops.riff.add_waypoint() == {"FINISHED"}
    target = dancer.riff_places.waypoints[0].target
    assert target.type == "EMPTY"
    assert bpy.ops.riff.remove_waypoint() == {"FINISHED"}
    assert target.name in bpy.context.scene.objects


def test_script_interface(riff: ModuleType, dancer: Any) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    motion = api.read(dancer)
    wanted = place(dancer, "hand.L", 60)
    made = api.compose(api.instant(motion), motion, pins=[("hand.L", 60, 60, tuple(wanted))])[0]
    found = made.positions()[59, made.skeleton.names.index("hand.L")] * made.skeleton.unit
    assert np.linalg.norm(found - np.array(wanted)) < NEAR
