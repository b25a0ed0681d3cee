"""Choosing among variations: a click on a row shows it, walking, keeping, rejecting, renaming, pictures of poses."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.editing.beside import Beside


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The sample dancer with an instant model and three variations."""
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    assert bpy.ops.riff.generate(count=3, frames=90) == {"FINISHED"}
    return bpy.context.object


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


def session() -> Any:
    return bpy.context.window_manager.riff


def names() -> list[str]:
    return [row.name for row in session().variations]


def playing(ob: bpy.types.Object) -> str:
    return ob.animation_data.action.name


def test_a_click_on_a_row_shows_it_as_one_undo_step(dancer: bpy.types.Object) -> None:
    source = playing(dancer)
    assert session().active_variation == -1, "the source plays, and it is no variation"
    bpy.ops.ed.undo_push(message="Before")
    session().active_variation = 1  # as the list does
    assert playing(dancer) == names()[1]
    assert dancer.animation_data.action_slot is not None
    assert session().active_variation == 1
    session().active_variation = 2
    assert playing(dancer) == names()[2]
    bpy.ops.ed.undo()
    assert (playing(bpy.data.objects["Dancer"]), session().active_variation) == (names()[1], 1)
    bpy.ops.ed.undo()
    assert (playing(bpy.data.objects["Dancer"]), session().active_variation) == (source, -1)


