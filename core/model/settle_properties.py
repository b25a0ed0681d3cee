"""Properties of generated motions: what runs one way in the source does so, and IK/FK switches stay where they were."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import Motion
from ..motion.skeleton import GROUP, PROPERTY_SPAN, Skeleton
from ..numeric.rotation import Array, matrix_to_six, rotation_from_vector, six_to_matrix, vector_from_rotation
from ..numeric.smoothing import runs_of

BLEND_ROWS = 10
"""Rows before and after a switch in which the pose is led to the source's."""

MIN_STATE_ROWS = 8
"""Fewest rows in which a switch keeps a value for its controls to be told by what moves in them."""

MAX_CHANGING_SHARE = 0.2
"""Largest share of rows in which a switch changes; what changes more often is a slider, whatever it is called."""

_SWITCH_WORDS = {"ik", "fk", "ikfk", "fkik", "switch", "parent", "space", "follow", "influence", "mute", "enabled"}
"""Words in the names of properties that choose between two chains or spaces."""

_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")

_MIN_RANGE_SHARE = 1e-6
"""Share of a property's range by which it may run back and still counts as running one way."""

_STILL_SPREAD = 1e-4
"""Largest spread of a joint's channels that counts as still, as in `learned_groups`."""


def is_switch(name: str) -> bool:
    """Return true for the name of a property that chooses between two chains or spaces, such as IK_FK."""
    return not _SWITCH_WORDS.isdisjoint(word.casefold() for word in _WORDS.findall(name))


def switches_of(source: Motion) -> list[int]:
    """Return the properties of a motion that choose between two chains or spaces and are held most of the time."""
    changes = np.diff(source.property_values(), axis=0) != 0
    shares = changes.mean(0) if len(changes) else np.zeros(0)
    return [
        k
        for k, (one, share) in enumerate(zip(source.skeleton.properties, shares, strict=True))
        if is_switch(one.name) and 0.0 < share <= MAX_CHANGING_SHARE
    ]


def directions(source: Motion) -> NDArray[np.int64]:
    """Return for each property (P,) 1 where it only rises in a motion, -1 where it only falls, else 0."""
    steps = np.diff(source.property_values(), axis=0)
    limits = np.array([_MIN_RANGE_SHARE * (one.high - one.low) for one in source.skeleton.properties])
    return np.array((steps >= -limits).all(0), dtype=np.int64) - (steps <= limits).all(0)


def settle_properties(motion: Motion, source: Motion) -> Motion:
    """Return a generated motion at the source's rate whose properties behave as the source's, from its first row on.

    Properties that run one way do so, at a rate that the source has, from the source's first value on. Switches keep
    the source's rows; the controls that they turn on and off move as in the source, and around each switch all controls
    are led to the source's pose, in which both chains agree. A longer motion goes through the source to and fro.
    """
    if not source.skeleton.properties:
        return motion
    held = hold_switches(motion, source)
    return run_one_way(held, source, np.zeros((motion.frames, len(source.skeleton.properties)), dtype=np.bool_))


def hold_switches(motion: Motion, source: Motion) -> Motion:
    """Return a motion with the source's switches, row by row, see `settle_properties`."""
    skeleton, values = source.skeleton, source.property_values()
    switches = switches_of(source)
    if not switches:
        return motion
    rows = _to_and_fro(source.frames, motion.frames)
    features = motion.features.copy()
    near = np.zeros(motion.frames)
    for k in switches:
        features[:, skeleton.property_channels[k]] = source.features[rows, skeleton.property_channels[k]]
        columns = _columns(skeleton, _chain(source, values[:, k]))
        features[:, columns] = source.features[np.ix_(rows, columns)]
        near = np.maximum(near, _nearness(values[rows, k]))
    _lead(features, source.features[rows], skeleton, near)
    return replace(motion, features=features)


def run_one_way(motion: Motion, source: Motion, kept: NDArray[np.bool_]) -> Motion:
    """Return a motion whose properties rise or fall only, as in the source; rows `kept` (T, P) stay as they are.

    Each row's step is that of the motion, between none and the source's largest; between kept rows the steps are
    scaled to lead from one to the next. Without kept rows a property begins at the source's first value.
    """
    ways, skeleton = directions(source), motion.skeleton
    ways[switches_of(source)] = 0
    values, pace = motion.property_values(), source.fps / motion.fps
    own, features = source.property_values(), motion.features.copy()
    for k, (one, channel) in enumerate(zip(skeleton.properties, skeleton.property_channels, strict=True)):
        if ways[k] and not kept[:, k].all():
            way = float(ways[k])
            largest = float((way * np.diff(own[:, k])).max()) * pace
            limit = max(way * one.low, way * one.high)
            rising = way * values[:, k]
            if one.steps:
                rising = _steps_up(rising, kept[:, k])
            else:
                rising = _one_way(rising, kept[:, k], way * own[0, k], limit, largest)
            free = ~kept[:, k]
            features[free, channel] = (way * rising[free] - one.low) / (one.high - one.low) * PROPERTY_SPAN
    return replace(motion, features=features)


