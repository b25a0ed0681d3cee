"""The device of PyTorch to train on, and what people call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import RiffError

if TYPE_CHECKING:
    import torch


DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")
"""What can be asked for; PyTorch calls AMD's cards “cuda” too."""


def pick_device(wanted: str) -> torch.device:
    """The device asked for; “auto” takes CUDA where there is one, else the CPU.

    Raises RiffError where PyTorch finds no such device on this machine.
    """
    import torch

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
        raise RiffError(f"“{wanted}” is no device that Riff knows.")
    if not there[kind]():
        raise RiffError(f"PyTorch finds no “{wanted}” device on this machine; choose another in Riff's preferences.")
    return torch.device(wanted)


def device_name(device: str) -> str:
    """What people call a device of torch: the name of the graphics card, or the processor's cores."""
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    if device.startswith("xpu"):
        return str(torch.xpu.get_device_name(device))
    if device == "mps":
        return "Apple GPU"
    if device == "cpu":
        from .threads import usable_cores

        return f"CPU, {usable_cores()} cores"
    raise RiffError(f"“{device}” is no device that Riff knows.")


def check_device(name: str) -> None:
    """Raises RiffError where PyTorch finds no such device on this machine."""
    import torch

    present: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name in present and not present[name]():
        raise RiffError(f"This PyTorch finds no “{name}” device on this machine; use --device cpu.")
