"""Whether a sample is new or only the source with jitter on it: how the best-matching path runs through the source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import RATE
from ..numeric.distances import RowDistances, best_patchwork
from ..numeric.rotation import Array

PIECE = 30
SMOOTHING = 5.0
"""Standard deviation in rows of the Gaussian low-pass: it removes what changes faster than about once a second."""

KEPT_VARIANCE = 0.95
COPIED = np.radians(4.0)
"""A frame whose moving joints are this near to the source's (root mean square angle) is a copy."""


def novelty_figures(source: Array, sample: Array) -> dict[str, float]:
    """Figures of rotation features (frames, joints × 6) at 30 frames a second.

    novelty: distance to the best patchwork of source pieces after a low-pass in time and a projection on the source's
    own principal poses; jitter of any kind has no place there, a new sequence of the source's moves has.
    jitter_share: share of the rotation diversity that the low-pass alone removes. seams_per_second, source_used (share
    of its rows), longest_run_seconds: how the best path through the source runs. copied_share and
    longest_copy_seconds: how much of the sample is within 4 degrees of that path, and the longest such stretch of an
    unbroken run.
    """
    rows = best_patchwork(RowDistances(sample, source), PIECE)
    gap = np.linalg.norm(sample - source[rows], axis=1)
    smooth_source, smooth_sample = low_pass(source), low_pass(sample)
    poses = principal_poses(smooth_source)
    calm = _patchwork_distance(smooth_source, smooth_sample)
    seams = np.diff(rows) != 1
    copied = gap < COPIED * np.sqrt(4.0 / 3.0 * _moving_joints(source))
    return {
        "novelty": _patchwork_distance(smooth_source @ poses, smooth_sample @ poses),
        "jitter_share": float(np.clip(1.0 - calm / max(float(gap.mean()), 1e-9), 0.0, 1.0)),
        "seams_per_second": float(seams.sum() * RATE / len(rows)),
        "source_used": len(np.unique(rows)) / len(source),
        "longest_run_seconds": _longest_run(np.ones_like(copied), seams) / RATE,
        "copied_share": float(copied.mean()),
        "longest_copy_seconds": _longest_run(copied, seams) / RATE,
    }


def _patchwork_distance(source: Array, sample: Array) -> float:
    distances = RowDistances(sample, source)
    return float(distances.along(best_patchwork(distances, PIECE)).mean())


def low_pass(rows: Array, deviation: float = SMOOTHING) -> Array:
    """Rows (T, C) smoothed in time by a Gaussian; the ends are mirrored."""
    reach = min(int(4 * deviation), len(rows) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(rows, ((reach, reach), (0, 0)), mode="reflect")
    smooth = np.zeros_like(rows)
    for shift, weight in enumerate(weights / weights.sum()):
        smooth += weight * padded[shift : shift + len(rows)]
    return smooth


def principal_poses(rows: Array) -> Array:
    """Directions (C, K) that hold 95 % of the variance of rows (T, C)."""
    _, values, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    share = np.cumsum(values**2) / max(float((values**2).sum()), 1e-12)
    kept: Array = directions[: int(np.searchsorted(share, KEPT_VARIANCE)) + 1].T
    return kept


def _moving_joints(source: Array) -> int:
    spread = np.ptp(source, axis=0).reshape(-1, 6).max(axis=1)
    return max(int((spread > 1e-3).sum()), 1)


def _longest_run(counted: NDArray[np.bool_], seams: NDArray[np.bool_]) -> int:
    """Rows of the longest stretch of counted rows without a seam in it."""
    longest = run = 0
    for row, counts in enumerate(counted):
        broken = row > 0 and seams[row - 1]
        run = (1 if broken else run + 1) if counts else 0
        longest = max(longest, run)
    return longest
