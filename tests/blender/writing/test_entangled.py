"""The user's data entangled with Riff's in every way that Blender allows: whatever is removed, the user's is the same.

RIFF_ENTANGLED is the number of scenes that are tried.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene_examples import scene_examples

FRAMES = 40
MEMBERS, VARIATIONS = 3, 3
EXAMPLES = int(os.environ.get("RIFF_ENTANGLED", "8"))

Way = Callable[[int], None]
"""A way of a person to use what Riff made; the number chooses a member or variation."""


@pytest.fixture(scope="module")
def stage(riff: ModuleType, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with a character, its crowd and its variations."""
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.update()
    dancer = bpy.context.object
    cape = bpy.data.objects.new("Cape", bpy.data.meshes.new("Cape"))
    bpy.context.scene.collection.objects.link(cape)
    cape.parent = dancer
    assert bpy.ops.riff.generate(count=VARIATIONS, frames=FRAMES, seed=1) == {"FINISHED"}
    assert bpy.ops.riff.duplicate_as_crowd(count=MEMBERS, frames=FRAMES) == {"FINISHED"}
    path = tmp_path_factory.mktemp("stage") / "stage.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    yield path
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


def dancer() -> Any:
    return bpy.data.objects["Dancer"]


def crowd() -> Any:
    return next(one for one in bpy.data.collections if one.get("riff_crowd") is not None and one.library is None)


def member(which: int) -> Any:
    found = sorted((ob for ob in crowd().objects if ob.get("riff_member")), key=lambda ob: ob.name)
    return found[which % len(found)]


def variation(which: int) -> Any:
    found = sorted((a for a in bpy.data.actions if a.get("riff_armature") == "Dancer"), key=lambda a: a.name)
    return found[which % len(found)]


def own_object(name: str, where: Any = None) -> Any:
    ob = bpy.data.objects.new(name, None)
    (where or bpy.context.scene.collection).objects.link(ob)
    return ob


def curve_of(action: Any) -> Any:
    return max(action.layers[0].strips[0].channelbags[0].fcurves, key=lambda one: len(one.keyframe_points))


def edit(action: Any) -> None:
    curve = curve_of(action)
    curve.keyframe_points[0].co.y += 0.25
    curve.update()


def own_walk(which: int) -> None:
    walk = bpy.data.actions["Sample Dance"].copy()
    walk.name = "My walk"
    for one in range(which + 1):
        member(one).animation_data.action = walk


def edited_member_action(which: int) -> None:
    edit(member(which).animation_data.action)


def shield(which: int) -> None:
    member(which).animation_data.action.use_fake_user = True


def copied_action_on_other(which: int) -> None:
    copy = variation(which).copy()
    copy.name = "Hand-edited for shot 12"
    edit(copy)
    other = own_object("Double")
    other.animation_data_create().action = copy


def copy_in_its_originals_place(which: int) -> None:
    original = variation(which)
    name, copy = original.name, original.copy()
    bpy.data.actions.remove(original)
    copy.name = name
    copy.use_fake_user = True
    edit(copy)


def edited_variation(which: int) -> None:
    edit(variation(which))


def handle(which: int) -> None:
    bpy.ops.riff.reduce_keys(action=variation(which).name)
    curve = curve_of(variation(which))
    curve.keyframe_points[0].handle_right.y += 0.1


def noise(which: int) -> None:
    curve_of(variation(which)).modifiers.new("NOISE")


def marked(which: int) -> None:
    variation(which).pose_markers.new("Hit").frame = 12


def renamed_variation(which: int) -> None:
    variation(which).name = "Take for shot 7"


def strip(which: int) -> None:
    track = dancer().animation_data.nla_tracks.new()
    track.mute = bool(which % 2)
    track.strips.new("Shot", 1, variation(which))


def action_constraint(which: int) -> None:
    ob = own_object("Follower")
    ob.constraints.new("ACTION").action = variation(which)


def camera_slot(which: int) -> None:
    action = variation(which)
    camera = own_object("Rig of the camera")
    action.slots.new("OBJECT", camera.name)
    camera.animation_data_create().action = action
    camera.animation_data.action_slot = action.slots[-1]
    camera.keyframe_insert("location", frame=3)


