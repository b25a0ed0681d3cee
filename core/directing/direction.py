"""What a person asks for, as plain data that fits JSON: names of bones, frames, numbers; it becomes a Composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from ..errors import ClipError
from ..motion.body_parts import joints_named
from ..motion.motion import Motion
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


@dataclass(frozen=True)
class Direction:
    """How a take comes about; frames are those of the action, of which the source's first is `first`.

    `keep` names parts or bones that stay, None says nothing about them; `regions` are spans of frames, both ends
    included, that become new; `keys` frames whose poses stay as firmly as `firmness`. Instead of a take on the action's
    own timeline there may be `moments` (start, end, at) in `length` frames, frames added `before` and `after`, a
    `loop` of whose frames the last `transition` are new (0 for all), or a `style` put on the action to which it
    applies from 0 to 1. `travels` says whether a loop ends in another place, None lets Riff see. `root` is “free”,
    “source” or “route”, a line through the points of `route` in the file's own lengths.
    """

    first: int = 1
    keep: tuple[str, ...] | None = None
    regions: tuple[Span, ...] | None = None
    keys: tuple[int, ...] | None = None
    firmness: float = 1.0
    moments: tuple[tuple[int, int, int], ...] | None = None
    length: int = 0
    before: int = 0
    after: int = 0
    loop: bool = False
    transition: int = 0
    travels: bool | None = None
    style: float | None = None
    entry: int = ENTRY
    root: str = "free"
    route: tuple[tuple[float, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value != _DEFAULTS[key]}

    @staticmethod
    def from_json(data: dict[str, Any]) -> Direction:
        """Raises ClipError for a field that there is not."""
        unknown = set(data) - set(_DEFAULTS)
        if unknown:
            raise ClipError(f"“{min(unknown)}” is nothing that a composition knows.")
        return Direction(**{key: _as_tuples(value) for key, value in data.items()})


_DEFAULTS = {field.name: field.default for field in fields(Direction)}


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def direct(source: Motion, direction: Direction) -> Composition:
    """The composition that a direction asks for on a source of any rate. Raises ClipError for what cannot be."""
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
    result.check()
    return result


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
    """Parts, regions and keys over the timeline, which must be the source's own for them."""
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
    """“40-90, 120-160” as spans. Raises ClipError for anything else."""
    spans = []
    for piece in text.split(","):
        start, _, end = piece.strip().rpartition("-")
        try:
            spans.append((int(start), int(end)))
        except ValueError:
            raise ClipError(f"“{piece.strip()}” is no span of frames; write it like 40-90.") from None
    return tuple(spans)


def parse_moments(text: str) -> tuple[tuple[int, int, int], ...]:
    """“40-90@1, 40-90@120” as (start, end, at). Raises ClipError for anything else."""
    moments = []
    for piece in text.split(","):
        span, _, at = piece.strip().partition("@")
        try:
            place = int(at)
        except ValueError:
            raise ClipError(f"“{piece.strip()}” does not say where the moment goes; write it like 40-90@120.") from None
        moments.append((*parse_spans(span)[0], place))
    return tuple(moments)


def names_in(text: str) -> tuple[str, ...]:
    """“Left Arm, Head” as names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def as_text(spans: Sequence[Span]) -> str:
    return ", ".join(f"{start}-{end}" for start, end in spans)
