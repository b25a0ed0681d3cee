"""Attacks on what is kept in a file and written beside it: bad data ends in one sentence, the user's own stays."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import pytest

MAX_INT = 2**31 - 1


@pytest.fixture
def dancer(short_dancer: Any) -> Any:
    """The sample dancer of four seconds, with two variations of an instant model."""
    assert bpy.ops.riff.generate(count=2, frames=60) == {"FINISHED"}
    return short_dancer


def stored(owner: Any) -> Any:
    """The properties of an owner as they are stored, without the limits of the interface."""
    return owner.bl_system_properties_get() if hasattr(owner, "bl_system_properties_get") else owner


def made() -> list[Any]:
    return [bpy.data.actions[row.name] for row in bpy.context.window_manager.riff.variations]


def refusal(operator: Any, **choices: Any) -> str:
    """Call an operator; return the sentence that it refuses with, empty if it finishes."""
    said = ""
    try:
        operator(**choices)
    except RuntimeError as error:
        said = str(error)
    assert "did not foresee" not in said
    return said


def test_numbers_at_their_limit_leave_room_for_more(dancer: Any) -> None:
    """A file's largest number of a ghost, of an entry of the history, of the run of a variation."""
    assert bpy.ops.riff.show_ghosts(number=1) == {"FINISHED"}
    for ob in bpy.data.objects:
        if ob.get("riff_ghost") is not None:
            ob["riff_ghost_number"] = MAX_INT
    assert bpy.ops.riff.toggle_ghost(action=made()[1].name) == {"FINISHED"}
    numbers = {ob["riff_ghost_number"] for ob in bpy.data.objects if ob.get("riff_ghost") and ob.type == "ARMATURE"}
    assert len(numbers) == 2
    dancer.riff.runs[0].number = MAX_INT
    assert bpy.ops.riff.generate(count=1, frames=60, seed=2) == {"FINISHED"}
    assert len({row.number for row in dancer.riff.runs}) == len(dancer.riff.runs) == 2
    made()[0]["riff_run"] = [MAX_INT, 0]
    assert bpy.ops.riff.generate(count=1, frames=60, seed=3) == {"FINISHED"}
    assert len({row.number for row in dancer.riff.runs}) == len(dancer.riff.runs) == 3


def test_a_protected_colour_of_a_ghost_stays(dancer: Any) -> None:
    assert bpy.ops.riff.show_ghosts(number=2) == {"FINISHED"}
    groups = [group for group in bpy.data.node_groups if group.get("riff_tint") is not None]
    groups[0].use_fake_user = True
    kept = groups[0].name
    assert bpy.ops.riff.hide_ghosts() == {"FINISHED"}
    assert kept in bpy.data.node_groups
    assert len([group for group in bpy.data.node_groups if group.get("riff_tint") is not None]) == 1


@pytest.fixture
def takes(dancer: Any) -> Any:
    addon_utils.enable("io_anim_bvh")
    return dancer


def test_exported_takes_follow_no_link_and_wait_for_no_pipe(takes: Any, tmp_path: Path) -> None:
    folder, name = tmp_path / "takes", made()[0].name
    folder.mkdir()
    mine, target = tmp_path / "mine.txt", folder / f"{name}.bvh"
    export = {"directory": str(folder), "kind": "BVH", "which": "ALL"}
    target.symlink_to(tmp_path / "new.txt")
    assert "exists already" in refusal(bpy.ops.riff.export_takes, **export)
    assert not (tmp_path / "new.txt").exists()
    target.unlink()
    mine.write_text("mine")
    target.symlink_to(mine)
    assert bpy.ops.riff.export_takes(overwrite=True, **export) == {"FINISHED"}
    assert mine.read_text() == "mine"
    assert not target.is_symlink()
    assert target.read_text().startswith("HIERARCHY")
    target.unlink()
    os.mkfifo(target)
    assert bpy.ops.riff.export_takes(overwrite=True, **export) == {"FINISHED"}
    assert target.read_text().startswith("HIERARCHY")
    target.unlink()
    target.mkdir()
    assert refusal(bpy.ops.riff.export_takes, overwrite=True, **export)
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{one.name}.bvh" for one in made())


