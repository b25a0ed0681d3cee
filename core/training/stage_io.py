"""What goes into one iteration of a stage and what comes out, as tensors of fixed sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

Task = Callable[[], tuple[list[Tensor], Tensor]]
Runner = Callable[[Sequence[Task]], list[tuple[list[Tensor], Tensor]]]
"""Computes gradients of independent tasks, one after the other or side by side."""

KINDS = ("critic", "adversarial", "contact", "reconstruction")
"""Losses in the order in which an iteration finds them; the last is there only where a reconstruction is due."""


@dataclass
class StageInputs:
    """What a stage starts from in one iteration: random ones (B, C, T) for each critic step and one for the generator.

    `code` (1, C, T) leads to the reconstruction; at stage 1 it is the code itself and the base is zero.
    """

    random: list[Tensor]
    code: Tensor


@dataclass
class StepNoise:
    """The random numbers of one step, drawn on the CPU: every device gets the same.

    σ_i z_i (B, 1, T); for a critic step also the clip's rows that are shown (B·T,), where the points of the gradient
    penalty lie (B, 1, 1) and the fates of the pool (4, B), empty without one.
    """

    noise: Tensor
    rows: Tensor
    mix: Tensor
    buffer_plan: Tensor


@dataclass
class StageOutputs:
    """What an iteration gives: the samples it made, the loss of each kind, and the reconstruction where it was due."""

    made: list[Tensor]
    losses: dict[str, Tensor]
    rebuilt: Tensor | None

    def tensors(self) -> list[Tensor]:
        """All of it in one list, as `of` takes it."""
        return [*self.made, *self.losses.values(), *([] if self.rebuilt is None else [self.rebuilt])]

    @staticmethod
    def of(tensors: Sequence[Tensor], made: int, due: bool) -> StageOutputs:
        kinds = KINDS if due else KINDS[:-1]
        losses = dict(zip(kinds, tensors[made:], strict=False))
        return StageOutputs(list(tensors[:made]), losses, tensors[-1] if due else None)


def to_tensors(bases: StageInputs, chances: Sequence[StepNoise]) -> list[Tensor]:
    """All tensors of an iteration in one list, as `from_tensors` takes them."""
    drawn = [tensor for chance in chances for tensor in (chance.noise, chance.rows, chance.mix, chance.buffer_plan)]
    return [bases.code, *bases.random, *drawn]


def from_tensors(tensors: Sequence[Tensor]) -> tuple[StageInputs, list[StepNoise]]:
    """What `to_tensors` was given."""
    code, *rest = tensors
    steps = len(rest) // 5
    drawn = [rest[k : k + 4] for k in range(steps, len(rest), 4)]
    return StageInputs(rest[:steps], code), [StepNoise(*four) for four in drawn]
