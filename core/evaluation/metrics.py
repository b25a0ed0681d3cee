"""Fidelity and diversity of samples: the metrics of Roditakis et al. 2024, Table 2, and complementary ones.

Coverage, global and local diversity equal those of GANimator's code on the same arrays. As there, the compared features
are those of all groups but the root: rotations, contact labels and moving offsets, unscaled. Channels that are zero in
both motions have no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ClipError
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from ..motion.skeleton import GROUP, Skeleton
from ..numeric.distances import RowDistances, best_patchwork, nearest_windows, run_blocks
from ..numeric.rotation import Array
from .artefacts import foot_figures, roughness_figures
from .copying import between, random_distance, same_time
from .frechet import frechet_to_source, position_windows, rotation_windows
from .novelty import novelty_figures

COVERAGE_WINDOW_ROWS, COVERAGE_THRESHOLD = 30, 2.0
"""Rows of a window, and the mean row distance below which a window is covered (GANimator)."""

PIECE_ROWS = 30
"""Shortest run of source rows in the best patchwork, for global diversity (GANimator)."""

LOCAL_WINDOW_ROWS = 15
"""Rows of a window for local diversity (GANimator)."""


def coverage(
    source: Array,
    generated: Array,
    window: int = COVERAGE_WINDOW_ROWS,
    threshold: float = COVERAGE_THRESHOLD,
    check_cancelled: Callable[[], None] = lambda: None,
) -> float:
    """Return the share of the source's windows within `threshold` of a window of the sample (GANimator).

    `check_cancelled` is called often and may raise.
    """
    return float((nearest_windows(RowDistances(source, generated, check_cancelled), window) < threshold).mean())


def global_diversity(
    source: Array, generated: Array, piece: int = PIECE_ROWS, check_cancelled: Callable[[], None] = lambda: None
) -> float:
    """Return the mean distance of the sample's rows to the best patchwork of source pieces (GANimator).

    `check_cancelled` is called often and may raise.
    """
    distances = RowDistances(generated, source, check_cancelled)
    return float(distances.along(best_patchwork(distances, piece)).mean())


def local_diversity(source: Array, generated: Array, window: int = LOCAL_WINDOW_ROWS) -> float:
    """Return the mean distance of the sample's windows to the nearest ones of the source (GANimator).

    Between two samples it is SinMDM's *inter diversity*.
    """
    return float(nearest_windows(RowDistances(generated, source), window).mean())


def intra_diversity(motion: Array, window: int = LOCAL_WINDOW_ROWS) -> float:
    """Return the mean distance of two windows of a motion over all pairs (SinMDM samples pairs by a seed)."""
    total = sum(float(block.costs.sum()) for block in run_blocks(RowDistances(motion, motion), window))
    return total / (max(len(motion) - window + 1, 1) ** 2 * window)


def harmonic_mean(figures: dict[str, float]) -> float:
    """Return the harmonic mean of SinMDM's six figures, each scaled to 0 … 1; 0 for a copy.

    Coverage is unscaled; global, local and (for several samples) inter diversity d as 1 - exp(-d); Fréchet distance
    and difference of intra diversity d as 1 / (1 + d). The papers give no scaling; this one reproduces the order of
    Roditakis et al. 2024, Table 2, and its values to within 0.06.
    """
    good = [figures["coverage"]]
    diversities = [name for name in ("global_diversity", "local_diversity", "inter_diversity") if name in figures]
    good += [1.0 - float(np.exp(-figures[name])) for name in diversities]
    good += [1.0 / (1.0 + figures[name]) for name in ("window_frechet", "intra_diversity_difference")]
    return 0.0 if min(good) < 1e-6 else float(len(good) / sum(1.0 / value for value in good))


def compared_features(motion: Motion) -> Array:
    """Return the features that GANimator's evaluation compares: all groups but the root (frames, channels - 6)."""
    root = motion.skeleton.root_channel
    return np.delete(motion.features, slice(root, root + GROUP), axis=1)


def rotation_features(motion: Motion) -> Array:
    """Return the joint rotations (frames, joints × 6)."""
    return motion.features[:, : motion.skeleton.joints * GROUP]


def evaluate(
    source: Motion, samples: Sequence[Motion], on_progress: Callable[[int], None] | None = None
) -> dict[str, float]:
    """Compute all figures at 30 fps, each the mean over the samples.

    In the papers samples are twice as long as the source. Names that begin with `rotation_` use rotations only; see
    `novelty_figures`, `roughness_figures` and `foot_figures` for the others. A single sample has no inter diversity and
    no `between`, a skeleton without contacts no figures of the feet. `rotation_share` is the global diversity of
    rotations over the distance of two frames of the source. `on_progress` is called with the number of finished
    samples. Raises ClipError for no sample, a sample of another skeleton or motions of about a second.
    """
    if not samples:
        raise ClipError("There is no sample to evaluate.")
    for sample in samples:
        _check_same(source.skeleton, sample.skeleton)
    source = resample(source, RATE)
    samples = [resample(sample, RATE) for sample in samples]
    rows = []
    for index, sample in enumerate(samples):
        rows.append(_evaluate_one(source, sample, samples[index - 1] if len(samples) > 1 else None))
        if on_progress:
            on_progress(index + 1)
    figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    if len(samples) > 1:
        figures["between"] = between([rotation_features(one) for one in samples], rotation_features(source))
    return figures


def _check_same(source: Skeleton, sample: Skeleton) -> None:
    if not source.same_structure(sample):
        raise ClipError("The motions have different skeletons; only motions of one skeleton can be compared.")


def _evaluate_one(source: Motion, sample: Motion, other: Motion | None) -> dict[str, float]:
    figures = _set_figures(source, sample, other, compared_features)
    figures["window_frechet"] = frechet_to_source(position_windows(source), position_windows(sample))
    figures["harmonic_mean"] = harmonic_mean(figures)
    rotation = _set_figures(source, sample, other, rotation_features)
    rotation["window_frechet"] = frechet_to_source(rotation_windows(source), rotation_windows(sample))
    rotation["harmonic_mean"] = harmonic_mean(rotation)
    figures |= {f"rotation_{name}": value for name, value in rotation.items()}
    ours, theirs = rotation_features(sample), rotation_features(source)
    figures["rotation_share"] = figures["rotation_global_diversity"] / max(random_distance(theirs), 1e-9)
    figures["same_time"] = same_time(theirs, ours)
    figures |= novelty_figures(theirs, ours)
    return figures | roughness_figures(source, sample) | foot_figures(source, sample)


def _set_figures(
    source: Motion, sample: Motion, other: Motion | None, features: Callable[[Motion], Array]
) -> dict[str, float]:
    """Compute GANimator's and SinMDM's figures of one sample on `features`; `other` is another sample."""
    ours, theirs = features(sample), features(source)
    distances = RowDistances(ours, theirs)
    rows = best_patchwork(distances, PIECE_ROWS)
    near = nearest_windows(distances.T, COVERAGE_WINDOW_ROWS) < COVERAGE_THRESHOLD
    intra = intra_diversity(ours)
    figures = {
        "coverage": float(near.mean()),
        "global_diversity": float(distances.along(rows).mean()),
        "local_diversity": float(nearest_windows(distances, LOCAL_WINDOW_ROWS).mean()),
        "intra_diversity": intra,
        "intra_diversity_difference": abs(intra - intra_diversity(theirs)),
    }
    return figures if other is None else figures | {"inter_diversity": local_diversity(features(other), ours)}