def test_an_export_that_fails_leaves_the_file_that_was_there(takes: Any, tmp_path: Path, monkeypatch: Any) -> None:
    assert bpy.ops.riff.export_takes(directory=str(tmp_path), kind="BVH", which="ALL") == {"FINISHED"}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    module = importlib.import_module("io_anim_bvh.export_bvh")

    def broken(context: Any, filepath: str, **_: Any) -> None:
        Path(filepath).write_text("half")
        raise OSError("the disk is full")

    monkeypatch.setattr(module, "write_armature", broken)
    said = refusal(bpy.ops.riff.export_takes, directory=str(tmp_path), kind="BVH", which="ALL", overwrite=True)
    assert "cannot be exported: OSError: the disk is full." in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_largest_seed_is_used_and_stays(dancer: Any) -> None:
    bpy.context.scene.riff.seed = MAX_INT
    assert bpy.ops.riff.generate(count=1, frames=60, seed=MAX_INT) == {"FINISHED"}
    assert bpy.context.scene.riff.seed == MAX_INT
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60) == {"FINISHED"}
    for ob in bpy.data.objects:
        if ob.get("riff_member") is not None:
            ob["riff_member"] = MAX_INT
    assert bpy.ops.riff.add_to_crowd(count=2) == {"FINISHED"}


def settings_groups() -> Iterator[tuple[type, str]]:
    for owner in (bpy.types.Scene, bpy.types.Object):
        for prop in owner.bl_rna.properties:
            if prop.identifier == "riff" or prop.identifier.startswith("riff_"):
                yield owner, prop.identifier


def test_all_settings_of_a_file_are_clamped(riff: ModuleType) -> None:
    clamping = importlib.import_module(f"{riff.__name__}.rig.clamping")
    assert {name for owner, name in settings_groups() if owner is bpy.types.Scene} == set(clamping.SCENE_SETTINGS)
    assert {name for owner, name in settings_groups() if owner is bpy.types.Object} == set(clamping.ARMATURE_SETTINGS)


def add_pin(ob: Any, target: Any = None) -> Any:
    pin = ob.riff_places.pins.add()
    pin.bone, pin.start, pin.end = "hand.L", 30, 30
    if target is None:
        matrix = ob.matrix_world @ ob.pose.bones["hand.L"].matrix
        pin.place = matrix.translation
    else:
        pin.source, pin.target = "OBJECT", target
    return pin


def add_object(name: str = "Place", data: Any = None, moving: bool = True) -> Any:
    ob = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(ob)
    if moving:
        ob.keyframe_insert("location", frame=1)
    return ob


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("end", [MAX_INT, 1_000_000])
def test_a_pin_of_a_million_frames_is_refused_at_once(dancer: Any, moving: bool, end: int) -> None:
    add_pin(dancer, add_object(moving=moving))
    group = stored(dancer)["riff_places"]["pins"][0]
    group["start"], group["end"] = -end, end
    begun = time.process_time()
    assert refusal(bpy.ops.riff.reach_places)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize("frames", [(-1e6, 1e6), (0.0, 1e30), (0.0, float("inf")), (float("nan"), 5.0)])
