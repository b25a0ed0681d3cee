"""Interpolation of authored keys, and smoothing."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..core.numeric.rotation import Array
from ..core.numeric.smoothing import smooth


def ease(progress: Array) -> Array:
    """Return a minimum-jerk step: 0 up to progress 0, 1 from progress 1, at rest at both ends."""
    s = np.clip(progress, 0.0, 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s**2)


def through_keys(times: Array, values: Array, at: Array) -> Array:
    """Interpolate keys by monotone cubics (Fritsch and Carlson), so that a held pose is held without overshoot.

    times (k,) increasing, values (k, ...), at (n,) → (n, ...); constant before the first and after the last key.
    """
    values = np.asarray(values, float)
    gap = np.diff(times).reshape(-1, *([1] * (values.ndim - 1)))
    rise = np.diff(values, axis=0) / gap
    slope = np.zeros_like(values)
    before, after = rise[:-1], rise[1:]
    same_way = before * after > 0.0
    harmonic = 3.0 * (gap[:-1] + gap[1:]) * before * after
    weighted = (2.0 * gap[1:] + gap[:-1]) * after + (gap[1:] + 2.0 * gap[:-1]) * before
    slope[1:-1] = np.where(same_way, harmonic / np.where(same_way, weighted, 1.0), 0.0)
    index = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    width = gap[index]
    s = np.clip((at - times[index]).reshape(-1, *([1] * (values.ndim - 1))) / width, 0.0, 1.0)
    start, end = values[index], values[index + 1]
    bend = (s - 1.0) * (slope[index] * (1.0 - s) - slope[index + 1] * s) * -s * width
    return start + (end - start) * s * s * (3.0 - 2.0 * s) + bend


def merged_keys(keys: Iterable[tuple[float, float]]) -> tuple[Array, Array]:
    """Sort (time, value) keys and average those of one moment (closer than a hundredth): times (k,), values (k,)."""
    moments: dict[float, list[float]] = {}
    for time, value in keys:
        moments.setdefault(round(time, 2), []).append(value)
    times = sorted(moments)
    return np.array(times), np.array([np.mean(moments[time]) for time in times])


def table(keys: Sequence[tuple[float, ...]], at: Array) -> Array:
    """Interpolate rows of (time, a, b, …): at (n,) → (columns, n)."""
    rows = np.array(keys)
    return through_keys(rows[:, 0], rows[:, 1:], at).T


def smoothed(values: Array, sigma: float) -> Array:
    """Blur over the first axis by a Gaussian of `sigma` frames, cut at twice that; the ends repeat."""
    return smooth(values, sigma, "repeat", _reach(sigma))


def smoothed_below(ceiling: Array, sigma: float) -> Array:
    """Blur a ceiling (n,) like `smoothed`, but never rise above it: lower each frame to its neighbourhood first."""
    reach = _reach(sigma)
    padded = np.pad(ceiling, reach, mode="edge")
    return smoothed(np.min([padded[i : i + len(ceiling)] for i in range(2 * reach + 1)], axis=0), sigma)


def _reach(sigma: float) -> int:
    return int(np.ceil(2.0 * sigma))
