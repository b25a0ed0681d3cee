"""Live variation: shown without touching an action, kept as what was shown, and gone without a trace."""

from __future__ import annotations

import importlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest


@pytest.fixture
def dancer(riff: ModuleType, models: Path, trained: Path) -> Iterator[bpy.types.Object]:
    """The sample dancer, with its model in the list."""
    shutil.copy(trained, models)
    bpy.ops.riff.refresh_models()
    bpy.ops.riff.add_sample_dancer()
    yield bpy.context.object
    importlib.import_module(f"{riff.__name__}.state.live").end()


@pytest.fixture
def live(riff: ModuleType) -> ModuleType:
    return importlib.import_module(f"{riff.__name__}.state.live")


def follow(live: ModuleType, position: float | None = None, finished: bool = True) -> None:
    """Drag the slider to a place and wait until the armature is there, as a window's timer would."""
    if position is not None:
        bpy.context.window_manager.riff.live_position = position
    wanted = bpy.context.window_manager.riff.live_position
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and live.follow():
        job = live.live_preview.job
        if job.answered is not None and abs(job.answered.position - wanted) < 1e-6 and (job.finished or not finished):
            return
        time.sleep(0.01)
    assert not live.is_live(), "the slider was not followed"


def pose(ob: bpy.types.Object) -> list[tuple[float, ...]]:
    return [
        value
        for bone in ob.pose.bones
        for value in (tuple(bone.location), tuple(bone.rotation_quaternion), tuple(bone.rotation_euler))
    ]


def keys(action: bpy.types.Action) -> list[float]:
    values = []
    for curve in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves:
        buffer = [0.0] * (2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get("co", buffer)
        values += buffer
    return values


def test_the_armature_follows_and_no_action_is_touched(dancer: bpy.types.Object, live: ModuleType) -> None:
    action = dancer.animation_data.action
    names, before = set(bpy.data.actions.keys()), keys(action)
    bpy.context.scene.frame_set(100)
    start = pose(dancer)
    assert bpy.ops.riff.live() == {"FINISHED"}
    follow(live, 2.0)
    first = pose(dancer)
    follow(live, 2.5)
    assert first != start
    assert pose(dancer) != first
    follow(live, 2.0)
    assert pose(dancer) == first
    assert dancer.animation_data.action == action
    assert set(bpy.data.actions.keys()) == names
    assert keys(action) == before
    bpy.ops.riff.live()
    assert pose(dancer) == start
    assert not live.is_live()


def test_the_preview_plays(dancer: bpy.types.Object, live: ModuleType) -> None:
    scene = bpy.context.scene
    scene.frame_set(50)
    before = pose(dancer)
    scene.frame_set(80)
    after = pose(dancer)
    scene.frame_set(50)
    bpy.ops.riff.live()
    follow(live, 4.0)
    poses = []
    for frame in (50, 65, 80):
        scene.frame_set(frame)
        poses.append(pose(dancer))
    assert len({tuple(map(tuple, one)) for one in poses}) == 3
    assert poses[0] != before
    bpy.ops.riff.live()
    assert pose(dancer) == after  # the action again, at the frame where the preview was left


def test_unkeyed_poses_come_back_exactly(dancer: bpy.types.Object, live: ModuleType) -> None:
    bone = dancer.pose.bones[2]
    bone.location = 0.1, 0.2, 0.3
    bone.scale = (1.1, 1.0, 1.0)
    start = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 3.25)
    bpy.ops.riff.live()
    assert pose(dancer) == start
    assert tuple(bone.scale) == pytest.approx((1.1, 1.0, 1.0))


