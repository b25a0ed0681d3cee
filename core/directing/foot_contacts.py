"""Foot contacts of generated frames in a composition; kept frames do not change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..motion.feet_cleanup import heights_of, moving_legs, root_from_stance
from ..motion.leg_ik import Leg, LegIK
from ..motion.motion import RATE, Motion
from ..motion.resampling import with_path
from ..motion.skeleton import GROUP
from ..motion.stances import contact_runs, stand_place, standing_mask
from ..numeric.blending import BLEND_FRAMES, DECAY_FRAMES, FIXED, least_jerk_offsets, near_joins
from ..numeric.rotation import Array
from ..numeric.smoothing import runs_of

FIXED_STANCE_WEIGHT = 0.98
"""Weight from which a foot is fixed exactly."""

STANCE_RAMP_FRAMES = 4.0
"""Frames at 30 fps over which a foot planted across a join ramps up to full weight."""

MAX_STANCE_OFFSET = 0.3
"""Largest planar distance in core units that a standing foot is moved; more would lift the leg."""

MIN_SPLIT_FRAMES = 12
"""Shortest run of frames that is cut in two."""

LOOP_MARGIN_FRAMES = 30
"""Frames by which a loop is extended on both sides."""


def stance_path(motion: Motion, source: Motion, keep: Array, *, loop: bool = False) -> Motion:
    """Move the root so that standing feet stay in place, at the heights of `source`.

    Where `keep` (T,) is 1 the root keeps its velocity and height.
    """
    lap = min(LOOP_MARGIN_FRAMES, motion.frames - 1) if loop else 0
    period = motion.frames - 1 if loop else motion.frames
    features = motion.features[np.arange(-lap, motion.frames + lap) % period]
    wide = Motion(features, motion.skeleton, motion.fps, motion.origin)
    pose = LegIK(wide)
    runs = contact_runs(wide.contact_labels())
    before = pose.root[lap : lap + motion.frames]
    after = root_from_stance(wide, pose, runs, heights_of(source))[lap : lap + motion.frames]
    steps = np.diff(after, axis=0) + keep[1:, None] * (np.diff(before, axis=0) - np.diff(after, axis=0))
    plane = motion.origin + np.concatenate([np.zeros((1, 2)), np.cumsum(steps[:, :2], axis=0)])
    result = with_path(motion, plane, loop=loop)
    result.features[:, motion.skeleton.root_channel + 2] = after[:, 2] + keep * (before[:, 2] - after[:, 2])
    return result


def plant_new_feet(motion: Motion, keep: Array, source: Motion, *, loop: bool = False) -> Motion:
    """Solve free legs so that standing feet stay in place; a stance that includes kept frames keeps their position."""
    lap = min(LOOP_MARGIN_FRAMES, motion.frames - 1) if loop else 0
    period = motion.frames - 1 if loop else motion.frames
    rows = np.arange(-lap, motion.frames + lap) % period
    wide = Motion(motion.features[rows], motion.skeleton, motion.fps, motion.origin)
    solved, standing = _planted(wide, keep[rows], source)
    features = motion.features.copy()
    positions = [channel + axis for channel in motion.skeleton.translated_channels for axis in range(3)]
    columns = np.append(np.arange(motion.skeleton.joints * GROUP), np.array(positions, dtype=int))
    features[:, columns] = solved.features[lap : lap + motion.frames, columns]
    labels = motion.skeleton.contact_channels
    kept = keep[:, motion.skeleton.joints : motion.skeleton.joints + len(labels)] >= FIXED
    features[:, labels] = np.where(kept, features[:, labels], standing[lap : lap + motion.frames])
    return replace(motion, features=features)


def _planted(motion: Motion, keep: Array, source: Motion) -> tuple[Motion, NDArray[np.bool_]]:
    runs = contact_runs(motion.contact_labels())
    standing = standing_mask(runs, motion.frames)
    pose = LegIK(motion)
    moved, firmness = False, dict[bytes, _StanceWeights]()
    heights = heights_of(source)
    for leg in moving_legs(source):
        kept = (keep[:, list(leg.movers)] >= FIXED).all(1)
        if kept.all():
            continue
        if moved:
            pose.update()
        path = pose.path_of(motion.skeleton.contacts[leg.contact])
        pattern = kept.tobytes()  # most legs share the same kept frames
        firm = firmness[pattern] = firmness.get(pattern) or _StanceWeights.of(kept, motion.fps)
        correction = _stance_offsets(path, kept, firm, runs[leg.contact], heights[leg.contact], motion.fps)
        moved |= _solve_if_needed(pose, leg, path, correction)
    return pose.motion(motion, standing), standing


@dataclass(frozen=True, eq=False)
class _StanceWeights:
    """Weights (T,) of stance targets, smaller near joins: to stop a moving foot within one frame would be a jolt."""

    held: Array
    """Weights of stances that include kept frames."""
    other: Array
    """Weights of all other stances."""

    @staticmethod
    def of(kept: NDArray[np.bool_], fps: float) -> _StanceWeights:
        held, other = (1.0 - near_joins(kept, reach * fps / RATE) for reach in (STANCE_RAMP_FRAMES, BLEND_FRAMES))
        return _StanceWeights(held, other)


def _solve_if_needed(pose: LegIK, leg: Leg, path: Array, correction: Array) -> bool:
    if not np.abs(correction).max() > 1e-9:
        return False
    pose.solve(leg, path + correction)
    return True


def _stance_offsets(
    path: Array,
    kept: NDArray[np.bool_],
    firmness: _StanceWeights,
    runs: list[tuple[int, int]],
    heights: Array,
    fps: float,
) -> Array:
    """Return offsets for a foot's path (T, 3) that keep it in place in each run and are smooth; 0 in kept frames."""
    offsets = np.zeros_like(path)
    weights = kept.astype(float)
    for start, stop in runs:
        for rows, target in _stands(path, kept, np.arange(start, stop), heights):
            new = ~kept[rows]
            offsets[rows[new]] = target[new] - path[rows[new]]
            weights[rows[new]] = (firmness.held if kept[rows].any() else firmness.other)[rows[new]]
    weights[weights > FIXED_STANCE_WEIGHT] = 1.0  # exact frames divide the linear system into small ones
    return least_jerk_offsets(offsets, weights, 0.6 * DECAY_FRAMES * fps / RATE)


