"""Hints about an action: each appears for its oddity, is mended by a click in one undo step, and is then gone."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from tests.support.recording_layout import RecordingLayout
from tests.support.rigs.biped import add_biped, add_dancing_biped, curve_values, key, key_turns

Part = Callable[[str], Any]


@pytest.fixture
def part(riff: ModuleType) -> Part:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture
def told(part: Part) -> Callable[[Any], dict[str, Any]]:
    """Look at an armature as the panel does; its hints that are not closed, by kind."""
    hints, run, glance = part("state.source_hints"), part("rig.steps").run_through, part("state.source").glance_steps

    def look(ob: Any) -> dict[str, Any]:
        bpy.context.view_layer.objects.active = ob
        motion = run(glance(ob, bpy.context.scene, 120))
        found = run(hints.hint_steps(ob, bpy.context.scene, motion))
        return {hint.kind.value: hint for hint in hints.open_hints(ob, found)}

    return look


@pytest.fixture
def analyzed(part: Part) -> Iterator[Callable[[Any], Any]]:
    """Let the panel's own analysis look at an armature; its summary."""
    summary = part("state.armature_summary")

    def analyze(ob: Any) -> Any:
        bpy.context.view_layer.objects.active = ob
        summary.forget()
        summary.summary_of(ob)
        while summary.update_summary() is not None:
            pass
        return summary.summary_of(ob)

    yield analyze
    part("rig.background.jobs").stop_all()
    summary.forget()


def mend(kind: str, **settings: float) -> None:
    assert bpy.ops.riff.mend_source(kind=kind, **settings) == {"FINISHED"}


def add_swaying_biped(mode: str = "QUATERNION") -> Any:
    """The biped with an action of its own: every bone but the root sways, the hips travel."""
    biped = add_biped(mode)
    key(biped, "hips", "location", lambda t: (0.3 * math.sin(t), 0.1 * math.cos(2 * t), 0.5 * t))
    for number, bone in enumerate(biped.pose.bones):
        if bone.name != "root":
            key_turns(biped, bone.name, partial(sway, number=number))
    return biped


def sway(t: float, number: int) -> Matrix:
    return Matrix.Rotation(0.5 + 0.4 * math.sin(t + number), 3, "X")


def swaying_quaternion(t: float) -> list[float]:
    quaternion: Any = sway(t, 3).to_quaternion()
    return list(quaternion)


def bake(ob: Any, first: int = 1, last: int = 101) -> Any:
    """Key every turned bone and the hips' location on every frame, on straight lines, as captures are."""
    action = ob.animation_data.action
    bag = action.layers[0].strips[0].channelbags[0]
    for curve in bag.fcurves:
        values = [curve.evaluate(frame) for frame in range(1, 102)]
        curve.keyframe_points.clear()
        curve.keyframe_points.add(last - first + 1)
        rows = np.arange(first, last + 1)
        keys = np.stack([rows, np.interp(rows, np.arange(1, 102), values)], axis=1)
        curve.keyframe_points.foreach_set("co", keys.ravel())
        curve.keyframe_points.foreach_set("interpolation", [1] * len(rows))
        curve.update()
    return bag


def curve_of(ob: Any, path: str, index: int) -> Any:
    return ob.animation_data.action.layers[0].strips[0].channelbags[0].fcurves.find(path, index=index)


def test_nothing_is_said_where_all_is_well(riff: ModuleType, told: Any) -> None:
    for mode in ("QUATERNION", "XYZ", "AXIS_ANGLE"):
        for add in (add_dancing_biped, add_swaying_biped):
            biped = add(mode)
            assert told(biped) == {}
            bake(biped)
            assert told(biped) == {}
    bpy.ops.riff.add_sample_dancer()
    assert told(bpy.context.object) == {}


def test_a_forgotten_key(told: Any, door: SimpleNamespace) -> None:
    biped = add_swaying_biped()
    biped.pose.bones["head"]["mood"] = 0.0
    biped.pose.bones["head"].keyframe_insert('["mood"]', frame=1)
    biped.pose.bones["head"]["mood"] = 1.0
    biped.pose.bones["head"].keyframe_insert('["mood"]', frame=5000)
    assert door.read_motion(biped).frames == 101
    assert told(biped)["STRAY"].numbers == (1, 101)
    keys = curve_values(biped.animation_data.action)
    mend("STRAY")
    assert tuple(biped.animation_data.action.frame_range) == (1, 101)
    assert curve_values(biped.animation_data.action) == keys
    assert told(biped) == {}
    biped.animation_data.action.frame_end = 5000
    assert door.read_motion(biped, options=door.ReadOptions(step=100)).duration > 200, "a range set by hand is kept"


