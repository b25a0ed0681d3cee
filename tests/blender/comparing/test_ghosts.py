"""Ghosts: variations side by side beside the character, which plays on; found again, never kept alive, removed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Vector


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The sample dancer in a skin of a few triangles, with four variations."""
    bpy.ops.riff.add_sample_dancer()
    ob = bpy.context.object
    bpy.data.batch_remove([child for child in ob.children if child.type == "MESH"])
    skin = new_skin(ob)
    skin.modifiers.new("Smooth", "SUBSURF")
    assert bpy.ops.riff.generate(count=4, frames=60) == {"FINISHED"}
    return ob


def new_skin(ob: Any) -> Any:
    """A mesh of one small triangle at each bone, bound to it by a vertex group and an Armature modifier."""
    mesh = bpy.data.meshes.new("Skin")
    places = [bone.tail_local for bone in ob.data.bones]
    points = [(p.x + x, p.y + y, p.z) for p in places for x, y in ((0.0, 0.0), (0.02, 0.0), (0.0, 0.02))]
    mesh.from_pydata(points, [], [(k, k + 1, k + 2) for k in range(0, len(points), 3)])
    skin = bpy.data.objects.new("Skin", mesh)
    bpy.context.scene.collection.objects.link(skin)
    for number, bone in enumerate(ob.data.bones):
        skin.vertex_groups.new(name=bone.name).add(range(3 * number, 3 * number + 3), 1.0, "REPLACE")
    skin.modifiers.new("Armature", "ARMATURE").object = ob
    bpy.context.view_layer.update()
    return skin


def rows() -> Any:
    return bpy.context.window_manager.riff.variations


def names() -> list[str]:
    return [row.name for row in rows()]


def ghosts() -> list[Any]:
    found = [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.get("riff_ghost")]
    return sorted(found, key=lambda ob: ob["riff_place"])


def meshes() -> list[Any]:
    return [ob for ob in bpy.data.objects if ob.type == "MESH" and ob.get("riff_ghost")]


def played() -> list[str]:
    return [ghost.animation_data.action.name for ghost in ghosts()]


def points_of(ob: Any) -> np.ndarray:
    """Vertices of an object's mesh as it is deformed now, in the world."""
    bpy.context.view_layer.update()
    evaluated = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.array([evaluated.matrix_world @ vertex.co for vertex in mesh.vertices])
    evaluated.to_mesh_clear()
    return points


def state() -> tuple[Any, ...]:
    """All that ghosts add to a file."""
    kinds = ("objects", "collections", "meshes", "armatures", "actions", "materials", "node_groups")
    return tuple(sorted(getattr(bpy.data, kind).keys()) for kind in kinds)


def test_each_variation_stands_beside_the_character_and_moves(dancer: Any) -> None:
    source, before = dancer.animation_data.action, state()
    bpy.data.objects["Skin"].modifiers["Smooth"].show_viewport = False  # ghosts do without it
    at_home = points_of(bpy.data.objects["Skin"])
    assert bpy.ops.riff.show_ghosts(number=3, which="LISTED", spacing=2.0) == {"FINISHED"}
    assert played() == names()[:3]
    assert dancer.animation_data.action == source
    assert np.array_equal(points_of(bpy.data.objects["Skin"]), at_home)
    size = max(np.ptp([p for bone in dancer.data.bones for p in (bone.head_local, bone.tail_local)], axis=0))
    for frame in (1, 20, 45):
        bpy.context.scene.frame_set(frame)
        for place, (ghost, mesh) in enumerate(zip(ghosts(), meshes(), strict=True), start=1):
            dancer.animation_data.action = ghost.animation_data.action
            moved = points_of(mesh) - points_of(bpy.data.objects["Skin"])
            assert np.abs(moved - [2.0 * size * place, 0.0, 0.0]).max() < 1e-4, (frame, place)
            dancer.animation_data.action = source
    assert all(mesh.data == bpy.data.meshes["Skin"] for mesh in meshes()), "no mesh is duplicated"
    assert [len(before_) for before_ in before][2:5] == [len(now) for now in state()][2:5]
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert state() == before, "nothing of the ghosts is left"


