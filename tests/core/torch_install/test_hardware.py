"""PyTorch for each machine: devices found by the kernel's own files, and the pinned requirement files."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.system.threads import on_all_cores, usable_cores, working_cores
from core.torch_install import hardware
from core.torch_install.hardware import Device, find_device
from core.torch_install.plan import plans, suggested

ROOT = Path(__file__).resolve().parents[3]


def fake_pci(root: Path, **cards: str) -> Path:
    """A Linux' file system as far as graphics cards show in it: kind and vendor by address."""
    for address, text in cards.items():
        kind, vendor = text.split()
        place = root / "sys/bus/pci/devices" / address.replace("_", ":")
        place.mkdir(parents=True)
        (place / "class").write_text(f"{kind}\n")
        (place / "vendor").write_text(f"{vendor}\n")
    return root


@pytest.mark.skipif(sys.platform != "linux", reason="the file system of Linux")
def test_devices_are_found_by_what_the_kernel_says(tmp_path: Path) -> None:
    assert find_device(tmp_path).backend == "cpu"
    fake_pci(tmp_path / "i", **{"0000_00_02.0": "0x030000 0x8086"})
    assert find_device(tmp_path / "i").maker == "", "what sits in the processor is no help"
    fake_pci(tmp_path / "arc", **{"0000_03_00.0": "0x030000 0x8086"})
    assert find_device(tmp_path / "arc").backend == "xpu"
    root = fake_pci(tmp_path / "n", **{"0000_01_00.0": "0x030200 0x10de", "0000_02_00.0": "0x020000 0x10de"})
    information = root / "proc/driver/nvidia/gpus/0000:01:00.0/information"
    information.parent.mkdir(parents=True)
    information.write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n")
    assert find_device(root) == Device("NVIDIA", "NVIDIA H100 80GB HBM3")
    amd = fake_pci(tmp_path / "a", **{"0000_01_00.0": "0x030000 0x1002"})
    assert find_device(amd).backend == "cpu", "no driver to compute with"
    (amd / "dev").mkdir()
    (amd / "dev/kfd").touch()
    assert find_device(amd).backend == "rocm"


def test_finding_the_device_loads_nothing_heavy() -> None:
    code = "import sys, core.torch_install.hardware as d; d.find_device(); "
    code += "print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("system", ["linux-x64", "windows-x64", "windows-arm64", "macos-arm64"])
@pytest.mark.parametrize("python", ["py311", "py313"])
def test_every_platform_has_a_pinned_pytorch(system: str, python: str) -> None:
    offered = plans(system, python)
    assert offered
    assert suggested("cpu", offered) is not None or system == "macos-arm64"
    for plan in offered:
        text = plan.path.read_text(encoding="utf-8")
        assert f"torch=={plan.torch}" in text
        assert plan.download > 100
        assert plan.disk > plan.download
        groups = plan.groups()
        if "--hash" in text:
            assert all("--hash=sha256:" in group for group in groups), "one without a hash would be taken from anywhere"
            asked = [group.split("==")[0].split("\n")[-1] for group in groups if "--extra-index-url" in group]
            expected = ["pytorch-triton-rocm"] * (plan.backend == "rocm") + ["torch"] * ("+" in plan.torch)
            assert asked == expected, "for PyTorch's own alone"
        else:
            assert "--extra-index-url https://download.pytorch.org/" in text
        assert "numpy" not in text, "Blender brings its own"


def test_mac_with_intel_has_none() -> None:
    assert plans("macos-x64", "py311") == []


@pytest.mark.parametrize(
    ("machine", "translated", "expected"), [("x86_64", 1, True), ("x86_64", 0, False), ("arm64", 1, False)]
)
def test_blender_for_intel_on_apple_silicon_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, machine: str, translated: int, expected: bool
) -> None:
    class System:
        @staticmethod
        def sysctlbyname(name: bytes, value: Any, size: Any, *_: object) -> int:
            assert name == b"sysctl.proc_translated"
            value._obj.value = translated
            return 0

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: System)
    assert hardware.runs_under_rosetta() is expected


def test_one_core_is_left_to_blender() -> None:
    assert 1 <= working_cores() <= usable_cores()
    assert working_cores() == usable_cores() - 1 or usable_cores() <= 2
    assert on_all_cores(lambda x: x * x, range(7)) == [x * x for x in range(7)]