def test_a_t_pose_in_the_first_frame(told: Any, door: SimpleNamespace) -> None:
    biped = add_swaying_biped()
    bag = bake(biped)
    for curve in bag.fcurves:
        if "rotation" in curve.data_path:
            curve.keyframe_points.insert(0, 1.0 if curve.array_index == 0 else 0.0).interpolation = "LINEAR"
    assert told(biped)["APART"].numbers == (0, 1, 101)
    mend("APART")
    assert told(biped) == {}
    assert door.read_motion(biped).frames == 101


def two_takes() -> Any:
    biped = add_swaying_biped()
    bake(biped)
    curve = curve_of(biped, 'pose.bones["hips"].location', 0)
    for point in curve.keyframe_points:
        point.co[1] += 7.0 if point.co[0] >= 50 else 0.0
    curve.update()
    return biped


def test_two_takes(told: Any, door: SimpleNamespace) -> None:
    biped = two_takes()
    source, keys = biped.animation_data.action, curve_values(biped.animation_data.action)
    assert told(biped)["TAKES"].numbers == (1, 49, 50, 101)
    mend("TAKES")
    takes = [action for action in bpy.data.actions if action != source]
    assert sorted(tuple(action.frame_range) for action in takes) == [(1, 49), (50, 101)]
    assert curve_values(source) == keys
    assert source.use_fake_user
    assert tuple(biped.animation_data.action.frame_range) == (50, 101), "the longer one plays"
    assert biped.animation_data.action_slot is not None
    assert told(biped) == {}
    motion = door.read_motion(biped)
    assert np.linalg.norm(np.diff(motion.root_positions(), axis=0), axis=1).max() < 0.5


def test_two_takes_with_keys_on_every_fourth_frame(told: Any) -> None:
    biped = add_swaying_biped()
    curve = curve_of(biped, 'pose.bones["hips"].location', 0)
    for point in curve.keyframe_points:
        point.co[1] += 7.0 if point.co[0] >= 50 else 0.0
    curve.update()
    first, end, begin, last = told(biped)["TAKES"].numbers
    assert (first, last) == (1, 101)
    assert 49 <= end < begin <= 53


def test_dead_rotation_keys_turn_the_bones_again(told: Any, door: SimpleNamespace) -> None:
    biped = add_swaying_biped()
    for bone in biped.pose.bones:
        bone.rotation_mode = "XYZ"
    hint = told(biped)["DEAD"]
    assert set(hint.names) == {bone.name for bone in biped.pose.bones if bone.name != "root"}
    mend("DEAD")
    assert {bone.rotation_mode for bone in biped.pose.bones if bone.name != "root"} == {"QUATERNION"}
    assert biped.pose.bones["root"].rotation_mode == "XYZ"
    assert told(biped) == {}
    assert "arm.L" in door.read_motion(biped).skeleton.names


def test_dead_keys_beside_live_ones_are_removed(told: Any) -> None:
    biped = add_swaying_biped("XYZ")
    key(biped, "head", "rotation_quaternion", swaying_quaternion)
    before = {name: keys for name, keys in curve_values(biped.animation_data.action).items() if "quat" not in name[1]}
    assert told(biped)["DEAD"].names == ("head",)
    mend("DEAD")
    assert curve_values(biped.animation_data.action) == before
    assert told(biped) == {}


def test_a_rotation_mode_that_is_keyed_is_no_dead_key(told: Any) -> None:
    biped = add_swaying_biped("XYZ")
    key(biped, "head", "rotation_quaternion", swaying_quaternion)
    biped.pose.bones["head"].keyframe_insert("rotation_mode", frame=1)
    assert "DEAD" not in told(biped)


def hopping_biped() -> Any:
    """A biped that hops with swinging arms, captured at 100 frames a second, 8 s long."""
    biped = add_biped("XYZ")
    for frame in range(1, 802):
        within = (frame / 100.0) % 0.65
        flight = max(0.0, within - 0.25)
        biped.pose.bones["hips"].location = (0.0, 0.5 * 9.9 * flight * (0.4 - flight), 0.0)
        biped.pose.bones["hips"].keyframe_insert("location", frame=frame)
        for bone in ("arm.L", "arm.R", "spine"):
            biped.pose.bones[bone].rotation_euler = (0.3 * math.sin(frame / 30.0), 0.0, 0.0)
            biped.pose.bones[bone].keyframe_insert("rotation_euler", frame=frame)
    return biped


