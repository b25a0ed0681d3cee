"""After synthesis: what is kept comes out exactly, and what is new joins on to it without a jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import RATE, Motion
from ..motion.resampling import at_rate, stretch_rows, with_path
from ..motion.skeleton import GROUP
from ..numeric.blending import BLEND_FRAMES, DECAY, FIXED, least_jerk_offsets, near_joins, patterns_of, runs_of
from ..numeric.rotation import Array, six_to_matrix, turn_six, vector_from_rotation
from .composition import Composition
from .foot_contacts import plant_new_feet, stance_path
from .route import follow_route

CALM = 4.0
"""Standard deviation in frames at 30 a second of the smoothing at a join."""

_REACH = 4.0
"""Standard deviations beyond which the smoothing sees nothing."""

_SIDE = 3
"""Kept frames beside a join that its derivatives are taken from."""


def blend_kept(made: Motion, composition: Composition, source: Motion, clean: bool) -> Motion:
    """Bring a generated motion at 30 frames a second to the target's rate and rows and put in what is kept.

    `source` says where its feet stand; with `clean` those of new frames do too. Raises ClipError for a route too short.
    """
    target, loop = composition.target, composition.loop
    feet = clean and bool(made.skeleton.contacts)
    if feet and not _root_is_kept(composition):
        made = stance_path(made, source, _root_nearness(made, composition), loop=loop)
    made = at_rate(made, target.fps, target.frames, loop=loop)
    if composition.route is not None:
        made = follow_route(made, composition.route)
    settled = _joined(made, composition)
    if feet:
        settled = plant_new_feet(settled, composition.keep, source, loop=loop)
    return _with_kept(settled, composition)


def _root_is_kept(composition: Composition) -> bool:
    group = composition.target.skeleton.root_channel // GROUP
    return bool((composition.keep[:, group] >= FIXED).all())


def _root_nearness(made: Motion, composition: Composition) -> Array:
    """1 where the root is kept (frames at 30 a second), falling to 0 beyond the joins."""
    group = composition.target.skeleton.root_channel // GROUP
    kept = stretch_rows(composition.keep[:, group : group + 1], made.frames)[:, 0] > 0.5
    near: Array = np.where(kept, 1.0, near_joins(np.tile(kept, 3), BLEND_FRAMES)[len(kept) : 2 * len(kept)])
    return near if composition.loop else np.where(kept, 1.0, near_joins(kept, BLEND_FRAMES))


def _joined(made: Motion, composition: Composition) -> Motion:
    """Bend rotations, offsets, height and path of the free frames towards the kept ones."""
    loop, skeleton, pace = composition.loop, made.skeleton, made.fps / RATE
    decay = DECAY * max(pace, 0.5)
    rows = made.frames - loop  # a loop's last row is its first
    target, keep, features = composition.target.features[:rows], composition.keep[:rows], made.features[:rows].copy()
    if composition.enter is not None and composition.content > 0:
        features += composition.content * composition.enter[:rows, :1] * (target - features)
    for groups, weights in patterns_of(keep):
        _calm(features, _columns(groups), weights, pace, loop)
    for joints, weights in patterns_of(keep[:, : skeleton.joints]):
        _join_rotations(features, target, joints, weights, decay, loop)
    root = skeleton.root_channel // GROUP
    for groups, weights in patterns_of(keep[:, root + 1 :]):
        _join_numbers(features, target, _columns(groups + root + 1), weights, decay, loop)
    _join_numbers(features, target, np.array([skeleton.root_channel + 2]), keep[:, root], decay, loop)
    if loop:
        features = np.concatenate([features, features[:1]])
    joined = replace(made, features=features)
    return with_path(joined, _joined_path(joined, composition, decay), loop=loop)


def _join_numbers(
    features: Array, target: Array, columns: np.ndarray, weights: Array, decay: float, loop: bool
) -> None:
    known = target[:, columns] - features[:, columns]
    features[:, columns] += least_jerk_offsets(known, weights, decay, loop=loop)


def _calm(features: Array, columns: np.ndarray, weights: Array, pace: float, loop: bool) -> None:
    """Smooth what was generated close to joins, so that its jitter is not taken for a speed that must go on."""
    reach = int(np.ceil(_REACH * CALM * pace))
    if loop:
        lap = np.arange(-reach, len(weights) + reach) % len(weights)
        wide = features[lap]
        _calm(wide, columns, weights[lap], pace, False)
        features[:, columns] = wide[reach:-reach, columns]
        return
    near = near_joins(weights > 0.5, BLEND_FRAMES * pace)
    for start, stop in runs_of(near > 0):
        low, high = max(0, start - reach), min(len(features), stop + reach)
        rows = features[low:high][:, columns]
        own = slice(start - low, stop - low)
        calm = _smoothing(high - low, CALM * pace)[own] @ rows
        features[start:stop, columns] = rows[own] + near[start:stop, None] * (calm - rows[own])


def _smoothing(frames: int, deviation: float) -> Array:
    """The Gaussian low-pass as a matrix (frames, frames); the ends are held."""
    at = np.arange(frames)
    weights = np.exp(-0.5 * ((at[:, None] - at) / deviation) ** 2)
    smoothing: Array = weights / weights.sum(1, keepdims=True)
    return smoothing


def _columns(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    return (groups[:, None] * GROUP + np.arange(GROUP)).reshape(-1)


def _join_rotations(
    features: Array, target: Array, joints: NDArray[np.int64], weights: Array, decay: float, loop: bool
) -> None:
    """Offsets between rotations are turns about an axis, so that a large one is made at an even pace."""
    columns = _columns(joints)
    if (weights >= FIXED).all():
        features[:, columns] = target[:, columns]
        return
    frames = len(features)
    used = _beside_free(weights, loop)
    known = np.zeros((frames, len(joints), 3))
    made_rotations = six_to_matrix(features[used][:, columns].reshape(-1, len(joints), GROUP))
    target_rotations = six_to_matrix(target[used][:, columns].reshape(-1, len(joints), GROUP))
    known[used] = vector_from_rotation(made_rotations.swapaxes(-1, -2) @ target_rotations)
    _unwind(known, used)
    offsets = least_jerk_offsets(known.reshape(frames, -1), np.where(used, weights, 0.0), decay, loop=loop)
    moved = np.flatnonzero((np.abs(offsets) > 1e-9).any(axis=1) & (weights < FIXED))
    turned = turn_six(features[moved[:, None], columns].reshape(-1, GROUP), offsets[moved].reshape(-1, 3))
    features[moved[:, None], columns] = turned.reshape(len(moved), -1)
    exact = np.flatnonzero(weights >= FIXED)
    features[exact[:, None], columns] = target[exact[:, None], columns]


def _beside_free(weights: Array, loop: bool) -> np.ndarray:
    """Frames with a weight that are soft or within a few frames of one that is not exact."""
    exact = weights >= FIXED
    ends = np.pad(exact, _SIDE, mode="wrap") if loop else np.pad(exact, _SIDE, constant_values=True)
    near = np.zeros(len(weights), dtype=bool)
    for shift in range(-_SIDE, _SIDE + 1):
        near |= ~ends[_SIDE + shift : _SIDE + shift + len(weights)]
    return near & (weights > 0)


def _unwind(vectors: Array, used: np.ndarray) -> None:
    """Take of the two ways round the one that neighbouring frames take, in place."""
    for frame in np.flatnonzero(used[1:] & used[:-1]) + 1:
        angle = np.linalg.norm(vectors[frame], axis=-1, keepdims=True)
        other = vectors[frame] * (1.0 - 2.0 * np.pi / np.maximum(angle, 1e-9))
        before = vectors[frame - 1]
        nearer = np.linalg.norm(other - before, axis=-1) < np.linalg.norm(vectors[frame] - before, axis=-1)
        vectors[frame, nearer] = other[nearer]


def _joined_path(made: Motion, composition: Composition, decay: float) -> Array:
    """The root's way over the ground (T, 2): kept where it is kept, in between evenly off the generated one."""
    weights = composition.keep[:, made.skeleton.root_channel // GROUP]
    plane = made.root_positions()[:, :2]
    if not (weights > 0).any():
        return _closed(plane) if composition.loop and not composition.travels else plane
    wanted = composition.target.root_positions()[:, :2]
    known = wanted - plane
    if not composition.anchored:
        _follow_on(known, weights)
    elif composition.loop:
        return plane + _loop_offsets(known, weights, plane, composition, decay)
    return plane + least_jerk_offsets(known, weights, decay, drift=True)


def _follow_on(known: Array, weights: Array) -> None:
    """Shift each kept run so that the way to it is as long as it was generated, in place."""
    last = None
    for start, stop in runs_of(weights > 0):
        if last is not None:
            known[start:stop] += last - known[start]
        last = known[stop - 1].copy()


def _closed(plane: Array) -> Array:
    share = np.linspace(0.0, 1.0, len(plane))[:, None]
    return plane - share * (plane[-1] - plane[0])


def _loop_offsets(known: Array, weights: Array, plane: Array, composition: Composition, decay: float) -> Array:
    """Offsets over one round: the next one begins where this one began, or as far on as it was generated to come."""
    period = len(plane) - 1
    gap = np.zeros(2) if composition.travels else plane[0] - plane[-1]
    rounds = np.concatenate([known[:period] + k * gap for k in (-1, 0, 1)])
    offsets = least_jerk_offsets(rounds, np.tile(weights[:period], 3), decay, drift=True)
    return offsets[period : 2 * period + 1]


def _with_kept(motion: Motion, composition: Composition) -> Motion:
    """Kept groups verbatim, but for velocities, which follow from places; a loop's last row is its first."""
    target, keep = composition.target, composition.keep
    exact = np.repeat(keep >= FIXED, GROUP, axis=1)
    plane = slice(target.skeleton.root_channel, target.skeleton.root_channel + 2)
    exact[:, plane] = False
    features = np.where(exact, target.features, motion.features)
    if composition.loop:
        features[-1] = features[0]
        features[0, plane] = features[-1, plane] = motion.features[-1, plane]
    return replace(motion, features=features)
