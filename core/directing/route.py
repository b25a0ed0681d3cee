"""A path on the ground for the root to follow, such as a curve that somebody has drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ClipError
from ..evaluation.novelty import low_pass
from ..motion.motion import RATE, Motion
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix

CALM = 0.5
"""Standard deviation in seconds of the low-pass that tells where the body goes from how it sways."""

CREEP = 0.1
"""Share of the mean speed under which a body goes nowhere, so that its direction says nothing."""


@dataclass(frozen=True, eq=False)
class Route:
    """A line through `points` (N, 2) on the ground, in core units, walked from the first to the last."""

    points: Array

    @property
    def length(self) -> float:
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    def at(self, way: Array) -> Array:
        """Places (T, 2) after walking `way` (T,)."""
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        done = np.concatenate([[0.0], np.cumsum(steps)])
        return np.stack([np.interp(way, done, self.points[:, k]) for k in range(2)], axis=1)


def follow_route(motion: Motion, route: Route) -> Motion:
    """The motion, walking along the route as far as it walks, turned about the vertical into the route's direction.

    How the root sways about its way is kept. Raises ClipError where the route is shorter than the walk.
    """
    root = motion.root_positions()
    deviation = min(CALM * motion.fps, (motion.frames - 1) / 4.0)
    way = low_pass(root[:, :2], deviation)
    steps = np.diff(way, axis=0)
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(steps, axis=1))])
    if route.length < walked[-1]:
        unit = motion.skeleton.unit
        raise ClipError(
            f"The curve is {route.length * unit:.3g} long, but the motion walks {walked[-1] * unit:.3g}; "
            "lengthen the curve or ask for fewer frames."
        )
    on_route = low_pass(route.at(walked), max(deviation / 4.0, 1.0))
    turn = _headings(on_route, deviation) - _headings(way, deviation)
    turn = low_pass(np.unwrap(turn)[:, None], deviation / 2.0)[:, 0]
    spin = axis_rotation(2, turn)
    sway = np.einsum("tij,tj->ti", spin[:, :2, :2], root[:, :2] - way)
    return _placed(motion, spin, on_route + sway)


def _headings(path: Array, deviation: float) -> Array:
    """Direction (T,) in which a path goes, in radians; where it hardly moves, that of the frames around."""
    steps = np.gradient(path, axis=0)
    speeds = np.linalg.norm(steps, axis=1)
    weights = (speeds > CREEP * max(float(speeds.mean()), 1e-9)).astype(float)
    if not weights.any():
        return np.zeros(len(path))
    moving = np.flatnonzero(weights)
    angles = np.unwrap(np.arctan2(steps[moving, 1], steps[moving, 0]))
    headings: Array = np.interp(np.arange(len(path)), moving, angles)
    return headings


def _placed(motion: Motion, spin: Array, path: Array) -> Motion:
    features = motion.features.copy()
    features[:, :GROUP] = matrix_to_six(spin @ six_to_matrix(features[:, :GROUP]))
    velocity = np.diff(path, axis=0) * (motion.fps / RATE)
    channel = motion.skeleton.root_channel
    features[:, channel : channel + 2] = np.concatenate([velocity[:1], velocity])
    return replace(motion, features=features, origin=path[0].copy())
