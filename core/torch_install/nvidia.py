"""NVIDIA's cards and driver, read without PyTorch: by nvidia-smi, or by the driver's own library in a child process."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..system.child_process import ChildProcess, Ended, Flooded, python_command, python_environment

READ_SECONDS = 10.0
"""Seconds that a tool may take: a sleeping card wakes in two or three, and one that hangs never answers."""

QUERY = ("--query-gpu=name,compute_cap,driver_version,memory.total", "--format=csv,noheader,nounits")
"""Question to nvidia-smi; megabytes of memory come without their unit."""

MAX_LINES = 64
"""Lines of output that are looked at: a line is a card."""

DRIVER_OF_CUDA = {(13, 0): 580, (12, 6): 560, (12, 0): 525}
"""CUDA version that a driver supports → the oldest driver that does, newest first."""


@dataclass(frozen=True)
class NvidiaCard:
    """A graphics card: name, compute capability such as (7, 5), major number of its driver, megabytes of memory."""

    name: str
    compute: tuple[int, int]
    driver: int
    memory: int = 0


def read_cards(
    known: Sequence[str] = (),
    root: Path = Path("/"),
    tools: Sequence[Path] | None = None,
    seconds: float = READ_SECONDS,
) -> list[NvidiaCard]:
    """Return this machine's NVIDIA cards, the most capable first; empty where no tool tells.

    `known` are the names of the cards as the system has them, and `root` is the root of Linux' file system: a tool that
    names none of them, or another driver than the kernel's, speaks of another machine and is not believed. Takes up to
    `seconds` for each tool, so not for Blender's main thread.
    """
    driver = kernel_driver(root)
    for tool in _tools() if tools is None else tools:
        cards = parse_cards(_output([str(tool), *QUERY], dict(os.environ), seconds))
        if cards and _of_this_machine(cards, known, driver):
            return best_first(cards)
    command = python_command(Path(sys.executable), "core.torch_install.cuda_driver")
    cards = parse_cards(_output(command, python_environment(), seconds))
    if driver:
        cards = [NvidiaCard(card.name, card.compute, driver, card.memory) for card in cards]
    return best_first(cards)


def best_first(cards: Sequence[NvidiaCard]) -> list[NvidiaCard]:
    """Return cards by compute capability and memory, the best first."""
    return sorted(cards, key=lambda card: (card.compute, card.memory), reverse=True)


def parse_cards(lines: Sequence[str]) -> list[NvidiaCard]:
    """Return the cards of nvidia-smi's lines “name, 7.5, 580.65.06, 8192”; lines of another kind are left out."""
    cards = []
    for line in lines[:MAX_LINES]:
        found = re.fullmatch(
            r"\s*(\S.{0,99}?)\s*,\s*(\d{1,2})\.(\d)\s*,\s*(\d{2,4})(?:\.\d+)*\s*,\s*(.{1,40}?)\s*", line
        )
        if found:
            memory = int(found[5]) if re.fullmatch(r"\d{1,8}", found[5]) else 0  # [N/A] where it is shared
            cards.append(NvidiaCard(found[1], (int(found[2]), int(found[3])), int(found[4]), memory))
    return cards


def kernel_driver(root: Path = Path("/")) -> int:
    """Return the major number of the driver in Linux' kernel; 0 where it does not say."""
    try:
        text = (root / "proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    found = re.search(r"Kernel Module.*?\s(\d{2,4})\.\d", text)
    return int(found[1]) if found else 0


def _of_this_machine(cards: Sequence[NvidiaCard], known: Sequence[str], driver: int) -> bool:
    """Return whether a tool's cards are those that the system has."""
    if driver and any(card.driver != driver for card in cards):
        return False
    names = {_plain(name) for name in known}
    return not names or any(_plain(card.name) in names for card in cards)


def _plain(name: str) -> str:
    """Return a card's name without its maker and in one spelling."""
    return " ".join(name.lower().replace("nvidia", " ").split())


def _tools() -> list[Path]:
    """Return nvidia-smi where the driver puts it, then the one on PATH."""
    if sys.platform == "win32":
        windows = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"))
        programs = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
        places = [windows / "System32/nvidia-smi.exe", programs / "NVIDIA Corporation/NVSMI/nvidia-smi.exe"]
    else:
        places = [Path("/usr/bin/nvidia-smi"), Path("/run/current-system/sw/bin/nvidia-smi")]
    on_path = shutil.which("nvidia-smi")
    return [place for place in places if place.is_file()] + ([Path(on_path)] if on_path else [])


def _output(command: Sequence[str], environment: dict[str, str], seconds: float) -> list[str]:
    """Return the lines that a command says; none if it cannot be started, fails or does not end in time."""
    try:
        child = ChildProcess(command, environment)
    except OSError:
        return []
    lines: list[str] = []
    ended = _listen(child, lines.append, time.monotonic() + seconds)
    return lines if child.end(1.0 if ended else 0.0) == 0 and ended else []


def _listen(child: ChildProcess, take: Callable[[str], None], deadline: float) -> bool:
    """Hand over a child's lines; return True once it has ended by itself."""
    try:
        while time.monotonic() < deadline:
            line = child.line()
            if line is not None:
                take(line.rstrip("\r\n"))
    except Ended:
        return True
    except Flooded:
        return False
    return False
