"""Reading an action: which one, from where, without leaving a trace; and what cannot be read."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from tests.support.rigs.biped import (
    FRAMES,
    add_biped,
    add_dancing_biped,
    key,
    key_turns,
    state_of_file,
    swing,
    world_pose,
)

Read = Callable[..., Any]


@pytest.fixture
def read_motion(riff: ModuleType) -> Read:
    read: Read = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion
    return read


@pytest.fixture
def clip_error(riff: ModuleType) -> type[Exception]:
    error: type[Exception] = importlib.import_module(f"{riff.__name__}.core.errors").ClipError
    return error


@pytest.fixture
def assign_action(riff: ModuleType) -> Callable[..., None]:
    assign: Callable[..., None] = importlib.import_module(f"{riff.__name__}.rig.compat").assign_action
    return assign


def test_leaves_the_file_as_it_was(read_motion: Read) -> None:
    biped = add_dancing_biped()
    bpy.context.scene.frame_set(33, subframe=0.25)
    before = state_of_file()
    read_motion(biped)
    assert state_of_file() == before


def test_leaves_the_file_as_it_was_when_it_fails(read_motion: Read, clip_error: type[Exception]) -> None:
    biped = add_dancing_biped()
    biped.animation_data.action.layers[0].strips[0].channelbags[0].fcurves[0].keyframe_points[3].co[1] = float("nan")
    biped.data.pose_position = "REST"
    bpy.context.view_layer.update()
    before = state_of_file()
    with pytest.raises(clip_error, match="not a number"):
        read_motion(biped)
    assert state_of_file() == before


def read_in_steps(
    riff: ModuleType, biped: Any, meanwhile: Callable[[], None] = lambda: None, after: int = 2
) -> tuple[Any, int]:
    """The motion and the number of steps, each as short as can be; `meanwhile` is done after a number of them."""
    steps = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_steps(biped, seconds=0.0)
    count = 0
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1
        assert 0.0 <= share <= 1.0
        if count == after:
            meanwhile()


def test_in_steps_the_same_is_read(riff: ModuleType, read_motion: Read) -> None:
    biped = add_dancing_biped()
    whole, before, found = read_motion(biped), state_of_file(), []
    motion, steps = read_in_steps(riff, biped, lambda: found.append(state_of_file()))
    assert steps > 5
    assert found == [before] == [state_of_file()]
    assert (motion.skeleton.names, motion.fps) == (whole.skeleton.names, whole.fps)
    assert np.array_equal(motion.features, whole.features)


def test_short_steps_are_paced(riff: ModuleType) -> None:
    steps = importlib.import_module(f"{riff.__name__}.rig.steps")

    def work() -> Generator[float, None, str]:
        for number in range(4):
            yield number / 4
        return "done"

    assert list(steps.paced(work(), 0.0)) == [0.0, 0.25, 0.5, 0.75]
    assert list(steps.paced(work(), math.inf)) == []
    assert steps.run_through(steps.paced(work(), math.inf)) == "done"


def move_a_key(biped: Any) -> None:
    biped.animation_data.action.layers[0].strips[0].channelbags[0].fcurves[3].keyframe_points[5].co[1] += 0.5


def add_a_bone(biped: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    biped.data.edit_bones.new("tail").tail = (0, 1, 1)
    bpy.ops.object.mode_set(mode="OBJECT")


def rename_a_bone(biped: Any) -> None:
    biped.data.bones["head"].name = "skull"


def remove_the_slot(biped: Any) -> None:
    action = biped.animation_data.action
    action.slots.remove(action.slots[0])


def load_another_file(biped: Any) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)


@pytest.mark.parametrize("after", [1, 2, 102])
@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (move_a_key, "was changed while it was read"),
        (add_a_bone, "was changed while it was read"),
        (rename_a_bone, "was changed while it was read"),
        (remove_the_slot, "was changed while it was read"),
        (lambda biped: bpy.data.objects.remove(biped), "was removed while it was read"),
        (lambda biped: bpy.data.actions.remove(biped.animation_data.action), "was removed while it was read"),
        (load_another_file, "was removed while it was read"),
    ],
)
def test_what_changes_between_two_steps(
    riff: ModuleType, clip_error: type[Exception], meanwhile: Callable[[Any], None], words: str, after: int
) -> None:
    biped = add_dancing_biped()
    with pytest.raises(clip_error, match=words):
        read_in_steps(riff, biped, lambda: meanwhile(biped), after)
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]


def test_another_action_than_the_active_one(read_motion: Read, assign_action: Callable[..., None]) -> None:
    biped = add_dancing_biped()
    wanted, expected = biped.animation_data.action, read_motion(biped)
    other = bpy.data.actions.new("Other")
    other.slots.new(id_type="OBJECT", name="Somebody")
    assign_action(biped, other)
    key(biped, "head", "rotation_quaternion", lambda t: (1.0, t, 0.0, 0.0))
    bpy.context.scene.frame_set(50)
    before = state_of_file()
    assert np.allclose(read_motion(biped, wanted).features, expected.features, atol=1e-6)
    assert state_of_file() == before


def test_a_slot_among_several(read_motion: Read, assign_action: Callable[..., None]) -> None:
    biped = add_dancing_biped()
    action, mine = biped.animation_data.action, biped.animation_data.action_slot
    expected = read_motion(biped)
    theirs = action.slots.new(id_type="OBJECT", name="Another")
    assign_action(biped, action, theirs)
    key_turns(biped, "spine", lambda t: swing(t, 9))
    assert np.allclose(read_motion(biped, action, mine).features, expected.features, atol=1e-6)
    active = read_motion(biped)
    assert active.skeleton.names[0] == "hips"  # the spine is connected to them and cannot travel
    assert np.ptp(active.rotations()[:, active.skeleton.names.index("arm.L")], axis=0).max() < 1e-6


def test_nla_and_influence_do_not_mix_in(read_motion: Read, assign_action: Callable[..., None]) -> None:
    biped = add_dancing_biped()
    expected = read_motion(biped)
    data, action = biped.animation_data, biped.animation_data.action
    data.action = bpy.data.actions.new("Nod")
    key(biped, "head", "location", lambda t: (t, 0.0, 0.0))
    data.nla_tracks.new().strips.new("Nod", 1, data.action)
    assign_action(biped, action)
    data.action_influence, data.action_blend_type = 0.4, "ADD"
    biped.pose.bones["head"].location = (0.0, 0.0, 0.0)
    before = state_of_file()
    assert np.allclose(read_motion(biped).features, expected.features, atol=1e-6)
    assert state_of_file() == before


def test_while_a_strip_is_tweaked(read_motion: Read) -> None:
    biped = add_dancing_biped()
    expected = read_motion(biped)
    data = biped.animation_data
    action = data.action
    track = data.nla_tracks.new()
    strip = track.strips.new("Tweaked", 30, action)
    data.action = None
    track.select = strip.select = True
    data.nla_tracks.active = track
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    before = state_of_file()
    assert np.allclose(read_motion(biped, action).features, expected.features, atol=1e-6)
    assert state_of_file() == before
    assert data.use_tweak_mode


def test_armature_shown_at_rest_or_being_edited(read_motion: Read) -> None:
    biped = add_dancing_biped()
    expected = read_motion(biped)
    biped.data.pose_position = "REST"
    assert np.allclose(read_motion(biped).features, expected.features, atol=1e-6)
    biped.data.pose_position = "POSE"
    bpy.ops.object.mode_set(mode="EDIT")
    before = state_of_file()
    assert np.allclose(read_motion(biped).features, expected.features, atol=1e-6)
    assert state_of_file() == before


def test_hidden_armature(read_motion: Read) -> None:
    biped = add_dancing_biped()
    expected = read_motion(biped)
    biped.hide_viewport = True
    assert np.allclose(read_motion(biped).features, expected.features, atol=1e-6)


def test_new_armature_that_was_never_evaluated(read_motion: Read) -> None:
    biped = add_dancing_biped()
    expected = read_motion(biped)
    fresh = bpy.data.objects.new("Fresh", biped.data)
    bpy.context.scene.collection.objects.link(fresh)
    for bone in biped.pose.bones:
        assert bone.rotation_mode == "QUATERNION"
    motion = read_motion(fresh, biped.animation_data.action)
    assert np.allclose(motion.features, expected.features, atol=1e-6)


def test_frames_of_the_action(read_motion: Read) -> None:
    biped = add_dancing_biped()
    action = biped.animation_data.action
    whole = read_motion(biped)
    assert whole.frames == FRAMES[-1]
    action.use_frame_range, action.frame_start, action.frame_end = True, 10.5, 60.0
    part = read_motion(biped)
    assert part.frames == 50
    assert np.allclose(part.rotations(), whole.rotations()[10:60], atol=1e-6)


def test_constraints_follow_the_action_that_is_read(read_motion: Read, assign_action: Callable[..., None]) -> None:
    biped = add_dancing_biped(still=("root", "head"))
    constraint = biped.pose.bones["head"].constraints.new("COPY_ROTATION")
    constraint.target, constraint.subtarget = biped, "arm.L"
    pose, action = world_pose(biped, 41), biped.animation_data.action
    biped.animation_data.action = None
    motion = read_motion(biped, action)
    rest = np.array(biped.data.bones["head"].matrix_local)[:3, :3]
    turn = pose["head"][:3, :3] @ rest.T
    head, spine = motion.skeleton.names.index("head"), motion.skeleton.names.index("spine")
    local = motion.rotations()[40]
    assert np.allclose(local[0] @ local[spine] @ local[head], turn, atol=1e-4)


def test_muted_curves_count_for_nothing(read_motion: Read) -> None:
    biped = add_dancing_biped()
    key(biped, "root", "location", lambda t: (t, 0.0, 0.0))
    for curve in biped.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        curve.mute = "root" in curve.data_path
    assert read_motion(biped).skeleton.names[0] == "hips"


def test_root_is_what_travels_with_most_bones(read_motion: Read) -> None:
    biped = add_dancing_biped()
    bpy.ops.object.mode_set(mode="EDIT")
    prop = biped.data.edit_bones.new("prop")
    prop.head, prop.tail, prop.parent = (1.0, 0.0, 1.0), (1.0, 0.0, 1.5), biped.data.edit_bones["root"]
    bpy.ops.object.mode_set(mode="OBJECT")
    key(biped, "prop", "location", lambda t: (t, 0.0, 0.0))
    assert read_motion(biped).skeleton.names[0] == "hips"


def test_root_is_what_moves(read_motion: Read) -> None:
    biped = add_dancing_biped()
    key(biped, "root", "location", lambda t: (1.0, 2.0, 0.0))
    assert read_motion(biped).skeleton.names[0] == "hips"


def test_hips_that_sit_still_are_the_root_of_limbs_that_move(read_motion: Read) -> None:
    biped = add_biped()
    for bone in ("head", "arm.L", "thigh.L", "thigh.R"):
        key_turns(biped, bone, lambda t: swing(t, 2))
    motion = read_motion(biped)
    assert motion.skeleton.names[0] == "hips"
    assert np.allclose(motion.root_positions(), motion.root_positions()[0], atol=1e-6)


def test_no_armature(read_motion: Read, clip_error: type[Exception]) -> None:
    empty = bpy.data.objects.new("Lamp Post", None)
    with pytest.raises(clip_error, match="“Lamp Post” is not an armature"):
        read_motion(empty)
    with pytest.raises(clip_error, match="Select an armature"):
        read_motion(None)


def test_no_bones(read_motion: Read, clip_error: type[Exception]) -> None:
    ob = bpy.data.objects.new("Bare", bpy.data.armatures.new("Bare"))
    bpy.context.scene.collection.objects.link(ob)
    with pytest.raises(clip_error, match="“Bare” has no bones"):
        read_motion(ob)


def no_action(biped: Any) -> None:
    biped.animation_data_clear()


def action_without_slot(biped: Any) -> None:
    biped.animation_data.action = bpy.data.actions.new("Hollow")


def action_of_another_kind(biped: Any) -> None:
    action = bpy.data.actions.new("Colours")
    action.slots.new(id_type="MATERIAL", name="Skin")
    biped.animation_data.action = action


def action_without_keys(biped: Any) -> None:
    biped.animation_data.action = bpy.data.actions.new("Hollow")
    biped.animation_data.action_slot = biped.animation_data.action.slots.new(id_type="OBJECT", name=biped.name)


def one_frame(biped: Any) -> None:
    action = biped.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 5.0, 5.0


def bone_scaled_to_zero(biped: Any) -> None:
    key(biped, "shin.L", "scale", lambda t: (1.0, 1.0, 1.0) if t < 3 else (0.0, 0.0, 0.0))


def bone_mirrored(biped: Any) -> None:
    biped.pose.bones["foot.L"].scale = (-1.0, 1.0, 1.0)


def object_scaled_unevenly(biped: Any) -> None:
    biped.scale = (1.0, 1.0, 2.0)


def object_scaled_to_zero(biped: Any) -> None:
    biped.scale = (0.0, 0.0, 0.0)


def object_mirrored(biped: Any) -> None:
    biped.scale = (-1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (no_action, "“Biped” has no action"),
        (action_without_slot, "The action “Hollow” has no slot"),
        (action_of_another_kind, "The action “Colours” has no slot"),
        (action_without_keys, "“Hollow” has no keyframes"),
        (one_frame, "fewer than two frames"),
        (bone_scaled_to_zero, r"“shin.L” is scaled to zero at frame \d+"),
        (bone_mirrored, "“foot.L” is mirrored"),
        (object_scaled_unevenly, "“Biped” has an uneven"),
        (object_scaled_to_zero, "“Biped” is scaled to zero"),
        (object_mirrored, "“Biped” has an uneven or negative scale"),
    ],
)
def test_what_cannot_be_read(
    read_motion: Read, clip_error: type[Exception], spoil: Callable[[Any], None], sentence: str
) -> None:
    biped = add_dancing_biped()
    spoil(biped)
    bpy.context.view_layer.update()
    before = state_of_file()
    with pytest.raises(clip_error, match=sentence):
        read_motion(biped)
    assert state_of_file() == before


def test_constraints_that_change_nothing_are_welcome(read_motion: Read) -> None:
    biped = add_dancing_biped()
    expected = read_motion(biped)
    limit = biped.pose.bones["arm.L"].constraints.new("LIMIT_ROTATION")
    limit.influence = 1.0
    muted = biped.pose.bones["arm.R"].constraints.new("COPY_ROTATION")
    muted.target, muted.subtarget, muted.mute = biped, "head", True
    assert np.allclose(read_motion(biped).features, expected.features, atol=1e-6)


def test_world_space(read_motion: Read) -> None:
    biped = add_dancing_biped()
    biped.matrix_world = Matrix.Translation((3.0, 4.0, 0.0)) @ Matrix.Rotation(0.5, 4, "Z")
    bpy.context.view_layer.update()
    motion = read_motion(biped)
    place = motion.root_positions()[20] * motion.skeleton.unit
    assert np.allclose(place, world_pose(biped, 21)["hips"][:3, 3], atol=1e-4)
