"""Devices of PyTorch: the one to train on, and its name for people."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import RiffError
from .convolution import convolution_problem

if TYPE_CHECKING:
    import torch


DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")
"""Names of devices to train on; PyTorch calls AMD's cards “cuda” too."""
MAX_REASON = 100
"""Characters of the reason why a card is not taken."""


def pick_device(wanted: str) -> torch.device:
    """The device asked for; “auto” takes the first CUDA device on which a convolution comes out right, else the CPU.

    Raises RiffError where PyTorch finds no such device on this machine.
    """
    import torch  # late: PyTorch takes seconds to load

    if wanted == "auto":
        chosen = torch.device(_automatic()[0])
        if chosen.index:
            # CUDA graphs are recorded on the current device of the thread.
            torch.cuda.set_device(chosen)
        return chosen
    kind = wanted.partition(":")[0]
    there: dict[str, Callable[[], bool]] = {
        "cpu": lambda: True,
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "xpu": lambda: hasattr(torch, "xpu") and torch.xpu.is_available(),
    }
    if kind not in there:
        raise RiffError(f"Riff does not know a device “{wanted}”.")
    if not there[kind]():
        raise RiffError(f"PyTorch finds no “{wanted}” device on this machine; choose another one, such as “cpu”.")
    return torch.device(wanted)


def refused_cards() -> str:
    """Return the graphics cards that “auto” does not take, each with its reason, as one line; empty without any."""
    return _automatic()[1]


@functools.cache
def _automatic() -> tuple[str, str]:
    """Return the device that “auto” means, and the cards tried before it with what was wrong there.

    Convolutions are tried once in a process: they load libraries that a training needs too.
    """
    import torch  # late: PyTorch takes seconds to load

    refused: list[str] = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        device = f"cuda:{number}" if number else "cuda"
        problem = convolution_problem(device)
        if not problem:
            return device, "; ".join(refused)
        refused.append(f"{device_name(device)}: {problem[:MAX_REASON]}")
    return "cpu", "; ".join(refused)


def device_in_words(device: str, wanted: str) -> str:
    """Return the name of a device for people, with the cards that “auto” passed over."""
    passed = refused_cards() if wanted == "auto" else ""
    return device_name(device) + (f" (not on {passed})" if passed else "")


def device_name(device: str) -> str:
    """Name of a device for people: that of the graphics card, or the processor's cores."""
    import torch  # late: PyTorch takes seconds to load

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    if device.startswith("xpu"):
        return str(torch.xpu.get_device_name(device))
    if device == "mps":
        return "Apple GPU"
    if device == "cpu":
        from .threads import usable_cores  # late for the start-up time: it loads numpy

        return f"CPU, {usable_cores()} cores"
    raise RiffError(f"Riff does not know a device “{device}”.")