def test_keep_writes_what_is_shown(dancer: bpy.types.Object, live: ModuleType) -> None:
    source, names = dancer.animation_data.action, set(bpy.data.actions.keys())
    bpy.ops.riff.live()
    follow(live, 6.5)
    bpy.context.scene.frame_set(200)
    shown = [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones]
    assert bpy.ops.riff.live_keep() == {"FINISHED"}
    (name,) = set(bpy.data.actions.keys()) - names
    action = bpy.data.actions[name]
    assert name == "Dance Variation 6.50"
    assert (action["riff_seed"], action["riff_kept"], action.use_fake_user) == (6.5, True, True)
    assert dancer.animation_data.action == source
    assert [row.seed for row in bpy.context.window_manager.riff.variations] == ["6.50"]
    bpy.ops.riff.show_action(action=name)
    bpy.context.scene.frame_set(200)
    played = [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones]
    for one, other in zip(shown, played, strict=True):
        assert abs(sum(a * b for a, b in zip(one, other, strict=True))) == pytest.approx(1.0, abs=1e-5)


def test_whole_numbers_are_the_seeds_of_generate(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.ops.riff.live()
    follow(live, 5.0)
    bpy.ops.riff.live_keep()
    bpy.ops.riff.generate(count=1, seed=5)
    kept, generated = (bpy.data.actions[name] for name in ("Dance Variation 5.00", "Dance Variation 5-1"))
    assert keys(kept) == pytest.approx(keys(generated), abs=1e-3)


def test_strength_sliders_are_followed(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.ops.riff.live()
    follow(live, 2.0)
    first = pose(dancer)
    bpy.context.scene.riff.coarse = 2.0
    deadline = time.monotonic() + 30
    while live.live_preview.job.answered.coarse != 2.0 and time.monotonic() < deadline:
        live.follow()
        time.sleep(0.01)
    assert pose(dancer) != first


def ends(live: ModuleType, sentence: str) -> None:
    assert not live.is_live()
    assert sentence in live.live_state()[1]
    deadline = time.monotonic() + 5
    while any(thread.name == "Live variation" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(thread.name == "Live variation" for thread in threading.enumerate())


def test_deleting_the_armature_ends_the_preview(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.ops.riff.live()
    follow(live, 2.0)
    bpy.data.objects.remove(dancer)
    follow(live, 3.0)
    ends(live, "deleted or renamed")


def test_renaming_bones_ends_the_preview(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.ops.riff.live()
    follow(live, 2.0)
    dancer.data.bones[3].name = "Other"
    bpy.context.scene.frame_set(20)
    ends(live, "bone")


def test_removing_the_model_file_before_the_preview(dancer: bpy.types.Object, live: ModuleType) -> None:
    Path(bpy.context.window_manager.riff.models[0].path).unlink()
    bpy.ops.riff.live()
    follow(live, 2.0)
    ends(live, "Cannot open the model")


def test_model_of_another_rig(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.ops.object.armature_add()
    bpy.ops.riff.live()
    follow(live)
    ends(live, "has no bone")


def test_opening_a_file_ends_the_preview(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.ops.riff.live()
    follow(live, 2.0)
    bpy.ops.wm.read_homefile(use_empty=True)
    ends(live, "")


def test_undo_ends_the_preview_and_takes_nothing_else(dancer: bpy.types.Object, live: ModuleType) -> None:
    bpy.context.scene.frame_set(100)
    bpy.ops.ed.undo_push(message="Before")
    dancer.location.x = 1.0
    bpy.ops.ed.undo_push(message="Move")
    start = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 2.0)
    bpy.ops.ed.undo()
    ends(live, "")
    ob = bpy.data.objects["Dancer"]
    assert ob.location.x == 0.0
    assert [v for one in pose(ob) for v in one] == pytest.approx([v for one in start for v in one], abs=1e-6)


def test_undo_to_a_step_that_was_pushed_during_a_preview(dancer: bpy.types.Object, live: ModuleType) -> None:
    """Blender stores the pose that it finds; what no action keys would keep the preview's pose for ever."""
    action = dancer.animation_data.action
    dancer.animation_data.action = None
    dancer.pose.bones[2].location = 0.1, 0.2, 0.3
    bpy.ops.ed.undo_push(message="Posed")
    start = pose(dancer)
    dancer.animation_data.action = action
    bpy.ops.riff.live()
    follow(live, 2.0)
    dancer.animation_data.action = None
    assert pose(dancer) != start
    dancer.location.x = 1.0
    bpy.ops.ed.undo_push(message="Move during the preview")
    bpy.ops.riff.live()
    dancer.location.x = 2.0
    bpy.ops.ed.undo_push(message="Move after it")
    bpy.ops.ed.undo()
    ob = bpy.data.objects["Dancer"]
    assert ob.location.x == 1.0
    assert pose(ob) == start
    assert ob.get("riff_previewed") is None
    bpy.ops.ed.undo()
    assert pose(bpy.data.objects["Dancer"]) == start
    bpy.ops.ed.redo()
    assert pose(bpy.data.objects["Dancer"]) == start


def test_a_copy_made_during_a_preview(dancer: bpy.types.Object, live: ModuleType) -> None:
    start = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 2.0)
    copy = dancer.copy()
    bpy.context.scene.collection.objects.link(copy)
    bpy.ops.riff.live()
    assert pose(dancer) == pose(copy) == start
    assert copy.get("riff_previewed") is None


def test_a_file_of_a_blender_that_ended_during_a_preview(
    dancer: bpy.types.Object, live: ModuleType, tmp_path: Path
) -> None:
    """An automatic save stores what it finds without asking anyone; keyed poses follow the frame again."""
    start = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 2.0)
    assert pose(dancer) != start
    path = str(tmp_path / "automatic.blend")
    bpy.data.libraries.write(path, {bpy.context.scene})  # like an automatic save, it calls no handler
    live.end()
    with bpy.data.libraries.load(path) as (there, wanted):
        wanted.objects = there.objects
    appended = next(ob for ob in wanted.objects if ob is not None and ob.type == "ARMATURE")
    assert "riff_previewed" in appended
    bpy.context.scene.collection.objects.link(appended)
    live.after_change()
    assert "riff_previewed" not in appended
    assert pose(appended) == start


def test_saving_saves_no_preview(dancer: bpy.types.Object, live: ModuleType, tmp_path: Path) -> None:
    start = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 2.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "live.blend"))
    ends(live, "")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "live.blend"))
    assert pose(bpy.data.objects["Dancer"]) == start


