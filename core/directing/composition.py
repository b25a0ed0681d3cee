"""Compositions: content to keep and frames to generate, the common form of all applications of a model.

Body parts are a mask over channel groups, regions a mask over frames, keys a few frames; an extended take has frames
without content. Masks of one timeline can be combined. The applications are those of Roditakis et al. 2024 (eq. 5 for
regions) and loops, keys and routes.
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
from ..motion.resampling import check_size
from ..motion.skeleton import GROUP
from ..numeric.blending import FIXED
from ..numeric.rotation import Array
from ..numeric.smoothing import runs_of
from ..placing.places import Places
from .route import Route

MIN_REGION_FRAMES = 8
"""Shortest region in frames."""

ENTRY = 2
"""Default level, counted from 1, at which content enters (Roditakis et al. 2024)."""


@dataclass(frozen=True, eq=False)
class Composition:
    """Content around which a model generates, with a weight for every frame and group."""

    target: Motion
    """Content at any frame rate, T rows."""
    keep: Array
    """Weights (T, groups) of the target in the result: 0 free, 1 exact."""
    enter: Array | None = None
    """Weights (T, groups) of the target in the input of level `entry`; None: as `keep`."""
    entry: int = ENTRY
    """Level, counted from 1, at which content enters."""
    content: float = 0.0
    """Share, 0 to 1, by which the result is moved to content that enters but is not kept."""
    anchored: bool = True
    """Kept frames stay at their positions; else they continue from where the generated motion arrives."""
    loop: bool = False
    """The last row equals the first."""
    retimed: bool = False
    """The target's rows are not, one after the other, those of an action: some are placed or added."""
    travels: bool = False
    """A loop ends at another position than it starts."""
    route: Route | None = None
    """Path for the root to follow."""
    places: Places | None = None
    """Pins of joints and waypoints of the root."""

    @property
    def entering(self) -> Array:
        """Weights (T, groups) of the target in the input of level `entry`."""
        return self.keep if self.enter is None else self.enter

    def check(self) -> None:
        """Raise ClipError where everything is kept, or nothing without a loop or route."""
        if self.keep.shape != (self.target.frames, self.target.skeleton.groups):
            raise ClipError("The mask does not fit the action; read the action again.")
        if (self.keep >= FIXED).all():
            raise ClipError("Everything is kept, so nothing would be new; free a body part or a region.")
        asked = self.loop or self.route is not None or self.places is not None
        if not (self.entering > 0).any() and not asked:
            raise ClipError("Nothing is kept; choose what to keep, or use Generate for whole variations.")


def free(source: Motion) -> Composition:
    """Return a composition on the timeline of a motion that keeps nothing."""
    return Composition(source, np.zeros((source.frames, source.skeleton.groups)))


def keep_parts(source: Motion, joints: Collection[int]) -> Composition:
    """Keep these joints, generate all others; the root's path belongs to the root joint.

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
    """Generate regions [start, stop) of rows, keep everything outside (Roditakis et al. 2024, eq. 5).

    Raises ClipError for a region outside the motion, under 8 rows or overlapping another one, and where nothing is
    left; its message counts frames from `first`.
    """
    check_regions(regions, source.frames, first)
    result = free(replace(source, features=source.features.copy()))
    result.keep[:] = 1.0
    for start, stop in regions:
        result.keep[start:stop] = 0.0
    if not result.keep.any():
        raise ClipError("The region covers the whole action; make it shorter, or use Generate for whole variations.")
    return result


def check_regions(regions: Sequence[tuple[int, int]], frames: int, first: int = 1, noun: str = "region") -> None:
    """Raise ClipError for regions that cannot be filled; its message counts from `first` and calls them `noun`."""
    if not regions:
        raise ClipError("There is no region; add one on the timeline first.")
    for start, stop in regions:
        if start >= stop:
            raise ClipError(f"The {noun} {start + first}-{stop + first - 1} ends before it starts; swap its frames.")
        if start < 0 or stop > frames:
            span = f"{first}-{first + frames - 1}"
            raise ClipError(f"The {noun} {start + first}-{stop + first - 1} is not inside frames {span}; move it.")
        if stop - start < MIN_REGION_FRAMES:
            raise ClipError(
                f"The {noun} {start + first}-{stop + first - 1} has fewer than {MIN_REGION_FRAMES} frames; "
                "make it longer."
            )
    for (a, b), (c, d) in itertools.pairwise(sorted(regions)):
        if c < b:
            pair = f"{a + first}-{b + first - 1} and {c + first}-{d + first - 1}"
            raise ClipError(f"The {noun}s {pair} overlap; join them or move one.")


def keep_keys(source: Motion, rows: Collection[int], weight: float = 1.0) -> Composition:
    """Keep the poses of some rows by `weight` (1: exactly) and generate the rows between.

    Raises ClipError for no rows, rows outside the motion or a weight not in (0, 1].
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
    """Place rows [start, stop) of the source at row `at` of a take of `frames` rows, for moments (start, stop, at).

    Raises ClipError for moments outside source or take, under 8 rows, overlapping, or with less than 8 rows between,
    and for more rows than fit into memory.
    """
    check_size(frames, source.skeleton.channels)
    check_regions([(0, frames)], frames, first)
    for moment in moments:
        check_regions([moment[:2]], source.frames, first, "moment")
    placed = [(at, at + stop - start) for start, stop, at in moments]
    check_regions(placed, frames, first, "moment")
    features = np.zeros((frames, source.skeleton.channels))
    features[:] = source.features.mean(0)
    keep = np.zeros((frames, source.skeleton.groups))
    for (start, stop, at), (_, end) in zip(moments, placed, strict=True):
        features[at:end], keep[at:end] = source.features[start:stop], 1.0
    for start, stop in runs_of(keep[:, 0] == 0):
        if start > 0 and stop < frames and stop - start < MIN_REGION_FRAMES:
            raise ClipError(
                f"Between two moments there are only {stop - start} frames; leave {MIN_REGION_FRAMES} at least."
            )
    take = Motion(features, source.skeleton, source.fps, source.origin)
    return Composition(take, keep, anchored=False, retimed=True)


