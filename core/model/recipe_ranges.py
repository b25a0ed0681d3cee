"""Accepted ranges of a recipe's numbers, for recipes read from files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..files.fields import FieldError, Fields

MAX_LEVELS = 16
"""Largest number of levels."""

MAX_STAGES = 32
"""Largest number of stages of all levels."""


@dataclass(frozen=True)
class Range:
    """Range of numbers from `low` to `high`, of integers if `whole`; a list of at most `max_count` unless that is 0."""

    low: float
    high: float
    whole: bool = False
    max_count: int = 0

    def take(self, name: str, fields: Fields) -> Any:
        """Read the number or numbers of this name. Raises FieldError."""
        if self.whole:
            low, high = int(self.low), int(self.high)
            return fields.wholes(name, low, high, self.max_count) if self.max_count else fields.whole(name, low, high)
        if self.max_count:
            return fields.numbers(name, self.low, self.high, self.max_count)
        return fields.number(name, self.low, self.high)


_LEVELS = {
    "iterations": Range(1, 1e9, True, MAX_LEVELS),
    "batch": Range(1, 4096, True, MAX_LEVELS),
    "adversarial": Range(0, 1e6, max_count=MAX_LEVELS),
    "reconstruction": Range(0, 1e6, max_count=MAX_LEVELS),
    "crop": Range(0, 1e6, True, MAX_LEVELS),
    "sampling_noise": Range(0, 1e3, max_count=MAX_LEVELS),
}
"""Fields with one number for each level."""

RANGES = {
    **_LEVELS,
    "stages": Range(1, MAX_STAGES, True, MAX_LEVELS),
    "hidden": Range(1, 8192, True, 16),
    "first_length": Range(1e-3, 1),
    "growth": Range(0, 100),
    "kernel": Range(1, 99, True),
    "distance": Range(0, 4096, True),
    "gradient_penalty": Range(0, 1e6),
    "penalty_share": Range(0, 1),
    "contact": Range(0, 1e6),
    "even_joints": Range(0, 10),
    "root_gain": Range(0, 1e6),
    "critic_steps": Range(1, 1000, True),
    "reconstruct_every": Range(1, 1e6, True),
    "generator_rate": Range(0, 10),
    "critic_rate": Range(0, 10),
    "final_rate": Range(0, 10),
    "beta1": Range(0, 1),
    "pool": Range(0, 1e5, True),
    "transfer": Range(0, 17, True),
    "average": Range(0, 1),
    "bank": Range(0, 1e5, True),
    "warm_share": Range(0, 1),
}
"""Range of each number of a recipe."""

FLAGS = ("calibrate", "contact_squared", "timed_root", "fold_hands", "joint_steps")
"""Fields that are true or false."""


def take(name: str, fields: Fields) -> Any:
    """Read a number, list, flag or the name of a recipe. Raises FieldError."""
    if name == "name":
        return fields.text(name, longest=200)
    return fields.flag(name, False) if name in FLAGS else RANGES[name].take(name, fields)


def check_together(values: dict[str, Any]) -> None:
    """Raise FieldError where the numbers of a recipe contradict each other."""
    stages = values.get("stages")
    if stages is not None and (not stages or sum(stages) > MAX_STAGES):
        raise FieldError(f"“recipe.stages” are not 1 to {MAX_STAGES}")
    levels = len(stages) if stages is not None else 4
    short = [name for name in _LEVELS if name in values and len(values[name]) < levels]
    if short:
        raise FieldError(f"“recipe.{short[0]}” has no number for each level")
    if not values.get("hidden", (1,)) or values.get("kernel", 1) % 2 == 0:
        raise FieldError("“recipe.hidden” is empty or “recipe.kernel” is even")
