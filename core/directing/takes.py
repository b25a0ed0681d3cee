"""Whole variations with a choice of the root's path: as it comes, back to the start, held in place, or the source's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from ..errors import ClipError
from ..generation.generate import Sampler, generate, rows_of_length
from ..generation.latents import generate_like
from ..model.model import Model
from ..motion.feet_cleanup import belt_of, clean_feet
from ..motion.headings import turn_motion
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample, with_path
from ..motion.skeleton import BODY
from ..numeric.rotation import Array
from ..numeric.smoothing import path_deviation, smooth
from .compose import compose
from .composition import free, keep_root_path
from .foot_contacts import plant_new_feet
from .loops import MIN_TRAVEL, generate_loops
from .root_paths import ROOT_PATHS
from .route import follow_course

MIN_LENGTH_SHARE = 0.75
"""Length of the source from which on a take of it returns to its start too; a shorter one shows a part of the way."""

WALK_SHARE = 0.75
"""Length of the smoothed path, as a share of the path's, above which the body walks along it."""

TURNS = np.linspace(-2.0 * np.pi, 2.0 * np.pi, 97)
"""Turns in radians, spread over a take, by which its path is tried to be bent back to its start."""

TURN_COST = 0.3 / (2.0 * np.pi)
"""Cost of a radian of turn, where a gap as long as the whole way costs 1."""


def generate_takes(
    model: Model,
    *,
    root: str = "auto",
    loop: bool = False,
    frames: int | None = None,
    fps: float = RATE,
    count: int = 1,
    seed: int = 0,
    like: Sequence[tuple[float, int]] = (),
    clean: bool = True,
    sampler: Sampler | None = None,
) -> list[Motion]:
    """Generate whole variations, loops if `loop`, whose root goes along one of ROOT_PATHS.

    Other arguments are those of `generate` and `generate_like`. Raises ClipError as `generate` does, and for another
    path.
    """
    if root not in ROOT_PATHS:
        raise ClipError(f"The root's path can be {', '.join(ROOT_PATHS[:-1])} or {ROOT_PATHS[-1]}, not “{root}”.")
    if root == "source" and not loop and not travels(model.source):
        return _around_path(model, frames, fps, count, seed, like, clean, sampler)
    make: Callable[..., list[Motion]] = generate
    if loop:
        make = partial(generate_loops, like=like)
    elif like:
        make = partial(generate_like, like=like)
    takes = make(model, frames=frames, fps=fps, count=count, seed=seed, clean=clean, sampler=sampler)
    return [with_root_path(take, model.source, root, loop=loop, clean=clean) for take in takes]


def with_root_path(take: Motion, source: Motion, root: str, *, loop: bool = False, clean: bool = True) -> Motion:
    """Return a finished variation whose root goes along one of ROOT_PATHS; if `clean`, standing feet stay in place."""
    if root == "place":
        return held_in_place(take)
    if root == "source":
        return _along(take, source, loop, clean)
    if root == "auto" and not loop and returns(source):
        return brought_back(take, source, clean)
    return take


def returns(source: Motion) -> bool:
    """Return whether a clip ends where it began, on the ground."""
    path = source.root_positions()[:, :2]
    return float(np.linalg.norm(path[-1] - path[0])) <= MIN_TRAVEL


@lru_cache(maxsize=4)  # every variation of a batch asks for the same source
def travels(source: Motion) -> bool:
    """Return whether most of the way of a clip's root is a walk, which takes do at their own pace; a dance is none."""
    path = resample(source, RATE).root_positions()[:, :2]
    course = smooth(path, path_deviation(RATE, len(path)))
    lengths = [float(np.linalg.norm(np.diff(one, axis=0), axis=1).sum()) for one in (course, path)]
    return lengths[0] > WALK_SHARE * lengths[1]


def held_in_place(motion: Motion) -> Motion:
    """Return the motion with its root above the start; its height and all rotations stay."""
    return with_path(motion, np.repeat(motion.root_positions()[:1, :2], motion.frames, axis=0))


