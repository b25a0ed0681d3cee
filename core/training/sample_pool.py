"""Past samples that the critic sees now and then instead of new ones, as GANimator's pool."""

from __future__ import annotations

import torch
from torch import Tensor


class SamplePool:
    """Replay buffer of the critic: `samples` (size + 1, C, T), the first `filled` in use; the last row takes discarded
    samples.

    Random choices are drawn on the CPU first, then applied to tensors of fixed sizes on any device, so that CUDA graphs
    can record them.
    """

    def __init__(self, size: int, sample: Tensor, random: torch.Generator) -> None:
        self.size, self.filled, self.random = size, 0, random
        self.samples = sample.new_zeros((size + 1, *sample.shape))

    def draw(self, count: int) -> Tensor:
        """Fates of `count` new samples (4, count): row shown or sample shown, row written, and 1 where a row is shown.

        Half of the time a past sample is shown and the new one takes its place; while the pool fills, every new one is
        kept and shown.
        """
        latest: dict[int, int] = {}
        shown, slots = [], [self.size] * count
        for number in range(count):
            place = self._place()
            if place is None:
                shown.append((self.size, number, 0))
                continue
            row, fresh = place
            before = latest.get(row)
            if fresh:
                shown.append((self.size, number, 0))
            else:
                shown.append((row, number, 1) if before is None else (self.size, before, 0))
            if before is not None:
                slots[before] = self.size
            latest[row] = number
            slots[number] = row
        rows, own, past = zip(*shown, strict=True)
        return torch.tensor([rows, own, slots, past])

    def _place(self) -> tuple[int, bool] | None:
        """Draw the row of the next sample and whether the row is new; None to discard the sample."""
        if self.filled < self.size:
            self.filled += 1
            return self.filled - 1, True
        if torch.rand((), generator=self.random) < 0.5:
            return int(torch.randint(0, self.size, (), generator=self.random)), False
        return None

    def exchange(self, new: Tensor, buffer_plan: Tensor) -> Tensor:
        """Return the samples for the critic (B, C, T) in place of new ones (B, C, T), following the plan of `draw`."""
        rows, own, slots, past = buffer_plan
        shown = torch.where(past[:, None, None] > 0, self.samples[rows], new[own])
        self.samples.index_copy_(0, slots, new)
        return shown
