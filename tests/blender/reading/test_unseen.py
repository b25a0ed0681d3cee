"""Hostile handlers of other add-ons: while Riff looks, none of them runs, and nothing of the user's changes."""

from __future__ import annotations

import importlib
import math
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from bpy.app.handlers import persistent

from tests.support.rigs.biped import add_dancing_biped, curve_values, key, state_of_file, world_pose

KINDS = (
    "frame_change_pre",
    "frame_change_post",
    "depsgraph_update_pre",
    "depsgraph_update_post",
    "undo_pre",
    "undo_post",
    "redo_pre",
    "redo_post",
    "load_pre",
    "load_post",
    "save_pre",
    "save_post",
)


class Hostile:
    """Handlers of every kind: one notes each call, one writes to the rig, one raises; `calls` are their kinds."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.rig = ""
        self._own = [(getattr(bpy.app.handlers, kind), self._functions(kind)) for kind in KINDS]
        for handlers, functions in self._own:
            handlers.extend(functions)
        self.lists = {kind: list(getattr(bpy.app.handlers, kind)) for kind in KINDS}

    def _functions(self, kind: str) -> list[Callable[..., None]]:
        @persistent
        def note(*_: Any) -> None:
            self.calls.append(kind)

        @persistent
        def write(*_: Any) -> None:
            ob = bpy.data.objects.get(self.rig)
            if ob is not None and ob.pose is not None:
                ob.pose.bones["head"].location.x += 0.25
                ob.keyframe_insert('pose.bones["head"].location', frame=bpy.context.scene.frame_current)

        @persistent
        def fail(*_: Any) -> None:
            raise RuntimeError(f"a handler of another add-on: {kind}")

        return [note, fail] if kind.startswith(("load", "depsgraph")) else [note, write, fail]

    def remove(self) -> None:
        for handlers, functions in self._own:
            for function in functions:
                handlers.remove(function)

    def are_in_place(self) -> bool:
        return all(list(getattr(bpy.app.handlers, kind)) == before for kind, before in self.lists.items())


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    handlers = Hostile()
    yield handlers
    handlers.remove()


@pytest.fixture
def biped(hostile: Hostile) -> Any:
    """The dancing biped in a file that is up to date, at frame 40; the hostile handlers write to it."""
    biped = add_dancing_biped()
    bpy.context.scene.frame_set(40)
    bpy.context.view_layer.update()
    hostile.rig = biped.name
    hostile.calls.clear()
    return biped


def all_of(biped: Any) -> tuple[object, ...]:
    return state_of_file(), curve_values(biped.animation_data.action), bpy.data.is_dirty


def refresh() -> None:
    """Update the shown scene as Blender's window does after a timer or an operator."""
    bpy.context.view_layer.update()


def test_reading_is_unseen(door: Any, biped: Any, hostile: Hostile) -> None:
    before = all_of(biped)
    motion = door.read_motion(biped)
    refresh()
    assert hostile.calls == []
    assert hostile.are_in_place()
    assert all_of(biped) == before
    assert motion.frames == 101


def test_reading_in_steps_is_unseen(riff: ModuleType, biped: Any, hostile: Hostile) -> None:
    reading = importlib.import_module(f"{riff.__name__}.rig.reading.read")
    before, steps = all_of(biped), 0
    for _ in reading.read_steps(biped, seconds=0.0):
        refresh()
        steps += 1
        assert hostile.are_in_place()
    assert steps > 100
    assert hostile.calls == []
    assert all_of(biped) == before


def test_reading_that_fails_is_unseen(door: Any, biped: Any, hostile: Hostile) -> None:
    key(biped, "hips", "location", lambda t: (math.nan, 0.0, 0.0))
    refresh()
    hostile.calls.clear()
    with pytest.raises(door.error, match="not a number"):
        door.read_motion(biped)
    refresh()
    assert hostile.calls == []
    assert hostile.are_in_place()


def test_own_changes_that_wait_are_not_swallowed(door: Any, biped: Any, hostile: Hostile) -> None:
    biped.location.y = 2.0
    door.read_motion(biped)
    assert hostile.calls == []
    refresh()
    assert hostile.calls == ["depsgraph_update_pre", "depsgraph_update_post"]


def test_unkeyed_poses_stay(door: Any, biped: Any, hostile: Hostile) -> None:
    biped.pose.bones["root"].location = (0.5, 0.0, 0.0)
    refresh()
    hostile.calls.clear()
    door.read_motion(biped)
    refresh()
    assert tuple(biped.pose.bones["root"].location) == (0.5, 0.0, 0.0)
    assert hostile.calls == []


def test_writing_is_unseen(door: Any, biped: Any, hostile: Hostile) -> None:
    motion = door.read_motion(biped)
    source = biped.animation_data.action
    before = curve_values(source)
    action = door.write_motion(biped, motion, "New", source_action=source)
    refresh()
    assert hostile.calls == []
    assert hostile.are_in_place()
    assert curve_values(source) == before
    assert "New" in bpy.data.actions
    assert len(curve_values(action)) == len(before)


def test_undo_and_dirty_flag_are_as_before(door: Any, biped: Any, hostile: Hostile, tmp_path: Path) -> None:
    hostile.rig = ""
    for number in (1, 2):
        biped["step"] = number
        bpy.ops.ed.undo_push(message=f"Step {number}")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    clean = bpy.data.is_dirty
    refresh()
    hostile.calls.clear()
    door.read_motion(biped)
    refresh()
    assert hostile.calls == []
    assert bpy.data.is_dirty == clean
    bpy.ops.ed.undo()
    assert bpy.data.objects["Biped"]["step"] == 1
    assert "undo_post" in hostile.calls


