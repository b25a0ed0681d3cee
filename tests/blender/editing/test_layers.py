"""Layers of the NLA that are the user's: tracks above a member's motion, and Tweak Mode."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.limits import refused


def add_layer(ob: Any) -> Any:
    """A layer made by hand above all others of an object, with an action that keys its colour; the action."""
    action = bpy.data.actions.new("Layer")
    slot = action.slots.new(id_type="OBJECT", name=ob.name)
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    bag.fcurves.new("color", index=2).keyframe_points.insert(1.0, 0.5)
    track = ob.animation_data.nla_tracks.new()
    track.name = "By Hand"
    track.strips.new("Layer", 1, action).influence = 0.5
    return action


def tracks(ob: Any) -> list[str]:
    return [track.name for track in ob.animation_data.nla_tracks]


def members() -> list[Any]:
    found = [ob for ob in bpy.data.objects if ob.get("riff_member") is not None]
    return sorted(found, key=lambda ob: int(ob["riff_member"]))


def tweak(ob: Any, track: Any) -> None:
    data = ob.animation_data
    data.nla_tracks.active = track
    for one in data.nla_tracks:
        for strip in one.strips:
            strip.select = one == track
    data.use_tweak_mode = True
    assert data.use_tweak_mode


@pytest.mark.parametrize("nla", [False, True])
def test_re_roll_leaves_layers_of_the_user(short_dancer: Any, nla: bool, tmp_path: Path) -> None:
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60, nla=nla) == {"FINISHED"}
    member = members()[0]
    action = add_layer(member)
    motion = tracks(member)[0] if nla else member.animation_data.action.name
    assert bpy.ops.riff.reroll_crowd(which="ALL") == {"FINISHED"}
    assert tracks(member)[-1] == "By Hand"
    assert member.animation_data.nla_tracks["By Hand"].strips[0].action == action
    now = tracks(member)[0] if nla else member.animation_data.action.name
    assert len(tracks(member)) == (2 if nla else 1)
    assert now != motion
    assert motion not in bpy.data.actions
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "crowd.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "crowd.blend"))
    assert "Layer" in bpy.data.actions


@pytest.mark.parametrize("nla", [False, True])
def test_re_roll_that_fails_leaves_layers_of_the_user(
    riff: ModuleType, short_dancer: Any, nla: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60, nla=nla) == {"FINISHED"}
    layer = add_layer(members()[0])
    before = [(tracks(ob), ob.animation_data.action, ob.matrix_world.copy()) for ob in members()]
    actions = set(bpy.data.actions.keys())
    writer = importlib.import_module(f"{riff.__name__}.rig.crowd.write").CrowdWriter
    monkeypatch.setattr(writer, "keep", lambda self: (_ for _ in ()).throw(LookupError("gone")))
    refused("reroll_crowd", which="ALL")
    assert [(tracks(ob), ob.animation_data.action, ob.matrix_world.copy()) for ob in members()] == before
    assert set(bpy.data.actions.keys()) == actions
    assert members()[0].animation_data.nla_tracks["By Hand"].strips[0].action == layer


def test_re_roll_of_a_member_in_tweak_mode(short_dancer: Any) -> None:
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60, nla=True) == {"FINISHED"}
    before = [tracks(ob) for ob in members()]
    tweak(members()[1], members()[1].animation_data.nla_tracks[0])
    with pytest.raises(RuntimeError, match="“Dancer 002” is in Tweak Mode; leave it in the NLA editor first"):
        bpy.ops.riff.reroll_crowd(which="ALL")
    assert [tracks(ob) for ob in members()] == before
    assert members()[1].animation_data.use_tweak_mode


def test_a_variation_is_shown_in_tweak_mode(riff: ModuleType, short_dancer: Any) -> None:
    assert bpy.ops.riff.generate(count=2, frames=60) == {"FINISHED"}
    names = [row.name for row in bpy.context.window_manager.riff.variations]
    data = short_dancer.animation_data
    source = data.action
    track = data.nla_tracks.new()
    track.strips.new("Mine", 200, source)
    tweak(short_dancer, track)
    words = "“Dancer” is in Tweak Mode; leave it in the NLA editor first"
    for operator, settings in (
        ("show_action", {"action": names[0]}),
        ("next_variation", {}),
        ("previous_variation", {}),
    ):
        with pytest.raises(RuntimeError, match=words):
            getattr(bpy.ops.riff, operator)(**settings)
    importlib.import_module(f"{riff.__name__}.state.variations.show").show_clicked(bpy.context, names[0])
    assert bpy.context.window_manager.riff.problem == f"{words}."
    assert data.use_tweak_mode
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    data.use_tweak_mode = False
    assert data.action == source
    assert not [name for name in names if name in bpy.data.actions]
