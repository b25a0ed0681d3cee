"""Places that a take must reach: pins of joints at frames, and waypoints of the root."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..motion.motion import Motion
from ..motion.skeleton import BODY, Skeleton
from ..numeric.rotation import Array
from ..numeric.smoothing import path_deviation, smooth

MAX_STRETCH = 1.3
"""Times the clip's own fastest way in a time that a take may go in it: longer steps still look like steps."""

SAME_PLACE = 0.005 * BODY
"""Distance in core units up to which two pins of one joint agree: the largest error of a pin."""

FAR_OUT = 1e6
"""Largest coordinate of a place, in body heights."""

MOST_DEGREES = 1e6
"""Largest heading; it is meant modulo 360, which a larger number does not tell exactly."""


@dataclass(frozen=True, eq=False)
class Pin:
    """Joint held at `places` (N, 3) in core units in rows [start, start + N), turned as `turns` (N, 3, 3) if given.

    `turns` are world rotations from the rest pose.
    """

    joint: int
    start: int
    places: Array
    turns: Array | None = None

    @property
    def stop(self) -> int:
        return self.start + len(self.places)


@dataclass(frozen=True, eq=False)
class Waypoint:
    """Place (2,) in core units of the root on the ground at a row, and its yaw in radians from the rest pose."""

    row: int
    place: Array
    heading: float | None = None


@dataclass(frozen=True, eq=False)
class Places:
    """Pins and waypoints of a take whose first row is frame `first`."""

    pins: tuple[Pin, ...] = ()
    waypoints: tuple[Waypoint, ...] = ()
    first: int = 1

    @property
    def turns(self) -> bool:
        """Return true if a waypoint has a heading."""
        return any(point.heading is not None for point in self.waypoints)

    @property
    def pinned_rows(self) -> NDArray[np.int64]:
        """Rows with a pin, in ascending order."""
        rows = {row for pin in self.pins for row in range(pin.start, pin.stop)}
        return np.array(sorted(rows), dtype=np.int64)


def read_places(source: Motion, frames: int, first: int, pins: Sequence[Any], waypoints: Sequence[Any]) -> Places:
    """Convert the pins and waypoints of a direction, for a take of `frames` rows at the rate of `source`.

    A pin is (bone, first frame, last frame, places, turns): one place (x, y, z) in lengths of the file for all frames
    or one for each, and none, one or as many quaternions (w, x, y, z) from the rest pose. A waypoint is (frame, (x, y),
    degrees from the rest pose or None). Raises ClipError, naming frame and bone, for a bone that is not learned, frames
    outside the take, two that contradict, and waypoints that are further apart than the clip moves.
    """
    held = tuple(_read_pin(source.skeleton, frames, first, pin) for pin in pins)
    _check_contradictions(source.skeleton, held, first)
    points = tuple(sorted((_read_waypoint(source, frames, first, one) for one in waypoints), key=lambda one: one.row))
    _check_waypoints(source, points, first)
    return Places(held, points, first)


def _read_pin(skeleton: Skeleton, frames: int, first: int, pin: Any) -> Pin:
    try:
        name, start, end, places, *turns = pin
        start, end = int(start), int(end)
        at = np.atleast_2d(np.asarray(places, dtype=np.float64))
        turned = np.asarray(turns[0], dtype=np.float64) if turns and turns[0] else None
    except (TypeError, ValueError, OverflowError):
        raise ClipError(f"“{pin}” is no pin; give its bone, first and last frame, and place.") from None
    if name not in skeleton.names:
        raise ClipError(f"Riff has not learned “{name}”, which is pinned at frame {start}; pin another bone.")
    _check_inside(f"The pin of “{name}”", frames, first, start, end)
    count = end - start + 1
    if at.ndim != 2 or at.shape[1] != 3 or len(at) not in (1, count) or not _is_finite(at, skeleton):
        raise ClipError(f"The pin of “{name}” at frame {start} has no valid place; set its place again.")
    at = np.broadcast_to(at, (count, 3)) / skeleton.unit
    return Pin(skeleton.names.index(name), start - first, at, _read_turns(name, start, count, turned))


