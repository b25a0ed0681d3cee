"""Detection of a device to train on, without PyTorch: a graphics card of a known vendor, or the processor."""

from __future__ import annotations

import ctypes
import importlib
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAKERS = {"10de": "NVIDIA", "1002": "AMD", "8086": "Intel"}
"""PCI vendor → maker, best first."""

BACKENDS = {"NVIDIA": "cuda", "AMD": "rocm", "Intel": "xpu", "Apple": "mps", "": "cpu"}
"""Maker → backend, in PyTorch's names of its builds; the empty maker is the processor."""

DISPLAY_CLASSES = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""Key of the display adapters in the Windows registry."""


@dataclass(frozen=True)
class Device:
    """Device to train on: its maker (empty for the processor) and its name."""

    maker: str
    name: str

    @property
    def backend(self) -> str:
        return BACKENDS[self.maker]


def find_device(root: Path = Path("/")) -> Device:
    """Return the best device to install PyTorch for; `root` is the root of Linux' file system."""
    return find_devices(root)[0]


def find_devices(root: Path = Path("/")) -> list[Device]:
    """Return all devices to install PyTorch for, the best maker first, the processor last."""
    processor = Device("", "Processor")
    if sys.platform == "darwin":
        return [Device("Apple", "Apple GPU"), processor] if platform.machine() == "arm64" else [processor]
    cards = list(_windows_cards() if sys.platform == "win32" else _linux_cards(root))
    return [*sorted(cards, key=lambda card: list(MAKERS.values()).index(card.maker)), processor]


def runs_under_rosetta() -> bool:
    """Return whether this is a program for Macs with Intel on one with Apple silicon."""
    if sys.platform != "darwin" or platform.machine() != "x86_64":
        return False
    translated, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
    ask = ctypes.CDLL(None).sysctlbyname
    failed = ask(b"sysctl.proc_translated", ctypes.byref(translated), ctypes.byref(size), None, 0)
    return not failed and translated.value == 1


def named_cards(maker: str, root: Path = Path("/")) -> list[str]:
    """Return the names of a maker's cards, as far as the system has them."""
    return [card.name for card in find_devices(root) if card.maker == maker and card.name != _nameless(maker)]


def _nameless(maker: str) -> str:
    return f"{maker} graphics card"


def _linux_cards(root: Path) -> Iterator[Device]:
    """Yield the display controllers on the PCI bus (class 03…) that PyTorch supports."""
    for folder in sorted((root / "sys/bus/pci/devices").glob("*")):
        try:
            kind, vendor = (folder / "class").read_text().strip(), (folder / "vendor").read_text().strip()
        except OSError:
            continue
        maker = MAKERS.get(vendor.removeprefix("0x"))
        if maker is None or not kind.startswith("0x03"):
            continue
        # The integrated GPU of Intel processors has this address; it is no faster than the processor.
        if maker == "Intel" and folder.name.endswith("00:02.0"):
            continue
        # ROCm needs the kernel's compute driver.
        if maker == "AMD" and not (root / "dev/kfd").exists():
            continue
        yield Device(maker, _linux_name(root, folder.name) or _nameless(maker))


def _linux_name(root: Path, address: str) -> str:
    """Read the card's name from the files of NVIDIA's driver; its tools would take a second."""
    try:
        lines = (root / "proc/driver/nvidia/gpus" / address / "information").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Model:")), "")


def _windows_cards() -> Iterator[Device]:
    """Yield the display adapters of Windows' registry that PyTorch supports."""
    registry: Any = importlib.import_module("winreg")  # Windows only
    try:
        classes = registry.OpenKey(registry.HKEY_LOCAL_MACHINE, DISPLAY_CLASSES)
    except OSError:
        return
    for number in range(32):
        try:
            with registry.OpenKey(classes, f"{number:04d}") as key:
                name = str(registry.QueryValueEx(key, "DriverDesc")[0])
                identity = str(registry.QueryValueEx(key, "MatchingDeviceId")[0]).lower()
        except OSError:
            continue
        for vendor, maker in MAKERS.items():
            # PyTorch has builds for Intel's Arc cards, and none for AMD's on Windows.
            usable = maker == "NVIDIA" or (maker == "Intel" and "arc" in name.lower())
            if f"ven_{vendor}" in identity and usable:
                yield Device(maker, name)
