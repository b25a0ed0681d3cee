"""A model's clip as the search sees it: rows of its parts, at any length."""

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
from .components import Components, Numbers
from .row_parts import row_parts

VARIANCE, MAX_COMPONENTS = 0.998, 24
"""Share of the variance of a part's rows that its search sees, in so many components at most."""


@dataclass(frozen=True, eq=False)
class ClipRows:
    """Rows (T, C) of a clip, those of joints where parts meet told against the heading.

    `parts` are the rows of each part, `components` what its search sees, `columns` where that is in reduced rows;
    `clips` the frames of each of the clips that lie one after the other; `turns` the rows of rotations, with folds.
    """

    rows: Numbers
    parts: list[NDArray[np.int64]]
    components: list[Components]
    columns: list[slice]
    boundaries: Boundaries
    clips: tuple[int, ...]
    turns: NDArray[np.int64]

    @staticmethod
    def of(channels: Channels, source: Motion, cuts: Sequence[int] = ()) -> ClipRows:
        """The rows of a model's clip; `cuts` are the first frames of clips after the first one."""
        parts = row_parts(channels)
        boundaries = Boundaries(channels, source, [joint for part in parts for joint in part.tops])
        rows = boundaries.seen(np.ascontiguousarray(channels.encode(source.features).T))
        components = [Components.of(rows[:, part.rows], VARIANCE, MAX_COMPONENTS) for part in parts]
        ends = np.cumsum([0, *(one.basis.shape[1] for one in components)]).tolist()
        columns = [slice(start, stop) for start, stop in itertools.pairwise(ends)]
        turns = np.flatnonzero(channels.columns < channels.skeleton.joints * GROUP)
        clips = tuple(stop - start for start, stop in itertools.pairwise([0, *cuts, source.frames]))
        return ClipRows(rows, [part.rows for part in parts], components, columns, boundaries, clips, turns)

    def reduced(self, rows: Numbers) -> Numbers:
        """Rows (T, C) as the components of all parts (T, D)."""
        pairs = zip(self.components, self.parts, strict=True)
        return np.concatenate([known.tell(rows[:, own]) for known, own in pairs], axis=1)

    @cached_property
    def pace(self) -> float:
        """Frames in which a pose becomes another: deviation of the rotations over their mean speed."""
        turns = self.rows[:, self.turns]
        speed = float(np.square(np.diff(turns, axis=0)).sum(1).mean())
        return math.sqrt(float(turns.var(0).sum()) / max(speed, 1e-12))

    def at_length(self, length: int) -> tuple[Numbers, list[int]]:
        """The clips' rows at about `length` rows together, each resampled by itself, and the rows of each."""
        ends = np.cumsum([0, *self.clips])
        shares = np.rint(ends * (length / ends[-1])).astype(int)
        lengths = np.maximum(np.diff(shares), 1).tolist()
        spans = zip(itertools.pairwise(ends.tolist()), lengths, strict=True)
        parts = [resize(self.rows[start:stop].T[None], rows)[0].T for (start, stop), rows in spans]
        return np.ascontiguousarray(np.concatenate(parts)), lengths
