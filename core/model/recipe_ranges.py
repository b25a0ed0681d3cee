"""What each number of a recipe may be when it is read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..files.fields import FieldError, Fields

MOST_LEVELS = 16
MOST_STAGES = 32


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, integers where `whole` says so; of a list at most `most`, where it is one."""

    low: float
    high: float
    whole: bool = False
    most: int = 0

    def take(self, name: str, fields: Fields) -> Any:
        """The number or numbers of this name. Raises FieldError."""
        if self.whole:
            low, high = int(self.low), int(self.high)
            return fields.wholes(name, low, high, self.most) if self.most else fields.whole(name, low, high)
        if self.most:
            return fields.numbers(name, self.low, self.high, self.most)
        return fields.number(name, self.low, self.high)


_LEVELS = {
    "iterations": Range(0, 1e9, True, MOST_LEVELS),
    "batch": Range(1, 4096, True, MOST_LEVELS),
    "adversarial": Range(0, 1e6, most=MOST_LEVELS),
    "reconstruction": Range(0, 1e6, most=MOST_LEVELS),
    "crop": Range(0, 1e6, True, MOST_LEVELS),
    "sampling_noise": Range(0, 1e3, most=MOST_LEVELS),
}
"""One number for each level."""

RANGES = {
    **_LEVELS,
    "stages": Range(1, MOST_STAGES, True, MOST_LEVELS),
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
FLAGS = ("calibrate", "contact_squared", "timed_root", "fold_hands", "joint_steps")


def take(name: str, fields: Fields) -> Any:
    """A number, list, flag or the name of a recipe from a file. Raises FieldError."""
    if name == "name":
        return fields.text(name, longest=200)
    return fields.flag(name, False) if name in FLAGS else RANGES[name].take(name, fields)


def check_together(values: dict[str, Any]) -> None:
    """Raises FieldError where the numbers of a recipe do not fit together."""
    stages = values.get("stages")
    if stages is not None and (not stages or sum(stages) > MOST_STAGES):
        raise FieldError(f"“recipe.stages” are not 1 to {MOST_STAGES}")
    levels = len(stages) if stages is not None else 4
    short = [name for name in _LEVELS if name in values and len(values[name]) < levels]
    if short:
        raise FieldError(f"“recipe.{short[0]}” has no number for each level")
    if not values.get("hidden", (1,)) or values.get("kernel", 1) % 2 == 0:
        raise FieldError("“recipe.hidden” is empty or “recipe.kernel” is even")
