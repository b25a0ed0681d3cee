"""Routes: paths on the ground for the root to follow, such as a curve drawn by the user."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ClipError
from ..motion.motion import RATE, Motion
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix
from ..numeric.smoothing import path_deviation, smooth

MIN_SPEED_SHARE = 0.1
"""Share of the mean speed below which the direction of movement is undefined."""


@dataclass(frozen=True, eq=False)
class Route:
    """Polyline through `points` (N, 2) on the ground in core units, walked from the first to the last."""

    points: Array

    @property
    def length(self) -> float:
        """Length in core units."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    def at(self, distance: Array) -> Array:
        """Return the positions (T, 2) after walking `distance` (T,) in core units."""
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        walked = np.concatenate([[0.0], np.cumsum(steps)])
        return np.stack([np.interp(distance, walked, self.points[:, k]) for k in range(2)], axis=1)


def follow_route(motion: Motion, route: Route) -> Motion:
    """Move the root along a route by the distance that it walks, turned about the vertical into the route's direction.

    The root's sway about its smoothed path is kept. Raises ClipError where the route is shorter than the walk.
    """
    way, walked = _way(motion)
    if route.length < walked[-1]:
        unit = motion.skeleton.unit
        raise ClipError(
            f"The curve is {route.length * unit:.3g} long, but the motion walks {walked[-1] * unit:.3g}; "
            "lengthen the curve or ask for fewer frames."
        )
    return _on_route(motion, way, route.at(walked))


def follow_course(motion: Motion, path: Array) -> Motion:
    """Move the root from the start to the end of a path (T, 2) of another motion at its rate, as `follow_route` does.

    Both paths count without their sway; steps become longer or shorter by the same factor.
    """
    way, walked = _way(motion)
    course = Route(smooth(path, path_deviation(motion.fps, len(path))))
    if not walked[-1] > 0.0:
        return motion
    return _on_route(motion, way, course.at(walked * (course.length / walked[-1])))


def _way(motion: Motion) -> tuple[Array, Array]:
    """Return the smoothed path (T, 2) of the root and the distances (T,) walked along it."""
    way = smooth(motion.root_positions()[:, :2], path_deviation(motion.fps, motion.frames))
    return way, np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])


def _on_route(motion: Motion, way: Array, on_route: Array) -> Motion:
    """Move the root from its smoothed path `way` (T, 2) to places (T, 2) on a route, and turn it with the route."""
    deviation = path_deviation(motion.fps, motion.frames)
    on_route = smooth(on_route, max(deviation / 4.0, 1.0))
    turn = _headings(on_route, deviation) - _headings(way, deviation)
    turn = smooth(np.unwrap(turn)[:, None], deviation / 2.0)[:, 0]
    spin = axis_rotation(2, turn)
    sway = np.einsum("tij,tj->ti", spin[:, :2, :2], motion.root_positions()[:, :2] - way)
    return _placed(motion, spin, on_route + sway)


def _headings(path: Array, deviation: float) -> Array:
    """Return the direction (T,) of a path in radians, interpolated where it hardly moves."""
    steps = np.gradient(path, axis=0)
    speeds = np.linalg.norm(steps, axis=1)
    weights = (speeds > MIN_SPEED_SHARE * max(float(speeds.mean()), 1e-9)).astype(float)
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
