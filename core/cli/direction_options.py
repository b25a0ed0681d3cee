"""Reading of the arguments that direct a composition."""

from __future__ import annotations

import argparse

from ..directing.direction import Direction, names_in, parse_moments, parse_spans
from ..errors import ClipError
from ..motion.body_parts import joints_named
from ..motion.skeleton import Skeleton
from ..placing.place_text import parse_pins, parse_waypoints


def read_direction(options: argparse.Namespace, skeleton: Skeleton) -> Direction:
    """The direction that the arguments of `add_direction` describe. Raises ClipError for one that cannot be read."""
    if options.count < 1:
        raise ClipError("Ask for at least one motion.")
    return Direction(
        keep=_kept(options, skeleton),
        regions=parse_spans(options.regions) if options.regions else None,
        keys=_numbers(options.keys) if options.keys else None,
        firmness=options.firmness,
        moments=parse_moments(options.moments) if options.moments else None,
        length=options.length,
        before=options.before,
        after=options.after,
        loop=options.loop is not None,
        transition=options.loop or 0,
        travels=True if options.travel else None,
        style=options.style,
        entry=options.entry,
        root=options.root,
        pins=parse_pins(options.pins),
        waypoints=parse_waypoints(options.waypoints),
    )


def _kept(options: argparse.Namespace, skeleton: Skeleton) -> tuple[str, ...] | None:
    if options.keep:
        return names_in(options.keep)
    if options.vary:
        varied = set(joints_named(skeleton, names_in(options.vary)))
        return tuple(name for joint, name in enumerate(skeleton.names) if joint not in varied)
    return None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise ClipError(f"“{text}” is no list of frames; write it like 1,40,90.") from None
