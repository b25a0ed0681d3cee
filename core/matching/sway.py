"""Sway: small changes of timing, reach and pose from step to step, for clips too uniform to be recombined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..numeric.matrix_product import matrix_product
from .clip_rows import ClipRows
from .components import Numbers

PERIOD_FRAMES = 10.0
"""Standard deviation of the Gaussian that smooths the noise: the smoothed noise changes from step to step."""

TEMPO_DEVIATION = 0.18
"""Standard deviation of the tempo, as a share of the clip's."""

REACH_DEVIATION = 0.06
"""Standard deviation of the reach of the legs, and with it of the root's velocity, as a share of the clip's."""

POSE_DEVIATION = 0.3
"""Standard deviation of the pose of the parts above the legs, in deviations of their principal components."""

MIN_TEMPO_RATIO = 0.6
"""Tempo at least, as a ratio to the clip's."""

MAX_TEMPO_RATIO = 1.5
"""Tempo at most, as a ratio to the clip's."""


class Sway:
    """Variation of heading-relative rows (T, C) of a clip, by an `amount`: 1 for the deviations above."""

    def __init__(self, clip: ClipRows, channels: Channels, amount: float) -> None:
        self._clip, self._amount = clip, amount
        root, columns = channels.skeleton.root_channel, channels.columns
        self._velocity = np.flatnonzero((columns == root) | (columns == root + 1))
        self._middle = channels.middle[self._velocity].astype(np.float32)
        self._gain = channels.gain[self._velocity].astype(np.float32)
        self._legs = _legs(clip.parts[0], channels)
        self._mean = clip.rows.mean(0)

    def apply(self, rows: Numbers, noise: Numbers, circle: bool, *, retimed: bool = True) -> Numbers:
        """Return rows (T, C) varied by noise (T,) of variance 1; weaker noise varies them less.

        Unless they are `retimed`, they keep their tempo: beside rows that are kept they must stay in time.
        """
        if self._amount == 0.0 or not noise.any():
            return rows
        if retimed:
            result, tempo = self._retimed(rows, 1.0 + TEMPO_DEVIATION * self._amount * smoothed(noise, circle))
        else:
            result, tempo = rows.copy(), np.ones(len(rows), dtype=np.float32)
        reach = 1.0 + REACH_DEVIATION * self._amount * smoothed(_shifted(noise, 0.37), circle)[:, None]
        mean = self._mean[self._legs]
        result[:, self._legs] = mean + reach * (result[:, self._legs] - mean)
        velocity = self._middle + (result[:, self._velocity] - self._middle) / self._gain
        velocity = velocity * reach * tempo[:, None]
        result[:, self._velocity] = self._middle + (velocity - self._middle) * self._gain
        random = np.random.default_rng(1)
        for channels, components in list(zip(self._clip.parts, self._clip.components, strict=True))[1:]:
            deviations = components.project(self._clip.rows[:, channels]).std(0)
            waves = [smoothed(_shifted(noise, share), circle) for share in random.random(len(deviations))]
            change = POSE_DEVIATION * self._amount * (np.stack(waves, axis=1) * deviations)
            result[:, channels] += matrix_product(change, components.basis.T)
        return result

    def _retimed(self, rows: Numbers, tempo: Numbers) -> tuple[Numbers, Numbers]:
        """Return rows at another tempo (T,), with the same first and last row, and the tempo that this takes."""
        steps = np.clip(tempo, MIN_TEMPO_RATIO, MAX_TEMPO_RATIO)[:-1]
        last = len(rows) - 1
        times = np.concatenate([[0.0], np.cumsum(steps)])
        scale = last / max(float(times[-1]), 1e-9)
        times = np.minimum(times * scale, last)
        low = np.minimum(times.astype(int), max(last - 1, 0))
        share = (times - low).astype(np.float32)[:, None]
        result = rows[low] * (1.0 - share) + rows[np.minimum(low + 1, last)] * share
        return result, (np.append(steps, steps[-1:]) * scale).astype(np.float32)


def _legs(lower_body: NDArray[np.int64], channels: Channels) -> NDArray[np.int64]:
    """Return the channels of the lower body that are rotations of joints below the root."""
    skeleton = channels.skeleton
    below = 12 if skeleton.upright else 6
    columns = channels.columns[lower_body]
    return lower_body[(columns >= below) & (columns < skeleton.joints * 6)]


def _shifted(noise: Numbers, share: float) -> Numbers:
    """Return noise (T,) rolled by a share of its length, almost independent of the original."""
    return np.roll(noise, -int(share * len(noise)))


def smoothed(noise: Numbers, circle: bool) -> Numbers:
    """Return white noise (T,) of variance 1 smoothed by a Gaussian and scaled to variance 1 again."""
    reach = min(int(3 * PERIOD_FRAMES), len(noise) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / PERIOD_FRAMES) ** 2)
    weights /= np.sqrt((weights**2).sum())
    padded = np.pad(noise, reach, mode="wrap" if circle else "reflect")
    return np.convolve(padded, weights, mode="valid").astype(np.float32)
