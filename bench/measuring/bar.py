"""Quality bar: limits that the figures of a model must meet before its motions are good enough to ship."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Figures = dict[str, float]


@dataclass(frozen=True)
class Check:
    """Check of one figure: `value` meets the limits if `kept`; `said` describes them."""

    name: str
    said: str
    value: float
    kept: bool


def check_bar(raw: Figures, clean: Figures, smooth_noise: Figures) -> list[Check]:
    """Check the figures of a model before (`raw`) and after foot clean-up (`clean`); some limits are figures of smooth
    noise."""
    noise_novelty, noise_frechet = smooth_noise["novelty"], smooth_noise["window_frechet"]
    diversity = clean["rotation_global_diversity"]
    checks = [
        _check("coverage", "at least 0.98", clean["coverage"], lambda x: x >= 0.98),
        _check("global diversity, rotations only", "at least 0.6", diversity, lambda x: x >= 0.6),
        _check(
            "novelty",
            f"at least 1.5 × smooth noise's {noise_novelty:.2f}",
            clean["novelty"],
            lambda x: x >= 1.5 * noise_novelty,
        ),
        _check("roughness", "0.9 to 1.15", clean["roughness"], lambda x: 0.9 <= x <= 1.15),
        _check(
            "window Fréchet",
            f"below smooth noise's {noise_frechet:.2f}",
            clean["window_frechet"],
            lambda x: x < noise_frechet,
        ),
    ]
    if "foot_skating_ratio" in clean:
        skating, before = clean["foot_skating_ratio"], raw["foot_skating_ratio"]
        checks.append(_check("skating ÷ source's, clean feet", "at most 1.2", skating, lambda x: x <= 1.2))
        checks.append(_check("skating ÷ source's, raw", "at most 3", before, lambda x: x <= 3.0))
    return checks


def _check(name: str, said: str, value: float, keeps: Callable[[float], bool]) -> Check:
    return Check(name, said, value, bool(keeps(value)))


def bar_markdown(checks: list[Check]) -> str:
    lines = ["| the bar | wanted | reached | |", "|---|---|---:|---|"]
    lines += [f"| {c.name} | {c.said} | {c.value:.2f} | {'kept' if c.kept else '**missed**'} |" for c in checks]
    return "\n".join(lines)
