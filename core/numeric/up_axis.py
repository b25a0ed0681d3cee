"""Up axis of a clip of unknown convention, found from the rest pose, the motion, feet and body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .rotation import Array

Y, Z = 1, 2

_CLEAR_SHARE = 0.7
"""Share of the way from feet to body that runs along an axis for it to be clear."""

_AGAINST_SHARE = 0.3
"""Share below which the motion speaks against the axis of the rest pose."""

_STEADY_RATIO = 0.5
"""Spread of the lowest point along an axis, relative to the other axis, for the floor to be clear."""

_MOVED_SHARE, _TRAVEL_SHARE = 0.02, 0.3
"""Spread of the lowest point along the other axis, relative to the body: of one that moves, and of one that travels."""


def find_up_axis(rest: Array, posed: Array, feet: Sequence[int], body: Sequence[int]) -> int:
    """Return the axis that points up in a clip, 1 for Y or 2 for Z; Y, the usual one, if nothing speaks against it.

    `rest` (J, 3) are joint positions at rest, `posed` (T, J, 3) those in some frames of the motion; `feet` and `body`
    are joints, none if they are not known. Bodies are above their feet; where rest pose and motion disagree or nothing
    is known, the lowest point of the body, which stands on the floor, varies least along the up axis.
    """
    if not len(feet) or not len(body):
        return _floor_axis(posed) or Y
    still, moving = _up_in(rest[None], feet, body), _up_in(posed, feet, body)
    if still.max() >= _CLEAR_SHARE:
        axis = int(np.argmax(still))
        against = moving[axis] < _AGAINST_SHARE and moving[1 - axis] >= _CLEAR_SHARE
        return (Y, Z)[1 - axis if against and _floor_axis(posed, _TRAVEL_SHARE) == (Y, Z)[1 - axis] else axis]
    return (Y, Z)[int(np.argmax(moving))] if moving.max() >= _CLEAR_SHARE else _floor_axis(posed) or Y


def _up_in(positions: Array, feet: Sequence[int], body: Sequence[int]) -> Array:
    """Return the shares (2,) of the way from feet to body along Y and Z, the median over positions (T, J, 3)."""
    way = positions[:, body].mean(axis=1) - positions[:, feet].mean(axis=1)
    lengths = np.linalg.norm(way, axis=1, keepdims=True)
    return np.asarray(np.median(way / np.maximum(lengths, 1e-12), axis=0)[[Y, Z]])


def _floor_axis(posed: Array, least: float = _MOVED_SHARE) -> int | None:
    """Return the axis along which the lowest point of the body is much steadier than along the other; None if neither.

    A body that stays in place is as steady along both: along the other its lowest point must move by the share `least`
    of its size.
    """
    lowest = posed.min(axis=1)
    spread = np.ptp(np.quantile(lowest, [0.1, 0.9], axis=0), axis=0)[[Y, Z]]
    steady = int(np.argmin(spread))
    size = float(np.ptp(posed, axis=1).max())
    if spread[steady] >= _STEADY_RATIO * spread[1 - steady] or spread[1 - steady] < least * size:
        return None
    return (Y, Z)[steady]
