"""Foot clean-up: move the root with the standing foot, then solve each leg so that its foot stands still.

GANimator optimises the whole motion for this (8.5 s for 648 frames). Here each leg is solved on its own by a few damped
least-squares steps for all frames at once. Only the root and the legs change.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..numeric.rotation import Array
from ..numeric.smoothing import smooth
from .leg_ik import Leg, LegIK, find_legs
from .motion import RATE, Motion
from .skeleton import GROUP
from .stances import contact_runs, height_errors, stance_corrections, stand_heights, standing_mask
from .treadmill import belt_velocity

ROOT_SMOOTHING = 3.0
"""Standard deviation in frames of the Gaussian that smooths the root's correction; the legs make up the rest."""

RIGID_DEVIATION = 0.001
"""Deviation of the six numbers of a joint's rotation up to which it counts as rigid."""

STILL_FOOT_STEP = 0.0003
"""Step in core units from frame to frame below which a standing foot is still: it counts more for the root than another
that slides."""

SHARE_MARGIN = 0.1
"""Share of the legs' correction that is added to what the slide speed asks for."""


def clean_feet(motion: Motion, source: Motion, *, keep_root: bool = False) -> Motion:
    """Keep standing feet in place, at the height at which they stand in `source` (same skeleton).

    Where the source walks on a treadmill, feet are kept on the belt and the root in its place; `keep_root` keeps the
    root everywhere, so that only the legs move. A motion without contact joints is returned unchanged.
    """
    return _cleaned(motion, source, root=not keep_root, legs=True)


def calm_feet(motion: Motion, source: Motion) -> Motion:
    """Keep standing feet from sliding more than those of `source` (same skeleton) do, by the least change.

    That is none, the root moved with the standing foot, or beside it a share of what `clean_feet` does to the legs, or
    all of it; a second time where that is enough.
    """
    belt, limit = belt_of(source), source_slide_speed(source)
    if slide_speed(seen_from_belt(motion, belt)) <= limit:
        return motion
    rooted = _cleaned(motion, source, root=True, legs=False)
    before = slide_speed(seen_from_belt(rooted, belt))
    if before <= limit:
        return rooted
    cleaned = _cleaned(rooted, source, root=False, legs=True)
    after = slide_speed(seen_from_belt(cleaned, belt))
    if after > limit:
        again = clean_feet(cleaned, source)
        return cleaned if slide_more(again, source) else again
    share = (before - limit) / max(before - after, 1e-9) + SHARE_MARGIN
    if share >= 1.0:
        return cleaned
    shared = replace(cleaned, features=rooted.features + share * (cleaned.features - rooted.features))
    return cleaned if slide_more(shared, source) else shared


def _cleaned(motion: Motion, source: Motion, *, root: bool, legs: bool) -> Motion:
    """Return the motion with the root, the legs, or both moved so that standing feet stand."""
    skeleton = motion.skeleton
    if not skeleton.contacts:
        return motion
    belt = belt_of(source)
    motion = seen_from_belt(motion, belt)
    runs = contact_runs(motion.contact_labels())
    heights = heights_of(source)
    pose = LegIK(motion)
    if root:
        path = root_from_stance(motion, pose, runs, heights)
        pose.root = np.concatenate([pose.root[:, :2], path[:, 2:]], axis=1) if any(belt) else path
        pose.update()
    for leg in moving_legs(source) if legs else ():
        path = pose.path_of(skeleton.contacts[leg.contact])
        pose.solve(leg, path + stance_corrections(path, runs[leg.contact], heights[leg.contact]))
    cleaned = pose.motion(motion, standing_mask(runs, motion.frames))
    return seen_from_belt(cleaned, (-belt[0], -belt[1]))


@lru_cache(maxsize=4)
def belt_of(source: Motion) -> tuple[float, float]:
    """Return the planar velocity, in core units per 1/30 s, of the belt under a walk in place; else zeros."""
    contacts = list(source.skeleton.contacts)
    if not contacts:
        return 0.0, 0.0
    feet = source.positions()[:, contacts]
    root = source.features[:, source.skeleton.root_channel : source.skeleton.root_channel + 2]
    x, y = belt_velocity(np.gradient(feet, axis=0) * (source.fps / RATE), feet[..., 2], root.mean(axis=0))
    return float(x), float(y)


