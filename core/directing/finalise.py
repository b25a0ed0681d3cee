"""Finalisation of composed motions: restore kept content exactly and blend generated frames with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..motion.feet_cleanup import belt_of, calm_feet, slide_more
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample, stretch_rows, with_path
from ..motion.skeleton import GROUP
from ..numeric.blending import BLEND_FRAMES, DECAY_FRAMES, FIXED, least_jerk_offsets, near_joins, patterns_of
from ..numeric.rotation import Array, six_to_matrix, turn_six, vector_from_rotation
from ..numeric.smoothing import runs_of, smooth
from ..placing.course import led_to_places
from ..placing.pins import pinned
from ..placing.steps import with_steps
from .composition import Composition
from .foot_contacts import plant_new_feet, stance_path
from .route import follow_route

JOIN_SMOOTHING_FRAMES = 4.0
"""Standard deviation, in frames at 30 fps, of the Gaussian that smooths generated frames at joins."""

_SMOOTHING_REACH = 4.0
"""Radius of the Gaussian in standard deviations."""

_DERIVATIVE_FRAMES = 3
"""Kept frames beside a join that define its derivatives."""


def blend_kept(motion: Motion, composition: Composition, source: Motion, clean: bool) -> Motion:
    """Resample a generated motion at 30 fps to the target's rate and rows, and blend it with the kept content.

    If `clean`, standing feet of new frames are kept in place, at the heights of `source`; those of a walk in place stay
    as they are without places, and on its belt with them. Raises ClipError for too short a route and for pins that
    cannot be reached.
    """
    target, loop = composition.target, composition.loop
    feet = clean and bool(motion.skeleton.contacts) and not any(belt_of(source))
    if feet and not _root_is_kept(composition):
        motion = stance_path(motion, source, _root_nearness(motion, composition), loop=loop)
    motion = resample(motion, target.fps, target.frames, loop=loop)
    if composition.route is not None:
        motion = follow_route(motion, composition.route)
    if composition.places is not None:
        before = motion
        motion = led_to_places(motion, composition.places, composition.keep, source).motion
        if clean and any(belt_of(source)) and not composition.places.turns:
            motion = calm_feet(with_steps(motion, before, source), source)
    blended = _joined(motion, composition)
    if feet:
        blended = plant_new_feet(blended, composition.keep, source, loop=loop)
        if composition.places is not None and slide_more(blended, source):
            blended = plant_new_feet(blended, composition.keep, source, loop=loop)
    blended = _with_kept(blended, composition)
    if composition.places is None:
        return blended
    return pinned(blended, composition.places, composition.keep, source)


def _root_is_kept(composition: Composition) -> bool:
    group = composition.target.skeleton.root_channel // GROUP
    return bool((composition.keep[:, group] >= FIXED).all())


def _root_nearness(motion: Motion, composition: Composition) -> Array:
    """Return weights (T,) at 30 fps: 1 where the root is kept, falling to 0 beyond the joins."""
    group = composition.target.skeleton.root_channel // GROUP
    kept = stretch_rows(composition.keep[:, group : group + 1], motion.frames)[:, 0] > 0.5
    near: Array = np.where(kept, 1.0, near_joins(np.tile(kept, 3), BLEND_FRAMES)[len(kept) : 2 * len(kept)])
    return near if composition.loop else np.where(kept, 1.0, near_joins(kept, BLEND_FRAMES))


def _joined(motion: Motion, composition: Composition) -> Motion:
    """Blend rotations, offsets, height and path of free frames with the kept ones."""
    loop, skeleton, pace = composition.loop, motion.skeleton, motion.fps / RATE
    decay = DECAY_FRAMES * max(pace, 0.5)
    rows = motion.frames - loop  # the last row of a loop repeats the first
    target, keep, features = composition.target.features[:rows], composition.keep[:rows], motion.features[:rows].copy()
    if composition.enter is not None and composition.content > 0:
        features += composition.content * composition.enter[:rows, :1] * (target - features)
    for groups, weights in patterns_of(keep):
        _smooth_joins(features, _columns(groups), weights, pace, loop)
    for joints, weights in patterns_of(keep[:, : skeleton.joints]):
        _join_rotations(features, target, joints, weights, decay, loop)
    root = skeleton.root_channel // GROUP
    for groups, weights in patterns_of(keep[:, root + 1 :]):
        _join_numbers(features, target, _columns(groups + root + 1), weights, decay, loop)
    _join_numbers(features, target, np.array([skeleton.root_channel + 2]), keep[:, root], decay, loop)
    if loop:
        features = np.concatenate([features, features[:1]])
    joined = replace(motion, features=features)
    return with_path(joined, _joined_path(joined, composition, decay), loop=loop)


def _join_numbers(
    features: Array, target: Array, columns: np.ndarray, weights: Array, decay: float, loop: bool
) -> None:
    known = target[:, columns] - features[:, columns]
    features[:, columns] += least_jerk_offsets(known, weights, decay, loop=loop)


def _smooth_joins(features: Array, columns: np.ndarray, weights: Array, pace: float, loop: bool) -> None:
    """Smooth generated frames near joins, so that blending does not continue the velocity of their jitter."""
    reach = int(np.ceil(_SMOOTHING_REACH * JOIN_SMOOTHING_FRAMES * pace))
    if loop:
        around = np.arange(-reach, len(weights) + reach) % len(weights)
        extended = features[around]
        _smooth_joins(extended, columns, weights[around], pace, False)
        features[:, columns] = extended[reach:-reach, columns]
        return
    near = near_joins(weights > 0.5, BLEND_FRAMES * pace)
    for start, stop in runs_of(near > 0):
        low, high = max(0, start - reach), min(len(features), stop + reach)
        rows = features[low:high][:, columns]
        inner = slice(start - low, stop - low)
        smoothed = smooth(rows, JOIN_SMOOTHING_FRAMES * pace, "cut")[inner]
        features[start:stop, columns] = rows[inner] + near[start:stop, None] * (smoothed - rows[inner])


def _columns(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    return (groups[:, None] * GROUP + np.arange(GROUP)).reshape(-1)


def _join_rotations(
    features: Array, target: Array, joints: NDArray[np.int64], weights: Array, decay: float, loop: bool
) -> None:
    """Blend rotations by rotation vectors, which change at an even rate also for large angles; in place."""
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
    """Select frames with a weight that are not exact, or within _DERIVATIVE_FRAMES of one that is not exact."""
    exact = weights >= FIXED
    ends = (
        np.pad(exact, _DERIVATIVE_FRAMES, mode="wrap")
        if loop
        else np.pad(exact, _DERIVATIVE_FRAMES, constant_values=True)
    )
    near = np.zeros(len(weights), dtype=bool)
    for shift in range(-_DERIVATIVE_FRAMES, _DERIVATIVE_FRAMES + 1):
        near |= ~ends[_DERIVATIVE_FRAMES + shift : _DERIVATIVE_FRAMES + shift + len(weights)]
    return near & (weights > 0)


def _unwind(vectors: Array, used: np.ndarray) -> None:
    """Choose between the two equivalent rotation vectors the one closer to that of the frame before, in place."""
    for frame in np.flatnonzero(used[1:] & used[:-1]) + 1:
        angle = np.linalg.norm(vectors[frame], axis=-1, keepdims=True)
        other = vectors[frame] * (1.0 - 2.0 * np.pi / np.maximum(angle, 1e-9))
        before = vectors[frame - 1]
        nearer = np.linalg.norm(other - before, axis=-1) < np.linalg.norm(vectors[frame] - before, axis=-1)
        vectors[frame, nearer] = other[nearer]


def _joined_path(motion: Motion, composition: Composition, decay: float) -> Array:
    """Return the root's path on the ground (T, 2): kept where it is kept, else generated plus drifting offsets."""
    weights = composition.keep[:, motion.skeleton.root_channel // GROUP]
    plane = motion.root_positions()[:, :2]
    if not (weights > 0).any():
        return _closed(plane) if composition.loop and not composition.travels else plane
    known = composition.target.root_positions()[:, :2] - plane
    if not composition.anchored:
        _follow_on(known, weights)
    elif composition.loop:
        return plane + _loop_offsets(known, weights, plane, composition, decay)
    return plane + least_jerk_offsets(known, weights, decay, drift=True)


def _follow_on(known: Array, weights: Array) -> None:
    """Shift each kept run so that the generated displacement between runs is unchanged, in place."""
    last = None
    for start, stop in runs_of(weights > 0):
        if last is not None:
            known[start:stop] += last - known[start]
        last = known[stop - 1].copy()


def _closed(plane: Array) -> Array:
    """Shear a path (T, 2) linearly in time so that it ends where it starts."""
    share = np.linspace(0.0, 1.0, len(plane))[:, None]
    return plane - share * (plane[-1] - plane[0])


def _loop_offsets(known: Array, weights: Array, plane: Array, composition: Composition, decay: float) -> Array:
    """Return offsets (T, 2) over one period of a loop that ends at its start, or at the generated end if it travels."""
    period = len(plane) - 1
    gap = np.zeros(2) if composition.travels else plane[0] - plane[-1]
    rounds = np.concatenate([known[:period] + k * gap for k in (-1, 0, 1)])
    offsets = least_jerk_offsets(rounds, np.tile(weights[:period], 3), decay, drift=True)
    return offsets[period : 2 * period + 1]


def _with_kept(motion: Motion, composition: Composition) -> Motion:
    """Copy kept channels exactly, except root velocity, which is recomputed from positions.

    In a loop the last row equals the first.
    """
    target, keep = composition.target, composition.keep
    exact = np.repeat(keep >= FIXED, GROUP, axis=1)
    plane = slice(target.skeleton.root_channel, target.skeleton.root_channel + 2)
    exact[:, plane] = False
    features = np.where(exact, target.features, motion.features)
    if composition.loop:
        features[-1] = features[0]
        features[0, plane] = features[-1, plane] = motion.features[-1, plane]
    return replace(motion, features=features)
