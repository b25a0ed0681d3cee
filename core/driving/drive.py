"""Takes of a model with the timing and the course of a driver: a clip of another body, by a few paired bones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..cycles.find import find_cycle
from ..cycles.unroll import repeated
from ..errors import ClipError
from ..generation.generate import Sampler, generate, with_strength
from ..matching.matcher import never_cancelled
from ..model.model import Model
from ..motion.feet_cleanup import belt_of, seen_from_belt
from ..motion.flips import repair_flips
from ..motion.motion import RATE, Motion
from ..motion.resampling import check_size, resample, rows_at
from ..motion.skeleton import BODY, GROUP
from ..numeric.rotation import Array
from .assemble import Material
from .facing import Course
from .footholds import plant_feet
from .roles import BonePairs, check_moves, paired_joints
from .search import Joins, find_path, is_jump
from .sparse import SparseClip, comparable

MIN_ROWS = 8
"""Shortest driver in rows at 30 fps."""

SETTLED_SECONDS = 4.0
"""Length to which a cycle is repeated before its course is taken: the ends of a path are uncertain."""

VARIATION = 0.3
"""Default strength of variation."""

MOST_SCALE = 100.0
"""Largest scale of a course, by the length of the legs."""

MOST_STRETCH = 1.3
"""Times the way that the clip's own steps go that a course is at most, where its scale is not given: longer steps still
look like steps."""

LEAST_REACH = 0.03
"""Share of the driver's way that the clip's own steps go at least, where the scale of the course is not given."""

MIN_WAY = 0.5 * BODY
"""Way in core units up to which a driver counts as one that stays in its place."""


def drive(
    model: Model,
    driver: Motion,
    pairs: BonePairs,
    *,
    frames: int = 0,
    count: int = 1,
    seed: int = 0,
    variation: float = VARIATION,
    scale: float = 0.0,
    clean: bool = True,
    check_cancelled: Callable[[], None] = never_cancelled,
) -> list[Motion]:
    """Generate motions at the driver's rate that step when it steps, pause when it pauses and go its course.

    Poses are those of the model: of its clip, and with more `variation`, from 0 to 1, those that it generates.
    `pairs` are bones of the model and of the driver; MIN_PAIRS at least. Take and driver are equally long, unless
    `frames` are given: a cycle is repeated for more. The course is scaled by the length of the legs, and further down
    to MOST_STRETCH of the clip's own steps; `scale` replaces this by a share of that by legs. Variation k of a seed
    does not depend on `count`. `check_cancelled` is called often and may raise. Raises ClipError, naming the bone, for
    pairs that contradict, are too few or name other bones, and for a driver that stands still or is too short.
    """
    if count < 1:
        raise ClipError("Ask for at least one motion.")
    if not 0.0 <= variation <= 1.0:
        raise ClipError("The strength of variation must be from 0 to 1.")
    if not 0.0 <= scale <= MOST_SCALE:
        raise ClipError(f"The scale of the course must be a number from 0 to {MOST_SCALE:g}.")
    joints = paired_joints(model.skeleton, driver.skeleton, pairs)
    wanted = frames or driver.frames
    check_size(wanted, model.skeleton.channels, count)
    check_moves(driver, [joint for _, joint in joints])
    if _same_clip(model.source, driver):
        raise ClipError("The driver is the clip that was learned; choose one of another body.")
    driver = _long_enough(driver, wanted)
    guide = _Guide(model, driver, joints, rows_at(wanted, driver.fps, RATE))
    sampler = Sampler(with_strength(model, variation, variation), torch=False) if variation else None
    takes = []
    for number in range(count):
        check_cancelled()
        made = [] if sampler is None else _generated(sampler, seed, number)
        take = guide.take(made, variation, scale, clean, check_cancelled)
        takes.append(resample(take, driver.fps, wanted))
    return takes


def _same_clip(source: Motion, driver: Motion) -> bool:
    if not driver.skeleton.same_rig(source.skeleton):
        return False
    at = resample(driver, source.fps)
    width = at.skeleton.joints * GROUP
    return at.frames == source.frames and bool(
        np.allclose(at.features[:, :width], source.features[:, :width], atol=1e-4)
    )


def _long_enough(driver: Motion, frames: int) -> Motion:
    """Return the driver with at least so many frames, and a cycle with more, for the course at its ends.

    Raises ClipError for a driver that is too short or no cycle.
    """
    least = math.ceil(MIN_ROWS * driver.fps / RATE)
    if min(driver.frames, frames) < least:
        raise ClipError(f"The driver has {min(driver.frames, frames)} frames; it takes at least {least}.")
    settled = max(frames, round(SETTLED_SECONDS * driver.fps))
    cycle = find_cycle(driver) if driver.frames < settled else None
    if cycle is not None:
        return repeated(driver, cycle, settled / driver.fps)
    if frames > driver.frames:
        raise ClipError(
            f"The driver lasts {driver.frames} frames and does not repeat; ask for no more frames, or lengthen it."
        )
    return driver


def _generated(sampler: Sampler, seed: int, number: int) -> list[Motion]:
    """Return a motion of the model as long as its clip, for variation `number` of a seed."""
    own = int(np.random.default_rng([seed & 0xFFFFFFFF, number]).integers(1 << 31))
    return generate(sampler.model, seed=own, sampler=sampler)


class _Guide:
    """A driver of `rows` rows, ready to guide takes of a model by pairs of joints."""

    def __init__(self, model: Model, driver: Motion, joints: Sequence[tuple[int, int]], rows: int) -> None:
        self._model, self._rows = model, rows
        self._own = [joint for joint, _ in joints]
        ground = seen_from_belt(resample(driver, RATE), belt_of(driver))
        self._course = Course.of(ground)
        self._driver = SparseClip.of(ground, self._course, [joint for _, joint in joints])
        self._belt = belt_of(driver)
        self._legs = leg_length(model.source) / leg_length(driver)
        self._clip = self._sparse(model.source, None)

    def _sparse(self, motion: Motion, swings: Sequence[float] | None) -> tuple[SparseClip, Course]:
        ground = seen_from_belt(motion, belt_of(self._model.source))
        course = Course.of(ground)
        return SparseClip.of(ground, course, self._own, swings), course

    def take(
        self, made: Sequence[Motion], variation: float, scale: float, clean: bool, check_cancelled: Callable[[], None]
    ) -> Motion:
        """Return a take of the clip and of motions made by the model, at 30 fps."""
        source = self._model.source
        sparse = [self._clip, *(self._sparse(one, self._clip[0].swings) for one in made)]
        clips, courses = [one for one, _ in sparse], [course for _, course in sparse]
        there, here = comparable(self._driver, clips)
        motions = [source, *made]
        dearer = [np.full(one.frames, variation if made and number == 0 else 0.0) for number, one in enumerate(motions)]
        joins = Joins.of(motions, courses, check_cancelled)
        moments = find_path(there[: self._rows], here, joins, dearer, check_cancelled)
        scale = self._scale(moments, courses, scale)
        plane = source.origin + scale * (self._course.plane - self._course.plane[0])[: self._rows]
        take = Material.of(motions, courses).assemble(moments, plane, self._course.heading[: self._rows])
        take = repair_flips(take, source)
        if clean:
            take = plant_feet(take, seen_from_belt(source, belt_of(source)))
        # a driver that walks in place stays there, and so does its take
        return seen_from_belt(take, (-scale * self._belt[0], -scale * self._belt[1]))

    def _scale(self, moments: Array, courses: Sequence[Course], share: float) -> float:
        """Return the factor of the driver's course for a take of these moments, see `drive`."""
        if share or not self._model.skeleton.contacts:
            return (share or 1.0) * self._legs
        length = float(np.linalg.norm(np.diff(self._course.plane[: self._rows], axis=0), axis=1).sum())
        speeds = np.concatenate([np.linalg.norm(np.gradient(one.plane, axis=0), axis=1) for one in courses])
        steps = np.diff(moments)
        own = np.interp(moments[1:], np.arange(len(speeds)), speeds)
        reach = float((own * np.where(is_jump(steps), 1.0, steps)).sum())
        way = self._legs * length
        if way > MIN_WAY and reach < LEAST_REACH * way and not any(self._belt):
            raise ClipError(
                f"The clip's own steps go {reach / way:.0%} of the driver's way; choose a clip that steps more, or "
                "set the scale of the course."
            )
        return min(self._legs, MOST_STRETCH * reach / length) if length > 0.0 else self._legs


def leg_length(motion: Motion) -> float:
    """Return the height of the root above the feet that touch the ground, or above the lowest joint, in core units."""
    positions = motion.positions()
    feet = list(motion.skeleton.contacts)
    low = positions[:, feet, 2].min(1) if feet else positions[..., 2].min(1)
    return float(max(np.median(positions[:, 0, 2] - low), 1e-3))
