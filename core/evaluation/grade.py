"""Grade of a trained model in one word, from figures measured at the end of training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """Limits (low, high) of a figure for the grades Good and Fair; `text` describes its value to the user."""

    figure: str
    good: tuple[float, float]
    fair: tuple[float, float]
    text: str


LIMITS = (
    Limit("coverage", (0.9, 1.0), (0.7, 1.0), "{:.0%} of the source's moves appear"),
    Limit("global_diversity", (0.4, 9.0), (0.2, 99.0), "difference from the source {:.2f} (0 is a copy)"),
    Limit("same_time", (0.0, 0.4), (0.0, 0.6), "{:.0%} of it where the source is at the same time (100% is a copy)"),
    Limit("between", (0.6, 9.0), (0.4, 99.0), "difference from each other {:.2f} (0 if all are one)"),
    Limit("roughness", (0.0, 1.3), (0.0, 2.0), "roughness {:.2f} times the source's"),
    Limit("foot_skating_ratio", (0.0, 1.3), (0.0, 2.5), "foot sliding {:.2f} times the source's"),
)
"""Figures that matter most to an animator. Of the benchmark clips salsa and walk are Good, the sample dance is Fair."""


MAX_SAME_TIME, MIN_BETWEEN = 0.6, 0.4
"""Bounds of a model that does not copy: the largest share of rows at the source's own time, and the smallest
difference between variations.
"""


def copies(figures: dict[str, float]) -> bool:
    """Return whether variations are the clip in its own order, at any constant offset of their joints."""
    return figures.get("same_time", 0.0) > MAX_SAME_TIME or figures.get("between", 1.0) < MIN_BETWEEN


NEEDED = ("coverage", "global_diversity", "roughness")
"""Figures without which there is no word."""


def grade(figures: dict[str, float]) -> str:
    """Return Good, Fair or Poor by the worst figure; Poor for copies of the source; empty where figures are missing."""
    if copies(figures):
        return "Poor"
    if not all(name in figures for name in NEEDED):
        return ""
    known = [limit for limit in LIMITS if limit.figure in figures]
    if all(limit.good[0] <= figures[limit.figure] <= limit.good[1] for limit in known):
        return "Good"
    if all(limit.fair[0] <= figures[limit.figure] <= limit.fair[1] for limit in known):
        return "Fair"
    return "Poor"


def explain(figures: dict[str, float]) -> list[str]:
    """Return one line of text for each graded figure, after one about copies of the source if there are."""
    lines = ["the variations copy the source"] if copies(figures) else []
    return lines + [limit.text.format(figures[limit.figure]) for limit in LIMITS if limit.figure in figures]
