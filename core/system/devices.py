"""Devices of PyTorch: the one to train on, and its name for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import RiffError

if TYPE_CHECKING:
    import torch


DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")
"""Names of devices to train on; PyTorch calls AMD's cards “cuda” too."""


def pick_device(wanted: str) -> torch.device:
    """The device asked for; “auto” takes CUDA where there is one, else the CPU.

    Raises RiffError where PyTorch finds no such device on this machine.
    """
    import torch  # late: PyTorch takes seconds to load

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
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
