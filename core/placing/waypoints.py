"""Waypoints: the root of a take led to places at frames, by turning its way and by longer or shorter steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.headings import turn_motion
from ..motion.motion import Motion
from ..motion.resampling import with_path
from ..motion.skeleton import BODY
from ..numeric.rotation import Array, held_yaw, six_to_matrix, wrapped
from ..numeric.smoothing import PATH_SMOOTHING_SECONDS, smooth

REST_SHARE = 0.05
"""Share of the mean speed at which the way counts also where the root rests, so that every take can be led."""

SLOWEST = 0.02
"""Speed in body heights a second that a take has at least for this: a body at rest is moved evenly."""

TURN_COST = 0.12
"""Cost of a radian of turn between two waypoints, where a missing way as long as the way between them costs 1."""

START_COST = 0.04
"""Cost of a radian by which a whole take is turned."""

STEPS = 12
"""Gauss-Newton steps for the turns."""


@dataclass(frozen=True, eq=False)
class Lead:
    """Take led through waypoints, and the cost of it: turns and changes of steps."""

    motion: Motion
    cost: float


def lead(
    motion: Motion, rows: Sequence[int], places: Array, headings: Sequence[float | None], *, turns: bool = True
) -> Lead:
    """Lead the root of a motion to `places` (N, 2) at `rows`, strictly ascending; `headings` are yaws or None.

    The root starts at the motion's origin unless a row is 0. The way is turned about the vertical as far as that
    brings it nearer to the places; the rest is spread over the steps, by the way that they go. Without `turns` only the
    headings that are given turn it.
    """
    knots, targets, turned = list(rows), places, list(headings)
    if knots[0] > 0:
        knots, targets, turned = [0, *knots], np.concatenate([motion.origin[None], places]), [None, *turned]
    way = _way(motion)
    yaws = held_yaw(six_to_matrix(motion.features[:, :6]))
    fixed = [
        (None if turns else 0.0) if turn is None else float(wrapped(np.array(turn - yaws[row])))
        for row, turn in zip(knots, turned, strict=True)
    ]
    steps = np.diff(motion.root_positions()[:, :2], axis=0)
    problem = _Turns(steps, way, np.array(knots), targets, fixed)
    angles, cost = problem.best()
    bent = turn_motion(motion, problem.spread(angles))
    path = bent.root_positions()[:, :2]
    path = path - path[0] + targets[0]
    missing = targets - path[knots]
    offsets = _interpolated(way[knots], missing, way)
    return Lead(with_path(bent, path + offsets), cost)


def _way(motion: Motion) -> Array:
    """Return the way (T,) gone at each row, in core units, that never stops growing."""
    deviation = min(PATH_SMOOTHING_SECONDS / 2.0 * motion.fps, (motion.frames - 1) / 4.0)
    course = smooth(motion.root_positions()[:, :2], deviation)
    speeds = smooth(np.linalg.norm(np.diff(course, axis=0), axis=1)[:, None], max(deviation / 2.0, 1.0))[:, 0]
    least = REST_SHARE * max(float(speeds.mean()), SLOWEST * BODY / motion.fps)
    return np.concatenate([[0.0], np.cumsum(speeds + least)])


@dataclass(frozen=True, eq=False)
class _Turns:
    """Search for the turns at `knots` that bring sums of steps (T - 1, 2) nearest to the ways between targets."""

    steps: Array
    way: Array
    knots: NDArray[np.int64]
    targets: Array
    fixed: list[float | None]

    def spread(self, angles: Array) -> Array:
        """Return the turn (T,) at every row."""
        if len(self.knots) == 1:
            return np.full(len(self.way), angles[0])
        return _interpolated(self.way[self.knots], angles[:, None], self.way)[:, 0]

    def best(self) -> tuple[Array, float]:
        """Return the turns at the knots and their cost."""
        wanted, given = np.diff(self.targets, axis=0), self._sums(np.zeros(len(self.knots)))
        course = wrapped(np.arctan2(*wanted.T[::-1]) - np.arctan2(*given.T[::-1]))
        aimed = np.unwrap(np.concatenate([course[:1], course])) if len(course) else np.zeros(1)
        found = [self._refined(start) for start in (np.zeros(len(self.knots)), aimed)]
        angles = min(found, key=self._cost)
        return angles, self._cost(angles)

    def _refined(self, angles: Array) -> Array:
        free = [k for k, turn in enumerate(self.fixed) if turn is None]
        angles = self._fixed(angles)
        for _ in range(STEPS if free else 0):
            errors = self._errors(angles)
            slopes = np.zeros((len(errors), len(free)))
            for column, knot in enumerate(free):
                moved = angles.copy()
                moved[knot] += 1e-4
                slopes[:, column] = (self._errors(moved) - errors) / 1e-4
            normal = slopes.T @ slopes + 1e-4 * np.eye(len(free))
            step = -np.linalg.solve(normal, slopes.T @ errors)
            angles[free] += step.clip(-0.6, 0.6)
        return angles

    def _fixed(self, angles: Array) -> Array:
        """Return the turns with those that are asked for, each the nearest to the one before it."""
        angles = angles.copy()
        for knot, turn in enumerate(self.fixed):
            if turn is not None:
                before = angles[knot - 1] if knot else 0.0
                angles[knot] = before + float(wrapped(np.array(turn - before)))
        return angles

    def _sums(self, angles: Array) -> Array:
        turns = self.spread(angles)[1:]
        spun = np.exp(1j * turns) * (self.steps[:, 0] + 1j * self.steps[:, 1])
        sums = np.concatenate([[0.0], np.cumsum(spun)])[self.knots]
        between = np.diff(sums)
        return np.stack([between.real, between.imag], axis=1)

    def _errors(self, angles: Array) -> Array:
        lengths = np.maximum(np.diff(self.way[self.knots]), 0.05 * BODY)[:, None]
        missing = (np.diff(self.targets, axis=0) - self._sums(angles)) / lengths
        return np.concatenate([missing.ravel(), TURN_COST**0.5 * np.diff(angles), START_COST**0.5 * angles[:1]])

    def _cost(self, angles: Array) -> float:
        return float((self._errors(angles) ** 2).sum())


def _interpolated(at: Array, values: Array, wanted: Array) -> Array:
    """Interpolate values (N, C) at ascending places (N,) by monotone cubics without overshoot; constant outside."""
    if len(at) == 1:
        return np.repeat(values, len(wanted), axis=0)
    spans = np.diff(at)[:, None]
    slopes = np.diff(values, axis=0) / spans
    tangents = np.zeros_like(values)
    before, after = slopes[:-1], slopes[1:]
    same = before * after > 0
    wide, narrow = spans[1:] * 2 + spans[:-1], spans[1:] + spans[:-1] * 2
    mean = (wide + narrow) / (wide / np.where(same, before, 1.0) + narrow / np.where(same, after, 1.0))
    tangents[1:-1] = np.where(same, mean, 0.0)
    # At the ends the value goes on unchanged, so it arrives there without a slope.
    low = np.clip(np.searchsorted(at, wanted, side="right") - 1, 0, len(spans) - 1)
    share = ((wanted - at[low])[:, None] / spans[low]).clip(0.0, 1.0)
    square, cube = share**2, share**3
    return (
        (2 * cube - 3 * square + 1) * values[low]
        + (cube - 2 * square + share) * spans[low] * tangents[low]
        + (3 * square - 2 * cube) * values[low + 1]
        + (cube - square) * spans[low] * tangents[low + 1]
    )
