"""Drivers that read the user's scene: the frame, its properties, other objects; Riff reads in a scene of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_dancing_biped, key, state_of_file, world_pose
from tests.support.rigs.round_trip import assert_round_trip


def drive(owner: Any, path: str, index: int, expression: str, target: Any = None, data_path: str = "") -> Any:
    """Drive a property by an expression of `x`, a property of the target, or of the active scene without one."""
    curve = owner.driver_add(path, index) if index >= 0 else owner.driver_add(path)
    curve.driver.type = "SCRIPTED"
    curve.driver.expression = expression
    if data_path:
        variable = curve.driver.variables.new()
        variable.name, variable.type = "x", "SINGLE_PROP" if target else "CONTEXT_PROP"
        place = variable.targets[0]
        if isinstance(target, bpy.types.Scene):
            place.id_type = "SCENE"
        if target:
            place.id = target
        place.data_path = data_path
    return curve


def key_wind() -> Any:
    """The scene with a custom property that rises from 0 to 4 between frames 1 and 101."""
    scene: Any = bpy.context.scene
    for frame, value in ((1, 0.0), (101, 4.0)):
        scene["wind"] = value
        scene.keyframe_insert('["wind"]', frame=frame)
    return scene


def object_by_frame(biped: Any) -> None:
    drive(biped, "location", 1, "x / 20", bpy.context.scene, "frame_current")


def bone_by_frame(biped: Any) -> None:
    drive(biped.pose.bones["root"], "location", 1, "x / 20", bpy.context.scene, "frame_current")


def bone_by_keyed_property(biped: Any) -> None:
    drive(biped.pose.bones["root"], "location", 0, "x", key_wind(), '["wind"]')


def bone_by_driven_property(biped: Any) -> None:
    scene: Any = bpy.context.scene
    scene["gust"] = 0.0
    drive(scene, '["gust"]', -1, "x / 10", scene, "frame_current")
    drive(biped.pose.bones["root"], "location", 0, "x", scene, '["gust"]')


def bone_by_active_scene(biped: Any) -> None:
    key_wind()
    drive(biped.pose.bones["root"], "location", 0, "x", None, '["wind"]')


def bone_by_python(biped: Any) -> None:
    drive(biped.pose.bones["root"], "location", 0, "bpy.context.scene.frame_current / 25")


def bone_by_setting(biped: Any) -> None:
    scene: Any = bpy.context.scene
    scene.gravity[2] = -3.0
    drive(biped.pose.bones["root"], "location", 0, "x * frame / 90", scene, "gravity[2]")


def bone_by_camera(biped: Any) -> None:
    scene: Any = bpy.context.scene
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    key(scene.camera, "", "location", lambda t: (t, 0.0, 0.0))
    drive(biped.pose.bones["root"], "location", 0, "x", scene, "camera.location[0]")


def bone_by_keyed_object(biped: Any) -> None:
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    key(empty, "", "location", lambda t: (t, 0.0, 0.0))
    drive(biped.pose.bones["root"], "location", 0, "x", empty, "location[0]")


def bone_after_driven_object(biped: Any) -> None:
    """The root copies an empty, whose parent is driven by the frame."""
    scene: Any = bpy.context.scene
    parent, empty = (bpy.data.objects.new(name, None) for name in ("Parent", "Empty"))
    for ob in (parent, empty):
        scene.collection.objects.link(ob)
    empty.parent = parent
    drive(parent, "location", 0, "x / 20", scene, "frame_current")
    biped.pose.bones["root"].constraints.new("COPY_LOCATION").target = empty


def bone_by_armature_data(biped: Any) -> None:
    biped.data["lean"] = 0.0
    drive(biped.data, '["lean"]', -1, "x / 20", bpy.context.scene, "frame_current")
    curve = drive(biped.pose.bones["root"], "location", 0, "x")
    variable = curve.driver.variables.new()
    variable.name = "x"
    variable.targets[0].id_type = "ARMATURE"
    variable.targets[0].id = biped.data
    variable.targets[0].data_path = '["lean"]'


@pytest.fixture(autouse=True)
def python_allowed() -> Iterator[None]:
    """Python expressions run, as in a file that the user trusts."""
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    yield
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False


@pytest.mark.parametrize(
    "driven",
    [
        object_by_frame,
        bone_by_frame,
        bone_by_keyed_property,
        bone_by_driven_property,
        bone_by_active_scene,
        bone_by_python,
        bone_by_setting,
        bone_by_camera,
        bone_by_keyed_object,
        bone_after_driven_object,
        bone_by_armature_data,
    ],
)
def test_the_path_that_blender_plays_is_read_and_written(door: Any, driven: Callable[[Any], None]) -> None:
    biped = add_dancing_biped()
    driven(biped)
    evaluate = importlib.import_module(f"{door.package}.rig.reading.evaluate")
    source = importlib.import_module(f"{door.package}.rig.reading.actions").source_of(biped)
    frames = range(1, 102, 10)
    played = np.array([list(world_pose(biped, frame).values()) for frame in frames])
    assert np.ptp(played[:, 0, :3, 3], axis=0).max() > 1.0, "the driver moves nothing"
    bpy.context.scene.frame_set(30)
    before = state_of_file()
    sampled = evaluate.sample_poses(biped, source, frames, bpy.context.scene)
    assert state_of_file() == before
    np.testing.assert_allclose(sampled.world[:, None] @ sampled.pose, played, atol=1e-5)
    assert_round_trip(door, biped)


def test_an_expression_that_reads_data_is_named(door: Any) -> None:
    biped = add_dancing_biped()
    bone_by_keyed_object(biped)
    biped.pose.bones["root"].driver_remove("location", 0)
    drive(biped.pose.bones["root"], "location", 2, "bpy.data.objects['Empty'].location.x")
    before = state_of_file()
    with pytest.raises(door.error) as caught:
        door.read_motion(biped)
    assert str(caught.value) == (
        "The driver of “location” of “root” reads “bpy.data.objects” in its expression, which stands still while Riff "
        "reads; use a variable of the driver instead."
    )
    assert state_of_file() == before


def test_a_path_that_no_other_scene_has_is_named(door: Any) -> None:
    biped = add_dancing_biped()
    drive(biped.pose.bones["head"], "scale", 0, "1 + x", bpy.context.scene, 'objects["Biped"].location[0]')
    with pytest.raises(door.error) as caught:
        door.read_motion(biped)
    assert str(caught.value) == (
        'The driver of “scale” of “head” reads “objects["Biped"].location[0]” of the scene, which Riff cannot follow; '
        "let it read that object itself."
    )