def seen_from_belt(motion: Motion, belt: tuple[float, float]) -> Motion:
    """Return the motion as it looks from a belt of this velocity: a walk in place walks over ground that stands."""
    if not any(belt):
        return motion
    features = motion.features.copy()
    root = motion.skeleton.root_channel
    features[:, root : root + 2] -= belt
    return replace(motion, features=features)


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def heights_of(source: Motion) -> list[Array]:
    """Return the heights (N,) of each contact joint in its N stands in the source."""
    pose, runs = LegIK(source), contact_runs(source.contact_labels())
    joints = source.skeleton.contacts
    return [stand_heights(pose.path_of(joint), of_joint) for joint, of_joint in zip(joints, runs, strict=True)]


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def moving_legs(source: Motion) -> list[Leg]:
    """Return the legs without the joints that never turn in the source: a rigid ankle stays rigid."""
    legs = []
    for leg in find_legs(source.skeleton):
        movers = leg.movers if leg.slides else tuple(joint for joint in leg.movers if _turns(source, joint))
        if movers:
            legs.append(replace(leg, movers=movers))
    return legs


def _turns(source: Motion, joint: int) -> bool:
    variance = source.features[:, joint * GROUP : (joint + 1) * GROUP].var(0).sum()
    return bool(variance > RIGID_DEVIATION**2)


def slide_more(motion: Motion, source: Motion) -> bool:
    """Return whether feet slide more, on the ground or belt of `source` (same skeleton), than the source's do."""
    return slide_speed(seen_from_belt(motion, belt_of(source))) > source_slide_speed(source)


def slide_speed(motion: Motion) -> float:
    """Return the mean speed (core units a frame) of contact joints while their labels are on; 0 where none ever is."""
    planted = motion.contact_labels()[1:] > 0.5
    if not planted.any():
        return 0.0
    pose = LegIK(motion)
    feet = np.stack([pose.path_of(joint) for joint in motion.skeleton.contacts], axis=1)
    return float(np.linalg.norm(np.diff(feet, axis=0), axis=2)[planted].mean())


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def source_slide_speed(source: Motion) -> float:
    """Return the slide speed of a source's feet on its ground or belt, see `slide_speed`."""
    return slide_speed(seen_from_belt(source, belt_of(source)))


def root_from_stance(motion: Motion, pose: LegIK, runs: list[list[tuple[int, int]]], heights: list[Array]) -> Array:
    """Compute a root path (frames, 3) with the planar velocity that keeps the standing feet in place.

    The generated velocity is used only where no foot stands, in none of its `runs`. The height is shifted smoothly so
    that standing feet have `heights` of the source.
    """
    paths = [pose.path_of(joint) for joint in motion.skeleton.contacts]
    standing = standing_mask(runs, motion.frames)
    slides = np.diff(np.stack(paths, axis=1)[..., :2], axis=0)
    both = standing[1:] & standing[:-1]
    weights = both / ((slides**2).sum(2) + STILL_FOOT_STEP**2)
    slide = (slides * weights[..., None]).sum(1) / np.maximum(weights.sum(1), 1e-9)[:, None]
    planted = both.any(1).astype(float)
    near = smooth(planted, ROOT_SMOOTHING, "repeat")
    correction = smooth(-slide * planted[:, None], ROOT_SMOOTHING, "repeat") / np.maximum(near, 0.05)[:, None]
    root = pose.root.copy()
    root[1:, :2] = root[0, :2] + np.cumsum(np.diff(root[:, :2], axis=0) + correction, axis=0)
    errors = height_errors(paths, runs, heights)
    known = np.isfinite(errors).any(1)
    if known.any():
        least = np.take_along_axis(errors, np.abs(errors).argmin(1)[:, None], axis=1)[:, 0]
        lift = -np.interp(np.arange(motion.frames), np.flatnonzero(known), least[known])
        root[:, 2] += smooth(lift, ROOT_SMOOTHING, "repeat")
    return root
