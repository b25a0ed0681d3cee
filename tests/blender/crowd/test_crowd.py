"""Duplicate as Crowd in Blender: copies that share data and have motions of their own, placed, changed, taken back."""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

FRAMES = 60


@pytest.fixture
def dancer(models: Path, trained: Path) -> bpy.types.Object:
    shutil.copy(trained, models)
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.update()
    return bpy.context.object


def crowd() -> bpy.types.Collection:
    return next(collection for collection in bpy.data.collections if collection.get("riff_crowd") is not None)


def members() -> list[bpy.types.Object]:
    return sorted((ob for ob in crowd().objects if ob.get("riff_member")), key=lambda ob: ob["riff_member"])


def played(member: bpy.types.Object) -> bpy.types.Action:
    return member.animation_data.action


def curves(action: bpy.types.Action) -> Any:
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def hips() -> np.ndarray:
    """Places (members, 2) of all roots in the frame shown."""
    graph = bpy.context.evaluated_depsgraph_get()
    found = []
    for member in members():
        evaluated = member.evaluated_get(graph)
        found.append((evaluated.matrix_world @ evaluated.pose.bones[0].matrix).translation[:2])
    return np.array(found)


def smallest_gap(step: int = 5) -> float:
    gaps = []
    for frame in range(1, FRAMES + 1, step):
        bpy.context.scene.frame_set(frame)
        positions = hips()
        gaps += [np.linalg.norm(a - b) for a, b in itertools.combinations(positions, 2)]
    return float(min(gaps))


def state() -> tuple[int, ...]:
    data = bpy.data
    return tuple(
        len(kind)
        for kind in (
            data.objects,
            data.actions,
            data.meshes,
            data.materials,
            data.armatures,
            data.collections,
            data.scenes,
        )
    )


def test_a_crowd_shares_data_and_moves_on_its_own(dancer: bpy.types.Object) -> None:
    body = next(ob for ob in bpy.data.objects if ob.type == "MESH")
    hat = bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat"))
    bpy.context.scene.collection.objects.link(hat)
    hat.parent, hat.parent_type, hat.parent_bone = dancer, "BONE", dancer.pose.bones[-1].name
    before, own = state(), played(dancer)
    assert bpy.ops.riff.duplicate_as_crowd(count=6, frames=FRAMES, uneven=0.1, distance=1.0) == {"FINISHED"}
    after = state()
    assert after[0] - before[0] == 6 * 3
    assert after[1] - before[1] == 6
    assert after[2:5] == before[2:5]  # meshes, materials, armatures
    assert played(dancer) == own
    assert [ob.name for ob in members()] == [f"{dancer.name} {k:03}" for k in range(1, 7)]
    assert len({played(ob) for ob in members()}) == 6
    for ob in members():
        assert ob.data == dancer.data
        assert {child.data for child in ob.children} == {body.data, hat.data}
        skin = next(child for child in ob.children if child.data == body.data)
        assert {m.object for m in skin.modifiers if m.type == "ARMATURE"} == {ob}
        assert next(child for child in ob.children if child.data == hat.data).parent_bone == hat.parent_bone
        action = played(ob)
        assert action["riff_model"] == "Dance"
        assert action["riff_seed"] == 1
        assert 0.9 - 1e-5 <= ob.matrix_world.to_scale().x <= 1.1 + 1e-5
    assert len({int(played(ob)["riff_index"]) for ob in members()}) == 6
    assert smallest_gap() > 0.95
    start = hips()
    bpy.context.scene.frame_set(20)
    assert (np.linalg.norm(hips() - start, axis=1) > 1e-4).all()


def test_a_member_moves_as_the_same_variation_does(riff: ModuleType, dancer: bpy.types.Object) -> None:
    """Seed and number make the same motion again by Generate, bone by bone."""
    bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES)
    index = int(played(members()[1])["riff_index"])
    bpy.context.view_layer.objects.active = dancer
    bpy.ops.riff.generate(count=index + 1, frames=FRAMES, seed=1)
    again = next(a for a in bpy.data.actions if a.name.startswith("Dance Variation") and a["riff_index"] == index)
    ours = {(c.data_path, c.array_index): c for c in curves(played(members()[1]))}
    for curve in curves(again):
        mine = ours[curve.data_path, curve.array_index]
        off = [abs(curve.evaluate(frame) - mine.evaluate(frame)) for frame in range(1, FRAMES + 1, 7)]
        assert max(off) < 1e-3, curve.data_path