def test_bones_are_renamed_and_keys_removed_while_hints_are_found(told: Any, part: Part) -> None:
    hints = part("state.source_hints")

    def rename(biped: Any) -> None:
        biped.data.bones["arm.L"].name = "wing.L"
        biped.data.bones["head"].name = "beak"

    def clear(biped: Any) -> None:
        bag = biped.animation_data.action.layers[0].strips[0].channelbags[0]
        for curve in list(bag.fcurves)[1:]:
            bag.fcurves.remove(curve)

    for edit in (rename, clear, lambda biped: biped.animation_data_clear()):
        for number in range(1, 16, 2):
            biped = add_swaying_biped("XYZ")
            bake(biped)
            motion = part("rig.reading.read").read_motion(biped)
            steps = hints.hint_steps(biped, bpy.context.scene, motion)
            for _ in range(number):
                next(steps)
            edit(biped)
            assert part("rig.steps").run_through(steps) == []
            bpy.data.objects.remove(biped)


def test_a_wrong_frame_rate_is_set_where_nothing_else_plays(told: Any) -> None:
    bpy.context.scene.render.fps = 24
    biped = hopping_biped()
    keys = curve_values(biped.animation_data.action)
    assert told(biped)["RATE"].numbers == (100, 24)
    mend("RATE")
    assert (bpy.context.scene.render.fps, bpy.context.scene.render.fps_base) == (100, 1.0)
    assert curve_values(biped.animation_data.action) == keys
    assert told(biped) == {}


def test_keys_are_moved_where_another_object_plays(told: Any, door: SimpleNamespace) -> None:
    bpy.context.scene.render.fps = 24
    add_swaying_biped()
    biped = hopping_biped()
    assert told(biped)["RATE"].numbers == (100, 24)
    mend("RATE", rate=120)
    assert bpy.context.scene.render.fps == 24
    np.testing.assert_allclose(biped.animation_data.action.frame_range, (1, 161), atol=1e-3)
    assert told(biped) == {}
    assert door.read_motion(biped).duration == pytest.approx(800 / 120, abs=0.05)


def stepped_biped(width: int = 2) -> Any:
    """The dancing biped with poses held for some frames."""
    biped = add_swaying_biped()
    for curve in bake(biped).fcurves:
        values = np.array([curve.evaluate(frame) for frame in range(1, 102, width)])
        curve.keyframe_points.clear()
        curve.keyframe_points.add(len(values))
        keys = np.stack([np.arange(1, 102, width), values], axis=1)
        curve.keyframe_points.foreach_set("co", keys.ravel())
        curve.keyframe_points.foreach_set("interpolation", [0] * len(values))
        curve.update()
    return biped


@pytest.mark.parametrize("width", [2, 4])
def test_stepped_keys_stay_stepped(told: Any, door: SimpleNamespace, width: int) -> None:
    biped = stepped_biped(width)
    source = biped.animation_data.action
    motion = door.read_motion(biped)
    assert (motion.frames, motion.fps) == (101, 24)
    written = door.write_motion(biped, motion, "Written", source_action=source)
    before, after = curve_values(source), curve_values(written)
    moving = [name for name, keys in after.items() if len(keys) > 1]
    assert len(moving) > 30
    for name in moving:
        assert {str(point[-2]) for point in after[name]} == {"CONSTANT"}
        assert [point[0] for point in after[name]] == list(range(1, 102, width))
    curves = {name: np.array([point[1] for point in keys]) for name, keys in after.items()}
    old = {name: np.array([point[1] for point in keys]) for name, keys in before.items()}
    place = [name for name in moving if name[1].endswith("location")]
    for name in place:
        np.testing.assert_allclose(curves[name], old[name], atol=1e-5)
    hint = told(biped)["STEPPED"]
    assert hint.numbers == (width,)
    mend("STEPPED")
    assert told(biped) == {}


def test_stepped_arms_are_no_feet(door: SimpleNamespace) -> None:
    biped = stepped_biped()
    names = door.read_motion(biped).skeleton
    stepped = {names.names[joint] for joint in names.contacts}
    smooth_biped = add_swaying_biped()
    smooth = door.read_motion(smooth_biped).skeleton
    assert stepped == {smooth.names[joint] for joint in smooth.contacts}
    assert not {name for name in stepped if "arm" in name}


