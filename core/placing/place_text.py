"""Pins and waypoints written as text, for operators and the command line."""

from __future__ import annotations

import re
from typing import Any

from ..errors import ClipError

PIN_FORM = "hand.L@60=0.3,0.2,1.1"
WAYPOINT_FORM = "90=1.5,0.2"


def parse_pins(text: str) -> tuple[Any, ...]:
    """Parse pins such as “hand.L@60=0.3,0.2,1.1; head@10-20=0,0,1.7”: bone, frame or span, and place, maybe followed by
    a quaternion. Raises ClipError for anything else.
    """
    return tuple(_parse_pin(piece.strip()) for piece in text.split(";") if piece.strip())


def _parse_pin(text: str) -> Any:
    head, _, tail = text.rpartition("=")
    bone, _, span = head.rpartition("@")
    frames = re.fullmatch(r"(-?\d{1,9})(?:-(-?\d{1,9}))?", span.strip())
    try:
        numbers = [float(number) for number in tail.split(",")]
    except ValueError:
        numbers = []
    if frames is None or not bone.strip() or len(numbers) not in (3, 7):
        raise ClipError(f"“{text}” is no pin; write it like {PIN_FORM}.")
    first = int(frames[1])
    last = int(frames[2]) if frames[2] else first
    return (bone.strip(), first, last, (tuple(numbers[:3]),), (tuple(numbers[3:]),) if numbers[3:] else ())


def parse_waypoints(text: str) -> tuple[Any, ...]:
    """Parse waypoints such as “90=1.5,0.2; 150=2,0,45”: frame, place on the ground, and maybe degrees. Raises ClipError
    for anything else.
    """
    return tuple(_parse_waypoint(piece.strip()) for piece in text.split(";") if piece.strip())


def _parse_waypoint(text: str) -> Any:
    frame, _, tail = text.partition("=")
    try:
        at, numbers = int(frame), [float(number) for number in tail.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3):
        raise ClipError(f"“{text}” is no waypoint; write it like {WAYPOINT_FORM}.")
    return (at, tuple(numbers[:2]), numbers[2] if numbers[2:] else None)
