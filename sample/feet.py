"""Feet of the sample dance at every moment: standing, pivoting on the ball, or in the air."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core.numeric.rotation import Array, axis_rotation
from .curves import ease, merged_keys, smoothed, through_keys
from .steps import PIVOTS, SHIFTS, START, STEPS, Pivot, Step

TURNOUT_DEGREES = 8.0
"""Outward angle of each foot when the dancer stands."""

HEEL_RISE_BEATS = 0.3
"""Beats in which the heel rises before the foot leaves the floor."""

SETTLE_BEATS = 0.2
"""Beats from the first touch until the foot stands still."""

OUTWARD_SIGN = {"L": 1.0, "R": -1.0}
"""Sign of the outward direction along the dancer's left."""

OTHER_FOOT = {"L": "R", "R": "L"}


@dataclass(frozen=True)
class Plant:
    """The ball of `foot` rests on one spot of the floor from `start` to `end` (beats)."""

    foot: str
    start: float
    end: float


@dataclass(frozen=True)
class FootTrack:
    """One foot at n moments, in metres and degrees.

    `place` (n, 2) is the position under the ball of the foot, `stand` (n, 2) the same without kicks. `lift` (n,) is the
    height of its lowest point, `heading` (n,) is unwrapped. `pitch` (n,) is positive for toes down, about the ball, and
    negative for toes up, about the heel. `planted` (n,) marks moments when the ball stands still.
    """

    place: Array
    stand: Array
    lift: Array
    heading: Array
    pitch: Array
    planted: Array


def steps_of(foot: str) -> list[Step]:
    """Return the steps of one foot in order; the first is its position before the dance."""
    across, front = START[foot]
    return [Step(-2.0, foot, across, front), *sorted((s for s in STEPS if s.foot == foot), key=lambda s: s.beat)]


def _pivots_of(foot: str) -> list[Pivot]:
    return [pivot for pivot in PIVOTS if pivot.foot == foot]


def _floor(step: Step) -> Array:
    return np.array([step.across, -step.front])


def _lifts_off(step: Step) -> float:
    return step.beat - step.air


def _heel_first(before: Step, step: Step) -> bool:
    heading = np.radians(step.heading)
    travel = (_floor(step) - _floor(before)) @ np.array([np.sin(heading), -np.cos(heading)])
    return bool(travel > 0.2 and step.heel == 0.0)


def plants(foot: str) -> list[Plant]:
    """Return the periods in which the ball of one foot must stand still."""
    steps = steps_of(foot)
    starts = [steps[0].beat]
    starts += [s.beat + SETTLE_BEATS * _heel_first(before, s) for before, s in pairwise(steps)]
    ends = [_lifts_off(step) for step in steps[1:]] + [np.inf]
    return [Plant(foot, start, end) for start, end in zip(starts, ends, strict=True)]


def weight_on_left(beats: Array, frames_per_beat: float) -> Array:
    """Return the fraction of the body's weight (n,) on the left foot."""
    keys = [(0.0, 0.5)]
    for step in STEPS:
        for time, share in ((_lifts_off(step), 0.0), (step.beat + 0.25, step.weight)):
            keys.append((time, share if step.foot == "L" else 1.0 - share))
    keys += [(shift.beat, shift.weight if shift.foot == "L" else 1.0 - shift.weight) for shift in SHIFTS]
    return smoothed(through_keys(*merged_keys(keys), beats), 0.16 * frames_per_beat)


def foot_track(foot: str, beats: Array) -> FootTrack:
    """Compute one foot at moments (n,) in beats."""
    steps = steps_of(foot)
    starts = np.array([_lifts_off(step) for step in steps])
    current = np.searchsorted(starts, beats, side="right") - 1
    air = np.array([step.air for step in steps])[current]
    progress = np.clip((beats - starts[current]) / air, 0.0, 1.0)
    bell = np.sin(np.pi * progress) ** 2
    stand, facing = np.empty((len(beats), 2)), np.empty(len(beats))
    kick = np.zeros((len(beats), 2))
    for k, step in enumerate(steps):
        rows = current == k
        before = steps[max(k - 1, 0)]
        stand[rows], facing[rows] = _swing(before, step, progress[rows])
        if step.kick:
            outwards = OUTWARD_SIGN[foot] * step.kick.out
            kick[rows] = bell[rows, None] * _turned(np.array([outwards, -step.kick.front]), facing[rows])
    lift = bell * np.array([step.lift for step in steps])[current]
    heading = _heading(steps, _pivots_of(foot), beats) + OUTWARD_SIGN[foot] * TURNOUT_DEGREES
    pitch = through_keys(*merged_keys(_pitch_keys(steps, _pivots_of(foot))), beats)
    planted = np.any([(beats >= p.start) & (beats <= p.end) for p in plants(foot)], axis=0)
    return FootTrack(stand + kick, stand, lift, heading, pitch, planted)