def _steps_up(values: Array, kept: NDArray[np.bool_]) -> Array:
    """Return values (T,) that take no step down, at most as high as the next kept one."""
    ahead = np.where(kept, values, np.inf)[::-1]
    return np.where(kept, values, np.minimum(np.maximum.accumulate(values), np.minimum.accumulate(ahead)[::-1]))


def _one_way(values: Array, kept: NDArray[np.bool_], first: float, limit: float, largest: float) -> Array:
    """Return values (T,) that never fall, see `run_one_way`; `limit` is the highest."""
    result, steps = values.copy(), np.diff(values).clip(0.0, largest)
    anchors = np.flatnonzero(kept)
    if not len(anchors):
        result[0], anchors = first, np.array([0])
    begin, end = anchors[0], anchors[-1]
    lowest = min(first, float(result[begin]))
    result[:begin] = result[begin] - _scaled(steps[:begin][::-1], float(result[begin]) - lowest)[::-1]
    for a, b in itertools.pairwise(anchors):
        rise = float(result[b] - result[a])
        if b - a > 1 and rise >= 0.0:
            way = np.cumsum(steps[a : b - 1])
            whole = float(steps[a:b].sum())
            share = way / whole if whole > 0.0 else np.arange(1, b - a) / (b - a)
            result[a + 1 : b] = result[a] + rise * share
    result[end + 1 :] = result[end] + _scaled(steps[end:], limit - float(result[end]))
    return result


def _scaled(steps: Array, room: float) -> Array:
    """Return the sums of steps, scaled down where they need more room."""
    way = np.cumsum(steps)
    return way if not len(way) or way[-1] <= room else way * (max(room, 0.0) / way[-1])


def _to_and_fro(count: int, rows: int) -> NDArray[np.int64]:
    """Return the source's row for each of `rows` rows: forwards, then back, and so on."""
    period = max(2 * (count - 1), 1)
    at = np.arange(rows) % period
    return np.minimum(at, period - at)


def _chain(source: Motion, values: Array) -> list[int]:
    """Return the joints that a switch turns on and off: they stand still with one of its values, not with another."""
    skeleton = source.skeleton
    spreads = []
    for level in np.unique(values):
        runs = [slice(*run) for run in runs_of(values == level) if run[1] - run[0] >= MIN_STATE_ROWS]
        if runs:
            spread = np.max([np.ptp(source.features[run], axis=0) for run in runs], axis=0).reshape(-1, GROUP).max(1)
            spreads.append([spread[_groups(skeleton, joint)].max() for joint in range(skeleton.joints)])
    if len(spreads) < 2:
        return []
    moves = np.array(spreads) > _STILL_SPREAD
    chosen = moves.any(0) & ~moves.all(0)
    return [joint for joint in range(1 + skeleton.upright, skeleton.joints) if chosen[joint]]


def _groups(skeleton: Skeleton, joint: int) -> list[int]:
    """Return the groups of a joint's rotation and moving offset."""
    moving = [channel // GROUP for channel in skeleton.translated_channels]
    return [joint, *(group for group in moving if skeleton.group_joint(group) == joint)]


def _columns(skeleton: Skeleton, joints: list[int]) -> NDArray[np.int64]:
    groups = [group for joint in joints for group in _groups(skeleton, joint)]
    return (np.array(groups, dtype=np.int64)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)


def _nearness(values: Array) -> Array:
    """Return a weight (T,) for each row: 1 where the values (T,) change, falling to 0 in BLEND_ROWS."""
    changes = np.flatnonzero(np.diff(values) != 0)
    ends = np.concatenate([changes, changes + 1])
    if not len(ends):
        return np.zeros(len(values))
    away = np.abs(np.arange(len(values))[:, None] - ends).min(1) / BLEND_ROWS
    share = np.clip(1.0 - away, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _lead(features: Array, wanted: Array, skeleton: Skeleton, near: Array) -> None:
    """Lead poses to wanted ones by the weights `near` (T,), in place: all but heading and path."""
    rows = np.flatnonzero(near > 0)
    if not len(rows):
        return
    first, width = GROUP, skeleton.joints * GROUP
    shape = (len(rows), skeleton.joints - 1, GROUP)
    ours = six_to_matrix(features[rows, first:width].reshape(shape))
    theirs = six_to_matrix(wanted[rows, first:width].reshape(shape))
    turn = vector_from_rotation(ours.swapaxes(-1, -2) @ theirs) * near[rows, None, None]
    features[rows, first:width] = matrix_to_six(ours @ rotation_from_vector(turn)).reshape(len(rows), -1)
    height = skeleton.root_channel + 2
    others = np.array([height, *(c + k for c in skeleton.translated_channels for k in range(3))], dtype=np.int64)
    weight = near[rows, None]
    features[np.ix_(rows, others)] += weight * (wanted[np.ix_(rows, others)] - features[np.ix_(rows, others)])