def brought_back(motion: Motion, source: Motion, clean: bool = True) -> Motion:
    """Return a motion of about the source's length, or longer, that ends where it starts; a shorter one as it is.

    The path is bent by a turn spread over the take, if that brings it nearer; the rest of the gap is spread over the
    steps of the root. If `clean`, standing feet stay in place.
    """
    if motion.duration < MIN_LENGTH_SHARE * source.duration:
        return motion
    steps = np.diff(motion.root_positions()[:, :2], axis=0)
    way = np.linalg.norm(steps, axis=1)
    walked = float(way.sum())
    if walked < 1e-9 * BODY:
        return motion
    turn = _best_turn(steps, walked)
    bent = turn_motion(motion, np.linspace(0.0, turn, motion.frames)) if turn else motion
    path = bent.root_positions()[:, :2]
    # Where the root rests, it would be seen to slide: steps take the gap by their length.
    share = np.concatenate([[0.0], np.cumsum(way) / walked])[:, None]
    closed = with_path(bent, path - share * (path[-1] - path[0]))
    return _planted(closed, source) if clean else closed


def _best_turn(steps: Array, walked: float) -> float:
    """Return the turn in radians after which steps (T, 2) end nearest to their start, 0 where none is worth it."""
    share = np.linspace(0.0, 1.0, len(steps))
    spins = np.exp(1j * TURNS[:, None] * share)
    gaps = np.abs(spins @ (steps[:, 0] + 1j * steps[:, 1])) / walked
    costs = gaps + TURN_COST * np.abs(TURNS)
    return float(TURNS[costs.argmin()])


def _around_path(
    model: Model,
    frames: int | None,
    fps: float,
    count: int,
    seed: int,
    like: Sequence[tuple[float, int]],
    clean: bool,
    sampler: Sampler | None,
) -> list[Motion]:
    """Generate variations around the positions of the source's root, which begin again where a take is longer."""
    rows = rows_of_length(model, frames, fps)
    target = _source_of_length(model.source, fps, frames or resample(model.source.slice(0, rows), fps).frames)
    composition = replace(keep_root_path(free(target)), retimed=True)  # its switches are not those of the take
    return compose(model, composition, count=count, seed=seed, like=like, clean=clean, sampler=sampler)


def _along(motion: Motion, source: Motion, loop: bool, clean: bool) -> Motion:
    """Return a motion that goes along the source's path: a walk at its own pace, others at the source's times."""
    path = _source_of_length(source, motion.fps, motion.frames).root_positions()[:, :2]
    if loop and returns(source):
        path = path - np.linspace(0.0, 1.0, len(path))[:, None] * (path[-1] - path[0])
    walks = not loop and travels(source)
    moved = follow_course(motion, path) if walks else with_path(motion, path, loop=loop)
    return _planted(moved, source, loop) if clean else moved


def _source_of_length(source: Motion, fps: float, frames: int) -> Motion:
    """Return the first rows of a clip at `fps`; a longer one begins again where it has ended."""
    whole = resample(source, fps)
    rounds = -(-(frames - 1) // (whole.frames - 1))
    features = np.concatenate([whole.features[:1], np.tile(whole.features[1:], (rounds, 1))])
    return replace(whole, features=features[:frames])


def _planted(motion: Motion, source: Motion, loop: bool = False) -> Motion:
    """Return the motion with standing feet kept in place by the legs alone; on a belt it stays as it is."""
    if any(belt_of(source)) or not motion.skeleton.contacts:
        return motion
    if loop:
        planted = plant_new_feet(motion, np.zeros((motion.frames, motion.skeleton.groups)), source, loop=True)
        width = motion.skeleton.root_channel
        planted.features[-1, :width] = planted.features[0, :width]  # the legs of both are solved apart
        return planted
    return clean_feet(motion, source, keep_root=True)