def test_a_variation_is_stepped_until_it_is_wished_smooth(door: SimpleNamespace) -> None:
    biped = stepped_biped()
    motion, source = door.read_motion(biped), biped.animation_data.action
    smooth = door.write_motion(biped, motion, "Smooth", source_action=source, stepped=False)
    keys = curve_values(smooth)["OBBiped", 'pose.bones["head"].rotation_quaternion', 1]
    assert (len(keys), {str(point[-2]) for point in keys}) == (101, {"LINEAR"})


def test_a_live_variation_holds_its_poses(door: SimpleNamespace, part: Part) -> None:
    biped = stepped_biped(4)
    motion, source = door.read_motion(biped), biped.animation_data.action
    for stepped, same in ((True, True), (False, False)):
        preview = part("rig.writing.preview").Preview(biped, source, motion, stepped)
        biped.animation_data.action = None
        turns = []
        for frame in (9, 12, 13):
            bpy.context.scene.frame_set(frame)
            preview.show(motion)
            turns.append(tuple(biped.pose.bones["head"].rotation_quaternion))
        preview.end()
        biped.animation_data.action = source
        assert (turns[0] == turns[1]) is same
        assert turns[1] != turns[2]


def test_a_hint_is_closed_for_its_action_and_stays_closed(told: Any, tmp_path: Any) -> None:
    biped = stepped_biped()
    assert "STEPPED" in told(biped)
    assert bpy.ops.riff.close_hint(kind="STEPPED") == {"FINISHED"}
    assert told(biped) == {}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "closed.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "closed.blend"))
    biped = bpy.data.objects["Biped"]
    assert told(biped) == {}
    biped.animation_data.action = biped.animation_data.action.copy()
    assert "STEPPED" in told(biped), "another action"


def cycling_biped() -> Any:
    """The biped that swings its limbs once in 24 frames at 24 frames a second, without modifiers."""
    bpy.context.scene.render.fps = 24
    biped = add_biped("XYZ")
    for number, name in enumerate(("thigh.L", "thigh.R", "arm.L", "arm.R")):
        for frame in range(1, 26, 3):
            biped.pose.bones[name].rotation_euler.x = 0.4 * math.sin(2 * math.pi * (frame - 1) / 24 + number * math.pi)
            biped.pose.bones[name].keyframe_insert("rotation_euler", frame=frame)
    return biped


def test_a_cycle_is_told_and_marked(told: Any) -> None:
    biped = cycling_biped()
    hint = told(biped)["CYCLE"]
    assert hint.numbers == (24,)
    mend("CYCLE")
    action = biped.animation_data.action
    assert (action.use_cyclic, action.frame_start, action.frame_end) == (True, 1.0, 25.0)
    assert told(biped) == {}


def test_cycles_that_say_so_need_no_hint(told: Any) -> None:
    biped = cycling_biped()
    for curve in biped.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        curve.modifiers.new("CYCLES")
    assert told(biped) == {}


def test_nothing_to_mend_is_said(told: Any) -> None:
    biped = add_swaying_biped()
    bpy.context.view_layer.objects.active = biped
    for kind in ("STRAY", "RATE", "TAKES", "APART", "DEAD", "STEPPED", "LAYERS", "CYCLE"):
        with pytest.raises(RuntimeError, match="nothing left to fix"):
            bpy.ops.riff.mend_source(kind=kind)
    with pytest.raises(RuntimeError, match="no hint “NOTHING”"):
        bpy.ops.riff.mend_source(kind="NOTHING")


def test_mending_is_one_undo_step(told: Any) -> None:
    biped = two_takes()
    bpy.ops.ed.undo_push(message="before")
    told(biped)
    mend("TAKES")
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert len(bpy.data.actions) == 1
    assert "TAKES" in told(bpy.data.objects["Biped"])


def with_strips(**settings: object) -> Any:
    """The biped without an active action; its dance and a nod lie in strips."""
    biped = add_swaying_biped()
    data = biped.animation_data
    dance, slot = data.action, data.action_slot
    nod = bpy.data.actions.new("Nod")
    data.action = nod
    key(biped, "head", "rotation_quaternion", lambda t: (1.0, 0.1 * math.sin(t), 0.0, 0.0))
    data.action = None
    for action in (dance, nod):
        track = data.nla_tracks.new()
        strip = track.strips.new(action.name, 1, action)
        strip.action_slot = slot if action == dance else nod.slots[0]
        for name, value in settings.items():
            setattr(track, name, value)
    bpy.context.view_layer.objects.active = biped
    return biped


