"""The arguments of `python -m core compose`, and the direction that they give."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ClipError

if TYPE_CHECKING:  # numpy is loaded by the verb that needs it and not before
    from .directing.direction import Direction
    from .motion.skeleton import Skeleton


def add_compose(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the verb."""
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the BVH files")
    parser.add_argument("--clip", type=Path, metavar="CLIP", help="work around it (default: the model's own clip)")
    add_direction(parser)


def add_direction(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what stays and what becomes of the clip."""
    parser.add_argument("--count", type=int, default=1, help="how many alternatives (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same motions (default: 0)")
    parser.add_argument("--entry", type=int, default=2, help="level at which what is kept enters (default: 2)")
    parser.add_argument("--raw", action="store_true", help="leave feet as they were generated")
    masks = parser.add_argument_group("what stays (frames count from 1; all three can be combined)")
    masks.add_argument("--keep", metavar="NAMES", help="body parts or bones that stay, such as “Lower Body, Head”")
    masks.add_argument("--vary", metavar="NAMES", help="body parts or bones that become new, all others stay")
    masks.add_argument("--regions", metavar="SPANS", help="frames that become new, such as 40-90,120-160")
    masks.add_argument("--keys", metavar="FRAMES", help="frames whose poses stay, such as 1,40,90")
    masks.add_argument("--firmness", type=float, default=1.0, help="how exactly they stay, up to 1 (default: 1)")
    takes = parser.add_argument_group("other takes")
    takes.add_argument("--moments", metavar="SPANS", help="spans and where they go, such as 40-90@1,40-90@200")
    takes.add_argument("--length", type=int, default=0, help="frames of the take")
    takes.add_argument("--before", type=int, default=0, help="frames to add at the start")
    takes.add_argument("--after", type=int, default=0, help="frames to add at the end")
    takes.add_argument("--loop", type=int, metavar="FRAMES", help="make a loop; so many last frames are new (0: all)")
    takes.add_argument("--travel", action="store_true", help="let a loop end in another place")
    takes.add_argument("--style", type=float, help="re-style the clip, from 0, as it is, to 1")
    takes.add_argument("--root", choices=("free", "source"), default="free", help="whose path the root goes")


def read_direction(options: argparse.Namespace, skeleton: Skeleton) -> Direction:
    """What the arguments ask for. Raises ClipError for what cannot be read."""
    from .directing.direction import Direction, parse_moments, parse_spans

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
    )


def _kept(options: argparse.Namespace, skeleton: Skeleton) -> tuple[str, ...] | None:
    from .directing.direction import names_in
    from .motion.body_parts import joints_named

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