def _stands(
    path: Array, kept: NDArray[np.bool_], rows: NDArray[np.int64], heights: Array
) -> list[tuple[NDArray[np.int64], Array]]:
    """Split a run of frames into stances with target positions (rows, 3).

    The target is interpolated from kept frames, else it is the mean position, at a height as in the source. A run is
    split where the foot would be moved by more than MAX_STANCE_OFFSET.
    """
    held = rows[kept[rows]]
    if len(held):
        target = np.stack([np.interp(rows, held, path[held, k]) for k in range(3)], axis=1)
        far = np.linalg.norm((target - path[rows])[:, :2], axis=1) > MAX_STANCE_OFFSET
        if not far.any():
            return [(rows, target)]
        near = [run for run in runs_of(~far) if kept[rows[run[0] : run[1]]].any()]
        free = np.ones(len(rows), dtype=bool)
        for start, stop in near:
            free[max(0, start - 1) : stop + 1] = False
        parts = [(rows[start:stop], target[start:stop]) for start, stop in near]
        for start, stop in runs_of(free):
            parts += _stands(path, kept, rows[start:stop], heights)
        return parts
    place = stand_place(path[rows], heights)
    if len(rows) < MIN_SPLIT_FRAMES or np.linalg.norm((path[rows] - place)[:, :2], axis=1).max() <= MAX_STANCE_OFFSET:
        return [(rows, np.repeat(place[None], len(rows), axis=0))]
    cut = len(rows) // 2
    return _stands(path, kept, rows[: cut - 1], heights) + _stands(path, kept, rows[cut + 1 :], heights)
