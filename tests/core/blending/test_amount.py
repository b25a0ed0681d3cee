"""The amount of a variation: exact at both ends, between them in pose, course and time, feet standing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.blending.alignment import align
from core.blending.amount import Amount
from core.errors import ClipError
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.motion.body_parts import body_halves
from core.motion.headings import turn_motion
from core.motion.motion import Motion, with_contact_labels
from core.motion.resampling import resample
from core.motion.retarget import onto_skeleton
from core.numeric.rotation import angle_between


@pytest.fixture(scope="module")
def walker(make_walker: Callable[..., Motion]) -> Motion:
    return with_contact_labels(make_walker(4.0))


@pytest.fixture(scope="module")
def amount(walker: Motion) -> Amount:
    variation = generate(instant_model(walker), fps=walker.fps, seed=2)[0]
    return Amount.between(walker, variation)


def slides(motion: Motion) -> float:
    """Mean speed of standing feet on the ground in core units a frame."""
    feet = motion.positions()[:, list(motion.skeleton.contacts), :2]
    standing = (motion.contact_labels()[1:] > 0.5) & (motion.contact_labels()[:-1] > 0.5)
    assert standing.any()
    return float(np.linalg.norm(np.diff(feet, axis=0), axis=2)[standing].mean())


def test_the_ends_are_source_and_variation(amount: Amount) -> None:
    assert amount.at(0.0) is amount.source
    assert amount.at(1.0) is amount.variation


def test_a_variation_that_was_read_with_other_feet(amount: Amount) -> None:
    one_foot = amount.variation.skeleton.with_contacts(amount.variation.skeleton.contacts[:1])
    other = Amount.between(amount.source, onto_skeleton(amount.variation, one_foot))
    middle, wanted = other.at(0.5), amount.at(0.5)
    assert middle.skeleton.contacts == amount.source.skeleton.contacts
    assert middle.frames == pytest.approx(wanted.frames, abs=2)


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_near_the_ends_it_is_near_them(amount: Amount, share: float) -> None:
    end = amount.source if share < 0.5 else amount.variation
    near = amount.at(share)
    rows = min(near.frames, end.frames)
    assert abs(near.frames - end.frames) <= 2
    degrees = np.degrees(angle_between(near.rotations()[:rows], end.rotations()[:rows]))
    assert np.median(degrees) < 1.5


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_feet_stand_at_every_amount(amount: Amount, share: float) -> None:
    assert slides(amount.at(share)) <= max(slides(amount.source), slides(amount.variation)) + 1e-4


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0.0, 2.0))
def test_any_amount_is_a_sound_motion(amount: Amount, share: float) -> None:
    motion = amount.at(share)
    assert np.isfinite(motion.features).all()
    assert motion.skeleton == amount.source.skeleton
    lengths = sorted((amount.source.frames, amount.variation.frames))
    assert lengths[0] - 1 <= motion.frames <= lengths[1] + 1


def test_a_slower_copy_is_aligned_with_its_source(walker: Motion) -> None:
    slower = resample(walker, walker.fps, round(1.3 * walker.frames))
    one, other = align(walker, slower)
    assert (np.diff(one) >= 0).all()
    assert (np.diff(other) >= 0).all()
    assert (one[0], other[0], one[-1], other[-1]) == (0, 0, walker.frames - 1, slower.frames - 1)
    # A walk repeats: of the whole course only the middle of it can tell that no step was left out.
    assert np.abs(one / (walker.frames - 1) - other / (slower.frames - 1)).max() < 0.06
    half = Amount.between(walker, slower).at(0.5)
    assert abs(half.frames - round(1.15 * walker.frames)) <= 2


def test_half_the_turn_between_two_headings(walker: Motion) -> None:
    turned = turn_motion(walker, np.linspace(0.0, 3.0, walker.frames))
    half = Amount.between(walker, turned).at(0.5)
    wanted = turn_motion(walker, np.linspace(0.0, 1.5, walker.frames))
    rows = min(half.frames, wanted.frames) - 1
    apart = np.linalg.norm(half.root_positions()[rows, :2] - wanted.root_positions()[rows, :2])
    assert apart < 0.05 * np.linalg.norm(np.diff(wanted.root_positions()[:, :2], axis=0), axis=1).sum()


def test_parts_have_amounts_of_their_own(amount: Amount) -> None:
    upper = body_halves(amount.source.skeleton)["Upper Body"]
    motion = amount.at(0.0, dict.fromkeys(upper, 1.0))
    lower = [joint for joint in range(amount.source.skeleton.joints) if joint not in upper]
    legs = np.degrees(angle_between(motion.rotations()[:, lower], amount.source.rotations()[:, lower]))
    assert motion.frames == amount.source.frames
    assert legs.max() < 1e-3
    arms = angle_between(motion.rotations()[:, list(upper)], amount.source.rotations()[:, list(upper)])
    assert np.degrees(arms).max() > 3.0


def test_bad_amounts_and_other_skeletons_are_told(amount: Amount, walker: Motion) -> None:
    for bad in (-0.1, 2.1, float("nan")):
        with pytest.raises(ClipError, match="from 0 to 2"):
            amount.at(bad)
    other = replace(
        walker.skeleton,
        names=(*walker.skeleton.names[:-1], "another"),
        parents=(-1, *[0] * (walker.skeleton.joints - 1)),
    )
    with pytest.raises(ClipError, match="different bones"):
        Amount.between(walker, replace(walker, skeleton=other))
