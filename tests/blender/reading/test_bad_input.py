"""Actions and armatures that are broken: a true sentence that names the place, or the right result."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.rigs.biped import add_biped, add_dancing_biped, key, key_turns, state_of_file, swing
from tests.support.rigs.round_trip import assert_round_trip
from tests.support.rigs.zoo import add_rig

HIPS, HEAD = 'pose.bones["hips"].location', 'pose.bones["head"].rotation_quaternion'


def spoil_key(biped: Any, path: str, index: int, value: float) -> Any:
    """Give the key at frame 21 another value."""
    curve = biped.animation_data.action.layers[0].strips[0].channelbags[0].fcurves.find(path, index=index)
    curve.keyframe_points[5].co[1] = value
    curve.keyframe_points[5].interpolation = curve.keyframe_points[4].interpolation = "CONSTANT"
    curve.update()
    return biped


def one_key() -> Any:
    biped = add_biped()
    biped.pose.bones["hips"].keyframe_insert("location", frame=7)
    return biped


def ranged(first: float, last: float) -> Any:
    biped = add_dancing_biped()
    action = biped.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, first, last
    return biped


def with_property(value: float) -> Any:
    biped = add_dancing_biped()
    for frame, number in ((1, 0.0), (21, value)):
        biped["mood"] = number
        biped.keyframe_insert('["mood"]', frame=frame)
    return biped


def with_object_key(value: float, path: str = "location") -> Any:
    biped = add_dancing_biped()
    key(biped, "", path, lambda t: (1.0 + 0.1 * t,) * 3)
    return spoil_key(biped, path, 1, value)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (one_key, "The action “BipedAction” has fewer than two frames; key it on a second frame."),
        (
            lambda: ranged(10.0, 10.0),
            "The action “BipedAction” has fewer than two frames; correct its Manual Frame Range.",
        ),
        (
            lambda: ranged(10.2, 10.8),
            "The action “BipedAction” has fewer than two frames; correct its Manual Frame Range.",
        ),
        (
            lambda: spoil_key(add_dancing_biped(), HIPS, 0, math.nan),
            "“hips” has an invalid key (not a number) at frame 21.",
        ),
        (
            lambda: spoil_key(add_dancing_biped(), HEAD, 1, math.nan),
            "“head” has an invalid key (not a number) at frame 21.",
        ),
        (
            lambda: spoil_key(add_dancing_biped(), HIPS, 1, math.inf),
            "“hips” is over 100,000 times the armature's size away at frame 21; correct its keys there.",
        ),
        (lambda: with_property(math.nan), '“["mood"]” has an invalid key (not a number) at frame 21.'),
        (lambda: with_object_key(math.nan), "The object “Biped” has an invalid key (not a number) at frame 21."),
        (
            lambda: with_object_key(math.nan, "scale"),
            "The object “Biped” has an invalid key (not a number) at frame 21.",
        ),
        (
            lambda: spoil_key(add_dancing_biped(), HIPS, 0, 1e9),
            "“hips” is over 100,000 times the armature's size away at frame 21; correct its keys there.",
        ),
        (
            lambda: with_object_key(-1e30),
            "The object “Biped” moves over 100,000 times its size until frame 21; correct its keys there.",
        ),
    ],
)
def test_a_true_sentence(door: Any, made: Callable[[], Any], sentence: str) -> None:
    biped = made()
    bpy.context.scene.frame_set(1)
    before = state_of_file()
    with pytest.raises(door.error) as caught:
        door.read_motion(biped)
    assert str(caught.value) == sentence
    assert repr(state_of_file()) == repr(before)


def test_huge_numbers_that_mean_a_rotation(door: Any) -> None:
    biped = spoil_key(add_dancing_biped(), HEAD, 1, 1e30)
    motion = assert_round_trip(door, biped)
    assert np.isfinite(motion.features).all()


def test_far_from_the_origin(door: Any) -> None:
    biped = add_dancing_biped()
    plain = door.read_motion(biped)
    biped.location = (1e7, 0.0, 0.0)
    bpy.context.view_layer.update()
    np.testing.assert_allclose(door.read_motion(biped).features, plain.features, atol=1e-4)


def test_without_deforming_bones(door: Any) -> None:
    biped = add_dancing_biped()
    plain = door.read_motion(biped)
    for bone in biped.data.bones:
        bone.use_deform = False
    motion = assert_round_trip(door, biped)
    assert motion.skeleton.contacts == plain.skeleton.contacts == (7, 10)
    np.testing.assert_array_equal(motion.features, plain.features)


@pytest.mark.parametrize("length", [1e-5, 1.0])
def test_bones_hardly_long_or_all_in_one_place(door: Any, length: float) -> None:
    """Blender itself removes bones without any length when Edit Mode ends."""
    step = length if length < 1.0 else 0.0
    bones = {
        name: (parent, (0.0, 0.0, step * k), (0.0, 0.0, step * k + length))
        for k, (name, parent) in enumerate((("a", ""), ("b", "a"), ("c", "b")))
    }
    rig = add_rig("Speck", bones)
    for number, name in enumerate(bones):
        key_turns(rig, name, partial(swing, number=number))
    motion = assert_round_trip(door, rig)
    assert motion.skeleton.names == ("a", "b", "c")
    assert np.isfinite(motion.features).all()