def test_undo_takes_the_whole_crowd_back(dancer: bpy.types.Object) -> None:
    bpy.ops.ed.undo_push(message="Before")
    before = state()
    bpy.ops.riff.duplicate_as_crowd("EXEC_DEFAULT", True, count=4, frames=FRAMES)
    assert state() != before
    bpy.ops.ed.undo()
    assert state() == before
    bpy.ops.ed.redo()
    assert len(members()) == 4


def test_add_reroll_thin_out_and_remove(dancer: bpy.types.Object) -> None:
    before = state()
    bpy.ops.riff.duplicate_as_crowd(count=5, frames=FRAMES, distance=1.0)
    names = [ob.name for ob in members()]
    bpy.ops.riff.add_to_crowd(count=3)
    assert [ob.name for ob in members()][:5] == names
    assert [ob["riff_member"] for ob in members()] == list(range(1, 9))
    keys = {ob.name: played(ob)["riff_index"] for ob in members()}
    assert len(set(keys.values())) == 8
    assert smallest_gap() > 0.95
    for ob in bpy.context.selected_objects:
        ob.select_set(False)
    members()[2].children[0].select_set(True)
    bpy.context.scene.frame_set(1)
    spot = hips()[2]
    assert bpy.ops.riff.reroll_crowd(which="SELECTED") == {"FINISHED"}
    changed = [ob.name for ob in members() if played(ob)["riff_index"] != keys[ob.name]]
    assert changed == [names[2]]
    bpy.context.scene.frame_set(1)
    assert np.linalg.norm(hips()[2] - spot) < 2.5
    assert smallest_gap() > 0.95
    bpy.ops.riff.reroll_crowd(which="ALL")
    assert len({played(ob)["riff_index"] for ob in members()} | set(keys.values())) == 16
    assert len(bpy.data.actions) == before[1] + 8
    bpy.ops.riff.thin_out_crowd(keep=0.5)
    assert len(members()) == 4
    assert len(bpy.data.actions) == before[1] + 4
    bpy.ops.riff.remove_crowd()
    assert state() == before


def test_members_follow_where_they_were_moved_to(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES)
    member = members()[0]
    member.location.x += 20.0
    bpy.context.view_layer.update()
    member.select_set(True)
    members()[1].select_set(False)
    bpy.ops.riff.reroll_crowd(which="SELECTED")
    bpy.context.scene.frame_set(1)
    assert hips()[0][0] > 15.0