def test_they_are_light_seen_through_not_selected_not_rendered(dancer: Any) -> None:
    dancer.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.riff.show_ghosts(number=2)
    assert {ob.mode for ob in ghosts()} == {"OBJECT"}
    for ob in (*ghosts(), *meshes()):
        assert ob.hide_render
        assert ob.hide_select
        assert not ob.select_get()
    for mesh in meshes():
        assert [modifier.type for modifier in mesh.modifiers] == ["ARMATURE", "NODES"]
        evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
        (material,) = evaluated.materials
        assert 0.0 < material.diffuse_color[3] < 1.0
        assert tuple(mesh.color) == tuple(material.diffuse_color)
    assert len({tuple(mesh.color) for mesh in meshes()}) == 2, "each has its colour"
    assert all(ghost.hide_viewport for ghost in ghosts()), "the skin shows the pose, not the bones"
    assert not len(bpy.data.meshes["Skin"].materials)
    bpy.ops.riff.show_ghosts(number=2, wire=True)
    assert {mesh.display_type for mesh in meshes()} == {"WIRE"}


def test_an_armature_without_a_skin_is_shown_by_its_bones(dancer: Any) -> None:
    bpy.data.objects.remove(bpy.data.objects["Skin"])
    bpy.ops.riff.show_ghosts(number=1, behind=True)
    (ghost,) = ghosts()
    assert not ghost.hide_viewport
    bpy.context.view_layer.update()
    moved = ghost.matrix_world.translation - dancer.matrix_world.translation
    assert moved.y > 0.5
    assert abs(moved.x) < 1e-5


