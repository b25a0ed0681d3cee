"""Feet of what is new stand; what is kept stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..motion.feet_cleanup import contact_heights, root_from_stance
from ..motion.leg_ik import Leg, LegIK, find_legs
from ..motion.motion import RATE, Motion
from ..motion.resampling import with_path
from ..motion.skeleton import GROUP
from ..motion.stances import contact_runs, standing_mask
from ..numeric.blending import BLEND_FRAMES, DECAY, FIXED, least_jerk_offsets, near_joins, runs_of
from ..numeric.rotation import Array

FIRM = 0.98
"""A stand that is held this firmly is held exactly."""

HELD = 4.0
"""Frames at 30 a second after a join in which a foot that stood there comes to stand as firmly as any."""

REACH = 0.3
"""Core units by which a standing foot is held back at most: farther away the leg would be lifted by it."""

SHORTEST_STAND = 12
"""Frames below which a stand is not cut in two."""

LAP = 30
"""Frames of a loop's other end that are looked at before it begins and after it ends."""


def stance_path(motion: Motion, source: Motion, own: Array, *, loop: bool = False) -> Motion:
    """The motion with its root moved as its standing feet say, which stand as high as in `source`.

    Where `own` (T,) is 1 the root keeps its own velocity and height.
    """
    lap = min(LAP, motion.frames - 1) if loop else 0
    period = motion.frames - 1 if loop else motion.frames
    features = motion.features[np.arange(-lap, motion.frames + lap) % period]
    wide = Motion(features, motion.skeleton, motion.fps, motion.origin)
    pose = LegIK(wide)
    standing = standing_mask(contact_runs(wide.contact_labels()), wide.frames)
    before = pose.root[lap : lap + motion.frames]
    after = root_from_stance(wide, pose, standing, contact_heights(source))[lap : lap + motion.frames]
    steps = np.diff(after, axis=0) + own[1:, None] * (np.diff(before, axis=0) - np.diff(after, axis=0))
    plane = motion.origin + np.concatenate([np.zeros((1, 2)), np.cumsum(steps[:, :2], axis=0)])
    result = with_path(motion, plane, loop=loop)
    result.features[:, motion.skeleton.root_channel + 2] = after[:, 2] + own * (before[:, 2] - after[:, 2])
    return result


def plant_new_feet(motion: Motion, keep: Array, source: Motion, *, loop: bool = False) -> Motion:
    """Solve free legs so that their feet stand still; a stand that began in a kept frame goes on in that place."""
    lap = min(LAP, motion.frames - 1) if loop else 0
    period = motion.frames - 1 if loop else motion.frames
    rows = np.arange(-lap, motion.frames + lap) % period
    wide = Motion(motion.features[rows], motion.skeleton, motion.fps, motion.origin)
    solved, standing = _planted(wide, keep[rows], contact_heights(source))
    features = motion.features.copy()
    positions = [channel + axis for channel in motion.skeleton.translated_channels for axis in range(3)]
    columns = np.append(np.arange(motion.skeleton.joints * GROUP), np.array(positions, dtype=int))
    features[:, columns] = solved.features[lap : lap + motion.frames, columns]
    labels = motion.skeleton.contact_channels
    kept = keep[:, motion.skeleton.joints : motion.skeleton.joints + len(labels)] >= FIXED
    features[:, labels] = np.where(kept, features[:, labels], standing[lap : lap + motion.frames])
    return replace(motion, features=features)


def _planted(motion: Motion, keep: Array, ground: Array) -> tuple[Motion, NDArray[np.bool_]]:
    runs = contact_runs(motion.contact_labels())
    standing = standing_mask(runs, motion.frames)
    pose = LegIK(motion)
    moved, firmness = False, dict[bytes, _Firmness]()
    for leg in find_legs(motion.skeleton):
        kept = (keep[:, list(leg.movers)] >= FIXED).all(1)
        if kept.all():
            continue
        if moved:
            pose.update()
        path = pose.path_of(motion.skeleton.contacts[leg.contact])
        pattern = kept.tobytes()  # of most legs the same frames are kept
        firm = firmness[pattern] = firmness.get(pattern) or _Firmness.of(kept, motion.fps)
        correction = _corrections(path, kept, firm, runs[leg.contact], ground[leg.contact], motion.fps)
        moved |= _reach_where(pose, leg, path, correction)
    return pose.motion(motion, standing), standing


@dataclass(frozen=True, eq=False)
class _Firmness:
    """How firmly feet stand in each frame (T,): those that stood already before a join, and all others.

    Close to a join a foot may still move as it did: to stop it within a frame would be a jolt.
    """

    held: Array
    other: Array

    @staticmethod
    def of(kept: NDArray[np.bool_], fps: float) -> _Firmness:
        held, other = (1.0 - near_joins(kept, reach * fps / RATE) for reach in (HELD, BLEND_FRAMES))
        return _Firmness(held, other)


def _reach_where(pose: LegIK, leg: Leg, path: Array, correction: Array) -> bool:
    if not np.abs(correction).max() > 1e-9:
        return False
    pose.solve(leg, path + correction)
    return True


def _corrections(
    path: Array, kept: NDArray[np.bool_], firmness: _Firmness, runs: list[tuple[int, int]], ground: float, fps: float
) -> Array:
    """What to add to a foot's path (T, 3): it stands in each run, kept frames are not touched, joins are smooth."""
    wanted = np.zeros_like(path)
    weights = kept.astype(float)
    for start, stop in runs:
        for rows, place in _stands(path, kept, np.arange(start, stop), ground):
            new = ~kept[rows]
            wanted[rows[new]] = place[new] - path[rows[new]]
            weights[rows[new]] = (firmness.held if kept[rows].any() else firmness.other)[rows[new]]
    weights[weights > FIRM] = 1.0  # what is known exactly parts one long problem into many short ones
    return least_jerk_offsets(wanted, weights, 0.6 * DECAY * fps / RATE)


def _stands(
    path: Array, kept: NDArray[np.bool_], rows: NDArray[np.int64], ground: float
) -> list[tuple[NDArray[np.int64], Array]]:
    """The stands of one run of frames, each with its place (rows, 3): cut where the foot would be held back too far.

    A foot stands where kept frames have it, else on the ground in its own middle.
    """
    held = rows[kept[rows]]
    if len(held):
        place = np.stack([np.interp(rows, held, path[held, k]) for k in range(3)], axis=1)
        far = np.linalg.norm((place - path[rows])[:, :2], axis=1) > REACH
        if not far.any():
            return [(rows, place)]
        near = [run for run in runs_of(~far) if kept[rows[run[0] : run[1]]].any()]
        free = np.ones(len(rows), dtype=bool)
        for start, stop in near:
            free[max(0, start - 1) : stop + 1] = False
        parts = [(rows[start:stop], place[start:stop]) for start, stop in near]
        for start, stop in runs_of(free):
            parts += _stands(path, kept, rows[start:stop], ground)
        return parts
    middle = path[rows].mean(0)
    middle[2] = ground
    if len(rows) < SHORTEST_STAND or np.linalg.norm((path[rows] - middle)[:, :2], axis=1).max() <= REACH:
        return [(rows, np.repeat(middle[None], len(rows), axis=0))]
    cut = len(rows) // 2
    return _stands(path, kept, rows[: cut - 1], ground) + _stands(path, kept, rows[cut + 1 :], ground)
