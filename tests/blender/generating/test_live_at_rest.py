"""Live variation beside what looks at the file itself, and on rigs whose keyed properties are whole numbers."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

FOLLOW_SECONDS = 60.0


@pytest.fixture
def live(riff: ModuleType) -> Iterator[ModuleType]:
    module = importlib.import_module(f"{riff.__name__}.state.live")
    yield module
    module.end()
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()


@pytest.fixture
def dancer(riff: ModuleType, trained: Path) -> Iterator[bpy.types.Object]:
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.riff.refresh_models()
    bpy.ops.riff.add_sample_dancer()
    bpy.context.scene.frame_set(60)
    yield bpy.context.object
    shutil.rmtree(folder, ignore_errors=True)
    bpy.ops.riff.refresh_models()


def follow(live: ModuleType, position: float) -> None:
    bpy.context.window_manager.riff.live_position = position
    deadline = time.monotonic() + FOLLOW_SECONDS
    while time.monotonic() < deadline and live.follow():
        job = live.live_preview.job
        if job.answered is not None and abs(job.answered.position - position) < 1e-6 and job.finished:
            return
        time.sleep(0.01)


def pose(ob: Any) -> list[float]:
    values = [(*bone.location, *bone.rotation_quaternion, *bone.rotation_euler) for bone in ob.pose.bones]
    return [value for one in values for value in one]


def test_a_render_shows_the_action_and_the_preview_comes_back(dancer: Any, live: ModuleType, tmp_path: Path) -> None:
    bpy.context.scene.frame_set(40)  # keyed channels then follow the frame
    bpy.ops.riff.live()
    follow(live, 2.0)
    previewed = pose(dancer)
    seen: list[tuple[int, list[float]]] = []

    def look(scene: bpy.types.Scene, *_: object) -> None:
        seen.append((scene.frame_current, pose(dancer)))

    bpy.app.handlers.frame_change_post.append(look)
    live.before_look(bpy.context.scene)  # as `render_init` does, a moment before the first frame
    try:
        for frame in (41, 42):
            bpy.context.scene.frame_set(frame)
    finally:
        bpy.app.handlers.frame_change_post.remove(look)
    live.follow()
    assert pose(dancer) != seen[-1][1]
    bpy.context.scene.frame_set(40)
    assert pose(dancer) == previewed
    live.end()
    assert "riff_previewed" not in dancer
    for frame, shown in seen:
        bpy.context.scene.frame_set(frame)
        assert pose(dancer) == shown


@pytest.mark.parametrize("name", ["render_init", "object_bake_pre"])
def test_what_begins_to_look_is_known(name: str, live: ModuleType) -> None:
    assert live.before_look in getattr(bpy.app.handlers, name)


def test_a_real_render_shows_the_action(dancer: Any, live: ModuleType, tmp_path: Path) -> None:
    """Pixels of a bar that hangs on the dancer, rendered with and without a preview."""
    scene: Any = bpy.context.scene
    mesh: Any = bpy.data.meshes.new("Bar")
    mesh.from_pydata([(-0.5, 0, 0), (0.5, 0, 0), (0.5, 0.5, 1), (-0.5, -0.5, 1)], [], [(0, 1, 2, 3)])
    bar: Any = bpy.data.objects.new("Bar", mesh)
    scene.collection.objects.link(bar)
    bar.parent, bar.parent_type, bar.parent_bone = dancer, "BONE", dancer.pose.bones[-1].name
    camera: Any = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = (0.0, -6.0, 1.0), (np.pi / 2, 0.0, 0.0)
    scene.camera, scene.world = camera, bpy.data.worlds.new("White")
    scene.world.color = (1.0, 1.0, 1.0)
    mesh.materials.append(bpy.data.materials.new("Black"))
    mesh.materials[0].diffuse_color = (0.0, 0.0, 0.0, 1.0)
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.filepath = str(tmp_path / "still")
    scene.frame_start = scene.frame_end = 60
    scene.cycles.samples, scene.cycles.use_denoising = 1, False

    def pixels() -> np.ndarray:
        assert bpy.ops.render.render(animation=True) == {"FINISHED"}
        image: Any = bpy.data.images.load(f"{scene.render.filepath}0060.png")
        found = np.array(image.pixels[:])
        bpy.data.images.remove(image)
        return found

    before = pixels()
    bpy.ops.riff.live()
    follow(live, 2.0)
    bpy.context.view_layer.update()
    bar_previewed = bar.matrix_world.copy()
    handlers = bpy.app.handlers.render_init
    place = handlers.index(live.before_look)
    handlers.remove(live.before_look)
    assert np.abs(pixels() - before).max() > 0.2, "the preview can be seen in pixels"
    handlers.insert(place, live.before_look)
    assert np.abs(pixels() - before).max() < 0.05
    live.follow()
    bpy.context.view_layer.update()
    assert live.is_live()
    assert np.abs(np.array(bar.matrix_world) - np.array(bar_previewed)).max() < 1e-5


class TEST_OT_look_at_frames(bpy.types.Operator):
    """Go through frames as an exporter does"""

    bl_idname = "test.look_at_frames"
    bl_label = "Look at Frames"
    seen: list[list[float]] = []

    def execute(self, context: bpy.types.Context) -> Any:
        for frame in (20, 21):
            context.scene.frame_set(frame)
            self.seen.append(pose(bpy.data.objects["Dancer"]))
        return {"FINISHED"}


def test_an_operator_that_goes_through_frames_gets_the_action(dancer: Any, live: ModuleType) -> None:
    bpy.context.scene.frame_set(20)
    wanted = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 2.0)
    previewed = pose(dancer)
    bpy.utils.register_class(TEST_OT_look_at_frames)
    try:
        bpy.ops.test.look_at_frames()
    finally:
        bpy.utils.unregister_class(TEST_OT_look_at_frames)
    assert np.abs(np.array(TEST_OT_look_at_frames.seen[0]) - wanted).max() < 1e-6
    assert live.is_live()
    live.follow()
    bpy.context.scene.frame_set(20)
    assert pose(dancer) == previewed


def test_blenders_own_bake_takes_the_action(dancer: Any, live: ModuleType) -> None:
    wanted = []
    for frame in (10, 20):
        bpy.context.scene.frame_set(frame)
        wanted.append(pose(dancer))
    bpy.ops.riff.live()
    follow(live, 2.0)
    for bone in dancer.pose.bones:
        if hasattr(bone, "select"):
            bone.select = True
        else:
            bone.bone.select = True
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.nla.bake(frame_start=10, frame_end=20, step=10, bake_types={"POSE"}, only_selected=False)
    bpy.ops.object.mode_set(mode="OBJECT")
    live.end()
    for frame, one in zip((10, 20), wanted, strict=True):
        bpy.context.scene.frame_set(frame)
        assert np.abs(np.abs(pose(dancer)) - np.abs(one)).max() < 1e-4


WHOLE: dict[str, Any] = {"whole": [3, 5, 7], "on": [True, False, True], "single": 4, "number": [0.5, 1.5]}


@pytest.fixture
def numbers(riff: ModuleType, dancer: Any) -> bpy.types.Object:
    """A dancer whose whole numbers, booleans and locks are keyed, and an instant model of that."""
    for name, value in WHOLE.items():
        dancer[name] = value
    data = dancer.animation_data
    bag = data.action.layers[0].strips[0].channelbag(data.action_slot)
    paths = [('["whole"]', 1), ('["on"]', 0), ('["single"]', -1), ('["number"]', 1)]
    paths += [("lock_location", 2), ("show_in_front", -1)]
    for path, index in paths:
        curve = bag.fcurves.new(path, index=max(0, index))
        for frame in range(1, 200, 10):
            curve.keyframe_points.insert(frame, float((frame // 10) % 2 + (3 if "whole" in path else 0)))
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    return dancer


def test_keyed_whole_numbers_are_previewed(numbers: Any, live: ModuleType) -> None:
    before = {name: list(numbers[name]) if name != "single" else numbers[name] for name in WHOLE}
    locks = list(numbers.lock_location)
    bpy.ops.riff.live()
    seen = set()
    for position in (1.0, 2.0, 3.0):
        follow(live, position)
        assert live.is_live(), live.live_preview.problem
        for frame in range(5, 200, 30):
            bpy.context.scene.frame_set(frame)
            seen.add(tuple(numbers["whole"]))
            assert live.is_live(), live.live_preview.problem
    assert len(seen) > 1
    assert all(isinstance(value, int) for one in seen for value in one)
    bpy.context.scene.frame_set(60)
    live.end()
    assert {name: list(numbers[name]) if name != "single" else numbers[name] for name in WHOLE} == before
    assert list(numbers.lock_location) == locks


@pytest.mark.parametrize("value", [{"a": 1}, "text", [], None])
def test_a_property_that_became_something_else_ends_the_preview(value: Any, numbers: Any, live: ModuleType) -> None:
    start = pose(numbers)
    bpy.ops.riff.live()
    follow(live, 1.0)
    assert live.is_live()
    for name in WHOLE:
        if value is None:
            del numbers[name]
        else:
            numbers[name] = value
    follow(live, 2.0)
    assert not live.is_live()
    assert "propert" in live.live_preview.problem
    assert "did not foresee" not in live.live_preview.problem
    assert pose(numbers) == start


def test_an_error_that_nobody_foresaw_ends_the_preview(
    dancer: Any, live: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 1.0)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(live.live_preview.preview, "apply", fail)
    bpy.context.scene.frame_set(61)
    bpy.context.scene.frame_set(60)
    assert not live.is_live()
    assert "did not foresee" in live.live_preview.problem
    assert pose(dancer) == start


def test_an_odd_mark_keeps_no_other_pose_from_coming_back(dancer: Any, live: ModuleType) -> None:
    odd = [bpy.data.objects.new(f"A {index}", None) for index in range(3)]
    for ob, mark in zip(odd, (["a", "b"], "x", {"a": 1}), strict=True):
        bpy.context.scene.collection.objects.link(ob)
        ob["riff_previewed"] = mark
    start = pose(dancer)
    dancer["riff_previewed"] = 3.5
    dancer.pose.bones[2].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)
    live.after_change()
    assert pose(dancer) == start
    assert not [ob for ob in bpy.data.objects if ob.get("riff_previewed") is not None]


def test_a_copy_of_the_preview_in_another_file_gets_its_pose_back(
    dancer: Any, live: ModuleType, tmp_path: Path
) -> None:
    """Copying to the clipboard of the viewport writes a file without asking any handler; pasting appends it."""
    wanted = pose(dancer)
    bpy.ops.riff.live()
    follow(live, 2.0)
    assert pose(dancer) != wanted
    path = tmp_path / "copied.blend"
    bpy.data.libraries.write(str(path), {dancer})
    live.end()
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = 30
    bpy.context.scene.frame_set(60)
    bpy.ops.wm.append(filepath=str(path / "Object/Dancer"), directory=str(path / "Object"), filename="Dancer")
    pasted: Any = bpy.data.objects["Dancer"]
    assert pasted.users_scene
    assert "riff_previewed" not in pasted
    assert np.abs(np.array(pose(pasted)) - wanted).max() < 1e-6
