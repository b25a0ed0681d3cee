"""Rotations as channel values, against mathutils, also where Euler angles and axes are not defined."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from mathutils import Euler, Matrix, Quaternion
from numpy.typing import NDArray

from tests.support.rigs.biped import MODES

Values = NDArray[np.float64]


@pytest.fixture
def channel_values(riff: ModuleType) -> Callable[[Values, str], Values]:
    module = importlib.import_module(f"{riff.__name__}.rig.writing.rotation_modes")
    values: Callable[[Values, str], Values] = module.channel_values
    return values


def to_matrix(values: Values, mode: Any) -> Values:
    channels = values.tolist()
    if mode == "QUATERNION":
        return np.array(Quaternion(channels).to_matrix())
    if mode == "AXIS_ANGLE":
        return np.array(Matrix.Rotation(channels[0], 3, channels[1:]))
    return np.array(Euler(channels, mode).to_matrix())


def turn(axis: int, angles: Values) -> Values:
    letter: Any = "XYZ"[axis]
    return np.array([Matrix.Rotation(angle, 3, letter) for angle in angles])


@pytest.mark.parametrize("mode", MODES)
def test_any_rotation(channel_values: Callable[[Values, str], Values], mode: str) -> None:
    quaternions = np.random.default_rng(3).normal(size=(300, 4))
    matrices = np.array([Quaternion(q).normalized().to_matrix() for q in quaternions])
    values = channel_values(matrices, mode)
    # unwrapping may pile up full turns, which single precision pays for; one row at a time has none
    for matrix in matrices:
        assert np.allclose(to_matrix(channel_values(matrix[None], mode)[0], mode), matrix, atol=2e-6)
    assert np.allclose([to_matrix(row, mode) for row in values], matrices, atol=2e-5)


@pytest.mark.parametrize("mode", MODES)
def test_half_turns_and_none(channel_values: Callable[[Values, str], Values], mode: str) -> None:
    none = np.eye(3)
    matrices = np.array([none, none, *(np.diag(2.0 * none[k] - 1.0) for k in range(3)), none])
    values = channel_values(matrices, mode)
    assert np.isfinite(values).all()
    assert np.allclose([to_matrix(row, mode) for row in values], matrices, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_through_the_quarter_turn(channel_values: Callable[[Values, str], Values], mode: str, axis: int) -> None:
    """Turning about one axis runs one Euler angle through the quarter turn where the others cannot be told apart."""
    angles = np.linspace(-3.0, 3.0, 121)
    angles[90] = np.pi / 2
    matrices = turn((axis + 1) % 3, np.full(121, 0.3)) @ turn(axis, angles)
    values = channel_values(matrices, mode)
    assert np.allclose([to_matrix(row, mode) for row in values], matrices, atol=2e-6)


@pytest.mark.parametrize("mode", MODES)
def test_no_jumps_over_several_turns(channel_values: Callable[[Values, str], Values], mode: str) -> None:
    order = mode if len(mode) == 3 else "XYZ"
    axis = "XYZ".index(order[0])
    values = channel_values(turn(axis, np.linspace(0.0, 12.0, 241)), mode)
    assert np.abs(np.diff(values, axis=0)).max() < 0.06
    if mode != "QUATERNION":
        assert np.ptp(values, axis=0).max() == pytest.approx(12.0, abs=1e-3)
