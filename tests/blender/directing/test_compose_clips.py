"""Every way of composing on real clips, end to end: imported, learned a little, composed, evaluated by Blender."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.support.composing import NEAR, compose, read, train

CLIPS = ("salsa", "walk", "elephant")


@pytest.fixture(params=CLIPS)
def learned(
    riff: ModuleType, models: Path, clip: Callable[[str], Path], request: pytest.FixtureRequest
) -> bpy.types.Object:
    """The armature of a real clip, its first five seconds learned."""
    return imported(riff, clip(request.param))


def imported(riff: ModuleType, path: Path) -> bpy.types.Object:
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True)
    action = bpy.context.object.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 150
    train(riff)
    return bpy.context.object


def select_keys(action: Any, frames: tuple[int, ...]) -> None:
    for curve in action.layers[0].strips[0].channelbags[0].fcurves:
        for point in curve.keyframe_points:
            point.select_control_point = round(point.co[0]) in frames


def apart(outcome: Any, source: Any) -> Any:
    """Angle of every rotation from the source's, (frames, joints)."""
    return np.abs(outcome.rotations() - source.rotations()).max(axis=(2, 3))


def test_parts_regions_and_longer_takes(riff: ModuleType, learned: bpy.types.Object) -> None:
    source = read(riff, learned)
    filled = read(riff, learned, compose(bpy.ops.riff.fill_regions, regions="51-100")[0])
    for kept in (slice(0, 50), slice(100, None)):
        np.testing.assert_allclose(filled.positions()[kept], source.positions()[kept], atol=NEAR)
    assert apart(filled, source)[60:90].max() > 0.01
    varied = apart(read(riff, learned, compose(bpy.ops.riff.vary_parts, parts="Head")[0]), source)
    changed = varied.max(axis=0) > NEAR
    assert 0 < changed.sum() < 0.5 * len(changed)
    longer = read(riff, learned, compose(bpy.ops.riff.extend_action, length=240)[0])
    assert longer.frames == 240
    np.testing.assert_allclose(longer.positions()[:150], source.positions(), atol=NEAR)
    loop = read(riff, learned, compose(bpy.ops.riff.loop_action, transition=30, travel="RETURN")[0]).positions()
    np.testing.assert_allclose(loop[-1], loop[0], atol=NEAR)


def test_selected_keys_are_hit(riff: ModuleType, learned: bpy.types.Object) -> None:
    source = read(riff, learned)
    kept = (1, 40, 75, 110, 150)
    select_keys(learned.animation_data.action, kept)
    rows = [frame - 1 for frame in kept]
    hard = read(riff, learned, compose(bpy.ops.riff.keep_keys)[0])
    np.testing.assert_allclose(hard.positions()[rows], source.positions()[rows], atol=NEAR)
    np.testing.assert_allclose(hard.rotations()[rows], source.rotations()[rows], atol=NEAR)
    assert apart(hard, source)[50:65].max() > 0.01
    soft = read(riff, learned, compose(bpy.ops.riff.keep_keys, firmness=0.5)[0])
    assert apart(soft, source)[rows].max() > NEAR


def test_a_part_in_a_region_through_a_key(riff: ModuleType, learned: bpy.types.Object) -> None:
    source = read(riff, learned)
    select_keys(learned.animation_data.action, (80,))
    made = compose(bpy.ops.riff.keep_keys, use_regions=True, regions="51-110", use_parts=True, parts="Head")
    changed = apart(read(riff, learned, made[0]), source) > NEAR
    assert changed.any()
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.min() >= 50
    assert rows.max() < 110
    assert 79 not in rows
    assert changed.any(axis=0).sum() < 0.5 * changed.shape[1]


def test_moments_of_a_clip(riff: ModuleType, learned: bpy.types.Object) -> None:
    source = read(riff, learned)
    outcome = read(riff, learned, compose(bpy.ops.riff.place_moments, moments="41-80@20, 41-80@120", length=180)[0])
    assert outcome.frames == 180
    for at in (19, 119):
        moved = outcome.rotations()[at : at + 40, 1:]
        np.testing.assert_allclose(moved, source.rotations()[40:80, 1:], atol=NEAR)


@pytest.mark.parametrize("name", ["salsa", "walk"])
def test_a_rig_of_other_names_and_rest_pose_enters(
    riff: ModuleType, models: Path, clip: Callable[[str], Path], name: str
) -> None:
    """The sample dancer's dance on a motion-capture skeleton, by guessed bones: its limbs point as the dancer's."""
    assert bpy.ops.riff.add_sample_dancer() == {"FINISHED"}
    dancer = bpy.context.object
    dance = dancer.animation_data.action
    dance.use_frame_range, dance.frame_start, dance.frame_end = True, 1, 150
    armature = imported(riff, clip(name))
    settings = bpy.context.scene.riff_compose
    settings.armature, settings.content = dancer, dance
    assert bpy.ops.riff.guess_bones() == {"FINISHED"}
    pairs = {pair.name: pair.other for pair in settings.bones if pair.other}
    assert len(pairs) > 15
    made = compose(
        bpy.ops.riff.restyle, armature=dancer.name, action=dance.name, style=0.0, clean_feet=False, root="FREE"
    )[0]
    ours, theirs = read(riff, armature, made), read(riff, dancer)
    for limb in ("upper_arm", "forearm", "thigh", "shin"):
        for side in ("L", "R"):
            other = f"{limb}.{side}"
            own = next(bone for bone, paired in pairs.items() if paired == other)
            angles = np.degrees(np.arccos(np.clip((pointing(ours, own) * pointing(theirs, other)).sum(-1), -1, 1)))
            assert np.median(angles) < 15.0, f"{own} is {np.median(angles):.0f} degrees off {other}"


def pointing(motion: Any, name: str) -> Any:
    """Direction of a bone, as unit vectors (frames, 3)."""
    joint = motion.skeleton.names.index(name)
    ways = motion.positions()[:, motion.skeleton.parents.index(joint)] - motion.positions()[:, joint]
    return ways / np.linalg.norm(ways, axis=-1, keepdims=True)
