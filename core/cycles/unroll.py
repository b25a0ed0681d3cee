"""Repetition of cycles: a clip of one cycle becomes a clip of many, to learn from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..errors import ClipError
from ..motion.headings import turn_motion
from ..motion.motion import MIN_SECONDS, Motion, learned_groups, told_seconds, with_contact_labels
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, matrix_to_six, six_to_matrix
from .find import MIN_CYCLE_SECONDS, Cycle, find_cycle

UNROLLED_SECONDS = 12.8
"""Shortest unrolled clip in seconds: at a fifth of its rows, the coarsest length then has four and a half fields of
view of a network."""

UNROLL_BELOW_SECONDS = 4.0
"""Length of a cycle, in seconds, from which on it is learned as it is."""


def learnable(motion: Motion) -> Motion:
    """Return the clip to learn from: a short cycle is repeated for UNROLLED_SECONDS, any other clip stays as it is.

    `cycle_seconds` of the result tells whether it is a cycle that can be played as a loop. A clip that has it already
    comes back as it is. Raises ClipError for a clip under MIN_SECONDS that is no cycle of MIN_CYCLE_SECONDS, and for
    one in which no joint turns.
    """
    result = motion if motion.cycle_seconds else _repeated_if_short(motion)
    learned_groups(result)
    return result


def _repeated_if_short(motion: Motion) -> Motion:
    cycle = find_cycle(motion)
    if cycle is None and not motion.is_long_enough:
        raise ClipError(
            f"The action lasts {told_seconds(motion.duration, MIN_SECONDS)} s; Riff learns from at least "
            f"{MIN_SECONDS:g} s, or from a cycle of {MIN_CYCLE_SECONDS:g} s that ends as it begins. Learn it together "
            "with other actions of this rig."
        )
    if cycle is None:
        return motion
    if motion.duration >= UNROLL_BELOW_SECONDS:
        return replace(motion, cycle_seconds=cycle.rows / motion.fps) if cycle.circular else motion
    return repeated(motion, cycle, UNROLLED_SECONDS)


def repeated(motion: Motion, cycle: Cycle, seconds: float) -> Motion:
    """Return a clip of as many whole cycles as last at least `seconds`."""
    return unroll(motion, cycle, math.ceil(seconds * motion.fps / cycle.rows))


def unroll(motion: Motion, cycle: Cycle, count: int) -> Motion:
    """Return a clip of `count` cycles, which ends in the pose in which it begins; contacts are labelled again."""
    features = _joined_ends(motion, cycle)
    # the first row's velocity only repeats the second's: the seam's is that of the row after the cycle
    rows = np.concatenate([features[:1], np.tile(features[1:], (count, 1))])
    turns = np.concatenate([[0.0], np.repeat(np.arange(count), cycle.rows)]) * cycle.turn
    unrolled = replace(motion, features=rows, cycle_seconds=cycle.rows / motion.fps)
    return with_contact_labels(turn_motion(unrolled, turns) if cycle.turn else unrolled)


def _joined_ends(motion: Motion, cycle: Cycle) -> Array:
    """Return the features of one cycle and of the first pose of the next.

    In a closed cycle, the small rest between its ends is shared out over its rows.
    """
    features, root = motion.features.copy(), motion.skeleton.root_channel
    plane = slice(root, root + 2)
    turned = turn_motion(motion, np.full(motion.frames, cycle.turn)).features
    seam = turned[:1].copy()
    if not cycle.closed:
        seam[:, plane] = 0.5 * (turned[1, plane] + features[-1, plane])
        return np.concatenate([features, seam])
    seam[:, plane] = features[-1, plane]
    features += (seam - features[-1:]) * np.linspace(0.0, 1.0, len(features))[:, None]
    width = motion.skeleton.joints * GROUP
    rotations = six_to_matrix(features[:, :width].reshape(len(features), -1, GROUP))
    features[:, :width] = matrix_to_six(rotations).reshape(len(features), width)
    return features
