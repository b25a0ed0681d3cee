"""Messages of a training for its observer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..system.console import format_duration

Send = Callable[[str, Any], None]
"""Takes a message of a training: its kind and its value."""


@dataclass(frozen=True)
class Progress:
    """One message of a training: `level` from 1, `step` of `steps` over all levels, `fraction` of the work from 0 to 1.

    `seconds` is the time so far, `seconds_left` the estimate, `losses` the latest of each kind, `rate_cuts` how often
    the training went back to an earlier state with lower learning rates.
    """

    level: int
    levels: int
    step: int
    steps: int
    fraction: float
    seconds: float
    seconds_left: float
    steps_per_second: float
    losses: dict[str, float] = field(default_factory=dict)
    rate_cuts: int = 0

    def describe(self) -> str:
        """One line, such as “Level 2 of 4, 37 %, 3:12 left, 14 steps/s”."""
        cuts = f", learning rates lowered {self.rate_cuts} ×" if self.rate_cuts else ""
        return (
            f"Level {self.level} of {self.levels}, {self.fraction:.0%}, "
            f"{format_duration(self.seconds_left)} left, {self.steps_per_second:.3g} steps/s{cuts}"
        )
