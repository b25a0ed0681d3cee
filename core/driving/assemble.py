"""A take put together from moments of a clip, and led along a course."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..motion.headings import turn_motion
from ..motion.motion import Motion
from ..motion.resampling import interpolate_rows, with_path
from ..motion.skeleton import GROUP
from ..numeric.blending import ease
from ..numeric.rotation import Array, axis_rotation, interpolate_six, matrix_to_six, six_to_matrix
from ..numeric.smoothing import path_deviation, smooth
from .facing import Course, steadied
from .search import is_jump

JOIN_ROWS = 6
"""Rows before and after a jump over which one moment passes into another."""

TEMPO_SMOOTHING = 3.0
"""Standard deviation, in rows, of the Gaussian that smooths the tempo between two jumps."""


@dataclass(frozen=True, eq=False)
class Material:
    """Rows of clips to take moments from; all are of the skeleton of `first`.

    `level` (N, C + 2) are the features of all, one clip behind the other, as if the body always faced +X, and the sway
    of the root. `ends` are the first rows of the clips, and N.
    """

    first: Motion
    level: Array
    ends: list[int]

    @staticmethod
    def of(clips: Sequence[Motion], courses: Sequence[Course]) -> Material:
        pairs = list(zip(clips, courses, strict=True))
        level = [
            np.concatenate([turn_motion(clip, -course.heading).features, course.sway], axis=1) for clip, course in pairs
        ]
        return Material(clips[0], np.concatenate(level), [0, *itertools.accumulate(map(len, level))])

    def assemble(self, moments: Array, plane: Array, heading: Array) -> Motion:
        """Return a motion of the poses at moments (T,) with the root led along `plane` (T, 2), facing `heading` (T,).

        Between two jumps the tempo is smoothed; over JOIN_ROWS before and after a jump the body passes over.
        """
        skeleton, rows = self.first.skeleton, len(moments)
        width = skeleton.joints * GROUP
        starts = [0, *(np.flatnonzero(is_jump(np.diff(moments))) + 1).tolist(), rows]
        mixed = np.empty((rows, self.level.shape[1]))
        for number, (start, stop) in enumerate(itertools.pairwise(starts)):
            low, high = max(0, start - JOIN_ROWS), min(rows, stop + JOIN_ROWS)
            at = _extended(_steady(moments[start:stop]), start - low, high - stop)
            made = interpolate_rows(self.level, self._inside(at, moments[start]))
            passed = min(start + JOIN_ROWS, high) - low if number else 0  # the run before reaches so far
            there = slice(low, low + passed)
            share = ease((np.arange(passed) + 1.0) / (passed + 1.0))[:, None]
            turned = interpolate_six(_six(mixed[there], width), _six(made[:passed], width), share[:, :, None])
            mixed[there] += share * (made[:passed] - mixed[there])
            mixed[there, :width] = turned.reshape(passed, width)
            mixed[low + passed : high] = made[passed:]
        features, sway = mixed[:, :-2], mixed[:, -2:]
        features[:, :width] = matrix_to_six(six_to_matrix(_six(features, width))).reshape(rows, -1)
        labels = skeleton.contact_channels
        features[:, labels] = (features[:, labels] > 0.5).astype(float)
        take = turn_motion(replace(self.first, features=features, cycle_seconds=0.0), heading)
        take = with_path(take, plane + np.einsum("tij,tj->ti", axis_rotation(2, heading)[:, :2, :2], sway))
        return _on_course(take, plane, heading)

    def _inside(self, at: Array, moment: float) -> Array:
        """Clip moments to the rows of the clip that one of them is in."""
        number = bisect.bisect_right(self.ends, moment) - 1
        return at.clip(self.ends[number], self.ends[number + 1] - 1)


def _on_course(take: Motion, plane: Array, heading: Array) -> Motion:
    """Return the take led back to a course from which sways that were cut at jumps have led it away."""
    own, deviation = Course.of(take), path_deviation(take.fps, take.frames)
    turn = steadied(heading[:, None], deviation)[:, 0] - own.heading
    path = take.root_positions()[:, :2] + steadied(plane, deviation) - own.plane
    return with_path(turn_motion(take, turn), path)


def _six(features: Array, width: int) -> Array:
    return features[:, :width].reshape(len(features), width // GROUP, GROUP)


def _steady(moments: Array) -> Array:
    """Return moments (T,) at a smoothed tempo, from about the same first to about the same last one."""
    if len(moments) < 3:
        return moments
    even = np.linspace(moments[0], moments[-1], len(moments))
    return np.asarray(even + smooth((moments - even)[:, None], min(TEMPO_SMOOTHING, len(moments) / 6.0))[:, 0])


def _extended(moments: Array, before: int, after: int) -> Array:
    """Return moments with some more before and after at the clip's own tempo."""
    first = moments[0] - np.arange(before, 0, -1)
    last = moments[-1] + np.arange(1, after + 1)
    return np.concatenate([first, moments, last])
