"""What a training tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """One message of a training: `level` from 1, `step` of `steps` over all levels, `fraction` of the work from 0 to 1.

    `seconds` is the time so far, `seconds_left` the estimate, `losses` the latest of each kind, `rate_cuts` how often
    the training was taken back to lower rates.
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
