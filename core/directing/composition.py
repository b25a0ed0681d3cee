"""What to keep and what to make anew, as data: every way of directing a model is a Composition.

Body parts are a mask over channel groups, regions one over frames, keys a few frames, a longer take has frames that
nothing is known of; masks of one timeline can be laid over each other (`paper.md`, *Applications*).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ClipError
from ..motion.body_parts import joint_groups
from ..motion.headings import turn_motion
from ..motion.motion import RATE, Motion
from ..motion.skeleton import GROUP
from ..numeric.blending import FIXED, runs_of
from ..numeric.rotation import Array
from .route import Route

SHORTEST_REGION = 8
"""Frames below which nothing new fits into a region."""

ENTRY = 2
"""The level, from 1, at which content enters unless another is chosen (`paper.md`, *Applications*)."""


@dataclass(frozen=True, eq=False)
class Composition:
    """Content for a model to work around, frame by frame and group by group.

    `target` is that content at any rate, T rows; `keep` (T, groups) says what the outcome keeps of it, from 0, free,
    to 1, exact; `enter` (T, groups) what enters at level `entry`, from 1, the same unless given. Where content enters
    that is not kept, the outcome is moved back to it by `content`, from 0 to 1. Kept frames stay in their places where
    `anchored`, else they follow on from where the motion has come to. A `loop` begins anew after its last row, which
    equals the first, in another place if it `travels`. A `route` is a path for the root to follow.
    """

    target: Motion
    keep: Array
    enter: Array | None = None
    entry: int = ENTRY
    content: float = 0.0
    anchored: bool = True
    loop: bool = False
    travels: bool = False
    route: Route | None = None

    @property
    def entering(self) -> Array:
        return self.keep if self.enter is None else self.enter

    def check(self) -> None:
        """Raise ClipError where the masks leave nothing to do or nothing to keep."""
        if self.keep.shape != (self.target.frames, self.target.skeleton.groups):
            raise ClipError("The mask does not fit the action; read the action again.")
        if (self.keep >= FIXED).all():
            raise ClipError("Everything is kept, so nothing would be new; free a body part or a region.")
        if not (self.entering > 0).any() and not self.loop and self.route is None:
            raise ClipError("Nothing is kept; choose what to keep, or use Generate for whole variations.")


def free(source: Motion) -> Composition:
    """A composition on the timeline of a motion that keeps nothing yet."""
    return Composition(source, np.zeros((source.frames, source.skeleton.groups)))


def keep_parts(source: Motion, joints: Collection[int]) -> Composition:
    """Keep these joints, vary all others; the root's path goes with the root joint.

    Raises ClipError for no joint or all of them.
    """
    if not joints:
        raise ClipError("No body part is kept; choose what to keep, or use Generate for whole variations.")
    if len(set(joints)) >= source.skeleton.joints:
        raise ClipError("All body parts are kept, so nothing would be new; free at least one.")
    result = free(source)
    result.keep[:, list(joint_groups(source.skeleton, joints))] = 1.0
    return result


def fill_regions(source: Motion, regions: Sequence[tuple[int, int]], first: int = 1) -> Composition:
    """Make regions [start, stop) of rows anew, keep everything outside (eq. 5 of the paper).

    Raises ClipError for a region outside the motion, under 8 rows, or on another one, naming frames as `first` counts
    them; or where nothing is left.
    """
    check_regions(regions, source.frames, first)
    result = free(replace(source, features=source.features.copy()))
    result.keep[:] = 1.0
    for start, stop in regions:
        result.keep[start:stop] = 0.0
    if not result.keep.any():
        raise ClipError("The region covers the whole action; make it shorter, or use Generate for whole variations.")
    return result


def check_regions(regions: Sequence[tuple[int, int]], frames: int, first: int = 1) -> None:
    """Raise ClipError, counting frames from `first`, for regions that cannot be filled."""
    if not regions:
        raise ClipError("There is no region; add one on the timeline first.")
    for start, stop in regions:
        if start < 0 or stop > frames or start >= stop:
            span = f"{first}-{first + frames - 1}"
            raise ClipError(f"The region {start + first}-{stop + first - 1} is not inside frames {span}; move it.")
        if stop - start < SHORTEST_REGION:
            raise ClipError(
                f"The region {start + first}-{stop + first - 1} has fewer than {SHORTEST_REGION} frames; "
                "make it longer."
            )
    for (a, b), (c, d) in itertools.pairwise(sorted(regions)):
        if c < b:
            pair = f"{a + first}-{b + first - 1} and {c + first}-{d + first - 1}"
            raise ClipError(f"The regions {pair} overlap; join them or move one.")


def keep_keys(source: Motion, rows: Collection[int], weight: float = 1.0) -> Composition:
    """Keep the poses of some rows, exactly (1) or only so much, and make what lies between anew.

    Raises ClipError for no rows, rows outside the motion or a weight that is not from 0 to 1.
    """
    if not rows:
        raise ClipError("No keyframe is selected; select the keys whose poses must stay.")
    if min(rows) < 0 or max(rows) >= source.frames:
        raise ClipError(f"A key to keep lies outside the action's {source.frames} frames; select others.")
    if not 0.0 < weight <= 1.0:
        raise ClipError("How firmly keys are kept must be above 0 and at most 1.")
    result = free(source)
    result.keep[sorted(set(rows))] = weight
    return result


def place_moments(source: Motion, moments: Sequence[tuple[int, int, int]], frames: int, first: int = 1) -> Composition:
    """Put rows [start, stop) of the source at row `at` of a take of `frames` rows, (start, stop, at) for each moment.

    Raises ClipError for moments outside source or take, under 8 rows, overlapping, or without room to get from one to
    the next.
    """
    check_regions([(0, frames)], frames, first)
    for moment in moments:
        check_regions([moment[:2]], source.frames, first)
    placed = [(at, at + stop - start) for start, stop, at in moments]
    check_regions(placed, frames, first)
    features = np.zeros((frames, source.skeleton.channels))
    features[:] = source.features.mean(0)
    keep = np.zeros((frames, source.skeleton.groups))
    for (start, stop, at), (_, end) in zip(moments, placed, strict=True):
        features[at:end], keep[at:end] = source.features[start:stop], 1.0
    for start, stop in runs_of(keep[:, 0] == 0):
        if start > 0 and stop < frames and stop - start < SHORTEST_REGION:
            raise ClipError(
                f"Between two moments there are only {stop - start} frames; leave {SHORTEST_REGION} at least."
            )
    return Composition(Motion(features, source.skeleton, source.fps, source.origin), keep, anchored=False)


def turn_placed(composition: Composition, rotations: Sequence[tuple[float, float]]) -> Composition:
    """The same, what is kept after each of some shares of the timeline turned about the vertical by radians more.

    Within what is kept nothing turns: its movement and path stay as they are.
    """
    frames, angles = composition.target.frames, np.zeros(composition.target.frames)
    for start, _ in runs_of((composition.keep > 0).any(1))[1:]:
        angles[start:] = sum(angle for share, angle in rotations if share * frames < start)
    return replace(composition, target=turn_motion(composition.target, angles))


def extend(source: Motion, before: int, after: int) -> Composition:
    """Add rows before the first and after the last one.

    Raises ClipError where fewer than 8 would be added.
    """
    if min(before, after) < 0 or max(before, after) < SHORTEST_REGION:
        raise ClipError(f"Add at least {SHORTEST_REGION} frames at the start or the end.")
    features = np.concatenate(
        [
            np.repeat(source.features[:1], before, axis=0),
            source.features,
            np.repeat(source.features[-1:], after, axis=0),
        ]
    )
    channel = source.skeleton.root_channel
    features[:before, channel : channel + 2] = 0.0
    features[before + source.frames :, channel : channel + 2] = 0.0
    keep = np.zeros((len(features), source.skeleton.groups))
    keep[before : before + source.frames] = 1.0
    # The source's first row then has a step into it.
    step = source.features[0, channel : channel + 2] * (RATE / source.fps) if before else 0.0
    return Composition(Motion(features, source.skeleton, source.fps, source.origin - step), keep)


def close_loop(source: Motion, rows: int, travels: bool | None = None) -> Composition:
    """Make the last `rows` rows anew so that they lead back to the first one, whose pose the last row then has.

    Unless `travels` says so, the loop comes back to its place where `rows` suffice for the way at the source's own
    speed. Raises ClipError for fewer than 8 rows or as many as there are.
    """
    if rows < SHORTEST_REGION:
        raise ClipError(f"The loop's transition has fewer than {SHORTEST_REGION} frames; make it longer.")
    if rows >= source.frames - SHORTEST_REGION:
        raise ClipError("The loop's transition takes up the whole action; make it shorter.")
    result = fill_regions(source, [(source.frames - 1 - rows, source.frames - 1)])
    result.target.features[-1] = source.features[0]
    if travels is None:
        path = source.root_positions()[:, :2]
        speeds = np.linalg.norm(np.diff(path, axis=0), axis=1)
        travels = bool(np.linalg.norm(path[-1 - rows] - path[0]) > rows * max(np.percentile(speeds, 75), 1e-3))
    return replace(result, loop=True, travels=travels)


def restyle(content: Motion, *, entry: int = ENTRY, keep: float = 0.0) -> Composition:
    """Let another motion on the model's skeleton enter at a level; `keep` of it, from 0 to 1, is mixed back at the end.

    Raises ClipError for a share that is not from 0 to 1.
    """
    if not 0.0 <= keep <= 1.0:
        raise ClipError("The share of the content must be between 0 and 1.")
    result = free(content)
    return replace(result, enter=np.ones_like(result.keep), entry=entry, content=keep)


def overlay(one: Composition, other: Composition) -> Composition:
    """Keep what either keeps of the same timeline. Raises ClipError for timelines of different lengths."""
    if one.keep.shape != other.keep.shape:
        raise ClipError("Only masks of one and the same action can be laid over each other.")
    return replace(
        one,
        keep=np.maximum(one.keep, other.keep),
        anchored=one.anchored and other.anchored,
        loop=one.loop or other.loop,
        travels=one.travels or other.travels,
        route=one.route or other.route,
    )


def keep_root_path(composition: Composition) -> Composition:
    """The same, with the root's path kept wherever the target has content of its own."""
    keep = composition.keep.copy()
    keep[:, composition.target.skeleton.root_channel // GROUP] = 1.0
    return replace(composition, keep=keep)