def _turned(vector: Array, degrees: Array) -> Array:
    """Rotate one floor vector (2,) or several (n, 2) by headings (n,)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x, y = vector[..., 0], vector[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _swing(before: Step, step: Step, progress: Array) -> tuple[Array, Array]:
    """Move a foot from step to step, around the standing foot while the body turns."""
    share = ease(progress)
    other = [s for s in steps_of(OTHER_FOOT[step.foot]) if s.beat <= max(_lifts_off(step), -2.0)][-1]
    start_heading = _heading_at(before, _lifts_off(step))
    start = _turned(_floor(before) - _floor(other), np.array(-start_heading))
    end = _turned(_floor(step) - _floor(other), np.array(-step.heading))
    facing = start_heading + (step.heading - start_heading) * share
    return _floor(other) + _turned(start + (end - start) * share[:, None], facing), facing


def _heading_at(step: Step, beat: float) -> float:
    turned = [pivot.heading for pivot in _pivots_of(step.foot) if step.beat <= pivot.start < beat]
    return turned[-1] if turned else step.heading


def _heading(steps: list[Step], pivots: list[Pivot], beats: Array) -> Array:
    rotations = [(_lifts_off(step), step.beat, step.heading) for step in steps]
    rotations = sorted(rotations + [(pivot.start, pivot.end, pivot.heading) for pivot in pivots])
    heading, last = np.zeros(len(beats)), 0.0
    for start, end, target in rotations:
        heading += (target - last) * ease((beats - start) / (end - start))
        last = target
    return heading


def _pitch_keys(steps: list[Step], pivots: list[Pivot]) -> list[tuple[float, float]]:
    keys = [(steps[0].beat, 0.0)]
    for before, step in pairwise(steps):
        start = _lifts_off(step)
        roll = start - min(HEEL_RISE_BEATS, 0.4 * (start - before.beat))
        pivoting = [pivot.heel for pivot in pivots if pivot.start < roll < pivot.end]
        resting = pivoting[0] if pivoting else before.heel
        middle = 14.0 + (step.kick.toes_down if step.kick else 0.0)
        touch = -13.0 if _heel_first(before, step) else max(18.0, step.heel)
        keys += [(roll, resting), (start, max(30.0, resting)), (start + 0.5 * step.air, middle)]
        keys += [(step.beat, touch), (step.beat + SETTLE_BEATS, step.heel)]
    for pivot in pivots:
        keys += _pivot_keys(pivot, steps)
    return keys


def _pivot_keys(pivot: Pivot, steps: list[Step]) -> list[tuple[float, float]]:
    third = 0.3 * (pivot.end - pivot.start)
    resting = [step.heel for step in steps if step.beat <= pivot.start][-1]
    keys = [(pivot.start, resting), (pivot.start + third, pivot.heel)]
    falling = [(pivot.end - third, pivot.heel), (pivot.end, resting)]
    next_roll = min(
        (_lifts_off(step) - HEEL_RISE_BEATS for step in steps if _lifts_off(step) > pivot.start), default=np.inf
    )
    # A foot that leaves the floor straight out of its pivot keeps its heel up.
    return keys + [key for key in falling if pivot.end < next_roll]


def foot_rotation(track: FootTrack) -> Array:
    """Return the rotation of the foot from rest (n, 3, 3)."""
    return axis_rotation(2, np.radians(track.heading)) @ axis_rotation(0, np.radians(track.pitch))


def toe_rotation(track: FootTrack) -> Array:
    """Return the rotation of the toes from rest (n, 3, 3): flat on the floor while the heel is up, stretched in the
    air.
    """
    in_air = np.clip(track.lift / 0.06, 0.0, 1.0)
    pitch = np.where(track.pitch > 0.0, track.pitch * in_air, track.pitch)
    return axis_rotation(2, np.radians(track.heading)) @ axis_rotation(0, np.radians(pitch))


def foot_point(track: FootTrack, point: Array, ball: Array, heel: Array) -> Array:
    """Return the path (n, 3) of a point (3,) of the foot at rest.

    The foot rotates about its ball while the heel is up and about its heel while the toes are up, so that neither
    sinks.
    """
    pivot = np.where((track.pitch > 0.0)[:, None], ball, heel)
    pitched = pivot + np.einsum("nij,nj->ni", axis_rotation(0, np.radians(track.pitch)), point - pivot)
    turned = np.einsum("nij,nj->ni", axis_rotation(2, np.radians(track.heading)), pitched - ball)
    turned[:, :2] += track.place
    turned[:, 2] += track.lift + ball[2]
    return turned
