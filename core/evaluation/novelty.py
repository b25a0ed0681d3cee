"""Novelty of a sample: distinguishes new motion from copies of the source with jitter, by the best patchwork."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import RATE
from ..numeric.distances import RowDistances, best_patchwork
from ..numeric.rotation import Array
from ..numeric.smoothing import smooth

PIECE_ROWS = 30
"""Shortest run of source rows in the best patchwork."""

KEPT_VARIANCE = 0.95
"""Share of the variance that the principal poses hold."""

COPY_ANGLE = np.radians(4.0)
"""Root mean square angle in radians of the moving joints below which a row is a copy of its source row."""


def novelty_figures(source: Array, sample: Array) -> dict[str, float]:
    """Compute the figures of novelty from rotation features (frames, joints × 6) at 30 fps.

    novelty: distance to the best patchwork of source pieces after a low-pass in time and a projection on the source's
    principal poses, which remove jitter but not new sequences of the source's moves. jitter_share: share of the
    rotation diversity that the low-pass removes. seams_per_second, source_used (share of the source's rows) and
    longest_run_seconds describe the best patchwork. copied_share: share of rows within 4 degrees of the patchwork.
    longest_copy_seconds: longest such stretch without a seam.
    """
    rows = best_patchwork(RowDistances(sample, source), PIECE_ROWS)
    gap = np.linalg.norm(sample - source[rows], axis=1)
    smooth_source, smooth_sample = smooth(source), smooth(sample)
    poses = principal_poses(smooth_source)
    calm = _patchwork_distance(smooth_source, smooth_sample)
    seams = np.diff(rows) != 1
    copied = gap < COPY_ANGLE * np.sqrt(4.0 / 3.0 * _moving_joints(source))
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
    return float(distances.along(best_patchwork(distances, PIECE_ROWS)).mean())


def principal_poses(rows: Array) -> Array:
    """Return the principal directions (C, K) that hold KEPT_VARIANCE of the variance of rows (T, C)."""
    _, values, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    share = np.cumsum(values**2) / max(float((values**2).sum()), 1e-12)
    kept: Array = directions[: int(np.searchsorted(share, KEPT_VARIANCE)) + 1].T
    return kept


def _moving_joints(source: Array) -> int:
    spread = np.ptp(source, axis=0).reshape(-1, 6).max(axis=1)
    return max(int((spread > 1e-3).sum()), 1)


def _longest_run(counted: NDArray[np.bool_], seams: NDArray[np.bool_]) -> int:
    """Return the length in rows of the longest stretch of counted rows without a seam."""
    longest = run = 0
    for row, counts in enumerate(counted):
        broken = row > 0 and seams[row - 1]
        run = (1 if broken else run + 1) if counts else 0
        longest = max(longest, run)
    return longest
