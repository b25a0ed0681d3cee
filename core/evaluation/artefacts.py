"""Metrics of visible artefacts: sliding feet, feet above or below the ground, roughness and jumps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..motion.feet_cleanup import belt_of, seen_from_belt
from ..motion.motion import Motion, with_contact_labels
from ..motion.skeleton import BODY
from ..numeric.rotation import Array

MIN_FOOT_SPEED = 1e-3
"""Smallest reference speed in body heights per second, so that ratios stay finite."""


def foot_figures(source: Motion, sample: Motion) -> dict[str, float]:
    """Compute the figures of the feet, lengths in body heights; empty for a skeleton without contact joints.

    Of a walk in place they are those seen from the belt under it.

    foot_skating: mean speed per second of contact joints while in contact (label above one half); also that of the
    source, and the ratio. low_foot_speed_ratio: mean speed of contact joints while as low as the source's planted ones,
    without regard to labels, relative to the source. contact_share_ratio: share of labels in contact, relative to the
    source. contact_agreement: share of labels that agree with the foot speeds. penetration: mean depth of the lowest
    joint below the source's ground over all frames. floating: mean height of the lowest foot in contact above its
    planted height in the source, over frames with a contact.
    """
    if not source.skeleton.contacts:
        return {}
    belt = belt_of(source)
    source, sample = seen_from_belt(source, belt), seen_from_belt(sample, belt)
    ground = _Ground(source)
    skating, reference = foot_skating(sample), foot_skating(source)
    low, low_reference = ground.low_speed(sample), ground.low_speed(source)
    share, share_reference = (float(_planted(motion).mean()) for motion in (sample, source))
    return {
        "foot_skating": skating,
        "foot_skating_source": reference,
        "foot_skating_ratio": skating / max(reference, MIN_FOOT_SPEED),
        "low_foot_speed_ratio": low / max(low_reference, MIN_FOOT_SPEED),
        "contact_share_ratio": share / max(share_reference, 1e-3),
        "contact_agreement": contact_agreement(sample),
        "penetration": ground.penetration(sample),
        "penetration_source": ground.penetration(source),
        "floating": ground.floating(sample),
        "floating_source": ground.floating(source),
    }


def foot_skating(motion: Motion) -> float:
    """Return the mean speed of contact joints while in contact, in body heights per second; 0 without contacts."""
    planted = _planted(motion)[1:]
    return float(_foot_speeds(motion)[planted].mean()) if planted.any() else 0.0


def contact_agreement(motion: Motion) -> float:
    """Return the share of contact labels that agree with the speed of the foot (GANimator's threshold)."""
    return float((_planted(motion) == _planted(with_contact_labels(motion))).mean())


def _planted(motion: Motion) -> NDArray[np.bool_]:
    return motion.contact_labels() > 0.5


def _feet(motion: Motion) -> Array:
    return motion.positions()[:, list(motion.skeleton.contacts)]


def _foot_speeds(motion: Motion) -> Array:
    """Return speeds (frames - 1, K) in body heights per second; row t leads to frame t + 1."""
    speeds: Array = np.linalg.norm(np.diff(_feet(motion), axis=0), axis=-1) * (motion.fps / BODY)
    return speeds


class _Ground:
    """Height of the source's ground, and the planted height of each contact joint."""

    def __init__(self, source: Motion) -> None:
        self.level = float(np.percentile(source.positions()[..., 2].min(axis=1), 5))
        heights, planted = _feet(source)[..., 2], _planted(source)
        columns = zip(heights.T, planted.T, strict=True)
        self.plants = np.array([np.median(h[on]) if on.any() else np.percentile(h, 5) for h, on in columns])

    def low_speed(self, motion: Motion) -> float:
        """Return the mean speed of contact joints below 0.02 body heights above their planted height."""
        low = (_feet(motion)[1:, :, 2] - self.plants) < 0.02 * BODY
        return float(_foot_speeds(motion)[low].mean()) if low.any() else 0.0

    def penetration(self, motion: Motion) -> float:
        depth = np.maximum(self.level - motion.positions()[..., 2].min(axis=1), 0.0)
        return float(depth.mean() / BODY)

    def floating(self, motion: Motion) -> float:
        planted = _planted(motion)
        above = np.where(planted, np.maximum(_feet(motion)[..., 2] - self.plants, 0.0), np.inf).min(axis=1)
        standing = planted.any(axis=1)
        return float(above[standing].mean() / BODY) if standing.any() else 0.0


def roughness_figures(source: Motion, sample: Motion) -> dict[str, float]:
    """Compute the roughness of joint paths relative to the source; all figures are 1 for the source itself.

    roughness: ratio of mean joint accelerations. acceleration_95_ratio, jerk_mean_ratio, jerk_95_ratio: the same for
    the 95th percentile and for the third derivative. largest_jump_ratio: ratio of the largest mean joint step between
    neighbouring frames.
    """
    figures = {}
    ours, theirs = sample.positions(), source.positions()
    for name, order, measure in (
        ("roughness", 2, np.mean),
        ("acceleration_95_ratio", 2, _percentile_95),
        ("jerk_mean_ratio", 3, np.mean),
        ("jerk_95_ratio", 3, _percentile_95),
    ):
        values, reference = (path_differences(positions, order) for positions in (ours, theirs))
        figures[name] = float(measure(values)) / max(float(measure(reference)), 1e-9)
    jump, reference_jump = (path_differences(positions, 1).mean(axis=1).max() for positions in (ours, theirs))
    figures["largest_jump_ratio"] = float(jump) / max(float(reference_jump), 1e-9)
    return figures


def path_differences(positions: Array, order: int) -> Array:
    """Return the length (T - order, J) of finite differences of joint positions (T, J, 3)."""
    lengths: Array = np.linalg.norm(np.diff(positions, order, axis=0), axis=-1)
    return lengths


def _percentile_95(values: Array) -> float:
    return float(np.percentile(values, 95))
