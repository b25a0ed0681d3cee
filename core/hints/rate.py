"""Frame rate of a captured motion, guessed from how its body falls: in flight, and over a standing leg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..motion.legs import leg_roots
from ..motion.skeleton import Skeleton
from ..numeric.rotation import Array
from .curve_keys import CurveKeys

GRAVITY = 10.6
"""Acceleration of a free fall in core units a second², of a human whose joints span nine tenths of its height."""

TOPPLING = 0.84
"""Acceleration of a body that topples over its foot, relative to a free fall times its lean: it turns as well."""

RATES = (24.0, 30.0, 60.0, 100.0, 120.0, 240.0)
"""Usual frame rates of captured motion; those so close to one of them that no fall tells are left out."""

MIN_RATIO = 1.6
"""Smallest ratio of the guessed rate and the scene's, either way, at which the scene's is wrong."""

MIN_BAKED_SHARE = 0.9
"""Smallest share of the moving curves with a key on every frame, as captures have."""

MIN_LIFT = 0.08
"""Smallest height in core units of both feet in a flight, above where they took off and land."""

FLIGHT_SHARE = 0.25
"""Height above which a flight counts as free, as a share of its lift."""

MIN_FLIGHTS = 4
"""Fewest flights to guess from."""

MAX_FLIGHT_SPREAD = 2.0
"""Largest ratio of a strong fall to a weak one among the flights of a motion that obeys gravity."""

MIN_ROWS = 5
"""Fewest rows of a flight or of a standing leg."""

MAX_STANDING_SHARE = 0.5
"""Largest speed of a standing foot, relative to the other one's."""

MIN_SWING_SHARE = 0.3
"""Smallest speed of a foot in the air, relative to the speed that it exceeds in a tenth of the motion."""

MIN_STANCES = 12
"""Fewest times that one leg stands alone, to guess from."""

STANCE_SECONDS = (0.16, 0.75)
"""Times that a body usually stands on one leg within; only outside does a wrong rate show by how it topples.

An animator's walk sways as it likes, and bodies that sway too little or too much for their speed are common.
"""

MIN_CORRELATION = 0.4
"""Smallest correlation of the body's acceleration with its lean over the standing foot."""


def is_baked(curves: Iterable[CurveKeys]) -> bool:
    """Return True if nearly all moving curves have a key on every whole frame, from their first key to their last."""
    moving = [one.frames for one in curves if one.moving().any()]
    baked = [bool(np.all(np.abs(np.diff(frames) - 1.0) < 1e-3)) and len(frames) > 2 for frames in moving]
    return bool(baked) and float(np.mean(baked)) >= MIN_BAKED_SHARE


def guess_rate(skeleton: Skeleton, positions: Array, fps: float, step: int = 1) -> float:
    """Return the frame rate at which a biped's body falls as bodies do, 0 if `fps` may be right or nothing tells.

    `positions` (T, J, 3) are in core units, a row each `step` frames; the scene plays `fps` frames a second.
    """
    legs = [[j for j in skeleton.subtree(root) if j in skeleton.contacts] for root in leg_roots(skeleton)]
    legs = [leg for leg in legs if leg]
    if len(legs) != 2 or len(positions) < 4 * MIN_ROWS:
        return 0.0
    feet = np.stack([positions[:, leg].mean(axis=1) for leg in legs], axis=1)
    pull = _fall_in_flight(positions[:, 0, 2], positions[:, [j for leg in legs for j in leg], 2].min(axis=1))
    if not pull:
        toppling, usual = _fall_over_leg(_middle(skeleton, positions), feet)
        shortest, longest = STANCE_SECONDS
        pull = toppling / TOPPLING if not shortest < usual * step / fps < longest else 0.0
    if pull <= 0.0:
        return 0.0
    exact = step * float(np.sqrt(GRAVITY / pull))
    rate = min(RATES, key=lambda one: abs(np.log(one / exact)))
    return rate if max(rate / fps, fps / rate) >= MIN_RATIO and max(exact / fps, fps / exact) >= MIN_RATIO else 0.0