def linked_elsewhere(which: int) -> None:
    shot = bpy.data.collections.new("Shot")
    bpy.context.scene.collection.children.link(shot)
    shot.objects.link(member(which))


def linked_into_another_scene(which: int) -> None:
    bpy.data.scenes.new("Second unit").collection.objects.link(member(which))


def own_in_crowd(which: int) -> None:
    own_object("Lamp", crowd())
    if which % 2:
        crowd().objects.link(dancer())


def sword(which: int) -> None:
    ob = own_object("Sword")
    ob.parent, ob.location = member(which), (0.3, 0.0, 1.2)
    ob.keyframe_insert("location", frame=1)
    if which % 2:
        crowd().objects.link(ob)


def tracked(which: int) -> None:
    ob = own_object("Spot")
    ob.constraints.new("TRACK_TO").target = member(which)


def driven(which: int) -> None:
    ob = own_object("Dial")
    variable = ob.driver_add("location", 0).driver.variables.new()
    variable.type, variable.targets[0].id = "TRANSFORMS", member(which)


def pointed_at(which: int) -> None:
    own_object("Note")["who"] = member(which)


def copied_member(which: int) -> None:
    copy = member(which).copy()
    crowd().objects.link(copy)


def renamed_member(which: int) -> None:
    member(which).name = "Anna"


def inner_collection(which: int) -> None:
    inner = bpy.data.collections.new("Props")
    crowd().children.link(inner)
    own_object("Chair", inner)


def instanced(which: int) -> None:
    ob = own_object("Second crowd")
    ob.instance_type, ob.instance_collection = "COLLECTION", crowd()


def renamed_crowd(which: int) -> None:
    crowd().name = "Audience"


def camera(which: int) -> None:
    bpy.context.scene.camera = member(which)
    bpy.context.scene.timeline_markers.new("Cut", frame=9).camera = member(which + 1)


def own_clothes(which: int) -> None:
    cape = next(ob for ob in member(which).children if ob.type == "MESH")
    cape.data = bpy.data.meshes.new("Own cape")
    cape.data.materials.append(bpy.data.materials.new("Own silk"))


WAYS: list[Way] = [
    own_walk,
    edited_member_action,
    shield,
    copied_action_on_other,
    copy_in_its_originals_place,
    edited_variation,
    handle,
    noise,
    marked,
    renamed_variation,
    strip,
    action_constraint,
    camera_slot,
    linked_elsewhere,
    linked_into_another_scene,
    own_in_crowd,
    sword,
    tracked,
    driven,
    pointed_at,
    copied_member,
    renamed_member,
    inner_collection,
    instanced,
    renamed_crowd,
    camera,
    own_clothes,
]


def remove_crowd(which: int) -> None:
    bpy.ops.riff.remove_crowd()


def thin_out(which: int) -> None:
    bpy.ops.riff.thin_out_crowd(keep=which / 3)


def reroll(which: int) -> None:
    bpy.ops.riff.reroll_crowd(which="ALL")


def discard(which: int) -> None:
    bpy.ops.riff.discard_variation(action=variation(which).name)


def discard_others(which: int) -> None:
    bpy.ops.riff.discard_others()


REMOVERS: list[Way] = [remove_crowd, thin_out, reroll, discard, discard_others]


def keys(action: Any) -> list[Any]:
    found: list[Any] = [(marker.name, marker.frame) for marker in action.pose_markers]
    for bag in (bag for layer in action.layers for one in layer.strips for bag in one.channelbags):
        for curve in bag.fcurves:
            points = [(*p.co, *p.handle_left, *p.handle_right, p.interpolation) for p in curve.keyframe_points]
            found.append((curve.data_path, curve.array_index, points, [one.type for one in curve.modifiers]))
    return found


def portrait(ob: Any) -> dict[str, Any]:
    """All of a user's object that a removal could harm."""
    data = ob.animation_data
    return {
        "world": [round(value, 6) for row in ob.matrix_world for value in row],
        "own": [round(value, 6) for row in ob.matrix_basis for value in row],
        "parent": ob.parent and ob.parent.name,
        "constraints": [(one.type, getattr(getattr(one, "target", None), "name", None)) for one in ob.constraints],
        "acting": [one.action.name for one in ob.constraints if one.type == "ACTION"],
        "instanced": ob.instance_collection and ob.instance_collection.name,
        "points": [(key, value.name) for key, value in ob.items() if isinstance(value, bpy.types.ID)],
        "drivers": [d.driver.variables[0].targets[0].id.name for d in data.drivers] if data else [],
        "strips": [(t.mute, [(s.name, s.action.name) for s in t.strips]) for t in data.nla_tracks] if data else [],
    }


