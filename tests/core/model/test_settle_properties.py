"""Properties of generated motions: one way where the source goes one way, switches where the source has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.directing.compose import compose
from core.directing.composition import extend, fill_regions
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.model.settle_properties import directions, is_switch, run_one_way, settle_properties, switches_of
from core.motion.motion import Motion, with_properties
from core.motion.properties import AnimatedProperty
from core.motion.skeleton import GROUP
from core.numeric.rotation import Array, angle_between, axis_rotation, matrix_to_six, six_to_matrix
from tests.support.motions import walking_motion

PROGRESS, SWITCH, MOOD = range(3)


def walk_on_a_path(falls: bool = False) -> Motion:
    """A walk whose progress along a path rises (or falls), with an IK/FK switch of the left leg and a mood.

    While the switch is off, the leg's joints stand still.
    """
    motion = walking_motion(4.0)
    time = np.arange(motion.frames) / motion.fps
    progress = (time + 0.1 * np.sin(5 * time)) / 4.1
    switch = ((time >= 1.5) & (time < 2.7)).astype(float)
    values = np.stack([1.0 - progress if falls else progress, switch, np.sin(3 * time)], axis=1)
    properties = tuple(
        AnimatedProperty(joint, f'["{name}"]', 0, float(column.min()), float(column.max()), steps)
        for (joint, name, steps), column in zip(
            ((0, "offset_factor", ()), (7, "IK_FK.L", (0.0, 1.0)), (2, "mood", ())), values.T, strict=True
        )
    )
    skeleton = replace(motion.skeleton, properties=properties)
    features = np.zeros((motion.frames, skeleton.channels))
    features[:, : motion.skeleton.channels] = motion.features
    for joint in (skeleton.names.index(name) for name in ("LeftLeg", "LeftFoot")):
        off = switch == 0.0
        features[np.ix_(off, range(joint * GROUP, joint * GROUP + GROUP))] = np.eye(3)[:2].reshape(-1)
    return with_properties(Motion(features, skeleton, motion.fps, motion.origin), values)


def shuffled(source: Motion, seed: int, rows: int) -> Motion:
    """Pieces of the source in another order, with noise: a motion as a model could make it."""
    random = np.random.default_rng(seed)
    starts = random.integers(0, source.frames - 20, size=rows // 20 + 1)
    picked = np.concatenate([np.arange(start, start + 20) for start in starts])[:rows]
    features = source.features[picked] + 0.02 * random.normal(size=(rows, source.skeleton.channels))
    turns = six_to_matrix(features[:, : source.skeleton.joints * GROUP].reshape(rows, -1, GROUP))
    features[:, : source.skeleton.joints * GROUP] = matrix_to_six(turns).reshape(rows, -1)
    return replace(source, features=features)


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("IK_FK", True), ("ik_fk.L", True), ("FKIK", True), ("influence", True), ("IkFkSwitch", True),
        ("offset_factor", False), ("blink", False), ("bikini", False), ("flick", False), ("scale", False),
    ],
)  # fmt: skip
def test_names_of_switches(name: str, switch: bool) -> None:
    assert is_switch(name) == switch


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(30, 400), falls=st.booleans())
def test_progress_runs_one_way(seed: int, rows: int, falls: bool) -> None:
    source = walk_on_a_path(falls)
    assert directions(source).tolist() == [-1 if falls else 1, 0, 0]
    settled = settle_properties(shuffled(source, seed, rows), source)
    progress, own = settled.property_values()[:, PROGRESS], source.property_values()[:, PROGRESS]
    steps = np.diff(progress) * (-1 if falls else 1)
    assert steps.min() >= -1e-9
    assert steps.max() <= np.abs(np.diff(own)).max() + 1e-9
    assert progress[0] == pytest.approx(own[0], abs=1e-9)
    assert np.ptp(progress) > 0.3 * min(1.0, rows / source.frames)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(30, 400))
def test_a_switch_stays_where_the_source_has_it_and_the_pose_agrees(seed: int, rows: int) -> None:
    """The whole pose is the source's where the switch changes, so both chains agree as they did there."""
    source = walk_on_a_path()
    settled = settle_properties(shuffled(source, seed, rows), source)
    way = np.abs((np.arange(rows) + source.frames - 1) % (2 * source.frames - 2) - (source.frames - 1))
    switch = settled.property_values()[:, SWITCH]
    assert np.array_equal(switch, source.property_values()[way, SWITCH])
    assert set(np.unique(switch)) <= {0.0, 1.0}
    for change in np.flatnonzero(np.diff(switch)):
        for row in (change, change + 1):
            ours, theirs = settled.rotations()[row, 1:], source.rotations()[way[row], 1:]
            assert angle_between(ours, theirs).max() < 1e-6
            height = source.skeleton.root_channel + 2
            assert settled.features[row, height] == pytest.approx(source.features[way[row], height], abs=1e-9)