def test_a_curve_with_odd_keys_of_its_time_is_refused_at_once(dancer: Any, frames: tuple[float, float]) -> None:
    data = bpy.data.curves.new("Way", "CURVE")
    spline = data.splines.new("POLY")
    spline.points.add(1)
    spline.points[1].co = (0.0, 1.0, 0.0, 1.0)
    for frame in (1, 50):
        data.eval_time = frame
        data.keyframe_insert("eval_time", frame=frame)
    bag = data.animation_data.action.layers[0].strips[0].channelbag(data.animation_data.action_slot)
    for key, at in zip(bag.fcurves[0].keyframe_points, frames, strict=True):
        key.co.x = at
    point = dancer.riff_places.waypoints.add()
    point.target = add_object("Way", data, moving=False)
    begun = time.process_time()
    assert refusal(bpy.ops.riff.reach_places)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_places_that_are_none_are_refused(dancer: Any, value: float) -> None:
    target = add_object(moving=False)
    target.location.x = value
    bpy.context.view_layer.update()
    add_pin(dancer, target)
    before = set(bpy.data.actions.keys())
    assert refusal(bpy.ops.riff.reach_places)
    dancer.riff_places.pins.clear()
    dancer.riff_places.waypoints.add().target = target
    dancer.riff_places.waypoints[0].frame = 30
    assert refusal(bpy.ops.riff.reach_places)
    dancer.riff_places.waypoints.clear()
    add_pin(dancer)
    stored(dancer)["riff_places"]["pins"][0]["place"] = [value] * 3
    assert refusal(bpy.ops.riff.reach_places)
    assert set(bpy.data.actions.keys()) == before