def test_a_handler_added_meanwhile_stays(riff: ModuleType, hostile: Hostile) -> None:
    unseen = importlib.import_module(f"{riff.__name__}.rig.unseen")

    def added(*_: Any) -> None:
        hostile.calls.append("added")

    def work() -> None:
        with unseen.handlers_at_rest():
            assert all(not getattr(bpy.app.handlers, kind) for kind in KINDS)
            bpy.app.handlers.frame_change_post.append(added)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert list(bpy.app.handlers.frame_change_post) == [*hostile.lists["frame_change_post"], added]
    bpy.app.handlers.frame_change_post.remove(added)
    assert hostile.are_in_place()


@pytest.fixture
def dancer(riff: ModuleType, trained: Path, hostile: Hostile) -> Iterator[Any]:
    """The sample dancer with its model in the list, in a file that is up to date."""
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.riff.refresh_models()
    bpy.ops.riff.add_sample_dancer()
    refresh()
    hostile.calls.clear()
    yield bpy.context.object
    importlib.import_module(f"{riff.__name__}.state.live").end()
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


def wait_for_live(live: ModuleType) -> None:
    """Follow the live variation as a window does, until the finished motion is shown."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and live.follow():
        refresh()
        if live.live_preview.job.finished and live.live_preview.seen == live.live_preview.job.answers:
            return
        time.sleep(0.01)
    raise AssertionError("the live variation never was finished")


def test_live_preview_is_unseen_but_for_the_users_own_playback(riff: ModuleType, dancer: Any, hostile: Hostile) -> None:
    live = importlib.import_module(f"{riff.__name__}.state.live")
    before, source = world_pose(dancer, 10), curve_values(dancer.animation_data.action)
    refresh()
    hostile.calls.clear()
    assert bpy.ops.riff.live() == {"FINISHED"}
    wait_for_live(live)
    assert hostile.calls == []
    bpy.context.window_manager.riff.live_position = 3.0
    refresh()  # the user's own change of a slider
    hostile.calls.clear()
    wait_for_live(live)
    assert hostile.calls == []
    shown = world_pose(dancer, 11)  # the user's own change of frame
    assert {"frame_change_pre", "frame_change_post"} <= set(hostile.calls)
    assert any(np.abs(shown[bone] - before[bone]).max() > 1e-3 for bone in before)
    refresh()
    hostile.calls.clear()
    live.end()
    refresh()
    assert hostile.calls == []
    assert hostile.are_in_place()
    assert curve_values(dancer.animation_data.action) == source
    after = world_pose(dancer, 10)
    assert max(np.abs(after[bone] - before[bone]).max() for bone in before) < 1e-6


def test_variations_with_pictures_are_unseen(dancer: Any, hostile: Hostile) -> None:
    assert bpy.ops.riff.generate(count=2, as_asset=True) == {"FINISHED"}
    refresh()
    assert hostile.calls == []
    made = [action for action in bpy.data.actions if action.get("riff_model") is not None]
    assert len(made) == 2
    assert all(any(action.preview.image_pixels_float) for action in made)


def test_a_crowd_changes_no_frame_and_not_its_source(dancer: Any, hostile: Hostile) -> None:
    frame, source = bpy.context.scene.frame_current, curve_values(dancer.animation_data.action)
    assert bpy.ops.riff.duplicate_as_crowd(count=3, frames=40, distance=1.0) == {"FINISHED"}
    refresh()
    assert not {call for call in hostile.calls if not call.startswith("depsgraph")}  # new objects are the user's own
    assert hostile.are_in_place()
    assert bpy.context.scene.frame_current == frame
    assert curve_values(dancer.animation_data.action) == source


def add_cloth(biped: Any) -> Any:
    """A cloth that the head follows by way of an empty, simulated for 12 frames."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=4, y_subdivisions=4, location=(0.0, 0.0, 3.0))
    cloth: Any = bpy.context.object
    cloth.vertex_groups.new(name="corner").add([0], 1.0, "ADD")
    cloth.modifiers.new("Cloth", "CLOTH")
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    follow: Any = empty.constraints.new("COPY_LOCATION")
    follow.target, follow.subtarget = cloth, "corner"
    biped.pose.bones["head"].constraints.new("COPY_LOCATION").target = empty
    for frame in range(1, 13):
        bpy.context.scene.frame_set(frame)
    return cloth


def test_a_simulation_that_a_bone_follows_keeps_its_cache(door: Any, biped: Any, hostile: Hostile) -> None:
    hostile.rig = ""
    cache = add_cloth(biped).modifiers["Cloth"].point_cache
    before, places = cache.info, world_pose(biped, 12)
    assert before.startswith("12 frames in memory")
    objects = set(bpy.data.objects)
    motion = door.read_motion(biped)
    assert cache.info == before
    door.write_motion(biped, motion, "New", source_action=biped.animation_data.action)
    refresh()
    assert cache.info == before
    assert set(bpy.data.objects) == objects
    world_pose(biped, 5)
    after = world_pose(biped, 12)
    assert max(np.abs(after[bone] - places[bone]).max() for bone in places) < 1e-6