def _read_turns(name: str, start: int, count: int, turned: Array | None) -> Array | None:
    if turned is None:
        return None
    turned = np.atleast_2d(turned)
    norms = np.linalg.norm(turned, axis=-1, keepdims=True)
    shaped = turned.ndim == 2 and turned.shape[1] == 4 and len(turned) in (1, count)
    if not shaped or not np.isfinite(norms).all() or not (norms > 1e-6).all():
        raise ClipError(f"The pin of “{name}” at frame {start} has no valid direction; set its place again.")
    w, x, y, z = np.moveaxis(np.broadcast_to(turned / norms, (count, 4)), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def _is_finite(at: Array, skeleton: Skeleton) -> bool:
    return bool(np.isfinite(at).all() and np.abs(at).max() <= FAR_OUT * skeleton.unit * BODY)


def _check_inside(subject: str, frames: int, first: int, start: int, end: int) -> None:
    last = first + frames - 1
    if end < start:
        raise ClipError(f"{subject} ends at frame {end}, before its first frame {start}; correct its frames.")
    if start < first or end > last:
        outside = start if start < first or start > last else end
        raise ClipError(f"{subject} at frame {outside} is outside the take's frames {first}-{last}; move it.")


def _check_contradictions(skeleton: Skeleton, pins: Sequence[Pin], first: int) -> None:
    for one, other in itertools.combinations(pins, 2):
        start, stop = max(one.start, other.start), min(one.stop, other.stop)
        if one.joint != other.joint or start >= stop:
            continue
        a, b = (pin.places[start - pin.start : stop - pin.start] for pin in (one, other))
        apart = np.linalg.norm(a - b, axis=1)
        if apart.max() > SAME_PLACE:
            row = int(apart.argmax())
            raise ClipError(
                f"Two pins hold “{skeleton.names[one.joint]}” at frame {first + start + row} in places "
                f"{apart[row] * skeleton.unit:.4g} apart; remove one."
            )


def _read_waypoint(source: Motion, frames: int, first: int, waypoint: Any) -> Waypoint:
    try:
        frame, place, *heading = waypoint
        frame, at = int(frame), np.asarray(place, dtype=np.float64)[:2]
        degrees = float(heading[0]) if heading and heading[0] is not None else None
    except (TypeError, ValueError, IndexError, OverflowError):
        raise ClipError(f"“{waypoint}” is no waypoint; give its frame and its place.") from None
    _check_inside("The waypoint", frames, first, frame, frame)
    if at.shape != (2,) or not _is_finite(at, source.skeleton):
        raise ClipError(f"The waypoint at frame {frame} has no valid place; set its place again.")
    if degrees is not None and not abs(degrees) <= MOST_DEGREES:
        raise ClipError(f"The waypoint at frame {frame} has no valid heading; set it again.")
    turn = None if degrees is None else float(np.deg2rad(degrees))
    return Waypoint(frame - first, at / source.skeleton.unit, turn)


def _check_waypoints(source: Motion, waypoints: Sequence[Waypoint], first: int) -> None:
    unit, fps = source.skeleton.unit, source.fps
    start = [] if waypoints and waypoints[0].row == 0 else [Waypoint(0, source.origin)]
    for one, other in itertools.pairwise([*start, *waypoints]):
        apart = float(np.linalg.norm(other.place - one.place))
        rows = other.row - one.row
        if rows == 0 and apart > SAME_PLACE:
            raise ClipError(
                f"Two waypoints ask for places {apart * unit:.4g} apart at frame {first + one.row}; remove one."
            )
        most = MAX_STRETCH * longest_way(source, rows) if rows else 0.0
        if rows and apart > most + SAME_PLACE:
            raise ClipError(
                f"The waypoint at frame {first + other.row} is {apart * unit:.4g} from the one before, but in "
                f"{rows / fps:.2g} s the clip moves at most {most * unit:.4g}; move it, or give it more time."
            )


def longest_way(source: Motion, rows: int) -> float:
    """Return the longest way in core units that the root of a clip goes in so many rows, without its sway."""
    path = source.root_positions()[:, :2]
    deviation = path_deviation(source.fps, source.frames)
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(smooth(path, deviation), axis=0), axis=1))])
    window = min(rows, source.frames - 1)
    longest = float((way[window:] - way[: len(way) - window]).max())
    # A short clip's end is smoothed away; what it goes between its ends counts too.
    straight = float(np.linalg.norm(path[window:] - path[: len(path) - window], axis=1).max())
    return max(longest, straight) * rows / window