ODD: list[Any] = [None, "x", "", [], {}, [1], {"a": 1}, -1, 10**6, 10**9, 10**30, 1e300]
ODD += [float("nan"), float("inf"), True]
EVERY = int(os.environ.get("RIFF_EVERY_ODD", "15"))
"""Odd values are tried in turn, each at every so many fields; 1 for all at all."""


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(items)[: 3 if isinstance(data, list) else None]:
        yield from leaves(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


ENTRIES: dict[str, Callable[[str, str], Any]] = {
    "generate": lambda source, first: bpy.ops.riff.generate(count=1, frames=60, like=first, seed=9),
    "compose": lambda source, first: bpy.ops.riff.vary_parts(count=1),
    "places": lambda source, first: bpy.ops.riff.reach_places(waypoints="60=0.2,0.1"),
    "spans": lambda source, first: bpy.ops.riff.generate_spans(spans=f"{source}@1-60, {source}@75-130"),
    "amount": lambda source, first: bpy.ops.riff.set_amount(action=first, amount=0.3),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_of_the_history_with_an_odd_value_ends_in_a_sentence(
    dancer: Any, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    assert ENTRIES[kind](dancer.animation_data.action.name, made()[0].name) == {"FINISHED"}
    row, known = dancer.riff.runs[0], set(bpy.data.actions.keys())
    order, refused = json.loads(row.order), 0
    paths = [path for path in leaves(order) if path[0] in ("arguments", "settings", "properties", "dressing")]
    for turn, path in enumerate(paths):
        for value in ODD[turn % EVERY :: EVERY]:
            row.order = json.dumps(changed(order, path, value))
            with within(20):
                refused += bool(refusal(bpy.ops.riff.make_again, variation=1))
                refusal(bpy.ops.riff.use_settings)
            bpy.data.batch_remove([action for action in bpy.data.actions if action.name not in known])
    assert refused > len(paths) / 2
    assert "Traceback" not in capfd.readouterr().err


def test_an_entry_of_the_history_makes_nothing_of_the_users_riffs_own(dancer: Any) -> None:
    """An entry that names what says whose an action is, and properties that are none of Riff's."""
    row = dancer.riff.runs[0]
    order = json.loads(row.order)
    for name in ("riff_made", "riff_keys", "riff_shield", "cycles", "riff_" + 80 * "x"):
        row.order = json.dumps(changed(order, ("properties", name), "x"))
        assert "cannot be read" in refusal(bpy.ops.riff.make_again, variation=1)


def cycle() -> list[Any]:
    """Three meshes, two of which are each other's parent, as remapping the users of one leaves them."""
    one, two, three = (add_object(name, bpy.data.meshes.new(name), moving=False) for name in ("One", "Two", "Three"))
    two.parent, one.parent = one, three
    three.user_remap(two)
    assert (one.parent, two.parent) == (two, one)
    return [one, two]


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise where it takes longer."""

    def late(*_: Any) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_circle_of_parents_hangs_nothing(riff: ModuleType, dancer: Any) -> None:
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60) == {"FINISHED"}
    ring = cycle()
    for ob in bpy.context.view_layer.objects:
        ob.select_set(ob in ring)
    bpy.context.view_layer.objects.active = ring[0]
    with within(5):
        assert "armature" in refusal(bpy.ops.riff.generate)
        rig_settings = importlib.import_module(f"{riff.__name__}.state.rig_settings")
        assert rig_settings.armature_behind(ring[0]) is None
        bpy.context.view_layer.objects.active = dancer
        refusal(bpy.ops.riff.reroll_crowd, which="SELECTED")
    member = next(ob for ob in bpy.data.objects if ob.get("riff_member") == 1)
    child = next(ob for ob in member.children if ob.name in member.users_collection[0].objects)
    below = importlib.import_module(f"{riff.__name__}.rig.parents").objects_below([member, *ring])
    assert below.issuperset({child, *ring})


def add_mesh(name: str, points: list[tuple[float, float, float]], faces: list[tuple[int, int, int]]) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], faces)
    return add_object(name, mesh, moving=False)


@pytest.mark.parametrize("kind", ["SURFACE", "POINTS", "CURVE"])
def test_a_crowd_on_points_that_are_nowhere(dancer: Any, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    far = [(float("nan"), 0.0, 0.0), (float("inf"), 0.0, 0.0), (1e30, 1.0, 0.0)]
    add_mesh("Nowhere", far, [(0, 1, 2)])
    add_mesh("Partly", [*far, (0.0, 0.0, 0.0), (9.0, 0.0, 0.0), (0.0, 9.0, 0.0)], [(0, 1, 2), (0, 3, 4), (3, 4, 5)])
    bpy.context.view_layer.update()
    before = len(bpy.data.objects)
    with within(20):
        assert "“Nowhere” has no" in refusal(
            bpy.ops.riff.duplicate_as_crowd, count=2, frames=60, kind=kind, ground="Nowhere"
        )
    assert len(bpy.data.objects) == before
    with within(20):
        assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60, kind=kind, ground="Partly") == {"FINISHED"}
    members = [ob for ob in bpy.data.objects if ob.get("riff_member") is not None]
    assert len(members) == 2
    assert all(math.isfinite(x) and abs(x) < 100.0 for ob in members for x in ob["riff_path"])
    assert "Traceback" not in capfd.readouterr().err


def test_links_among_the_models_lead_to_nothing_of_the_users(riff: ModuleType, dancer: Any, models: Path) -> None:
    """A link is removed, not the file that it leads to; folders, pipes and circles of links stay out of the way."""
    mine = models.parent / "mine.safetensors"
    mine.write_bytes(next(models.glob("*.safetensors")).read_bytes())
    (models / "Link.safetensors").symlink_to(mine)
    (models / "Circle.safetensors").symlink_to(models / "Circle.safetensors")
    (models / "Folder.safetensors").mkdir()
    (models / "Folder.safetensors" / "mine").write_text("mine")
    os.mkfifo(models / "Pipe.safetensors")
    rows = bpy.context.window_manager.riff.models
    try:
        with within(5):
            assert bpy.ops.riff.refresh_models() == {"FINISHED"}
            assert {row.name for row in rows if row.problem} == {"Circle", "Folder", "Pipe"}
            for name in ("Link", "Circle", "Folder", "Pipe"):
                bpy.context.window_manager.riff.active_model = rows.find(name)
                refusal(bpy.ops.riff.remove_model)
        assert mine.is_file()
        assert (models / "Folder.safetensors" / "mine").read_text() == "mine"
    finally:
        mine.unlink()
        shutil.rmtree(models / "Folder.safetensors", ignore_errors=True)


def test_each_argument_that_an_entry_holds_is_checked(riff: ModuleType) -> None:
    """A new field of a direction or of a live request has a check in the table, too."""
    checks = importlib.import_module(f"{riff.__name__}.state.variations.run_fields")
    direction = importlib.import_module(f"{riff.__name__}.core.directing.direction").Direction
    request = importlib.import_module(f"{riff.__name__}.rig.background.live_job").LiveRequest
    assert set(checks.DIRECTION) == {field.name for field in dataclasses.fields(direction)}
    assert set(checks.REQUEST) == {field.name for field in dataclasses.fields(request)}