def test_they_follow_the_list(dancer: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.riff.show_ghosts(number=3, which="LISTED")
    first, second, third = names()[:3]
    assert [row.ghost for row in rows()] == [True, True, True, False]
    assert bpy.ops.riff.discard_variation(action=second) == {"FINISHED"}
    assert played() == [first, third], "a rejected variation's ghost goes at once"
    assert bpy.ops.riff.toggle_ghost(action=first) == {"FINISHED"}
    assert played() == [third]
    assert bpy.ops.riff.toggle_ghost(action=first) == {"FINISHED"}
    assert [(ghost["riff_place"], ghost.animation_data.action.name) for ghost in ghosts()] == [(1, first), (3, third)]
    bpy.context.window_manager.riff.variations[0].title = "Slow"
    assert "Slow" in played()
    ghost_names = part("state.variations.ghosts").ghost_names
    assert [one.text for one in ghost_names(bpy.context)] == ["Slow", third.rpartition(" ")[2]]
    (layer,) = [one for one in bpy.context.view_layer.layer_collection.children if one.name == "Riff Ghosts"]
    layer.hide_viewport = True
    assert ghost_names(bpy.context) == []
    layer.hide_viewport = False
    bpy.ops.riff.keep_variation(action=third)
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    assert played() == names() == [third]


def test_the_amount_of_a_ghost_that_is_changed_is_shown(dancer: Any) -> None:
    bpy.ops.riff.set_amount(action=names()[0], amount=0.5)
    (half,) = [name for name in names() if name.endswith("50%")]
    bpy.ops.riff.toggle_ghost(action=half)
    bpy.ops.riff.set_amount(action=half, amount=0.25)
    assert [name[-3:] for name in played()] == ["25%"]
    assert half not in bpy.data.actions


def test_the_kept_ones_and_the_newest_ones(dancer: Any) -> None:
    with pytest.raises(RuntimeError, match="keep some by the star"):
        bpy.ops.riff.show_ghosts(which="KEPT")
    bpy.ops.riff.keep_variation(action=names()[3])
    assert bpy.ops.riff.show_ghosts(which="KEPT") == {"FINISHED"}
    assert played() == [names()[3]]
    assert bpy.ops.riff.generate(count=2, frames=60, seed=0) == {"FINISHED"}
    bpy.ops.riff.show_ghosts(which="NEWEST", number=3)
    assert [name.rpartition(" ")[2] for name in played()] == ["0-1", "0-2", "1-1"]


def test_it_is_one_undo_step_and_undo_goes_past_it(dancer: Any) -> None:
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.riff.show_ghosts("EXEC_DEFAULT", True, number=2)
    bpy.ops.riff.discard_variation("EXEC_DEFAULT", True, action=played()[0])
    assert len(ghosts()) == 1
    bpy.ops.ed.undo()
    assert len(ghosts()) == len(meshes()) == 2
    assert sum(row.ghost for row in rows()) == 2
    bpy.ops.ed.undo()
    assert not ghosts()
    assert not meshes()
    assert not any(row.ghost for row in rows())
    assert len(names()) == 4
    bpy.ops.ed.redo()
    assert len(ghosts()) == 2
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert not ghosts()


def test_saved_and_opened_they_are_riffs_own_still(dancer: Any, part: Callable[[str], Any], tmp_path: Path) -> None:
    bpy.ops.riff.show_ghosts(number=2)
    shown = played()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "dance.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "dance.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["Dancer"]
    part("state.session").refresh()
    assert played() == shown
    assert {row.name for row in rows() if row.ghost} == set(shown)
    bpy.ops.riff.discard_variation(action=shown[0])
    assert played() == shown[1:]
    bpy.ops.riff.show_ghosts(number=3)
    assert len(ghosts()) == 3, "the ones before make room"
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert not ghosts()
    assert not [block for block in bpy.data.node_groups if block.get("riff_tint")]
    with pytest.raises(RuntimeError, match="no ghost to hide"):
        bpy.ops.riff.hide_ghosts()


def test_of_a_character_that_was_deleted_or_renamed(dancer: Any) -> None:
    bpy.ops.riff.show_ghosts(number=2)
    dancer.name = "Star"
    bpy.ops.riff.show_ghosts(number=3)
    assert len(ghosts()) == 3
    bpy.data.objects.remove(dancer)
    bpy.context.scene.frame_set(30)
    assert len(ghosts()) == 3
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert not ghosts()
    assert len([action for action in bpy.data.actions if action.get("riff_model")]) == 4


def test_of_a_ghost_that_was_deleted_by_hand_nothing_stays(dancer: Any) -> None:
    before = state()
    bpy.ops.riff.show_ghosts(number=2)
    bpy.data.objects.remove(ghosts()[0])
    assert len(meshes()) == 2
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert not meshes()
    assert state() == before


def test_a_ghost_that_the_user_renamed_is_whole(dancer: Any) -> None:
    bpy.ops.riff.show_ghosts(number=2)
    first = ghosts()[0]
    first.name = "Mine"
    body = [mesh for mesh in meshes() if mesh.modifiers["Armature"].object == first]
    bpy.ops.riff.hide_ghosts()
    assert ghosts() == [first]
    assert meshes() == body


def test_of_one_of_two_characters(dancer: Any) -> None:
    bpy.ops.riff.show_ghosts(number=2)
    bpy.ops.riff.add_sample_dancer()
    other = bpy.context.object
    assert bpy.ops.riff.generate(count=1, frames=60, seed=5) == {"FINISHED"}
    bpy.ops.riff.show_ghosts(number=1)
    assert [ghost["riff_ghost"] for ghost in ghosts()].count(other.name) == 1
    bpy.ops.riff.hide_ghosts()
    assert [ghost["riff_ghost"] for ghost in ghosts()] == [dancer.name] * 2


def test_what_the_users_objects_depend_on_stays(dancer: Any, capfd: pytest.CaptureFixture[str]) -> None:
    bpy.ops.riff.show_ghosts(number=2)
    first, second = ghosts()
    hat = bpy.data.objects.new("Hat", None)
    bpy.context.scene.collection.objects.link(hat)
    hat.parent = first
    copy = second.copy()
    bpy.context.scene.collection.objects.link(copy)
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert "1 ghost that your objects depend on stays" in capfd.readouterr().out
    assert set(ghosts()) == {first, copy}
    hat.parent = None
    bpy.ops.riff.hide_ghosts()
    assert ghosts() == [copy], "a copy is the user's"


def test_a_ghost_stands_for_its_character(dancer: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.riff.show_ghosts(number=1)
    bpy.context.view_layer.objects.active = meshes()[0]
    assert part("state.rig_settings").active_armature(bpy.context) == dancer
    source = part("rig.library.blend_files")
    assert source.armature_for(bpy.data.actions[played()[0]]) == dancer


def test_they_are_not_copied_into_a_crowd(dancer: Any) -> None:
    bpy.ops.riff.show_ghosts(number=2)
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60) == {"FINISHED"}
    assert len(ghosts()) == 2


def test_under_a_turned_parent_they_stand_beside_it(dancer: Any) -> None:
    car = bpy.data.objects.new("Car", None)
    bpy.context.scene.collection.objects.link(car)
    car.rotation_euler, car.location, car.scale = (0.0, 0.0, 1.2), (3.0, 1.0, 0.0), (2.0, 2.0, 2.0)
    dancer.parent = car
    bpy.context.view_layer.update()
    bpy.ops.riff.show_ghosts(number=1)
    bpy.context.view_layer.update()
    way = ghosts()[0].matrix_world.translation - dancer.matrix_world.translation
    side = dancer.matrix_world.to_3x3() @ Vector((1.0, 0.0, 0.0))
    assert way.length > 1.0
    assert way.normalized().dot(side.normalized()) > 0.9999
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}


