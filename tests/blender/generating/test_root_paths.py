"""In Place, Keep Path and the way back to the start: by operator, by panel, by script; ranges of the scene."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

from tests.support.recording_layout import RecordingLayout

NEAR = 1e-4


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The sample dancer with an instant model; her dance ends where it began."""
    bpy.ops.riff.add_sample_dancer()
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    return bpy.context.object


def hips_path(ob: bpy.types.Object, action: bpy.types.Action) -> np.ndarray:
    """Places (frames, 2) of the hips on the ground while an action plays."""
    ob.animation_data.action, ob.animation_data.action_slot = action, action.slots[0]
    found = []
    for frame in range(int(action.frame_range[0]), int(action.frame_range[1]) + 1, 10):
        bpy.context.scene.frame_set(frame)
        found.append((ob.matrix_world @ ob.pose.bones["hips"].matrix).translation[:2])
    bpy.context.scene.frame_set(int(action.frame_range[1]))
    return np.array([*found, (ob.matrix_world @ ob.pose.bones["hips"].matrix).translation[:2]])


def generated(**choices: object) -> bpy.types.Action:
    before = set(bpy.data.actions)
    assert bpy.ops.riff.generate(count=1, **choices) == {"FINISHED"}
    (made,) = set(bpy.data.actions) - before
    return made


def test_each_path_of_the_root_is_written(dancer: bpy.types.Object) -> None:
    source = dancer.animation_data.action
    own = hips_path(dancer, source)
    assert np.linalg.norm(own[-1] - own[0]) < 0.2, "the dance ends about where it began"
    free, auto = (hips_path(dancer, generated(root=root, seed=3)) for root in ("FREE", "AUTO"))
    assert np.linalg.norm(free[-1] - free[0]) > 0.2
    assert np.linalg.norm(auto[-1] - auto[0]) < NEAR
    assert np.ptp(hips_path(dancer, generated(root="PLACE", seed=3)), axis=0).max() < NEAR
    kept = generated(root="SOURCE", seed=3)
    assert kept["riff_root"] == "SOURCE"
    assert np.linalg.norm(hips_path(dancer, kept) - own, axis=1).max() < 0.02


def test_more_like_a_variation_in_place_stays_in_place(dancer: bpy.types.Object) -> None:
    generated(root="PLACE", seed=3)
    bpy.context.scene.riff.count = 1
    before = set(bpy.data.actions)
    like = next(action for action in bpy.data.actions if action.get("riff_root") == "PLACE")
    assert bpy.ops.riff.more_like_this(action=like.name) == {"FINISHED"}
    (made,) = set(bpy.data.actions) - before
    assert np.ptp(hips_path(dancer, made), axis=0).max() < NEAR


def test_the_panel_hands_the_path_on_and_says_both_lengths(riff: ModuleType, dancer: bpy.types.Object) -> None:
    panel = importlib.import_module(f"{riff.__name__}.panels.generate")
    settings, scene = bpy.context.scene.riff, bpy.context.scene
    settings.root = "SOURCE"

    def drawn() -> list[str]:
        layout = RecordingLayout()
        panel.RIFF_PT_generate.draw(type("Panel", (), {"layout": layout})(), bpy.context)
        return [call.text for call in layout.calls]

    assert not any("fps" in text for text in drawn()), "learned at the rate of the scene"
    scene.render.fps, scene.render.fps_base = 24000, 1000.05
    assert "Learned at 30 fps" in drawn()
    assert "480 frames, 20.0 s at 24 fps" in drawn()
    settings.source_length, settings.frames = False, 49
    assert "49 frames, 2.0 s at 24 fps" in drawn()


def test_scripts_choose_the_path(riff: ModuleType, dancer: bpy.types.Object) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    model = api.instant(api.read(dancer))
    held = api.generate(model, seed=2, root="place")[0]
    assert np.ptp(held.root_positions()[:, :2], axis=0).max() < 1e-9
    loop = api.generate(model, seed=2, seconds=3.0, loop=True)[0]
    np.testing.assert_allclose(loop.rotations()[0], loop.rotations()[-1], atol=1e-6)
    with pytest.raises(api.RiffError, match="not “home”"):
        api.generate(model, root="home")


def test_extending_widens_the_range_of_the_scene_where_that_is_asked(dancer: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 600
    assert bpy.ops.riff.extend_action(after=60) == {"FINISHED"}
    assert (scene.frame_start, scene.frame_end) == (1, 600), "scripts get only what they ask for"
    assert scene.riff_compose.fit_range, "the panel asks for it"
    bpy.ops.ed.undo_push(message="Before")
    assert bpy.ops.riff.extend_action("EXEC_DEFAULT", True, after=60, fit_range=True) == {"FINISHED"}
    assert (scene.frame_start, scene.frame_end) == (1, 660)
    bpy.ops.ed.undo()
    assert bpy.context.scene.frame_end == 600
    bpy.context.scene.frame_end = 900
    assert bpy.ops.riff.extend_action(after=60, fit_range=True) == {"FINISHED"}
    assert bpy.context.scene.frame_end == 900, "a range is never made shorter"


def test_a_crowd_moves_over_the_range_of_the_scene(dancer: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 11, 130
    assert scene.riff_crowd.scene_range, "the panel asks for it"
    assert bpy.ops.riff.duplicate_as_crowd(count=2, scene_range=True) == {"FINISHED"}
    members = [ob for ob in bpy.data.objects if ob.get("riff_member")]
    assert [tuple(ob.animation_data.action.frame_range) for ob in members] == [(11.0, 130.0)] * 2


@pytest.mark.parametrize("root", ["AUTO", "PLACE"])
def test_a_live_variation_goes_the_same_way(riff: ModuleType, dancer: bpy.types.Object, root: str) -> None:
    live = importlib.import_module(f"{riff.__name__}.state.live")
    bpy.context.scene.riff.root = root
    bpy.context.window_manager.riff.live_position = 3.0
    bpy.ops.riff.live()
    deadline = time.monotonic() + 60
    while live.follow() and not (live.live_preview.job.answers and live.live_preview.job.finished):
        assert time.monotonic() < deadline, "no motion was shown"
        time.sleep(0.01)
    before = set(bpy.data.actions)
    assert bpy.ops.riff.live_keep() == {"FINISHED"}
    (kept,) = set(bpy.data.actions) - before
    assert kept["riff_root"] == root
    wanted = hips_path(dancer, generated(root=root, seed=3))
    np.testing.assert_allclose(hips_path(dancer, kept), wanted, atol=1e-3)