def test_controls_that_a_switch_turns_off_follow_the_source() -> None:
    """Else the leg would get the resting keys of the time when it was off."""
    source = walk_on_a_path()
    motion = shuffled(source, 3, source.frames)
    settled = settle_properties(motion, source)
    names = list(source.skeleton.names)
    for name, held in (("LeftLeg", True), ("LeftFoot", True), ("RightLeg", False), ("RightArm", False)):
        away = angle_between(settled.rotations()[:, names.index(name)], source.rotations()[:, names.index(name)])
        assert (away.max() < 1e-6) == held, name


def test_the_source_itself_is_left_as_it_is() -> None:
    source = walk_on_a_path()
    np.testing.assert_allclose(settle_properties(source, source).features, source.features, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    spans=st.lists(st.tuples(st.integers(0, 100), st.integers(8, 30)), min_size=1, max_size=3),
)
def test_progress_leads_from_kept_row_to_kept_row(seed: int, spans: list[tuple[int, int]]) -> None:
    source = walk_on_a_path()
    motion = shuffled(source, seed, source.frames)
    kept = np.ones((source.frames, 3), dtype=bool)
    for start, length in spans:
        kept[start : start + length] = False
    features = np.where(kept.all(1)[:, None], source.features, motion.features)
    settled = run_one_way(replace(source, features=features), source, kept)
    assert np.array_equal(settled.features[kept.all(1)], source.features[kept.all(1)])
    assert np.diff(settled.property_values()[:, PROGRESS]).min() >= -1e-9


def test_a_stepped_count_goes_up() -> None:
    source = walk_on_a_path()
    count = AnimatedProperty(2, '["count"]', 0, 0.0, 3.0, (0.0, 1.0, 2.0, 3.0))
    skeleton = replace(source.skeleton, properties=(*source.skeleton.properties[:2], count))
    values = source.property_values()
    values[:, MOOD] = np.arange(source.frames) * 4 // source.frames
    source = with_properties(replace(source, skeleton=skeleton), values)
    settled = settle_properties(shuffled(source, 5, source.frames), source).property_values()[:, MOOD]
    assert np.diff(settled).min() >= 0
    assert set(np.unique(settled)) <= {0.0, 1.0, 2.0, 3.0}


def test_a_slider_is_no_switch_whatever_it_is_called() -> None:
    source = walk_on_a_path()
    properties = list(source.skeleton.properties)
    properties[MOOD] = replace(properties[MOOD], path='pose.bones["Head"].constraints["IK"].influence')
    source = replace(source, skeleton=replace(source.skeleton, properties=tuple(properties)))
    assert switches_of(source) == [SWITCH]


def switched(motion: Motion) -> Array:
    return motion.property_values()[:, SWITCH]


def test_variations_and_filled_regions_of_a_model() -> None:
    source = walk_on_a_path()
    model = instant_model(source, "Walk")
    for motion in generate(model, count=3, seed=1):
        assert np.diff(motion.property_values()[:, PROGRESS]).min() >= -1e-9
        assert np.array_equal(switched(motion), switched(source))
    for composition in (fill_regions(source, [(30, 75)]), extend(source, 0, 60)):
        for motion in compose(model, composition, count=2, seed=1):
            progress = motion.property_values()[:, PROGRESS]
            assert np.diff(progress).min() >= -1e-9
            np.testing.assert_allclose(progress[:30], source.property_values()[:30, PROGRESS], atol=1e-9)
            assert set(np.unique(switched(motion))) <= {0.0, 1.0}
            if composition.target.frames == source.frames:
                assert np.array_equal(switched(motion), switched(source))


def test_headings_are_not_led_back() -> None:
    """A variation that walks another way goes on doing so at a switch."""
    source = walk_on_a_path()
    turned = source.features.copy()
    spin = axis_rotation(2, np.full(source.frames, 2.0))
    turned[:, :GROUP] = matrix_to_six(spin @ six_to_matrix(turned[:, :GROUP]))
    settled = settle_properties(replace(source, features=turned), source)
    np.testing.assert_allclose(settled.features[:, :GROUP], turned[:, :GROUP], atol=1e-9)
