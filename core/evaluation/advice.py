"""Advice on a model, from its figures and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .grade import LIMITS, copies

SHORT_SECONDS = 6.0
"""Length of a clip in seconds below which little can be recombined."""

USUAL_ITERATIONS = 1500
"""Iterations of the first level from which on a training was not cut short."""

TRAIN = "Train a model on the action: it varies more than an instant one"
TRAIN_LONGER = "Train longer: this training was cut short"
LONGER_CLIP = "The clip is short: learn a longer one, or several actions of this rig together"
STRONGER = "Raise Coarse Variation, for motions that differ more"
CALMER = "Lower Fine Variation, for smoother motion"
MATCHED = "Training came no nearer to this clip than matching does, so all levels are matched"
CLEAN_FEET = "Switch Clean Feet on: standing feet slide"
CHOOSE_FEET = "No feet were found: choose them under Root and Feet, and learn again"
"""Advice in the words of the panel."""


def advice(info: Mapping[str, Any]) -> list[str]:
    """Return advice on a model in sentences, the most useful first, from its summary, see `Model.info`."""
    figures: dict[str, float] = info.get("quality") or {}
    outside = {limit.figure for limit in LIMITS if not _inside(figures.get(limit.figure), limit.good)}
    told = [MATCHED] if _is_matched(info) else []
    if copies(figures) or outside & {"coverage", "global_diversity", "same_time", "between"}:
        told.append(_more(info))
    if "global_diversity" in outside and not copies(figures):
        told.append(STRONGER)
    if "roughness" in outside:
        told.append(TRAIN_LONGER if _is_cut_short(info) else CALMER)
    if not info.get("contacts"):
        told.append(CHOOSE_FEET)
    elif "foot_skating_ratio" in outside:
        told.append(CLEAN_FEET)
    return list(dict.fromkeys(told))


def _inside(value: float | None, limits: tuple[float, float]) -> bool:
    return value is None or limits[0] <= value <= limits[1]


def _more(info: Mapping[str, Any]) -> str:
    """Return what gives more or other motion: a training, a longer one, or a longer clip."""
    if info.get("recipe") == "instant":
        return TRAIN
    if _is_cut_short(info):
        return TRAIN_LONGER
    return LONGER_CLIP if info.get("duration", 0.0) < SHORT_SECONDS else STRONGER


def _is_matched(info: Mapping[str, Any]) -> bool:
    """Return whether a training kept no level."""
    levels, whole = info.get("levels") or (0, 0)
    return not levels and bool(whole) and info.get("recipe") != "instant"


def _is_cut_short(info: Mapping[str, Any]) -> bool:
    iterations = info.get("iterations") or [0]
    trained = info.get("recipe") != "instant"
    return trained and (info.get("fraction", 1.0) < 1.0 or iterations[0] < USUAL_ITERATIONS)
