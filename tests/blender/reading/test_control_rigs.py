"""Rigs that are more than bones that follow their keys: what was keyed is what is learned, and comes back the same."""

from __future__ import annotations

import importlib
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from tests.support.rigs.biped import add_dancing_biped, key, key_turns, state_of_file, swing, world_pose
from tests.support.rigs.round_trip import HEIGHTS, PROPERTIES, RADIANS, assert_round_trip, channels, poses
from tests.support.rigs.walkers import add_control_biped, add_rigify_walker, walk_control_biped


def bone_scaled_unevenly(biped: Any) -> None:
    biped.pose.bones["spine"].scale = (1.0, 2.0, 1.0)


def bone_that_grows(biped: Any) -> None:
    key(biped, "spine", "scale", lambda t: (1.0 + t, 1.0 + t, 1.0 + t))


def add_cart() -> Any:
    cart = bpy.data.objects.new("Cart", None)
    bpy.context.scene.collection.objects.link(cart)
    key(cart, "", "location", lambda t: (t, 0.0, 0.0))
    return cart


def object_carried(biped: Any) -> None:
    biped.parent = add_cart()


def object_keyed_and_carried(biped: Any) -> None:
    biped.parent = add_cart()
    biped.parent.rotation_euler = (0.3, 0.2, 1.0)
    key(biped, "", "location", lambda t: (0.0, t, 0.0))
    key(biped, "", "rotation_euler", lambda t: (0.0, 0.1, 0.3 * t))


def bone_above_the_root_moved_by_a_constraint(biped: Any) -> None:
    biped.pose.bones["root"].constraints.new("COPY_LOCATION").target = add_cart()


def bone_held_by_a_constraint(biped: Any) -> None:
    constraint = biped.pose.bones["arm.L"].constraints.new("COPY_ROTATION")
    constraint.target, constraint.subtarget, constraint.influence = biped, "arm.R", 0.6


def bone_that_does_not_inherit_rotation(biped: Any) -> None:
    biped.data.bones["head"].use_inherit_rotation = False


def bone_that_does_not_inherit_scale(biped: Any) -> None:
    biped.data.bones["arm.L"].inherit_scale = "NONE"
    biped.pose.bones["spine"].scale = (1.3, 1.3, 1.3)


def bone_whose_location_is_in_the_armatures_axes(biped: Any) -> None:
    biped.data.bones["head"].use_local_location = False
    key(biped, "head", "location", lambda t: (0.05 * np.sin(t), 0.02 * t, 0.0))


def root_whose_location_is_in_the_armatures_axes(biped: Any) -> None:
    biped.data.bones["hips"].use_local_location = False
    biped.data.bones["head"].use_inherit_rotation = False


def bone_with_a_driver(biped: Any) -> None:
    driven = biped.driver_add('pose.bones["arm.R"].rotation_euler', 0).driver
    variable = driven.variables.new()
    variable.type, target = "TRANSFORMS", variable.targets[0]
    target.id, target.bone_target, target.transform_type, target.transform_space = biped, "head", "ROT_X", "LOCAL_SPACE"
    driven.expression = variable.name


def turned_and_scaled_object(biped: Any) -> None:
    biped.data.bones["head"].use_inherit_rotation = False
    biped.matrix_world = Matrix.Translation((3.0, -2.0, 0.5)) @ Matrix.Rotation(1.3, 4, "X") @ Matrix.Scale(0.01, 4)