def test_what_plays_is_what_is_chosen(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    dancer.animation_data.action = bpy.data.actions[names()[2]]  # in the Action Editor
    assert part("state.session").chosen_variation(bpy.context).name == names()[2]
    bpy.ops.riff.refresh_models()
    part("state.session").refresh()
    assert session().active_variation == 2
    bpy.ops.riff.show_action(action=names()[0])
    assert session().active_variation == 0


def test_listing_changes_nothing_that_plays(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    source = playing(dancer)
    part("state.session").refresh()
    assert bpy.ops.riff.generate(count=1, frames=90) == {"FINISHED"}
    assert playing(dancer) == source
    session().active_variation = 99
    assert playing(dancer) == source


def test_a_click_on_what_cannot_be_shown_is_said(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    action = bpy.data.actions[names()[0]]
    while len(action.slots):
        action.slots.remove(action.slots[0])
    source = playing(dancer)
    session().active_variation = 0
    assert playing(dancer) == source
    assert "has no slot" in session().problem
    part("state.guard").show_problem("")


def test_a_click_ends_a_live_variation(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    assert bpy.ops.riff.live() == {"FINISHED"}
    session().active_variation = 1
    assert not part("state.live").is_live()
    assert playing(dancer) == names()[1]


def test_walking_through_the_list(dancer: bpy.types.Object) -> None:
    source, seen = playing(dancer), []
    for _ in names():
        assert bpy.ops.riff.next_variation() == {"FINISHED"}
        seen.append(playing(dancer))
    assert seen == names()
    assert bpy.ops.riff.next_variation() == {"CANCELLED"}, "it was the last one"
    assert playing(dancer) == seen[-1]
    for name in reversed(seen[:-1]):
        assert bpy.ops.riff.previous_variation() == {"FINISHED"}
        assert playing(dancer) == name
    assert bpy.ops.riff.previous_variation() == {"CANCELLED"}
    bpy.ops.riff.show_action(action=source)
    assert bpy.ops.riff.previous_variation() == {"FINISHED"}
    assert playing(dancer) == seen[-1], "backwards from the source is the last one"
    for name in names():
        bpy.ops.riff.discard_variation(action=name)
    with pytest.raises(RuntimeError, match="generate some first"):
        bpy.ops.riff.next_variation()


def test_the_tenth_stands_behind_the_second(dancer: bpy.types.Object) -> None:
    assert bpy.ops.riff.generate(count=11, frames=60, seed=4) == {"FINISHED"}
    labels = [row.title for row in session().variations if row.title.startswith("4-")]
    assert labels == [f"4-{number}" for number in range(1, 12)]


def test_rejecting_shows_the_next_one(dancer: bpy.types.Object) -> None:
    first, second, third = names()
    session().active_variation = 1
    bpy.ops.ed.undo_push(message="Shown")
    bpy.ops.riff.discard_variation("EXEC_DEFAULT", True, action=second)
    assert (playing(dancer), second in bpy.data.actions) == (third, False)
    bpy.ops.ed.undo()
    assert playing(bpy.data.objects["Dancer"]) == second
    bpy.ops.riff.discard_variation(action=second)
    bpy.ops.riff.discard_variation(action=third)
    assert playing(bpy.data.objects["Dancer"]) == first
    assert names() == [first]


def test_renaming_in_the_list_renames_the_action(dancer: bpy.types.Object) -> None:
    row = session().variations[0]
    assert row.title == "1-1"
    old = row.name
    row.title = "  Slow Turn "
    assert old not in bpy.data.actions
    assert bpy.data.actions["Slow Turn"].get("riff_seed") == 1
    assert [row.title, row.name] == ["Slow Turn", "Slow Turn"]
    row.title = " "
    assert row.name == "Slow Turn"
    session().variations[1].title = "Slow Turn"
    assert session().variations[1].title == "Slow Turn.001"
    assert bpy.ops.riff.discard_variation(action="Slow Turn") == {"FINISHED"}, "it is Riff's own still"
    bpy.data.actions["Slow Turn.001"].name = "Mine"
    with pytest.raises(RuntimeError, match="no longer in the file"):
        bpy.ops.riff.discard_variation(action="Slow Turn.001")
    with pytest.raises(RuntimeError, match="copied, renamed or edited"):
        bpy.ops.riff.discard_variation(action="Mine")


def test_renaming_is_one_undo_step(dancer: bpy.types.Object) -> None:
    bpy.ops.ed.undo_push(message="Before")
    old = names()[0]
    session().variations[0].title = "Slow Turn"
    bpy.ops.ed.undo()
    assert old in bpy.data.actions
    assert session().variations[0].title == "1-1"


def test_only_what_is_kept_becomes_an_asset(dancer: bpy.types.Object) -> None:
    made = [bpy.data.actions[name] for name in names()]
    assert [action.asset_data for action in made] == [None] * 3
    assert all(action.use_fake_user for action in made)
    with pytest.raises(RuntimeError, match="Keep variations first"):
        bpy.ops.riff.mark_kept()
    bpy.ops.riff.keep_variation(action=names()[0])
    bpy.ops.riff.keep_variation(action=names()[2])
    assert bpy.ops.riff.mark_kept() == {"FINISHED"}
    assert [action.asset_data is not None for action in made] == [True, False, True]
    assert tuple(made[2].preview.image_size) == (128, 128)
    assert bpy.ops.riff.mark_asset(action=names()[1]) == {"FINISHED"}
    assert session().variations[1].kept, "Discard Others must not take an asset away"


def test_each_row_has_its_four_poses(dancer: bpy.types.Object, part: Callable[[str], Any], tmp_path: Path) -> None:
    pictures, thumbnail = part("state.variations.pose_pictures"), part("rig.writing.thumbnail")
    rows = session().variations
    assert pictures.pose_icons(rows[0]) == (), "drawing asks, and a timer paints"
    while pictures.update_pictures() is not None:
        pass
    icons = pictures.pose_icons(rows[0])
    assert len(icons) == 4  # numbers that only a window gives
    poses = thumbnail.poses_of(bpy.data.actions[rows[0].name])
    assert poses.shape == (4, 32, 32)
    assert all(0.02 < pose.mean() < 0.5 for pose in poses)
    assert any((poses[0] != other).any() for other in poses[1:])
    heights = [np.flatnonzero(pose.any(1)) for pose in poses]
    assert max(np.ptp(rows) for rows in heights) > 20, "a figure fills its picture"
    painted = np.empty(32 * 32 * 4, dtype=np.float32)
    pictures._collections[0][f"{rows[0].poses}-2"].icon_pixels_float.foreach_get(painted)
    assert ((painted.reshape(32, 32, 4)[..., 3] > 0) == poses[2]).all()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "dance.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "dance.blend"))
    part("state.session").refresh()
    assert pictures.pose_icons(session().variations[0]) == icons


@pytest.mark.parametrize("kept", [b"", b"\x01" * 7, "text", 3])
def test_pictures_that_are_none_are_left_out(
    dancer: bpy.types.Object, part: Callable[[str], Any], kept: object
) -> None:
    bpy.data.actions[names()[0]]["riff_poses"] = kept
    part("state.session").refresh()
    pictures = part("state.variations.pose_pictures")
    assert pictures.pose_icons(session().variations[0]) == ()
    while pictures.update_pictures() is not None:
        pass
    assert pictures.pose_icons(session().variations[0]) == ()


def test_more_like_a_row_that_is_not_shown(dancer: bpy.types.Object) -> None:
    assert bpy.ops.riff.more_like_this(action=names()[1]) == {"FINISHED"}
    assert next(row.title for row in session().variations if "like" in row.title).endswith("like 1-2")


def test_a_kept_live_variation_plays(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    assert bpy.ops.riff.live() == {"FINISHED"}
    live = part("state.live")
    while live.live_preview.seen == 0:
        live.follow()
    keep = Beside("live_keep")
    while not keep.running:
        keep.click()
        live.follow()
    while keep.running:
        keep.pulse()
    assert playing(dancer).endswith("Variation 1.00")
    assert dancer.animation_data.action["riff_kept"]
    assert session().variations[session().active_variation].name == playing(dancer)
