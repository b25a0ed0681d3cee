"""Inputs, random numbers and outputs of one iteration of a stage, as tensors of fixed sizes."""

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
    """Inputs of a stage for one iteration: random ones (B, C, T) for each critic step and one for the generator.

    `code` (1, C, T) leads to the reconstruction; at stage 1 it is the code itself and the base is zero.
    """

    random: list[Tensor]
    code: Tensor


@dataclass
class StepNoise:
    """Random inputs of one step, drawn on the CPU so that every device gets the same.

    `noise` is σ_i z_i (B, 1, T). A critic step also has `rows` (B·T,), the clip's rows that are shown, `mix` (B, 1, 1),
    the points of the gradient penalty between real and fake, and `buffer_plan` (4, B), as `SamplePool.draw` gives it,
    empty without a pool.
    """

    noise: Tensor
    rows: Tensor
    mix: Tensor
    buffer_plan: Tensor


@dataclass
class StageOutputs:
    """Outputs of an iteration: its samples, the loss of each kind, and the reconstruction where it was due."""

    samples: list[Tensor]
    losses: dict[str, Tensor]
    rebuilt: Tensor | None

    def tensors(self) -> list[Tensor]:
        """Return all tensors in one list, as `of` takes it."""
        return [*self.samples, *self.losses.values(), *([] if self.rebuilt is None else [self.rebuilt])]

    @staticmethod
    def of(tensors: Sequence[Tensor], samples: int, due: bool) -> StageOutputs:
        """Outputs from a flat list whose first tensors are so many samples."""
        kinds = KINDS if due else KINDS[:-1]
        losses = dict(zip(kinds, tensors[samples:], strict=False))
        return StageOutputs(list(tensors[:samples]), losses, tensors[-1] if due else None)


def to_tensors(inputs: StageInputs, noises: Sequence[StepNoise]) -> list[Tensor]:
    """Return all tensors of an iteration in one list, as `from_tensors` takes them."""
    drawn = [tensor for one in noises for tensor in (one.noise, one.rows, one.mix, one.buffer_plan)]
    return [inputs.code, *inputs.random, *drawn]


def from_tensors(tensors: Sequence[Tensor]) -> tuple[StageInputs, list[StepNoise]]:
    """Inputs and random numbers from the list that `to_tensors` made of them."""
    code, *rest = tensors
    steps = len(rest) // 5
    drawn = [rest[k : k + 4] for k in range(steps, len(rest), 4)]
    return StageInputs(rest[:steps], code), [StepNoise(*four) for four in drawn]
