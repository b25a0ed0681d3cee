"""Directions: requests of the user as JSON data (names of bones, frames, numbers), converted to a Composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from ..errors import ClipError
from ..motion.body_parts import joints_named
from ..motion.motion import Motion
from ..motion.skeleton import GROUP
from ..placing.places import read_places
from .composition import (
    ENTRY,
    Composition,
    close_loop,
    extend,
    fill_regions,
    free,
    keep_keys,
    keep_parts,
    keep_root_path,
    overlay,
    place_moments,
    restyle,
)
from .route import Route

Span = tuple[int, int]
"""First and last frame, both included."""


@dataclass(frozen=True)
class Direction:
    """Request for a take; frames are those of the action.

    Besides `keep`, `regions` and `keys`, a take has one timeline: the action's own, `moments`, an extension by `before`
    and `after`, a `loop`, or a `style`.
    """

    first: int = 1
    """Frame of the source's first row."""
    keep: tuple[str, ...] | None = None
    """Names of body parts or bones to keep; None: no constraint."""
    regions: tuple[Span, ...] | None = None
    """Spans of frames to generate."""
    keys: tuple[int, ...] | None = None
    """Frames whose poses are kept."""
    firmness: float = 1.0
    """Weight of `keys`, above 0 and at most 1."""
    moments: tuple[tuple[int, int, int], ...] | None = None
    """Parts of the action (first frame, last frame, new first frame) placed on a timeline of `length` frames."""
    length: int = 0
    """Frames of the take; 0: as many as the action has."""
    before: int = 0
    """Frames to add at the start."""
    after: int = 0
    """Frames to add at the end."""
    loop: bool = False
    """The last frame leads on to the first."""
    transition: int = 0
    """Last frames of a loop to generate; 0: all."""
    travels: bool | None = None
    """A loop ends at another position; None: decided by the source's speed, see `close_loop`."""
    style: float | None = None
    """Amount, 0 to 1, by which the model's style is applied to the action."""
    entry: int = ENTRY
    """Level, counted from 1, at which content enters."""
    root: str = "free"
    """Path of the root: “free”, “source” or “route”."""
    route: tuple[tuple[float, float], ...] = ()
    """Points of the root's route in the lengths of the file."""
    pins: tuple[Any, ...] = ()
    """Joints at places: (bone, first frame, last frame, places, turns), see `read_places`."""
    waypoints: tuple[Any, ...] = ()
    """Places of the root on the ground: (frame, (x, y), degrees or None), see `read_places`."""

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value != _DEFAULTS[key]}

    def renamed(self, bones: Mapping[str, str]) -> Direction:
        """Return the direction for a skeleton whose bones (keys) are called otherwise in this one (values)."""
        ours = {theirs: name for name, theirs in bones.items()}
        pins = tuple((ours.get(pin[0], pin[0]), *pin[1:]) for pin in self.pins)
        keep = None if self.keep is None else tuple(ours.get(name, name) for name in self.keep)
        return replace(self, keep=keep, pins=pins)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Direction:
        """Parse a direction. Raises ClipError for an unknown field."""
        unknown = set(data) - set(_DEFAULTS)
        if unknown:
            raise ClipError(f"A composition has no setting “{min(unknown)}”.")
        return Direction(**{key: _as_tuples(value) for key, value in data.items()})


_DEFAULTS = {field.name: field.default for field in fields(Direction)}


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def direct(source: Motion, direction: Direction) -> Composition:
    """Convert a direction to a composition on a source of any rate. Raises ClipError for contradictory requests."""
    result = _layers(source, _timeline(source, direction), direction)
    result = replace(result, entry=direction.entry)
    if direction.root == "source":
        result = keep_root_path(result)
    elif direction.root == "route":
        if len(direction.route) < 2:
            raise ClipError("The curve has no length; choose another one.")
        result = replace(result, route=Route(np.asarray(direction.route, dtype=np.float64) / source.skeleton.unit))
    elif direction.root != "free":
        raise ClipError(f"The root's path can be free, source or route, not “{direction.root}”.")
    if direction.pins or direction.waypoints:
        result = _with_places(source, result, direction)
    result.check()
    return result


def _with_places(source: Motion, result: Composition, direction: Direction) -> Composition:
    if direction.loop:
        raise ClipError("A loop has no pins and waypoints; make the loop of the action that has them.")
    if direction.waypoints and direction.root != "free":
        raise ClipError("Waypoints lead the root, so its path must be free; choose Free for the root path.")
    first = direction.first - direction.before
    places = read_places(source, result.target.frames, first, direction.pins, direction.waypoints)
    root = source.skeleton.root_channel // GROUP
    if places.waypoints and (result.keep[:, root] > 0).any():
        raise ClipError("Waypoints lead the root, whose path is kept here; vary the root too, or remove them.")
    return replace(result, places=places)


def _timeline(source: Motion, direction: Direction) -> Composition:
    if direction.moments is not None:
        first = direction.first
        moments = [(start - first, end - first + 1, at - first) for start, end, at in direction.moments]
        return place_moments(source, moments, direction.length or source.frames, first)
    if direction.style is not None:
        return restyle(source, keep=1.0 - direction.style)
    if direction.loop and direction.transition:
        return close_loop(source, direction.transition, direction.travels)
    if direction.loop:
        return replace(free(source), loop=True, travels=bool(direction.travels))
    after = direction.after
    if direction.length and not after:
        after = direction.length - source.frames - direction.before
        if after < 0:
            raise ClipError(f"The action has {source.frames} frames already; ask for a greater length.")
    return extend(source, direction.before, after) if direction.before or after else free(source)


def _layers(source: Motion, result: Composition, direction: Direction) -> Composition:
    """Overlay body parts, regions and keys, which need the source's own timeline."""
    layers = []
    if direction.keep is not None:
        layers.append(keep_parts(source, joints_named(source.skeleton, direction.keep)))
    if direction.regions is not None:
        spans = [(start - direction.first, end - direction.first + 1) for start, end in direction.regions]
        layers.append(fill_regions(source, spans, direction.first))
    if direction.keys is not None:
        layers.append(keep_keys(source, [key - direction.first for key in direction.keys], direction.firmness))
    for layer in layers:
        if result.keep.shape != layer.keep.shape or direction.moments is not None:
            raise ClipError(
                "Parts, regions and keys can be chosen on the action's own frames only; do one after the other."
            )
        result = overlay(result, layer)
    return result


def parse_spans(text: str) -> tuple[Span, ...]:
    """Parse spans such as “40-90, 120-160”. Raises ClipError for anything else."""
    spans = []
    for piece in text.split(","):
        start, _, end = piece.strip().rpartition("-")
        try:
            spans.append((int(start), int(end)))
        except ValueError:
            raise ClipError(f"“{piece.strip()}” is no span of frames; write it like 40-90.") from None
    return tuple(spans)


def parse_moments(text: str) -> tuple[tuple[int, int, int], ...]:
    """Parse moments (start, end, at) such as “40-90@1, 40-90@120”. Raises ClipError for anything else."""
    moments = []
    for piece in text.split(","):
        span, _, at = piece.strip().partition("@")
        try:
            new_start = int(at)
        except ValueError:
            raise ClipError(f"“{piece.strip()}” does not say where the moment goes; write it like 40-90@120.") from None
        moments.append((*parse_spans(span)[0], new_start))
    return tuple(moments)


def names_in(text: str) -> tuple[str, ...]:
    """Split comma-separated names such as “Left Arm, Head”."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
