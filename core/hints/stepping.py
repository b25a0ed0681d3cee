"""Spacing of stepped keys: poses that are held for two frames or more, “on twos”."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..numeric.rotation import Array
from .curve_keys import CurveKeys

SPACINGS = (6, 5, 4, 3, 2)
"""Spacings in frames to look for, the widest first."""

MIN_CHANGES = 8
"""Fewest changes of pose in an action that counts as stepped."""

MIN_REGULAR_SHARE = 0.97
"""Smallest share of the changes that lie at the spacing."""

MIN_FILLED_SHARE = 0.6
"""Smallest share of the places at the spacing where the pose changes; the others prolong a pose."""


def spacing(curves: Iterable[CurveKeys]) -> int:
    """Return the frames for which poses are held at least, 1 if the action is not stepped.

    Held keys, stepped modifiers and values that repeat from frame to frame count alike. One curve that glides is enough
    for an action to count as smooth.
    """
    changes: list[Array] = []
    modifiers: set[int] = set()
    for one in curves:
        moving = one.moving()
        if not moving.any():
            continue
        if one.modified:
            return 1
        if one.stepping:
            modifiers.add(one.stepping)
            continue
        steps = np.diff(one.frames)
        if (moving & ~one.held[:-1] & (steps > 1.0 + 1e-3)).any():
            return 1
        changes.append(np.ceil(one.frames[1:][moving] - 1e-3))
        if len(changes[-1]) >= MIN_CHANGES and _spacing_of(changes[-1]) == 1:
            return 1  # a capture is told by its first curve
    if modifiers:
        return modifiers.pop() if len(modifiers) == 1 and not changes else 1
    return _spacing_of(np.concatenate(changes)) if changes else 1


def _spacing_of(changes: Array) -> int:
    frames = np.unique(changes).astype(np.int64)
    return next((width for width in SPACINGS if _is_regular(frames, width)), 1)


def _is_regular(frames: NDArray[np.int64], width: int) -> bool:
    if len(frames) < MIN_CHANGES:
        return False
    phases = np.bincount(frames % width, minlength=width)
    places = (frames[-1] - frames[0]) // width + 1
    return bool(phases.max() >= MIN_REGULAR_SHARE * len(frames) and phases.max() >= MIN_FILLED_SHARE * places)
