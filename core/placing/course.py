"""Course of a take through its waypoints and near to its pins, before the body reaches for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..motion.feet_cleanup import belt_of
from ..motion.motion import Motion
from ..motion.skeleton import BODY, GROUP
from ..numeric.blending import FIXED
from ..numeric.rotation import Array
from .body_ik import limb_of
from .pinned_feet import follows
from .pins import missing
from .places import MAX_STRETCH, Pin, Places, longest_way
from .waypoints import Lead, lead

REACH = 0.06 * BODY
"""Distance in core units that the body makes up by itself; the course leads it as near to a pin."""

HELD_REACH = 0.25
"""Share of it for a pin that is held by a leg or the trunk: the body comes to rest there rather than lean after it."""

LIMB_STRETCH = 0.85
"""Share of a limb's length up to which it stretches to hold a pin; the course leads its top as near."""

LEAST_REACH = 0.2
"""Share of that distance within which the course leads the limb's top where the pin is too high or too low for it."""

PIN_SECONDS = 0.25
"""Time between the rows of a held pin at which the course is led."""

ROUNDS = 5
"""Times that the course is led, since its turns move a hand beside the root."""


def led_to_places(motion: Motion, places: Places, keep: Array, source: Motion) -> Lead:
    """Lead the root through the waypoints and within reach of the pins; where its path is kept it stays as it is.

    A walk in place turns only to headings that are asked for: else its feet would leave the belt of `source`. The cost
    of the result grows with turns, with changes of steps and with what is missing at the pins.
    """
    on_belt = any(belt_of(source))
    free = not (keep[:, motion.skeleton.root_channel // GROUP] >= FIXED).any()
    led = Lead(motion, 0.0)
    needs = _needs(led.motion, places.pins)
    if free and (places.waypoints or any(np.abs(way).max() > 1e-9 for way in needs.values())):
        targets: dict[int, Array] = {}
        for _ in range(ROUNDS if places.pins else 1):
            path = led.motion.root_positions()[:, :2]
            targets = {row: path[row] + way for row, way in needs.items()}
            headings: dict[int, float | None] = dict.fromkeys(targets)
            for point in places.waypoints:
                targets[point.row] = point.place
                headings[point.row] = point.heading
            rows = sorted(targets)
            ways = np.stack([targets[row] for row in rows])
            if not places.waypoints:
                ways = _slow_enough(ways, rows, motion, source)
            led = lead(motion, rows, ways, [headings[row] for row in rows], turns=not on_belt)
            needs = _needs(led.motion, places.pins)
    short = sum(float((way**2).mean()) for way in missing(led.motion, places.pins)) / BODY**2
    return replace(led, cost=led.cost + short)


def _needs(motion: Motion, pins: Sequence[Pin]) -> dict[int, Array]:
    """Return the ways (2,) by which the root is too far from the pins, at some of their rows."""
    found: dict[int, list[Array]] = {}
    for pin, way in zip(pins, missing(motion, pins), strict=True):
        plane = way[:, :2]
        legged = any(follows(motion.skeleton, [pin], joint) for joint in motion.skeleton.contacts)
        if legged:
            plane = np.repeat(plane.mean(0)[None], len(plane), axis=0)  # the leg goes its way about the mean
        length = np.linalg.norm(plane, axis=1, keepdims=True)
        reach = 0.0 if pin.joint == 0 else REACH * (1.0 if len(way) == 1 else HELD_REACH)
        excess = plane * np.maximum(0.0, 1.0 - reach / np.maximum(length, 1e-9))
        if len(way) > 1 and not legged:
            beyond = _beyond_limb(motion, pin)
            nearer = np.linalg.norm(beyond, axis=1) < np.linalg.norm(excess, axis=1)
            excess = np.where(nearer[:, None], beyond, excess)
        for row in _some_rows(len(way), motion.fps):
            found.setdefault(pin.start + row, []).append(excess[row])
    return {row: np.mean(ways, axis=0) for row, ways in found.items()}


def _beyond_limb(motion: Motion, pin: Pin) -> Array:
    """Return the ways (N, 2) by which the top of the pinned limb is too far from the pin for the limb alone."""
    skeleton = motion.skeleton
    limb = limb_of(skeleton, pin.joint)
    reach = LIMB_STRETCH * float(np.linalg.norm(skeleton.offsets[limb[:-1]], axis=1).sum())
    way = pin.places - motion.slice(pin.start, pin.stop).positions()[:, limb[-1]]
    flat = np.sqrt(np.maximum(reach**2 - way[:, 2] ** 2, (LEAST_REACH * reach) ** 2))
    length = np.linalg.norm(way[:, :2], axis=1)
    return np.asarray(way[:, :2] * np.maximum(0.0, 1.0 - flat / np.maximum(length, 1e-9))[:, None])


def _some_rows(count: int, fps: float) -> NDArray[np.int64]:
    number = 1 if count == 1 else max(2, round(count / (PIN_SECONDS * fps)) + 1)
    return np.unique(np.linspace(0, count - 1, number).round().astype(np.int64))


def _slow_enough(ways: Array, rows: Sequence[int], motion: Motion, source: Motion) -> Array:
    """Return places (N, 2) of which none is further from the one before than the clip goes in the time."""
    ways, before, at = ways.copy(), 0, motion.origin
    for k, row in enumerate(rows):
        rows_between = round((row - before) * source.fps / motion.fps)
        most = MAX_STRETCH * longest_way(source, rows_between) if rows_between > 0 else 0.0
        apart = ways[k] - at
        length = float(np.linalg.norm(apart))
        if length > most and row > 0:
            ways[k] = at + apart * (most / length)
        before, at = row, ways[k]
    return ways