def test_of_an_armature_of_another_file(dancer: Any, tmp_path: Path, part: Callable[[str], Any]) -> None:
    path = str(tmp_path / "dance.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.objects, here.actions = ["Dancer", "Skin"], [name for name in there.actions if "Variation" in name]
    for ob in here.objects:
        bpy.context.scene.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = bpy.data.objects["Dancer"]
    bpy.context.view_layer.update()
    part("state.session").refresh()
    assert bpy.ops.riff.show_ghosts(number=2) == {"FINISHED"}
    assert len(ghosts()) == len(meshes()) == 2
    assert all(ob.library is None for ob in (*ghosts(), *meshes()))
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert not ghosts()
    dancer = bpy.data.objects["Dancer"].override_create(remap_local_usages=True)
    bpy.context.view_layer.objects.active = dancer
    bpy.context.view_layer.update()
    assert bpy.ops.riff.show_ghosts(number=1) == {"FINISHED"}
    assert len(ghosts()) == 1
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert not ghosts()


def test_buttons_over_ghosts_that_stand_close_cover_none(part: Callable[[str], Any]) -> None:
    levels = part("panels.overlays.ghost_buttons").levels
    assert levels([0.0, 3.0, 6.5], 3.0) == [0, 0, 0]
    assert levels([0.0, 1.0, 2.0, 3.5], 3.0) == [0, 1, 2, 0]
    assert levels([1.0, None, 1.0], 3.0) == [0, 0, 1]
    assert levels([], 3.0) == []


def test_scripts_show_and_hide_them(dancer: Any, riff: ModuleType) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    actions = [bpy.data.actions[name] for name in names()[:2]]
    assert api.show_ghosts(dancer, actions, spacing=0.5, wire=True) == ghosts()
    assert played() == names()[:2]
    with pytest.raises(api.RiffError, match="At most 12"):
        api.show_ghosts(dancer, actions * 7)
    assert len(ghosts()) == 2
    assert api.hide_ghosts(dancer) == []
    assert not ghosts()


def test_bad_input_is_said_and_leaves_the_file(dancer: Any) -> None:
    bpy.ops.riff.show_ghosts(number=1, which="LISTED")
    empty = bpy.data.actions[names()[1]]
    while len(empty.slots):
        empty.slots.remove(empty.slots[0])
    before = state()
    with pytest.raises(RuntimeError, match="has no slot"):
        bpy.ops.riff.show_ghosts(number=3, which="LISTED")
    assert state() == before
    with pytest.raises(RuntimeError, match="has no slot"):
        bpy.ops.riff.toggle_ghost(action=empty.name)
    with pytest.raises(RuntimeError, match="no longer in the file"):
        bpy.ops.riff.toggle_ghost(action="None such")
    assert state() == before
    assert bpy.ops.riff.generate(count=12, frames=60, seed=7) == {"FINISHED"}
    bpy.ops.riff.show_ghosts(number=12, which="NEWEST")
    with pytest.raises(RuntimeError, match="At most 12"):
        bpy.ops.riff.toggle_ghost(action=names()[0])
    for ghost in ghosts():
        for key in ("riff_place", "riff_ghost_number", "riff_top", "riff_identity"):
            ghost[key] = [1.0, 2.0]
    bpy.ops.riff.hide_ghosts()
    bpy.data.batch_remove(list(bpy.data.actions))
    bpy.ops.riff.refresh_models()
