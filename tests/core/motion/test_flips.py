"""A joint that jumps round within a frame turns at a speed it has in the source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.motion.flips import MIN_TURN_LIMIT, TURN_MARGIN, fastest_turns, repair_flips
from core.motion.motion import Motion
from core.numeric.rotation import (
    angle_between,
    axis_rotation,
    matrix_to_six,
    rotation_from_vector,
    vector_from_rotation,
)

numbers = st.floats(-3.0, 3.0).filter(lambda x: abs(x) > 1e-6 or x == 0)


@given(st.tuples(numbers, numbers, numbers))
def test_vectors_and_rotations_are_inverse(vector: tuple[float, float, float]) -> None:
    turn = rotation_from_vector(np.array(vector))
    again = rotation_from_vector(vector_from_rotation(turn))
    np.testing.assert_allclose(again, turn, atol=1e-9)
    if np.linalg.norm(vector) < 3.0:
        np.testing.assert_allclose(vector_from_rotation(turn), vector, atol=1e-7)


def test_flip_becomes_a_turn(walker: Motion) -> None:
    rotations = walker.rotations()
    rotations[45:, 0] = rotations[45:, 0] @ axis_rotation(2, np.array(np.pi - 0.05))
    features = walker.features.copy()
    features[:, :6] = matrix_to_six(rotations[:, 0])
    flipped = replace(walker, features=features)
    repaired = repair_flips(flipped, walker)
    limit = TURN_MARGIN * max(float(fastest_turns(walker)[0]), MIN_TURN_LIMIT)
    after = repaired.rotations()
    assert angle_between(after[1:, 0], after[:-1, 0]).max() < limit
    np.testing.assert_allclose(after[:20], rotations[:20], atol=1e-9)
    np.testing.assert_allclose(after[70:], rotations[70:], atol=1e-9)
    np.testing.assert_allclose(repaired.features[:, 6:], flipped.features[:, 6:])


def test_motion_without_flips_comes_back_as_it_is(walker: Motion) -> None:
    assert repair_flips(walker, walker) is walker
