"""How close samples are to their source and how far from it: the papers' figures, and those that cannot be fooled.

Coverage, global and local diversity equal GANimator's own evaluation on the same arrays. Like there, the features
compared are those of every group but the root's: rotations and contact labels (and moving offsets, where a rig has
them), unscaled; channels that are zero in both motions change nothing.
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
from .frechet import frechet_to_source, position_windows, rotation_windows
from .novelty import novelty_figures

COVERAGE_WINDOW, COVERAGE_THRESHOLD = 30, 2.0
PIECE = 30
LOCAL_WINDOW = 15


def coverage(
    source: Array,
    generated: Array,
    window: int = COVERAGE_WINDOW,
    threshold: float = COVERAGE_THRESHOLD,
    check_cancelled: Callable[[], None] = lambda: None,
) -> float:
    """Share of the source's windows (frames, channels) that some window of the sample comes near to (GANimator).

    `check_cancelled` is called often and may raise.
    """
    return float((nearest_windows(RowDistances(source, generated, check_cancelled), window) < threshold).mean())


def global_diversity(
    source: Array, generated: Array, piece: int = PIECE, check_cancelled: Callable[[], None] = lambda: None
) -> float:
    """Mean distance of the sample's frames to the best patchwork of source pieces (GANimator).

    `check_cancelled` is called often and may raise.
    """
    distances = RowDistances(generated, source, check_cancelled)
    return float(distances.along(best_patchwork(distances, piece)).mean())


def local_diversity(source: Array, generated: Array, window: int = LOCAL_WINDOW) -> float:
    """Mean distance of the sample's windows to their nearest in the source (GANimator).

    Between two samples it is SinMDM's *inter diversity*.
    """
    return float(nearest_windows(RowDistances(generated, source), window).mean())


def intra_diversity(motion: Array, window: int = LOCAL_WINDOW) -> float:
    """Mean distance of two windows of one motion, over all pairs (SinMDM draws pairs; this needs no seed)."""
    total = sum(float(block.costs.sum()) for block in run_blocks(RowDistances(motion, motion), window))
    return total / (max(len(motion) - window + 1, 1) ** 2 * window)


def harmonic_mean(figures: dict[str, float]) -> float:
    """SinMDM's one number of fidelity and diversity together: the harmonic mean of its six figures, each from 0 to 1.

    Coverage as it is; global, local and (where there are several samples) inter diversity d as 1 - exp(-d); Fréchet
    distance and difference of intra diversity d as 1 / (1 + d). The scaling is ours, the papers print none; it
    gives the rows of the paper's Table 2 in their order and to within 0.06. 0 for a copy.
    """
    good = [figures["coverage"]]
    diversities = [name for name in ("global_diversity", "local_diversity", "inter_diversity") if name in figures]
    good += [1.0 - float(np.exp(-figures[name])) for name in diversities]
    good += [1.0 / (1.0 + figures[name]) for name in ("window_frechet", "intra_diversity_difference")]
    return 0.0 if min(good) < 1e-6 else float(len(good) / sum(1.0 / value for value in good))


def compared_features(motion: Motion) -> Array:
    """The features that GANimator's evaluation compares: every group but the root's (frames, channels - 6)."""
    root = motion.skeleton.root_channel
    return np.delete(motion.features, slice(root, root + GROUP), axis=1)


def rotation_features(motion: Motion) -> Array:
    """The joint rotations alone (frames, joints × 6)."""
    return motion.features[:, : motion.skeleton.joints * GROUP]


def evaluate(
    source: Motion, samples: Sequence[Motion], on_progress: Callable[[int], None] | None = None
) -> dict[str, float]:
    """All figures of samples of a source, each the mean over the samples, at 30 frames a second.

    By the papers' custom samples are twice as long as the source. Names that begin with `rotation_` look at rotations
    alone; see `novelty_figures`, `roughness_figures` and `foot_figures` for the rest. Inter diversity is left out for a
    single sample, the figures of the feet for a skeleton without contacts. `on_progress` hears how many samples are
    done. Raises ClipError for no sample, a sample of another skeleton or motions of about a second.
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
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


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
    figures |= novelty_figures(rotation_features(source), rotation_features(sample))
    return figures | roughness_figures(source, sample) | foot_figures(source, sample)


def _set_figures(
    source: Motion, sample: Motion, other: Motion | None, features: Callable[[Motion], Array]
) -> dict[str, float]:
    """GANimator's and SinMDM's figures of one sample on some of its features, `other` being another sample."""
    ours, theirs = features(sample), features(source)
    distances = RowDistances(ours, theirs)
    rows = best_patchwork(distances, PIECE)
    near = nearest_windows(distances.T, COVERAGE_WINDOW) < COVERAGE_THRESHOLD
    intra = intra_diversity(ours)
    figures = {
        "coverage": float(near.mean()),
        "global_diversity": float(distances.along(rows).mean()),
        "local_diversity": float(nearest_windows(distances, LOCAL_WINDOW).mean()),
        "intra_diversity": intra,
        "intra_diversity_difference": abs(intra - intra_diversity(theirs)),
    }
    return figures if other is None else figures | {"inter_diversity": local_diversity(features(other), ours)}
