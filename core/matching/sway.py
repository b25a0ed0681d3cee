"""Small changes from step to step for clips that hold nothing to be recombined: of timing, of reach and of pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from .clip_rows import ClipRows
from .components import Numbers

PERIOD = 10.0
"""Standard deviation in frames of the Gaussian that smooths the noise: what it leaves changes from step to step."""

TEMPO, REACH, POSE = 0.18, 0.06, 0.3
"""Deviation of the tempo, of the reach of the legs and with it of the way, each as a share, and of the pose of what is
no leg along the clip's components, in their own deviations."""

SLOWEST, FASTEST = 0.6, 1.5
"""Tempo at least and at most."""


class Sway:
    """Changes rows (T, C) of a clip, as they are seen, by an `amount` from 0 to 1."""

    def __init__(self, clip: ClipRows, channels: Channels, amount: float) -> None:
        self._clip, self._amount = clip, amount
        root, columns = channels.skeleton.root_channel, channels.columns
        self._way = np.flatnonzero((columns == root) | (columns == root + 1))
        self._middle = channels.middle[self._way].astype(np.float32)
        self._gain = channels.gain[self._way].astype(np.float32)
        self._legs = _legs(clip.parts[0], channels)
        self._rest = clip.rows.mean(0)

    def changed(self, rows: Numbers, noise: Numbers, circle: bool) -> Numbers:
        """Rows (T, C) changed as noise (T,) of variance 1 says; weaker noise changes less."""
        if self._amount == 0.0 or not noise.any():
            return rows
        made, tempo = self._timed(rows, 1.0 + TEMPO * self._amount * smoothed(noise, circle))
        reach = 1.0 + REACH * self._amount * smoothed(_from(noise, 0.37), circle)[:, None]
        made[:, self._legs] = self._rest[self._legs] + reach * (made[:, self._legs] - self._rest[self._legs])
        way = self._middle + (made[:, self._way] - self._middle) / self._gain
        made[:, self._way] = self._middle + (way * reach * tempo[:, None] - self._middle) * self._gain
        places = np.random.default_rng(1)
        for own, known in list(zip(self._clip.parts, self._clip.components, strict=True))[1:]:
            spread = known.tell(self._clip.rows[:, own]).std(0)
            waves = [smoothed(_from(noise, place), circle) for place in places.random(len(spread))]
            made[:, own] += POSE * self._amount * (np.stack(waves, axis=1) * spread) @ known.basis.T
        return made

    def _timed(self, rows: Numbers, tempo: Numbers) -> tuple[Numbers, Numbers]:
        """Rows at another tempo (T,) from the same first to the same last one, and that tempo."""
        steps = np.clip(tempo, SLOWEST, FASTEST)[:-1]
        last = len(rows) - 1
        at = np.concatenate([[0.0], np.cumsum(steps)])
        share = last / max(float(at[-1]), 1e-9)
        at = np.minimum(at * share, last)
        low = np.minimum(at.astype(int), max(last - 1, 0))
        part = (at - low).astype(np.float32)[:, None]
        made = rows[low] * (1.0 - part) + rows[np.minimum(low + 1, last)] * part
        return made, (np.append(steps, steps[-1:]) * share).astype(np.float32)


def _legs(rows: NDArray[np.int64], channels: Channels) -> NDArray[np.int64]:
    """The rows of the lower body that are rotations of joints below the root."""
    skeleton = channels.skeleton
    below = 12 if skeleton.upright else 6
    columns = channels.columns[rows]
    return rows[(columns >= below) & (columns < skeleton.joints * 6)]


def _from(noise: Numbers, place: float) -> Numbers:
    """Noise (T,) heard from another place on, so that it is as good as another."""
    return np.roll(noise, -int(place * len(noise)))


def smoothed(noise: Numbers, circle: bool) -> Numbers:
    """White noise (T,) smoothed in time by a Gaussian and brought to variance 1 again."""
    reach = min(int(3 * PERIOD), len(noise) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / PERIOD) ** 2)
    weights /= np.sqrt((weights**2).sum())
    wide = np.pad(noise, reach, mode="wrap" if circle else "reflect")
    return np.convolve(wide, weights, mode="valid").astype(np.float32)