def test_updates_per_second(dancer: bpy.types.Object, live: ModuleType, record_property: Any) -> None:
    """Every wish of a fast drag is answered or overtaken, and the last one is shown in the end."""
    bpy.ops.riff.live()
    follow(live, 1.0)
    before, start = live.live_preview.job.answers, time.perf_counter()
    for step in range(100):
        bpy.context.window_manager.riff.live_position = 1.0 + step / 50
        live.follow()
        time.sleep(0.01)
    record_property("answers_per_second", (live.live_preview.job.answers - before) / (time.perf_counter() - start))
    follow(live)
    assert live.live_preview.job.answered.position == pytest.approx(bpy.context.window_manager.riff.live_position)
    assert before < live.live_preview.job.answers <= before + 102


MEANWHILE: dict[str, Callable[[Any], object]] = {
    "unlinked": lambda ob: bpy.context.scene.collection.objects.unlink(ob),
    "other data": lambda ob: setattr(ob, "data", bpy.data.armatures.new("Empty")),
    "mirrored": lambda ob: setattr(ob, "scale", (-1.0, 1.0, 1.0)),
    "no size": lambda ob: setattr(ob, "scale", (0.0, 0.0, 0.0)),
    "nowhere": lambda ob: setattr(ob, "location", (float("nan"),) * 3),
    "no action": lambda ob: bpy.data.actions.remove(ob.animation_data.action),
    "edit mode": lambda ob: bpy.ops.object.mode_set(mode="EDIT"),
    "other scene": lambda ob: setattr(bpy.context.window, "scene", bpy.data.scenes.new("Other")),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_odd_changes_during_a_preview_end_it_or_are_followed(
    dancer: bpy.types.Object, live: ModuleType, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    assert bpy.ops.riff.live() == {"FINISHED"}
    follow(live, 2.5)
    assert live.is_live()
    MEANWHILE[what](dancer)
    bpy.context.window_manager.riff.live_position = 3.5
    deadline = time.monotonic() + 2.0
    while live.is_live() and time.monotonic() < deadline:
        live.follow()
        time.sleep(0.02)
    live.end()
    assert not live.is_live()
    assert "Traceback" not in capfd.readouterr().err
