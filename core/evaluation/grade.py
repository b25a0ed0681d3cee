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
    Limit("roughness", (0.0, 1.3), (0.0, 2.0), "roughness {:.2f} times the source's"),
    Limit("foot_skating_ratio", (0.0, 1.3), (0.0, 2.5), "foot sliding {:.2f} times the source's"),
)
"""Figures that matter most to an animator. Of the benchmark clips salsa and walk are Good, the sample dance is Fair."""


def grade(figures: dict[str, float]) -> str:
    """Return Good, Fair or Poor by the worst figure; empty without figures."""
    known = [limit for limit in LIMITS if limit.figure in figures]
    if not known:
        return ""
    if all(limit.good[0] <= figures[limit.figure] <= limit.good[1] for limit in known):
        return "Good"
    if all(limit.fair[0] <= figures[limit.figure] <= limit.fair[1] for limit in known):
        return "Fair"
    return "Poor"


def explain(figures: dict[str, float]) -> list[str]:
    """Return one line of text for each graded figure."""
    return [limit.text.format(figures[limit.figure]) for limit in LIMITS if limit.figure in figures]
