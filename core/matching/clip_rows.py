"""Rows of a model's clip in the form in which patches are searched: by body part, reduced, at any length."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..model.pyramid import resize
from ..motion.motion import Motion
from ..motion.skeleton import GROUP
from .boundaries import Boundaries
from .channel_parts import channel_parts
from .components import Components, Numbers

MIN_VARIANCE_SHARE = 0.998
"""Share of the variance of a part's rows that its components hold, unless that takes more than MAX_COMPONENTS."""

MAX_COMPONENTS = 24
"""Components of a part's rows at most."""


@dataclass(frozen=True, eq=False)
class ClipRows:
    """Heading-relative rows (T, C) of a clip.

    `parts` are the channels of each body part, `components` its principal components, `columns` the columns of those
    in reduced rows (T, D). `clip_frames` are the frames of each of the consecutive clips, `rotation_channels` the
    channels of rotations.
    """

    rows: Numbers
    parts: list[NDArray[np.int64]]
    components: list[Components]
    columns: list[slice]
    boundaries: Boundaries
    clip_frames: tuple[int, ...]
    rotation_channels: NDArray[np.int64]

    @staticmethod
    def of(channels: Channels, source: Motion, cuts: Sequence[int] = ()) -> ClipRows:
        """Return the rows of a model's clip; `cuts` are the first frames of all clips but the first."""
        parts = channel_parts(channels)
        boundaries = Boundaries(channels, source, [joint for part in parts for joint in part.tops])
        rows = boundaries.to_heading_relative(np.ascontiguousarray(channels.encode(source.features).T))
        components = [Components.fit(rows[:, part.channels], MIN_VARIANCE_SHARE, MAX_COMPONENTS) for part in parts]
        ends = np.cumsum([0, *(one.basis.shape[1] for one in components)]).tolist()
        columns = [slice(start, stop) for start, stop in itertools.pairwise(ends)]
        rotation_channels = np.flatnonzero(channels.columns < channels.skeleton.joints * GROUP)
        clip_frames = tuple(stop - start for start, stop in itertools.pairwise([0, *cuts, source.frames]))
        part_channels = [part.channels for part in parts]
        return ClipRows(rows, part_channels, components, columns, boundaries, clip_frames, rotation_channels)

    def reduce(self, rows: Numbers) -> Numbers:
        """Return heading-relative rows (..., T, C) as the components of all parts (..., T, D)."""
        pairs = zip(self.components, self.parts, strict=True)
        return np.concatenate([components.project(rows[..., channels]) for components, channels in pairs], axis=-1)

    @cached_property
    def pace_frames(self) -> float:
        """Frames in which a pose becomes another: deviation of the rotations over their root mean square speed."""
        rotations = self.rows[:, self.rotation_channels]
        squared_speed = float(np.square(np.diff(rotations, axis=0)).sum(1).mean())
        return math.sqrt(float(rotations.var(0).sum()) / max(squared_speed, 1e-12))

    def at_length(self, length: int) -> tuple[Numbers, list[int]]:
        """Return the rows resampled to about `length`, each clip by itself, and the number of rows of each clip."""
        ends = np.cumsum([0, *self.clip_frames])
        shares = np.rint(ends * (length / ends[-1])).astype(int)
        lengths = np.maximum(np.diff(shares), 1).tolist()
        spans = zip(itertools.pairwise(ends.tolist()), lengths, strict=True)
        clips = [resize(self.rows[start:stop].T[None], rows)[0].T for (start, stop), rows in spans]
        return np.ascontiguousarray(np.concatenate(clips)), lengths
