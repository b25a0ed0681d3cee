"""What crowd is asked for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wish:
    """What crowd is asked for: `count` members that move for `frames` rows at the pool's rate.

    Each starts up to `phase` rows into its motion and is larger or smaller by up to `uneven` (0.1: a tenth). Of `pool`
    candidates for each member the most different are taken. `first` is the number of the first candidate of the `seed`.
    With `centred` the middle of a path comes to stand on a spot, else its start.
    """

    count: int
    frames: int
    seed: int
    first: int = 0
    phase: int = 0
    uneven: float = 0.0
    pool: float = 3.0
    centred: bool = True


@dataclass
class Figures:
    """What became of a crowd so far: how far the two most alike are apart, how far members are from the source, by
    local diversity; and how many found no place."""

    tried: int = 0
    homeless: int = 0
    smallest: float = float("inf")
    from_source: list[float] = field(default_factory=list)
