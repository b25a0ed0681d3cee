"""Only what Riff made is deleted: actions, objects, collections and edited copies of the user's stay."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

FRAMES = 60


@pytest.fixture
def dancer(riff: ModuleType, trained: Path) -> Iterator[bpy.types.Object]:
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.update()
    yield bpy.context.object
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


@pytest.fixture
def crowd(dancer: bpy.types.Object) -> bpy.types.Collection:
    assert bpy.ops.riff.duplicate_as_crowd(count=3, frames=FRAMES) == {"FINISHED"}
    return next(collection for collection in bpy.data.collections if collection.get("riff_crowd") is not None)


def members(crowd: bpy.types.Collection) -> list[bpy.types.Object]:
    return sorted((ob for ob in crowd.objects if ob.get("riff_member")), key=lambda ob: ob["riff_member"])


def own_walk(crowd: bpy.types.Collection) -> bpy.types.Action:
    """An action of the user's that all members play."""
    walk = bpy.data.actions["Sample Dance"].copy() if "Sample Dance" in bpy.data.actions else bpy.data.actions[0].copy()
    walk.name, walk.use_fake_user = "My hand-made walk", True
    for member in members(crowd):
        member.animation_data.action = walk
    return walk


@pytest.mark.parametrize("click", ["remove_crowd", "reroll_crowd", "thin_out_crowd"])
def test_an_own_action_on_members_stays(crowd: bpy.types.Collection, click: str) -> None:
    walk = own_walk(crowd)
    bpy.context.view_layer.objects.active = members(crowd)[0]
    options = {"reroll_crowd": {"which": "ALL"}, "thin_out_crowd": {"keep": 0.4}}.get(click, {})
    assert getattr(bpy.ops.riff, click)(**options) == {"FINISHED"}
    assert bpy.data.actions.get("My hand-made walk") == walk
    if click == "reroll_crowd":
        assert all(member.animation_data.action != walk for member in members(crowd))


def test_own_objects_in_a_crowd_stay_in_the_file_and_the_scene(
    dancer: bpy.types.Object, crowd: bpy.types.Collection
) -> None:
    scene = bpy.context.scene
    tree, lamp = (bpy.data.objects.new(name, None) for name in ("Tree", "Lamp"))
    for holder in (crowd, scene.collection):
        holder.objects.link(tree)
    crowd.objects.link(lamp)
    crowd.objects.link(dancer)
    inner = bpy.data.collections.new("Props")
    crowd.children.link(inner)
    inner.objects.link(bpy.data.objects.new("Chair", None))
    bpy.context.view_layer.objects.active = members(crowd)[0]
    assert bpy.ops.riff.remove_crowd() == {"FINISHED"}
    for name in ("Tree", "Lamp", "Chair", dancer.name):
        assert name in scene.objects, name
    assert "Props" in [child.name for child in scene.collection.children]
    assert not [ob for ob in bpy.data.objects if ob.get("riff_member")]
    assert dancer.animation_data.action is not None


def test_an_own_sword_in_a_members_hand_stays_where_it_is(crowd: bpy.types.Collection) -> None:
    sword = bpy.data.objects.new("Sword", None)
    for holder in (crowd, bpy.context.scene.collection):
        holder.objects.link(sword)
    sword.parent = members(crowd)[0]
    sword.location = (0.3, 0.0, 1.2)
    bpy.context.view_layer.update()
    before = sword.matrix_world.copy()
    bpy.context.view_layer.objects.active = members(crowd)[0]
    assert bpy.ops.riff.remove_crowd() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert "Sword" in bpy.context.scene.objects
    assert np.abs(np.array(sword.matrix_world) - np.array(before)).max() < 1e-6


def test_a_member_that_was_copied_or_put_elsewhere_stays(crowd: bpy.types.Collection) -> None:
    first, second, _ = members(crowd)
    copy = first.copy()
    crowd.objects.link(copy)
    stage = bpy.data.collections.new("Stage")
    bpy.context.scene.collection.children.link(stage)
    stage.objects.link(second)
    names = copy.name, second.name
    bpy.context.view_layer.objects.active = first
    assert bpy.ops.riff.remove_crowd() == {"FINISHED"}
    assert all(name in bpy.context.scene.objects for name in names)


def variations(dancer: bpy.types.Object) -> list[bpy.types.Action]:
    assert bpy.ops.riff.generate(count=3, frames=FRAMES, seed=1) == {"FINISHED"}
    return [action for action in bpy.data.actions if action.get("riff_armature") == dancer.name]


def test_discarding_spares_what_is_used_or_edited(dancer: bpy.types.Object, capfd: pytest.CaptureFixture[str]) -> None:
    first, second, third = variations(dancer)
    names = [first.name, second.name, third.name]
    bpy.ops.riff.variation_to_nla(action=first.name)
    edited = second.copy()
    edited.name = "Hand-edited for shot 12"
    other = bpy.data.objects.new("Other", dancer.data)
    bpy.context.scene.collection.objects.link(other)
    other.animation_data_create().action = edited
    bpy.ops.riff.refresh_models()
    dancer.animation_data.action = None
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    strips = [strip for track in dancer.animation_data.nla_tracks for strip in track.strips]
    assert [strip.action for strip in strips] == [bpy.data.actions[names[0]]]
    assert other.animation_data.action == edited
    assert names[1] not in bpy.data.actions
    assert names[2] not in bpy.data.actions


def test_one_that_a_strip_plays_is_not_discarded(dancer: bpy.types.Object) -> None:
    first, *_ = variations(dancer)
    name = first.name
    bpy.ops.riff.variation_to_nla(action=name)
    with pytest.raises(RuntimeError, match="used by an NLA strip or another object"):
        bpy.ops.riff.discard_variation(action=name)
    assert name in bpy.data.actions


def test_a_renamed_one_is_the_users(dancer: bpy.types.Object) -> None:
    first, *_ = variations(dancer)
    first.name = "Take for shot 7"
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    assert "Take for shot 7" in bpy.data.actions
