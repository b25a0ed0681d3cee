"""Instant models of the clips that play in spans, on one skeleton."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import ClipError
from ..matching.instant import instant_model
from ..matching.matcher import never_cancelled
from ..model.model import Model
from ..motion.motion import Motion
from .concatenate import on_one_skeleton
from .timed_clips import ClipSpan


def span_models(
    clips: Mapping[str, Motion], spans: Sequence[ClipSpan], check_cancelled: Callable[[], None] = never_cancelled
) -> dict[str, Model]:
    """Return an instant model of each clip that plays, by name, on the common skeleton of all clips.

    `check_cancelled` is called often and may raise. Raises ClipError, naming the clip, for one that cannot be learned.
    """
    motions = dict(zip(clips, on_one_skeleton(list(clips.values())), strict=True))
    return {name: model_of_clip(motions[name], name, check_cancelled) for name in dict.fromkeys(s.clip for s in spans)}


def model_of_clip(motion: Motion, name: str, check_cancelled: Callable[[], None] = never_cancelled) -> Model:
    """Return an instant model of a clip. Raises ClipError, naming the clip, for one that cannot be learned."""
    try:
        return instant_model(motion, name, check_cancelled=check_cancelled)
    except ClipError as error:
        raise ClipError(f"“{name}”: {error}") from error