def turn_placed(composition: Composition, rotations: Sequence[tuple[float, float]]) -> Composition:
    """Turn placed content about the vertical; `rotations` are (share of the timeline, radians).

    Each angle applies to all kept runs that start after its share. A run is turned as a whole, with its path.
    """
    frames, angles = composition.target.frames, np.zeros(composition.target.frames)
    for start, _ in runs_of((composition.keep > 0).any(1))[1:]:
        angles[start:] = sum(angle for share, angle in rotations if share * frames < start)
    return replace(composition, target=turn_motion(composition.target, angles))


def extend(source: Motion, before: int, after: int) -> Composition:
    """Add free rows before the first and after the last row.

    Raises ClipError for fewer than 8 rows, and for more than fit into memory.
    """
    if min(before, after) < 0 or max(before, after) < MIN_REGION_FRAMES:
        raise ClipError(f"Add at least {MIN_REGION_FRAMES} frames at the start or the end.")
    check_size(before + source.frames + after, source.skeleton.channels)
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
    # With rows before it, the first row of the source has a step that leads into it.
    step = source.features[0, channel : channel + 2] * (RATE / source.fps) if before else 0.0
    return Composition(Motion(features, source.skeleton, source.fps, source.origin - step), keep, retimed=True)


def close_loop(source: Motion, rows: int, travels: bool | None = None) -> Composition:
    """Generate the last `rows` rows so that they lead back to the first; the last row equals the first.

    `travels` None: the loop returns to its position if `rows` suffice for the way at the source's own speed. Raises
    ClipError for fewer than 8 rows, or if fewer than 9 would be kept.
    """
    if rows < MIN_REGION_FRAMES:
        raise ClipError(f"The loop's transition has fewer than {MIN_REGION_FRAMES} frames; make it longer.")
    if rows >= source.frames - MIN_REGION_FRAMES:
        raise ClipError("The loop's transition takes up the whole action; make it shorter.")
    result = fill_regions(source, [(source.frames - 1 - rows, source.frames - 1)])
    result.target.features[-1] = source.features[0]
    if travels is None:
        path = source.root_positions()[:, :2]
        speeds = np.linalg.norm(np.diff(path, axis=0), axis=1)
        travels = bool(np.linalg.norm(path[-1 - rows] - path[0]) > rows * max(np.percentile(speeds, 75), 1e-3))
    return replace(result, loop=True, travels=travels)


def restyle(content: Motion, *, entry: int = ENTRY, keep: float = 0.0) -> Composition:
    """Let another motion on the model's skeleton enter at a level; mix a share `keep` (0 to 1) into the result.

    Raises ClipError for a share outside 0 to 1.
    """
    if not 0.0 <= keep <= 1.0:
        raise ClipError("The share of the content must be between 0 and 1.")
    result = free(content)
    return replace(result, enter=np.ones_like(result.keep), entry=entry, content=keep)


def overlay(one: Composition, other: Composition) -> Composition:
    """Combine two compositions of one timeline by the maximum of masks. Raises ClipError for different lengths."""
    if one.keep.shape != other.keep.shape:
        raise ClipError("Only masks of one and the same action can be laid over each other.")
    return replace(
        one,
        keep=np.maximum(one.keep, other.keep),
        anchored=one.anchored and other.anchored,
        loop=one.loop or other.loop,
        retimed=one.retimed or other.retimed,
        travels=one.travels or other.travels,
        route=one.route or other.route,
        places=one.places or other.places,
    )


def keep_root_path(composition: Composition) -> Composition:
    """Return the composition with the root's path kept in all rows."""
    keep = composition.keep.copy()
    keep[:, composition.target.skeleton.root_channel // GROUP] = 1.0
    return replace(composition, keep=keep)
