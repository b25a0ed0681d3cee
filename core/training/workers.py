"""Threads: one for each product, since waking a second costs more than it does, and two workers where that pays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

TRIAL_RUNS = (True, False, False, True, True, False, False, True)
"""Order of the trial runs, True for side by side: both ways meet even and odd runs, which differ in work."""

RUNS_BEFORE_RETRIAL = 100
"""Runs of the chosen way after which the other one is tried once more: other programs come and go."""

RETRIAL_SHARE = 0.9
"""The other way must take at most this share of the time for the choice to be made anew."""


@dataclass(frozen=True)
class TorchSettings:
    """PyTorch's own: threads for each product, and whether CUDA rounds factors to TF32 (products, convolutions)."""

    threads: int
    tf32: tuple[bool, bool]

    @staticmethod
    def now() -> TorchSettings:
        tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        return TorchSettings(torch.get_num_threads(), tf32)

    def use(self) -> None:
        torch.set_num_threads(self.threads)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = self.tf32


class SideBySideChoice:
    """Choice of the faster of two ways to run tasks, side by side or in turn, timed while both do the work in turn."""

    def __init__(self) -> None:
        self._laps: dict[bool, list[float]] = {True: [], False: []}
        self._chosen: bool | None = None
        self._runs = 0

    def side_by_side(self) -> bool:
        """The way to take for the next run."""
        if self._chosen is None:
            return TRIAL_RUNS[self._runs]
        return self._chosen != (self._runs >= RUNS_BEFORE_RETRIAL)

    def took(self, side_by_side: bool, seconds: float) -> None:
        """Learn how long a run took."""
        if self._chosen is None:
            self._laps[side_by_side].append(seconds)
            self._runs += 1
            if self._runs == len(TRIAL_RUNS):
                self._chosen = min(self._laps[True]) <= min(self._laps[False])
                self._runs = 0
        elif side_by_side == self._chosen:
            self._runs += 1
            self._laps[side_by_side] = [*self._laps[side_by_side][1:], seconds]
        else:
            self._runs = 0
            if seconds < RETRIAL_SHARE * min(self._laps[self._chosen]):
                self._chosen, self._laps = None, {True: [], False: []}  # the runs count from 0 again


class Workers:
    """Threads that run tasks side by side, or in turn where that has been faster, as on a busy machine.

    Results do not depend on the choice.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._pool = ThreadPoolExecutor(most, "riff-train", torch.set_num_threads, (1,))
        self._choice = SideBySideChoice()
        self._side_by_side = most > 1

    @contextmanager
    def lap(self) -> Iterator[None]:
        """One of many equal pieces of work, all of it done in the same way, whose time counts for the choice."""
        if self.most == 1:
            yield
            return
        self._side_by_side = self._choice.side_by_side()
        started = time.perf_counter()
        yield
        self._choice.took(self._side_by_side, time.perf_counter() - started)

    def map(self, call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results in the order of the items."""
        if not self._side_by_side or len(items) == 1:
            return [call(item) for item in items]
        return list(self._pool.map(call, items))

    def forget(self) -> None:
        """Choose anew: other work begins."""
        self._choice = SideBySideChoice()

    def close(self) -> None:
        self._pool.shutdown(wait=True)