SPOILS = [
    bone_scaled_unevenly,
    bone_that_grows,
    object_carried,
    object_keyed_and_carried,
    bone_held_by_a_constraint,
    bone_above_the_root_moved_by_a_constraint,
    bone_that_does_not_inherit_rotation,
    bone_that_does_not_inherit_scale,
    bone_whose_location_is_in_the_armatures_axes,
    root_whose_location_is_in_the_armatures_axes,
    bone_with_a_driver,
    turned_and_scaled_object,
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_more_than_follows_its_keys(door: SimpleNamespace, spoil: Callable[[Any], None]) -> None:
    biped = add_dancing_biped("XYZ")
    spoil(biped)
    bpy.context.view_layer.update()
    before = state_of_file()
    door.read_motion(biped)
    assert state_of_file() == before
    assert_round_trip(door, biped)


def test_object_is_the_root_where_it_is_what_was_keyed(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    key(biped, "", "location", lambda t: (t, 0.0, 0.2 * t))
    motion = assert_round_trip(door, biped)
    assert motion.skeleton.names[0] == "Biped"
    written = bpy.data.actions["Written"]
    paths = {curve.data_path for curve in door.channelbag_of(written, written.slots[0]).fcurves}
    assert "location" in paths
    assert "rotation_euler" not in paths


def test_object_alone(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    biped.animation_data.action = bpy.data.actions.new("Slide")
    key(biped, "", "location", lambda t: (t, np.sin(t), 0.0))
    assert assert_round_trip(door, biped).skeleton.names == ("Biped",)


def test_one_axis_keyed_is_one_axis_written(door: SimpleNamespace) -> None:
    biped = add_dancing_biped("XYZ", still=("root", "shin.L"))
    biped.data.bones["head"].use_inherit_rotation = False
    shin = biped.pose.bones["shin.L"]
    shin.lock_rotation = (False, True, True)
    shin.rotation_euler = (0.0, 0.4, -2.0)
    for frame in (1, 40, 101):
        shin.rotation_euler.x = 0.02 * frame
        shin.keyframe_insert("rotation_euler", index=0, frame=frame)
    assert_round_trip(door, biped)
    written = bpy.data.actions["Written"]
    curves = door.channelbag_of(written, written.slots[0]).fcurves
    path = 'pose.bones["shin.L"].rotation_euler'
    assert [curves.find(path, index=k) is not None for k in range(3)] == [True, False, False]


def test_controls_of_a_rig_made_by_hand(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    motion = assert_round_trip(door, biped)
    skeleton = motion.skeleton
    assert skeleton.names[:2] == ("body", "body tilt")
    assert {skeleton.names[j] for j in skeleton.contacts} == {"ik_foot.L", "ik_foot.R"}
    assert {skeleton.names[j] for j in skeleton.translated} == {"ik_foot.L", "ik_foot.R"}
    assert {one.name: len(one.steps) for one in skeleton.properties} == {
        "mood": 0,
        "armed": 2,
        "weather": 3,
        "influence": 0,
        "value": 0,
    }
    smile = next(one for one in skeleton.properties if one.owner)
    assert skeleton.names[smile.joint] == "head"
    # A foot that stands is labelled, by its control's own speed.
    feet = motion.positions()[:, list(skeleton.contacts)]
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * motion.fps / 30.0
    labels = motion.contact_labels()[1:] > 0.5
    assert 0.3 < labels.mean() < 0.8
    assert speed[labels].max() < 0.018 <= speed[~labels].min()


def test_the_animators_numbers_come_back_to_the_bit(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    key_turns(biped, "spine", lambda t: Matrix.Rotation(2.5 * math.sin(t), 3, "X"))
    for curve in channels(door, biped.animation_data.action).values():
        if "ik_foot" in curve.data_path:
            for point in curve.keyframe_points:
                point.co_ui[1] *= 1.5  # quaternions longer than 1, feet set wider
    source = biped.animation_data.action
    action = door.write_motion(biped, door.read_motion(biped), "Written", source_action=source)
    keyed, written = channels(door, source), channels(door, action)
    assert set(keyed) == set(written)
    assert any("quaternion" in path for path, _ in keyed)
    frames = range(1, int(source.frame_range[1]) + 1)
    for address, curve in written.items():
        own = [keyed[address].evaluate(frame) for frame in frames]
        assert [curve.evaluate(frame) for frame in frames] == pytest.approx(own, rel=0, abs=2e-7), address


def test_a_quaternion_that_changes_its_sign_is_written_without(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    biped.data.bones["head"].use_inherit_rotation = False
    head = biped.pose.bones["head"]
    for frame in range(1, 102):
        sign, angle = (1.0 if frame < 50 else -1.0), 0.01 * frame
        head.rotation_quaternion = (sign * math.cos(angle), sign * math.sin(angle), 0.0, 0.0)
        head.keyframe_insert("rotation_quaternion", frame=frame)
    assert_round_trip(door, biped)
    curve = channels(door, bpy.data.actions["Written"])['pose.bones["head"].rotation_quaternion', 0]
    assert min(curve.evaluate(frame) for frame in range(1, 102)) > 0.5


def test_switches_are_written_as_switches(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    motion = door.read_motion(biped)
    action = door.write_motion(biped, motion, "Written", source_action=biped.animation_data.action)
    curves = door.channelbag_of(action, action.slots[0]).fcurves
    armed = curves.find('pose.bones["body"]["armed"]')
    assert {point.interpolation for point in armed.keyframe_points} == {"CONSTANT"}
    assert [point.co[1] for point in armed.keyframe_points] == [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    between = motion.property_values()
    shaken = door.with_properties(motion, between + 0.2 * np.random.default_rng(0).standard_normal(between.shape))
    values = shaken.property_values()
    for one, column in zip(motion.skeleton.properties, values.T, strict=True):
        assert column.min() >= one.low
        assert column.max() <= one.high
        assert not one.steps or set(column.tolist()) <= set(one.steps)


def test_shape_keys_play_along_and_come_back(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    face = walk_control_biped(biped)
    keys, source = face.data.shape_keys, biped.animation_data.action
    own = keys.animation_data.action
    action = door.write_motion(biped, door.read_motion(biped), "Written", source_action=source)
    door.play(biped, action)
    assert keys.animation_data.action == action
    bpy.context.scene.frame_set(30)
    assert keys.key_blocks["Smile"].value == pytest.approx(own_value(door, own, 30), abs=PROPERTIES)
    door.play(biped, source)
    assert keys.animation_data.action == own


def own_value(door: SimpleNamespace, action: Any, frame: int) -> float:
    return float(door.channelbag_of(action, action.slots[0]).fcurves[0].evaluate(frame))


def test_shape_keys_in_a_slot_of_the_same_action(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    face = walk_control_biped(biped)
    keys, action = face.data.shape_keys, biped.animation_data.action
    slot = action.slots.new(id_type="KEY", name=keys.name)
    keys.animation_data.action, keys.animation_data.action_slot = action, slot
    for frame in range(1, 140, 20):
        keys.key_blocks["Smile"].value = (frame % 40) / 40.0
        keys.key_blocks["Smile"].keyframe_insert("value", frame=frame)
    motion = assert_round_trip(door, biped)
    smile = next(one for one in motion.skeleton.properties if one.owner)
    assert (smile.low, smile.high) == pytest.approx((1 / 40, 21 / 40))


def test_another_root_or_fewer_controls(door: SimpleNamespace) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    fewer = door.read_motion(biped, options=door.ReadOptions(ignore=("spine", "arm.L")))
    assert set(fewer.skeleton.names) == {"body", "body tilt", "ik_foot.L", "ik_foot.R", "head"}
    assert door.read_motion(biped, options=door.ReadOptions(root="ik_foot.L")).skeleton.names[0] == "ik_foot.L"
    with pytest.raises(door.error, match="“master” has no keys and cannot be the root"):
        door.read_motion(biped, options=door.ReadOptions(root="master"))
    with pytest.raises(door.error, match="“body” moves above the root “spine”"):
        door.read_motion(biped, options=door.ReadOptions(root="spine"))


def test_variations_travel(door: SimpleNamespace) -> None:
    """Turned and led elsewhere, the walk takes its feet along: nothing is left in the world where the source was."""
    biped = add_control_biped()
    walk_control_biped(biped)
    motion = door.read_motion(biped)
    before, _ = poses(biped, range(60, 61))
    features = motion.features.copy()
    turn = np.array(Matrix.Rotation(1.0, 3, "Z"))
    features[:, :6] = (features[:, :6].reshape(-1, 2, 3) @ turn.T).reshape(-1, 6)
    channel = motion.skeleton.root_channel
    features[:, channel : channel + 2] = features[:, channel : channel + 2] @ turn[:2, :2].T
    moved = type(motion)(features, motion.skeleton, motion.fps, motion.origin + 3.0)
    action = door.write_motion(biped, moved, "Moved", source_action=biped.animation_data.action)
    _, positions = poses(biped, range(60, 61))
    door.play(biped, action)
    axes, after = poses(biped, range(60, 61))
    names = [bone.name for bone in biped.pose.bones]
    kept = [names.index(name) for name in ("hips", "foot.L", "foot.R", "head", "arm.R")]
    root = motion.root_positions()[59] * motion.skeleton.unit
    root_after = moved.root_positions()[59] * motion.skeleton.unit
    np.testing.assert_allclose(after[0, kept] - root_after, (positions[0, kept] - root) @ turn.T, atol=1e-3)
    assert door.angle_between(axes[0, kept], turn @ before[0, kept]).max() < 1e-3


@pytest.mark.parametrize("feet", ["foot_ik.L"])
def test_rigify_human(door: SimpleNamespace, feet: str) -> None:
    """All 706 bones: lips that point at each other and arms that reach for what they cannot, too."""
    rig = add_rigify_walker()
    motion = assert_round_trip(door, rig)
    skeleton = motion.skeleton
    assert skeleton.names[0] == "torso"
    assert {skeleton.names[j] for j in skeleton.contacts} == {feet, feet.replace(".L", ".R")}
    trained(door, rig, motion, feet)


def trained(door: SimpleNamespace, rig: Any, motion: Any, foot: str) -> None:
    """Train a little, vary, and see that only what was keyed is keyed, and that a standing foot stands."""
    paths = {"train": "training.train", "recipe": "model.recipe", "generate": "generation.generate"}
    core = {name: importlib.import_module(f"{door.package}.core.{path}") for name, path in paths.items()}
    model = core["train"].train(motion, core["recipe"].RECIPES["fast"].scaled(0.001))
    resample = importlib.import_module(f"{door.package}.core.motion.resampling").resample
    variation = resample(core["generate"].generate(model, seed=3)[0], model.source_fps)
    source = rig.animation_data.action
    action = door.write_motion(rig, variation, "Variation", source_action=source)
    bags = [door.channelbag_of(one, one.slots[0]) for one in (source, action)]
    keyed = [{(curve.data_path, curve.array_index) for curve in bag.fcurves} for bag in bags]
    assert keyed[0] == keyed[1]
    door.play(rig, action)
    joint = variation.skeleton.names.index(foot)
    standing = variation.contact_labels()[:, variation.skeleton.contacts.index(joint)] > 0.5
    first = int(action.frame_range[0])
    runs = np.flatnonzero(standing[1:-1] & standing[2:] & standing[:-2]) + 1
    for row in runs[:: max(1, len(runs) // 8)]:
        one, other = (world_pose(rig, first + int(row) + k)[foot][:3, 3] for k in (0, 1))
        assert np.linalg.norm(other - one) < 0.01 * 1.8 * motion.skeleton.unit


@pytest.fixture
def walker(riff: ModuleType, door: SimpleNamespace) -> Iterator[Any]:
    """The rig made by hand, walking, with a hardly trained model of its walk in the list."""
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    biped = add_control_biped()
    walk_control_biped(biped)
    api = importlib.import_module(f"{riff.__name__}.api")
    api.save(api.train(api.read(biped), effort=0.0005, name="Walk"), folder / "Walk.safetensors")
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.objects.active = biped
    biped.select_set(True)
    yield biped
    importlib.import_module(f"{riff.__name__}.state.live").end()
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


def test_generated_and_shown_by_clicks(door: SimpleNamespace, walker: Any) -> None:
    source, keys = walker.animation_data.action, walker.children[0].data.shape_keys
    own = keys.animation_data.action
    assert bpy.ops.riff.generate(count=2) == {"FINISHED"}
    made = [action for action in bpy.data.actions if action.get("riff_model") == "Walk"]
    assert len(made) == 2
    assert bpy.ops.riff.show_action(action=made[0].name) == {"FINISHED"}
    assert (walker.animation_data.action, keys.animation_data.action) == (made[0], made[0])
    assert bpy.ops.riff.show_action(action=source.name) == {"FINISHED"}
    assert (walker.animation_data.action, keys.animation_data.action) == (source, own)


def test_a_crowd_of_control_rigs(door: SimpleNamespace, walker: Any) -> None:
    assert bpy.ops.riff.duplicate_as_crowd(count=3, frames=60) == {"FINISHED"}
    members = [ob for ob in bpy.data.objects if ob.get("riff_member")]
    assert len(members) == 3
    for member in members:
        action = member.animation_data.action
        paths = {curve.data_path for curve in door.channelbag_of(action, action.slots[0]).fcurves}
        assert 'pose.bones["ik_foot.L"].location' in paths
        assert 'pose.bones["body"]["armed"]' in paths
        # the constraints of a member look at the member
        assert member.pose.bones["shin.L"].constraints[0].target == member
        feet = [world_pose(member, frame)["ik_foot.L"][:3, 3] for frame in (1, 60)]
        bodies = [world_pose(member, frame)["body"][:3, 3] for frame in (1, 60)]
        assert all(np.linalg.norm(foot - body) < 1.6 for foot, body in zip(feet, bodies, strict=True))


def test_kept_parts_come_out_exactly(door: SimpleNamespace, walker: Any) -> None:
    api = importlib.import_module(f"{door.package}.api")
    source = api.read(walker)
    model = api.load(Path(bpy.utils.extension_path_user(door.package, path="models")) / "Walk.safetensors")
    (other,) = api.compose(model, source, keep=("Lower Body",), seed=2)
    skeleton = source.skeleton
    lower = [skeleton.names.index(name) for name in ("body", "ik_foot.L", "ik_foot.R")]
    assert np.abs(other.positions() - source.positions())[:, lower].max() < 1e-4
    assert door.angle_between(other.rotations()[:, lower], source.rotations()[:, lower]).max() < 1e-4
    spine = skeleton.names.index("spine")
    assert door.angle_between(other.rotations()[:, spine], source.rotations()[:, spine]).max() > 0.01


def two_roots(biped: Any) -> str:
    bpy.ops.object.mode_set(mode="EDIT")
    prop = biped.data.edit_bones.new("prop")
    prop.head, prop.tail = (1.0, 0.0, 1.0), (1.0, 0.0, 1.5)
    bpy.ops.object.mode_set(mode="OBJECT")
    key(biped, "prop", "location", lambda t: (t, 0.0, 0.0))
    key_turns(biped, "prop", lambda t: swing(t, 3))
    return "hips"


def test_layered_nla(door: SimpleNamespace) -> None:
    """Two strips, one moved and scaled in time, the other added at half influence, and an action on top of both."""
    biped = add_dancing_biped()
    biped["mood"] = 0.0
    key(biped, "", "location", lambda t: (0.0, 0.0, 0.0))
    for frame, mood in ((1, 0.0), (50, 1.0), (101, 0.2)):
        biped["mood"] = mood
        biped.keyframe_insert('["mood"]', frame=frame)
    data = biped.animation_data
    dance = data.action
    base = data.nla_tracks.new().strips.new("Dance", 11, dance)
    base.scale = 0.8
    data.action = bpy.data.actions.new("Nod")
    key(biped, "head", "rotation_quaternion", lambda t: (1.0, 0.4 * np.sin(3 * t), 0.0, 0.0))
    nod = data.nla_tracks.new().strips.new("Nod", 1, data.action)
    nod.blend_type, nod.use_animated_influence, nod.influence = "COMBINE", False, 0.5
    data.action = bpy.data.actions.new("Turn")
    key(biped, "spine", "rotation_quaternion", lambda t: (1.0, 0.0, 0.2 * t, 0.0))
    before = state_of_file()
    motion = door.read_motion(biped, options=door.ReadOptions(nla=True))
    assert state_of_file() == before
    axes, positions = poses(biped, range(1, 102, 9))
    bpy.context.scene.frame_set(51)
    mood = biped["mood"]
    action = door.write_motion(biped, motion, "Whole")
    data.use_nla = False
    door.play(biped, action)
    written_axes, written_places = poses(biped, range(1, 102, 9))
    assert door.angle_between(axes, written_axes).max() < RADIANS
    assert np.abs(positions - written_places).max() < HEIGHTS * 1.8 * motion.skeleton.unit
    assert [one.name for one in motion.skeleton.properties] == ["mood"]
    assert motion.property_values()[50, 0] == pytest.approx(mood, abs=PROPERTIES)
    assert motion.frames == 101
    data.action = None
    for track in data.nla_tracks:
        track.mute = True
    with pytest.raises(door.error, match="The NLA of “Biped” plays nothing"):
        door.read_motion(biped, options=door.ReadOptions(nla=True))


@pytest.mark.parametrize("shift", [-250, 0])
def test_negative_frames_and_keys_between_frames(door: SimpleNamespace, shift: int) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    action = biped.animation_data.action
    for curve in door.channelbag_of(action, action.slots[0]).fcurves:
        for number, point in enumerate(curve.keyframe_points):
            point.co_ui[0] += shift + 0.37 * (number % 3 - 1)
        curve.update()
    assert_round_trip(door, biped)


def test_linked_and_overridden_library(door: SimpleNamespace, tmp_path: Path) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    expected = door.read_motion(biped)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, into):
        into.objects = ["Controls"]
    linked = into.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    bpy.context.view_layer.update()
    motion = door.read_motion(linked)
    np.testing.assert_allclose(motion.rotations(), expected.rotations(), atol=1e-5)
    action = door.write_motion(linked, motion, "Own", source_action=linked.animation_data.action)
    assert action.library is None
    with pytest.raises(door.error, match="“Controls” is linked from another file; make a library override of it first"):
        door.play(linked, action)
    override = linked.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    source = override.animation_data.action
    own = door.write_motion(override, door.read_motion(override), "Overridden", source_action=source)
    door.play(override, own)
    assert override.animation_data.action == own


def five_frames(biped: Any) -> None:
    action = biped.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 5


def nan_in_a_property(biped: Any) -> None:
    curve_of(biped, 'pose.bones["body"]["mood"]').keyframe_points[1].co[1] = float("nan")


def nan_in_a_control(biped: Any) -> None:
    curve_of(biped, 'pose.bones["ik_foot.L"].location').keyframe_points[4].co[1] = float("nan")


def control_scaled_to_zero(biped: Any) -> None:
    key(biped, "ik_foot.L", "scale", lambda t: (1.0, 1.0, max(0.0, 1.0 - t)))


def nothing_that_moves(biped: Any) -> None:
    action = biped.animation_data.action
    for curve in action.layers[0].strips[0].channelbags[0].fcurves:
        curve.mute = not curve.data_path.startswith("pose.bones") or "master" not in curve.data_path
    key(biped, "master", "location", lambda t: (0.0, 0.0, 0.0))


def curve_of(biped: Any, path: str) -> Any:
    return biped.animation_data.action.layers[0].strips[0].channelbags[0].fcurves.find(path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (five_frames, r"lasts 0\.2 s; Riff learns from at least 2 s"),
        (nan_in_a_property, r"mood.* has an invalid key \(not a number\) at frame \d+"),
        (nan_in_a_control, r"“ik_foot.L” has an invalid key \(not a number\) at frame \d+"),
        (control_scaled_to_zero, r"“ik_foot.L” is scaled to zero at frame \d+"),
        (nothing_that_moves, "The keys of the action “.*” do not move"),
    ],
)
def test_what_cannot_be_learned(door: SimpleNamespace, spoil: Callable[[Any], None], sentence: str) -> None:
    """One sentence, and nothing changed."""
    biped = add_control_biped()
    walk_control_biped(biped)
    spoil(biped)
    bpy.context.view_layer.update()
    before = state_of_file()
    api = importlib.import_module(f"{door.package}.api")
    with pytest.raises(door.error, match=sentence):
        api.train(api.read(biped), effort=0.0005)
    assert state_of_file() == before


def test_two_roots(door: SimpleNamespace) -> None:
    biped = add_dancing_biped()
    root = two_roots(biped)
    motion = assert_round_trip(door, biped)
    assert motion.skeleton.names[0] == root
    assert "prop" in motion.skeleton.names
