"""Distance of a motion from the bar of a variation, by figures quick to compute: for a choice among several."""

from __future__ import annotations

from dataclasses import dataclass

from ..motion.motion import RATE, Motion
from ..numeric.distances import RowDistances, best_patchwork, nearest_windows
from .artefacts import path_differences
from .copying import SAME_TIME_FRAMES, random_distance, same_time
from .frechet import frechet_to_source, rotation_windows
from .metrics import COVERAGE_THRESHOLD, COVERAGE_WINDOW_ROWS, PIECE_ROWS, rotation_features


@dataclass(frozen=True)
class Range:
    """Range in which a figure should be; `width` is the distance from it that counts as 1."""

    low: float
    high: float
    width: float

    def shortfall(self, value: float) -> float:
        """Return how far a figure is outside the range, in widths; 0 within it."""
        return max(self.low - value, value - self.high, 0.0) / self.width


RANGES = {
    "same_time": Range(0.0, 0.3, 0.3),
    "rotation_share": Range(0.275, float("inf"), 0.25),
    "coverage": Range(0.98, 1.0, 0.1),
    "rotation_window_frechet": Range(0.0, 1.2, 1.2),
    "roughness": Range(0.92, 1.13, 0.25),
}
"""Ranges of the figures of one motion, a little within the bars for the mean of several."""


class Shortfall:
    """Sum of how far a motion's figures are outside RANGES, against a source at the same rate.

    Rates below 30 fps are those of lower stages: runs of rows are as much shorter. Figures are those of `evaluate`,
    coverage by rotations alone.
    """

    def __init__(self, source: Motion) -> None:
        share = source.fps / RATE
        self._rotations, self._acceleration = rotation_features(source), _mean_acceleration(source)
        self._usual = max(random_distance(self._rotations), 1e-9)
        self._windows = rotation_windows(source)
        self._tolerance = round(SAME_TIME_FRAMES * share)
        self._piece, self._covered = (max(2, int(rows * share)) for rows in (PIECE_ROWS, COVERAGE_WINDOW_ROWS))

    def of(self, sample: Motion) -> float:
        """Return the shortfall of a motion; 0 if all figures are within their ranges."""
        figures = self.figures(sample)
        return sum(one.shortfall(figures[name]) for name, one in RANGES.items())

    def figures(self, sample: Motion) -> dict[str, float]:
        """Return the figures of a motion by the names of RANGES."""
        rotations = rotation_features(sample)
        distances = RowDistances(rotations, self._rotations)
        covered = nearest_windows(distances.T, self._covered) < COVERAGE_THRESHOLD
        return {
            "same_time": same_time(self._rotations, rotations, tolerance=self._tolerance),
            "rotation_share": float(distances.along(best_patchwork(distances, self._piece)).mean()) / self._usual,
            "coverage": float(covered.mean()),
            "rotation_window_frechet": frechet_to_source(self._windows, rotation_windows(sample)),
            "roughness": _mean_acceleration(sample) / self._acceleration,
        }


def _mean_acceleration(motion: Motion) -> float:
    """Return the mean acceleration of all joints; a little more than 0 for a motion that stands still."""
    return max(float(path_differences(motion.positions(), 2).mean()), 1e-9)