def test_a_surface_too_small_says_how_many_fit(dancer: bpy.types.Object, capfd: pytest.CaptureFixture[str]) -> None:
    mesh = bpy.data.meshes.new("Stage")
    mesh.from_pydata([(0, 0, 1), (6, 0, 1), (6, 6, 1), (0, 6, 1)], [], [(0, 1, 2, 3)])
    stage = bpy.data.objects.new("Stage", mesh)
    bpy.context.scene.collection.objects.link(stage)
    stage.location.x = 10.0
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(count=30, frames=FRAMES, kind="SURFACE", ground="Stage", distance=1.5)
    assert 2 <= len(members()) < 30
    assert f"Placed {len(members())} of 30: “Stage” has no room for more" in capfd.readouterr().out
    bpy.context.scene.frame_set(FRAMES // 2)
    assert (hips()[:, 0] > 9.8).all()
    assert (hips()[:, 0] < 16.2).all()
    assert smallest_gap() > 1.45


def test_on_a_slope_members_keep_to_the_ground(dancer: bpy.types.Object) -> None:
    """They are as high above the hill under them as they are above a level stage."""
    mesh = bpy.data.meshes.new("Hill")
    mesh.from_pydata([(10, 0, 1), (22, 0, 1), (22, 12, 1), (10, 12, 1)], [], [(0, 1, 2, 3)])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Hill", mesh))
    bpy.context.view_layer.update()
    found = {}
    for slope in (0.0, 0.25):
        for vertex in mesh.vertices:
            vertex.co.z = 1.0 + slope * (vertex.co.x - 10.0)
        mesh.update()
        bpy.context.view_layer.update()
        bpy.context.view_layer.objects.active = dancer
        bpy.ops.riff.duplicate_as_crowd(count=3, frames=FRAMES, kind="SURFACE", ground="Hill", centred=False)
        found[slope] = [lowest_above(member, slope) for member in members()]
        bpy.context.view_layer.objects.active = members()[0]
        bpy.ops.riff.reroll_crowd(which="ALL")
        found[slope] += [lowest_above(member, slope) for member in members()]
        bpy.ops.riff.remove_crowd()
    assert np.abs(np.array(found[0.25]) - np.array(found[0.0])).max() < 0.1


def lowest_above(armature: bpy.types.Object, slope: float) -> np.ndarray:
    """Height of the lowest joint above the hill under it, in some frames."""
    found = []
    for frame in range(1, FRAMES + 1, 6):
        bpy.context.scene.frame_set(frame)
        ob = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        positions = [(ob.matrix_world @ bone.matrix).translation for bone in ob.pose.bones]
        found.append(min(place.z - 1.0 - slope * (place.x - 10.0) for place in positions))
    return np.array(found)


def test_another_crowd_is_in_the_way(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.duplicate_as_crowd(count=4, frames=FRAMES, distance=1.0)
    first = crowd()
    bpy.context.view_layer.objects.active = dancer
    bpy.ops.riff.duplicate_as_crowd(count=4, frames=2 * FRAMES, distance=1.0, seed=2)
    second = next(c for c in bpy.data.collections if c.get("riff_crowd") is not None and c != first)
    for frame in range(1, FRAMES + 1, 5):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        ours, theirs = (
            np.array(
                [
                    (ob.evaluated_get(graph).matrix_world @ ob.evaluated_get(graph).pose.bones[0].matrix).translation
                    for ob in one.objects
                    if ob.get("riff_member")
                ]
            )[:, :2]
            for one in (first, second)
        )
        assert np.linalg.norm(ours[:, None] - theirs, axis=2).min() > 0.95


@pytest.mark.parametrize("nla", [False, True])
def test_a_reroll_that_is_broken_off_gives_back_what_was(riff: ModuleType, dancer: bpy.types.Object, nla: bool) -> None:
    """Esc among the writing: members have their motions and places again, nothing is left behind."""
    order, write = (importlib.import_module(f"{riff.__name__}.rig.{name}") for name in ("crowd.request", "crowd.write"))
    library = importlib.import_module(f"{riff.__name__}.core.model.model_file")
    bpy.ops.riff.duplicate_as_crowd(count=3, frames=FRAMES, nla=nla)
    before, positions = state(), [ob.matrix_world.copy() for ob in members()]
    names = sorted(action.name for action in bpy.data.actions)
    settings = order.CrowdSettings.from_json(json.loads(crowd()["riff_crowd"]))
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models"))
    model = library.load_model(next(folder.glob("*.safetensors")))
    prepared = order.prepare(bpy.context, dancer, model, settings, 3, crowd=crowd())
    prepared.job.start()
    prepared.job.join()
    prepared.job.tick()
    writer = write.CrowdWriter(bpy.context.scene, dancer, prepared, settings)
    for index, member in enumerate(members()[:2]):
        writer.replace(index, member)
    assert state() != before
    writer.close()
    writer.take_back()
    assert state() == before
    assert sorted(a.name for a in bpy.data.actions) == names
    assert [ob.matrix_world for ob in members()] == positions
    assert all(bool(ob.animation_data.nla_tracks) is nla for ob in members())
    assert all((ob.animation_data.action is None) is nla for ob in members())


def test_along_a_curve_on_points_and_on_empties(dancer: bpy.types.Object) -> None:
    data = bpy.data.curves.new("Way", "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("POLY")
    spline.points.add(1)
    spline.points[0].co, spline.points[1].co = (5, 0, 0, 1), (5, 40, 0, 1)
    way = bpy.data.objects.new("Way", data)
    bpy.context.scene.collection.objects.link(way)
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(
        count=4, frames=FRAMES, kind="CURVE", ground="Way", looks="ALONG", spread=0.0, centred=False
    )
    bpy.context.scene.frame_set(1)
    assert np.abs(hips() - np.array([[5.0, y] for y in (5, 15, 25, 35)])).max() < 0.2
    bpy.ops.riff.remove_crowd()
    hair = bpy.data.hair_curves.new("Hair")  # an object of the newer type, CURVES
    hair.add_curves([2])
    hair.attributes["position"].data.foreach_set("vector", np.array([5, 0, 0, 5, 40, 0], dtype=np.float32))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Hair", hair))
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(
        count=4, frames=FRAMES, kind="CURVE", ground="Hair", looks="ALONG", spread=0.0, centred=False
    )
    bpy.context.scene.frame_set(1)
    assert np.abs(hips() - np.array([[5.0, y] for y in (5, 15, 25, 35)])).max() < 0.2
    bpy.ops.riff.remove_crowd()
    bpy.ops.riff.duplicate_as_crowd(count=9, frames=FRAMES, kind="POINTS", ground="Way", centred=False, distance=0.5)
    assert len(members()) == 2
    bpy.ops.riff.remove_crowd()
    for k in range(3):
        empty = bpy.data.objects.new(f"Place {k}", None)
        empty.location = (30.0 + 10.0 * k, 0.0, 2.0)
        bpy.context.scene.collection.objects.link(empty)
        empty.select_set(True)
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(count=3, frames=FRAMES, kind="EMPTIES", looks="ALONG", centred=False)
    bpy.context.scene.frame_set(1)
    assert sorted(hips()[:, 0]) == pytest.approx([30.0, 40.0, 50.0], abs=0.2)


def test_facing_a_target(riff: ModuleType, dancer: bpy.types.Object) -> None:
    target = bpy.data.objects.new("Stage", None)
    target.location = (0.0, 100.0, 0.0)
    bpy.context.scene.collection.objects.link(target)
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(count=4, frames=FRAMES, looks="TARGET", target="Stage", spread=0.0)
    order = importlib.import_module(f"{riff.__name__}.rig.reading.read")
    paths = importlib.import_module(f"{riff.__name__}.core.crowd.trajectories")
    for member in members():
        motion = order.read_motion(member)
        turned = member.matrix_world.to_3x3().normalized() @ dancer.matrix_world.to_3x3().inverted()
        forward = np.array(turned) @ paths.forward_of(order.read_motion(dancer))
        assert paths.trajectory_of(motion, forward).facing == pytest.approx(np.pi / 2, abs=0.15)


def test_light_members_have_fewer_keys_and_move_alike(dancer: bpy.types.Object) -> None:
    def keys() -> int:
        return sum(len(curve.keyframe_points) for curve in curves(played(members()[0])))

    def poses() -> np.ndarray:
        found = []
        for frame in range(1, FRAMES, 6):
            bpy.context.scene.frame_set(frame)
            ob = members()[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
            found.append([(ob.matrix_world @ bone.matrix).translation[:] for bone in ob.pose.bones])
        return np.array(found)

    bpy.ops.riff.duplicate_as_crowd(count=1, frames=FRAMES)
    full, before = keys(), poses()
    bpy.ops.riff.remove_crowd()
    bpy.ops.riff.duplicate_as_crowd(count=1, frames=FRAMES, light=True)
    assert keys() < 0.35 * full
    assert np.abs(poses() - before).max() < 0.08


def test_members_of_a_stepped_action_hold_their_poses(dancer: bpy.types.Object) -> None:
    for curve in curves(played(dancer)):
        curve.modifiers.new("STEPPED").frame_step = 3
    bpy.ops.riff.duplicate_as_crowd(count=1, frames=FRAMES)
    moving = [curve for curve in curves(played(members()[0])) if len(curve.keyframe_points) > 1]
    assert len(moving) > 30
    for curve in moving:
        assert {point.interpolation for point in curve.keyframe_points} == {"CONSTANT"}
        gaps = np.diff([point.co[0] for point in curve.keyframe_points])
        assert set(gaps[:-1]) == {3.0}


def test_loops_repeat_from_a_random_frame(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.duplicate_as_crowd(count=3, frames=FRAMES, loop=True)
    starts = {int(played(ob).frame_range[0]) for ob in members()}
    assert len(starts) > 1
    assert all(-FRAMES < start <= 1 for start in starts)
    bpy.context.scene.frame_set(7)
    first = hips()
    bpy.context.scene.frame_set(7 + 3 * FRAMES)
    assert np.abs(hips() - first).max() < 1e-4


@pytest.mark.parametrize("loop", [False, True])
def test_nla_strips(dancer: bpy.types.Object, loop: bool) -> None:
    bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES, nla=True, loop=loop)
    for member in members():
        assert member.animation_data.action is None
        (track,) = member.animation_data.nla_tracks
        assert track.strips[0].action_slot is not None
        assert not loop or track.strips[0].frame_end >= bpy.context.scene.frame_end
    bpy.context.scene.frame_set(5)
    positions = hips()
    bpy.context.scene.frame_set(35)
    assert (np.linalg.norm(hips() - positions, axis=1) > 1e-4).all()


def test_what_is_bound_but_not_parented_comes_along(dancer: bpy.types.Object) -> None:
    body = next(ob for ob in bpy.data.objects if ob.type == "MESH")
    world = body.matrix_world.copy()
    body.parent = None
    body.matrix_world = world
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(count=3, frames=FRAMES)
    bpy.context.scene.frame_set(10)
    graph = bpy.context.evaluated_depsgraph_get()
    for member, place in zip(members(), hips(), strict=True):
        skin = next(child for child in member.children if child.data == body.data)
        evaluated = skin.evaluated_get(graph)
        middle = np.mean([(evaluated.matrix_world @ v.co)[:2] for v in evaluated.to_mesh().vertices], axis=0)
        assert np.linalg.norm(middle - place) < 0.8


def test_an_object_that_is_moved_and_scaled(dancer: bpy.types.Object) -> None:
    dancer.scale = (2.0, 2.0, 2.0)
    dancer.rotation_euler.z = 1.0
    bpy.context.view_layer.update()
    bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES)
    for member in members():
        assert tuple(member.matrix_world.to_scale()) == pytest.approx((2.0, 2.0, 2.0), abs=1e-4)
        assert member.location.z == pytest.approx(0.0, abs=1e-4)


def test_what_cannot_be(dancer: bpy.types.Object) -> None:
    before = state()
    with pytest.raises(RuntimeError, match="Choose an object for the crowd to stand on"):
        bpy.ops.riff.duplicate_as_crowd(kind="SURFACE", count=2)
    with pytest.raises(RuntimeError, match="Choose an object for the members to face"):
        bpy.ops.riff.duplicate_as_crowd(looks="TARGET", count=2)
    with pytest.raises(RuntimeError, match="Select empties for the members"):
        bpy.ops.riff.duplicate_as_crowd(kind="EMPTIES", count=2)
    with pytest.raises(RuntimeError, match="neither faces nor points"):
        bpy.ops.riff.duplicate_as_crowd(kind="SURFACE", ground=dancer.name, count=2)
    with pytest.raises(RuntimeError, match="Select a member"):
        bpy.ops.riff.add_to_crowd()
    assert state() == before
    bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES)
    settings = json.loads(crowd()["riff_crowd"])
    crowd()["riff_crowd"] = json.dumps({**settings, "model": "Other"})
    with pytest.raises(RuntimeError, match="“Other” is no longer in the list"):
        bpy.ops.riff.add_to_crowd()
    bpy.context.view_layer.objects.active = members()[0]
    with pytest.raises(RuntimeError, match="member of a crowd"):
        bpy.ops.riff.duplicate_as_crowd()


def test_without_a_model(riff: ModuleType) -> None:
    bpy.ops.riff.add_sample_dancer()
    with pytest.raises(RuntimeError, match="No model yet"):
        bpy.ops.riff.duplicate_as_crowd()


def test_a_bare_armature_is_copied_with_a_warning(dancer: bpy.types.Object, capfd: pytest.CaptureFixture[str]) -> None:
    bpy.data.objects.remove(next(ob for ob in bpy.data.objects if ob.type == "MESH"))
    bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES)
    said = capfd.readouterr().out
    assert "2 members without a body: no mesh is bound to “Dancer”" in said
    assert "Info" not in said, "the status bar shows the last report alone"
    assert len(members()) == 2
