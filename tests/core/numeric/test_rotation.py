"""Six numbers and matrices: round trips, degenerate input, and pymotion as an independent witness."""

from __future__ import annotations

import numpy as np
import pymotion.rotations.ortho6d as witness_6d
import pymotion.rotations.quat as witness_quat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.numeric.rotation import (
    Array,
    angle_between,
    axis_rotation,
    determinants,
    inverses,
    matrix_to_six,
    rotation_from_vector,
    six_to_matrix,
    turn_six,
)

numbers = st.floats(-5.0, 5.0, allow_nan=False, width=32)
angles = st.floats(-7.0, 7.0)


def random_rotations(count: int, seed: int = 0) -> tuple[Array, Array]:
    """Uniform rotations as quaternions (N, 4), w first, and the matrices (N, 3, 3) that pymotion makes of them."""
    quaternions = np.random.default_rng(seed).normal(size=(count, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    return quaternions, witness_quat.to_matrix(quaternions)


def test_six_numbers_are_the_first_two_columns_as_pymotion_has_them() -> None:
    quaternions, matrices = random_rotations(50)
    six = matrix_to_six(matrices)
    theirs = witness_6d.from_quat(quaternions)
    assert np.allclose(six.reshape(50, 2, 3), np.swapaxes(theirs, -1, -2), atol=1e-12)
    assert np.allclose(six_to_matrix(six), witness_6d.to_matrix(theirs), atol=1e-12)


@given(arrays(np.float64, (4, 6), elements=numbers))
def test_any_six_numbers_become_a_rotation(six: Array) -> None:
    matrices = six_to_matrix(six)
    assert np.allclose(matrices @ np.swapaxes(matrices, -1, -2), np.eye(3), atol=1e-6)
    assert np.allclose(np.linalg.det(matrices), 1.0, atol=1e-6)


@given(arrays(np.float64, (3, 6), elements=numbers))
def test_six_numbers_of_a_rotation_give_it_back(six: Array) -> None:
    matrices = six_to_matrix(six)
    assert np.allclose(six_to_matrix(matrix_to_six(matrices)), matrices, atol=1e-6)


@pytest.mark.parametrize("six", [[0] * 6, [1, 0, 0, 2, 0, 0], [0, 0, 0, 0, 1, 0], [0, 3, 0, 0, -1, 0]])
def test_degenerate_six_numbers_still_give_a_rotation(six: list[float]) -> None:
    matrix = six_to_matrix(np.array(six, dtype=np.float64))
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1.0)


@given(st.integers(0, 2), angles, angles)
def test_angle_between_turns_about_one_axis(axis: int, a: float, b: float) -> None:
    apart = abs((a - b + np.pi) % (2 * np.pi) - np.pi)
    rotations = axis_rotation(axis, np.array([a, b]))
    assert angle_between(rotations[0], rotations[1]) == pytest.approx(apart, abs=1e-6)


def test_small_angles_are_exact() -> None:
    turn = axis_rotation(1, np.array(1e-7))
    assert angle_between(np.eye(3), turn) == pytest.approx(1e-7, rel=1e-6)


@given(st.integers(0, 2), angles)
def test_axis_rotation_is_that_of_pymotion(axis: int, angle: float) -> None:
    quaternion = witness_quat.from_angle_axis(np.array([[angle]]), np.eye(3)[axis : axis + 1])
    assert np.allclose(axis_rotation(axis, np.array([angle])), witness_quat.to_matrix(quaternion), atol=1e-9)


@given(arrays(np.float64, (5, 6), elements=numbers), arrays(np.float64, (5, 3), elements=numbers))
def test_turning_six_numbers_is_multiplying_matrices(six: Array, vectors: Array) -> None:
    expected = six_to_matrix(six) @ rotation_from_vector(vectors)
    assert np.allclose(turn_six(six, vectors), matrix_to_six(expected), atol=1e-9)


def test_determinants_and_inverses_are_those_of_numpy() -> None:
    matrices = np.random.default_rng(3).normal(size=(5, 7, 3, 3))
    matrices[0, 0] *= 1e-3
    np.testing.assert_allclose(determinants(matrices), np.linalg.det(matrices), rtol=1e-9)
    np.testing.assert_allclose(inverses(matrices), np.linalg.inv(matrices), rtol=1e-7, atol=1e-9)