def _middle(skeleton: Skeleton, positions: Array) -> Array:
    """Return the middle (T, 3) of the bones, each counted by its length: about where the weight is."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    lengths[0] = 0.0
    parents = np.maximum(np.array(skeleton.parents), 0)
    bones = 0.5 * (positions + positions[:, parents])
    return np.asarray(np.einsum("tjx,j->tx", bones, lengths) / max(float(lengths.sum()), 1e-9))


def _fall_in_flight(root: Array, low: Array) -> float:
    """Return the median fall of the root in flights, in core units a row²; 0 if there are few or they disagree.

    `root` (T,) is the root's height, `low` (T,) that of the lowest foot.
    """
    falls = []
    for top in np.flatnonzero((low[1:-1] >= low[:-2]) & (low[1:-1] > low[2:])) + 1:
        begin, end = top, top
        while begin > 0 and low[begin - 1] <= low[begin]:
            begin -= 1
        while end < len(low) - 1 and low[end + 1] <= low[end]:
            end += 1
        ground = max(low[begin], low[end])
        if begin == 0 or end == len(low) - 1 or low[top] - ground < MIN_LIFT:
            continue
        rows = np.flatnonzero(low[begin : end + 1] >= ground + FLIGHT_SHARE * (low[top] - ground)) + begin
        if len(rows) >= MIN_ROWS:
            falls.append(-2.0 * float(np.polyfit(rows - rows.mean(), root[rows], 2)[0]))
    if len(falls) < MIN_FLIGHTS:
        return 0.0
    weak, median, strong = np.percentile(falls, [20, 50, 80])
    return float(median) if weak > 0.0 and strong <= MAX_FLIGHT_SPREAD * weak else 0.0


def _fall_over_leg(middle: Array, feet: Array) -> tuple[float, float]:
    """Return the acceleration by lean, in core units a row², of a body that topples over the one foot that stands.

    The second number is the median time on one foot, in rows.

    `middle` (T, 3) is the body's middle, `feet` (T, 2, 3) are its feet. The middle accelerates away from the foot like
    the top of a pole: by gravity times its lean. Both are summed over each stance with a weight that dies away at its
    ends, so that the positions need no derivative. Returns 0 for few stances, or where the two do not go together.
    """
    speeds = np.linalg.norm(np.gradient(feet, axis=0), axis=-1)
    swinging = MIN_SWING_SHARE * float(np.percentile(speeds, 90))
    stances = []
    for stand, swing in ((0, 1), (1, 0)):
        alone = (speeds[:, stand] < MAX_STANDING_SHARE * speeds[:, swing]) & (speeds[:, swing] > swinging)
        stances += [(stand, begin, end) for begin, end in _runs(alone) if end - begin > MIN_ROWS]
    if len(stances) < MIN_STANCES:
        return 0.0, 0.0
    usual = float(np.median([end - begin for _, begin, end in stances]))
    sums = []
    for stand, begin, end in stances:
        if end - begin < 0.5 * usual:
            continue
        weight = np.sin(np.pi * np.linspace(0.0, 1.0, end - begin)) ** 4
        weight[[0, -1]] = 0.0
        apart = middle[begin:end] - feet[begin:end, stand]
        lean = apart[:, :2] / np.maximum(apart[:, 2:], 1e-3)
        # by parts: the weight's second difference times the place is the weight times the acceleration
        sums.append((np.diff(np.pad(weight, 1), 2) @ middle[begin:end, :2], weight @ lean))
    pushed, leaned = np.array([one for one, _ in sums]).ravel(), np.array([one for _, one in sums]).ravel()
    both = float(pushed @ leaned)
    alike = both / max(float(np.linalg.norm(pushed) * np.linalg.norm(leaned)), 1e-30)
    return (both / float(leaned @ leaned) if alike >= MIN_CORRELATION else 0.0), usual


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Iterate over the runs [begin, end) of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from ((int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True))
