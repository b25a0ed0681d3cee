"""The tests of `other_devices.py` in a process of their own: PyTorch counts devices once, at the first gradient."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_metal_and_xpu_by_a_stand_in_device() -> None:
    tests = Path(__file__).with_name("other_devices.py")
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=900)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
