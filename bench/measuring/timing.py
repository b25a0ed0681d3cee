"""Timing on a shared machine: many short rounds, contenders in turn, medians and spread."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Call = Callable[[], object]


@dataclass(frozen=True)
class Lap:
    """Wall seconds of one call, and processor seconds over all threads, which other load hardly changes."""

    seconds: float
    processor: float


def timed(call: Call, device: str = "cpu") -> Lap:
    """Time one call, including the work that it starts on the device."""
    wall, busy = time.perf_counter(), time.process_time()
    call()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return Lap(time.perf_counter() - wall, time.process_time() - busy)


def in_turn(calls: Mapping[str, Call], rounds: int, warm_up: int = 2, device: str = "cpu") -> dict[str, list[Lap]]:
    """Time every call once in each round, so that other load affects all of them alike."""
    for call in calls.values():
        for _ in range(warm_up):
            timed(call, device)
    laps: dict[str, list[Lap]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            laps[name].append(timed(call, device))
    return laps


def median(laps: Sequence[Lap]) -> float:
    return statistics.median(lap.seconds for lap in laps)


def spread(laps: Sequence[Lap]) -> dict[str, Any]:
    """Return median, quartiles and extremes in seconds, and the median of processor seconds; every value fits JSON."""
    seconds = sorted(lap.seconds for lap in laps)
    quarters = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 3
    return {
        "median": statistics.median(seconds),
        "quartiles": [quarters[0], quarters[2]],
        "lowest": seconds[0],
        "highest": seconds[-1],
        "rounds": len(seconds),
        "processor": statistics.median(lap.processor for lap in laps),
    }


def load() -> list[float]:
    """Return the load averages over the last 1, 5 and 15 minutes, where the system has them."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def with_threads(count: int, call: Call) -> Call:
    """Wrap a call so that PyTorch uses `count` threads for each product."""

    def run() -> object:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            return call()
        finally:
            torch.set_num_threads(before)

    return run