def of_the_user(made: dict[str, set[str]]) -> dict[str, Any]:
    """The user's data: all that is not in the file as Riff wrote it, and what the user did to that."""
    scene = bpy.context.scene
    bpy.context.view_layer.update()
    shown = {ob.name for one in bpy.data.scenes for ob in one.objects}
    return {
        "actions": {a.name: keys(a) for a in bpy.data.actions if a.name not in made["actions"]},
        "objects": {ob.name: portrait(ob) for ob in bpy.data.objects if ob.name not in made["objects"]},
        "seen": {ob.name for ob in bpy.data.objects if ob.name not in made["objects"] and ob.name in shown},
        "collections": {
            # A crowd's members leave it, whatever the user calls it.
            one.name: sorted(ob.name for ob in one.objects if one.name != "Audience" or ob.name not in made["objects"])
            for one in bpy.data.collections
            if one.name not in made["collections"]
        },
        "meshes": sorted((one.name, [material.name for material in one.materials]) for one in bpy.data.meshes),
        "cameras": [scene.camera and scene.camera.name, *(m.camera.name for m in scene.timeline_markers if m.camera)],
        "second": [sorted(ob.name for ob in one.collection.objects) for one in bpy.data.scenes if one != scene],
    }


def missing(before: Any, after: Any, where: str = "") -> list[str]:
    """Differences of the user's data before and after; there may be more of it."""
    if isinstance(before, dict):
        found = [f"{where}: {key} is gone" for key in before if key not in after]
        for key in before.keys() & after.keys():
            found += missing(before[key], after[key], f"{where}/{key}")
        return found
    if isinstance(before, set):
        return [f"{where}: {one} is gone" for one in before - after]
    return [] if before == after else [f"{where}: {before} became {after}"]


ways = st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 2)), min_size=1, max_size=5)
removers = st.lists(st.tuples(st.sampled_from(REMOVERS), st.integers(0, 2)), min_size=1, max_size=3)


@scene_examples(EXAMPLES)
@given(ways, removers)
def test_whatever_is_removed_the_users_own_is_the_same(
    stage: Path, ways: list[tuple[Way, int]], removers: list[tuple[Way, int]]
) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(stage))
    made = {kind: {block.name for block in getattr(bpy.data, kind)} for kind in ("actions", "objects", "collections")}
    made["actions"] -= {"Sample Dance"}
    made["objects"] -= {"Dancer", "Cape"}
    digests = {action.name: keys(action) for action in bpy.data.actions}
    for way, which in ways:
        way(which)
    touched = {a.name for a in bpy.data.actions if digests.get(a.name) != keys(a)}
    shielded = {a.name for a in bpy.data.actions if a.use_fake_user and a.get("riff_armature") != "Dancer"}
    made["actions"] -= touched | shielded
    before = of_the_user(made)
    dropped = {action.name for action in bpy.data.actions if action.users == 0}  # by the user; nobody saves them
    for remover, which in removers:
        bpy.context.view_layer.objects.active = member(which) if any_crowd() else dancer()
        if remover is discard or remover is discard_others:
            bpy.context.view_layer.objects.active = dancer()
        bpy.ops.riff.refresh_models()
        if remover is discard and not any(a.get("riff_armature") == "Dancer" for a in bpy.data.actions):
            continue
        try:
            remover(which)
        except RuntimeError as refusal:  # a sentence, or a poll
            if "did not foresee" in str(refusal):
                raise
    if any(remover is reroll for remover, _ in removers):
        for ob in (ob for ob in before["objects"].values() if ob["parent"] is None):
            ob.pop("world"), ob.pop("own")
    assert missing(before, of_the_user(made)) == []
    path = stage.with_name("after.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    for name in dropped & set(before["actions"]):
        del before["actions"][name]
    assert missing(before, of_the_user(made)) == []


def any_crowd() -> bool:
    return any(one.get("riff_crowd") is not None for one in bpy.data.collections)
