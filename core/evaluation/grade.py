"""How good a trained model is: its figures measured once, when training ends, and what they come to in one word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A figure within `good` (low, high) is good, within `fair` it will do; `text` says what it is about."""

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
"""What an animator would look at first; salsa and walk of the benchmark are good by these, the sample dance fair."""


def grade(figures: dict[str, float]) -> str:
    """Good, Fair or Poor, by the worst figure; empty where nothing was measured."""
    known = [limit for limit in LIMITS if limit.figure in figures]
    if not known:
        return ""
    if all(limit.good[0] <= figures[limit.figure] <= limit.good[1] for limit in known):
        return "Good"
    if all(limit.fair[0] <= figures[limit.figure] <= limit.fair[1] for limit in known):
        return "Fair"
    return "Poor"


def explain(figures: dict[str, float]) -> list[str]:
    """The figures behind the word, a line each."""
    return [limit.text.format(figures[limit.figure]) for limit in LIMITS if limit.figure in figures]