def drawn(part: Part) -> RecordingLayout:
    panel: Any = part("panels.source").RIFF_PT_source
    layout = RecordingLayout()
    panel.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout


@pytest.mark.parametrize("mute", [False, True])
def test_strips_are_offered_by_name(part: Part, door: SimpleNamespace, told: Any, mute: bool) -> None:
    biped = with_strips(mute=mute)
    words = drawn(part).texts()
    assert {"Nod", "BipedAction"} <= set(words)
    assert not [text for text in words if "No action" in text]
    with pytest.raises(RuntimeError, match="lies in NLA strips"):
        bpy.ops.riff.train(scale=0.0001)
    with pytest.raises(door.error, match=r"lies in NLA strips; choose one of their actions .* or turn on Whole NLA"):
        door.read_motion(biped)
    with pytest.raises(RuntimeError, match="plays an action “Walk”"):
        bpy.ops.riff.take_strip_action(action="Walk")
    assert bpy.ops.riff.take_strip_action(action="BipedAction") == {"FINISHED"}
    assert biped.animation_data.action.name == "BipedAction"
    assert biped.animation_data.action_slot is not None
    assert "arm.L" in door.read_motion(biped).skeleton.names
    assert ("whole_nla" in [call.arguments.get("property") for call in drawn(part).calls]) is False


def test_whole_nla_is_offered_where_strips_play(part: Part) -> None:
    with_strips(mute=False)
    assert "whole_nla" in [call.arguments.get("property") for call in drawn(part).named("prop")]
    bpy.ops.wm.read_homefile(use_empty=True)
    with_strips(mute=True)
    assert "whole_nla" not in [call.arguments.get("property") for call in drawn(part).named("prop")]


def test_layers_below_are_told(told: Any) -> None:
    biped = with_strips()
    bpy.ops.riff.take_strip_action(action="Nod")
    assert "LAYERS" in told(biped), "the dance below moves what the nod does not key"
    mend("LAYERS")
    assert biped.riff.whole_nla
    assert told(biped) == {}


def test_layers_that_the_action_covers_are_not_told(told: Any) -> None:
    biped = with_strips()
    bpy.ops.riff.take_strip_action(action="BipedAction")
    assert told(biped) == {}
    biped.animation_data.action_influence = 0.5
    assert "LAYERS" in told(biped)
    biped.animation_data.action_influence, biped.animation_data.action_blend_type = 1.0, "COMBINE"
    assert "LAYERS" in told(biped)
    for track in biped.animation_data.nla_tracks:
        track.mute = True
    assert told(biped) == {}


def test_hints_are_drawn_with_their_buttons_and_go_when_mended(analyzed: Any, part: Part) -> None:
    biped = two_takes()
    for bone in ("head", "arm.L"):
        biped.pose.bones[bone].rotation_mode = "XYZ"
    assert [hint.kind.value for hint in analyzed(biped).hints] == ["DEAD", "TAKES"]
    layout = drawn(part)
    texts = layout.texts()
    assert {"2 takes, with a jump at frame 50", "Split", "2 bones: keys of another rotation mode"} <= set(texts)
    operators = [call.arguments["operator"] for call in layout.named("operator")]
    assert operators.count("riff.mend_source") == operators.count("riff.close_hint") == 2
    mend("DEAD")
    assert "Analyzing the armature…" in drawn(part).texts()
    while part("state.armature_summary").update_summary() is not None:
        pass
    assert "2 bones: keys of another rotation mode" not in drawn(part).texts()
    assert bpy.ops.riff.close_hint(kind="TAKES") == {"FINISHED"}
    assert "riff.mend_source" not in [call.arguments["operator"] for call in drawn(part).named("operator")]


def test_hints_are_told_of_an_action_that_is_refused(analyzed: Any) -> None:
    biped = add_swaying_biped()
    for bone in biped.pose.bones:
        bone.rotation_mode = "XYZ"
    curve_of(biped, 'pose.bones["hips"].location', 0).mute = True
    action = biped.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 9
    told = analyzed(biped)
    assert told.problem
    assert [hint.kind.value for hint in told.hints] == ["DEAD"]
