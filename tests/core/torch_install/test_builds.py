"""NVIDIA's cards read from tools that may lie or hang, and the build of PyTorch that they get."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest

from core.torch_install.builds import choose_build
from core.torch_install.hardware import Device
from core.torch_install.nvidia import NvidiaCard, kernel_driver, parse_cards, read_cards
from core.torch_install.plan import plans, suggested

NVIDIA = Device("NVIDIA", "NVIDIA graphics card")
PASCAL = "NVIDIA GeForce GTX 1080, 6.1, 566.36, 8192"
LAPTOP = "NVIDIA GeForce RTX 3060 Laptop GPU, 8.6, 581.29, 6144"


def tool(folder: Path, script: str, name: str = "nvidia-smi") -> Path:
    """A tool that says what a shell script says."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def kernel(root: Path, driver: str) -> Path:
    """A Linux' file system with NVIDIA's kernel module."""
    place = root / "proc/driver/nvidia"
    place.mkdir(parents=True)
    module = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}  Tue Jul 1"
    (place / "version").write_text(f"{module}\nGCC version: 12\n")
    return root


def test_a_line_is_a_card_and_rubbish_is_none() -> None:
    said = [PASCAL, "", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "a, b, c, d"]
    assert parse_cards(said) == [NvidiaCard("NVIDIA GeForce GTX 1080", (6, 1), 566, 8192)]
    assert parse_cards(["NVIDIA GB10, 12.1, 580.95.05, [N/A]"]) == [NvidiaCard("NVIDIA GB10", (12, 1), 580, 0)]
    assert parse_cards(["x" * 100_000, "NVIDIA Tesla, [N/A], 390.1, 4096"]) == []


@pytest.mark.skipif(os.name == "nt", reason="tools are shell scripts")
def test_the_best_card_of_several_comes_first(tmp_path: Path) -> None:
    smi = tool(tmp_path, f"echo '{PASCAL}'; echo '{LAPTOP}'")
    cards = read_cards(root=tmp_path, tools=[smi])
    assert [card.compute for card in cards] == [(8, 6), (6, 1)]
    assert cards[0].memory == 6144


@pytest.mark.skipif(os.name == "nt", reason="tools are shell scripts")
@pytest.mark.parametrize(
    "script", ["sleep 60", "echo hello", f"echo '{PASCAL}'; exit 9", "yes rubbish", "head -c 100000 /dev/urandom"]
)
def test_a_tool_that_hangs_fails_or_babbles_gives_way_to_the_next(tmp_path: Path, script: str) -> None:
    started = time.monotonic()
    bad, good = tool(tmp_path / "bad", script), tool(tmp_path / "good", f"echo '{LAPTOP}'")
    assert [card.driver for card in read_cards(root=tmp_path, tools=[bad, good], seconds=1.5)] == [581]
    assert time.monotonic() - started < 15.0


@pytest.mark.skipif(os.name == "nt", reason="tools are shell scripts")
def test_a_tool_of_another_machine_is_not_believed(tmp_path: Path) -> None:
    smi = tool(tmp_path, f"echo '{PASCAL}'")
    assert read_cards(["NVIDIA GeForce RTX 4090"], tmp_path, [smi]) == [], "other cards"
    assert len(read_cards(["GeForce GTX 1080"], tmp_path, [smi])) == 1, "Windows leaves the maker out"
    root = kernel(tmp_path / "root", "580.65.06")
    assert kernel_driver(root) == 580
    assert read_cards(root=root, tools=[smi]) == [], "another driver than the kernel's"


@pytest.mark.skipif(sys.platform != "linux", reason="the driver's library is a stand-in")
def test_without_a_tool_the_drivers_library_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "cuda.c"
    source.write_text("""
#include <string.h>
#include <stddef.h>
int cuInit(unsigned f) { return 0; }
int cuDriverGetVersion(int *v) { *v = 12080; return 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(int *d, int n) { *d = n; return 0; }
int cuDeviceGetName(char *s, int n, int d) { strncpy(s, "NVIDIA TITAN V", n); return 0; }
int cuDeviceGetAttribute(int *p, int a, int d) { *p = a == 75 ? 7 : 0; return 0; }
int cuDeviceTotalMem_v2(size_t *m, int d) { *m = 12ull << 30; return 0; }
""")
    if os.system(f"cc -shared -fPIC -o {tmp_path}/libcuda.so.1 {source} 2>/dev/null"):
        pytest.skip("no compiler")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert read_cards(root=tmp_path, tools=[]) == [NvidiaCard("NVIDIA TITAN V", (7, 0), 560, 12288)]
    root = kernel(tmp_path / "root", "570.86.10")
    assert read_cards(root=root, tools=[])[0].driver == 570, "the kernel knows the number itself"


@pytest.mark.parametrize(
    ("name", "compute", "driver", "backend", "says"),
    [
        ("RTX 3060", (8, 6), 581, "cuda", "the build for CUDA 13"),
        ("RTX 2060", (7, 5), 580, "cuda", "compute capability 7.5"),
        ("RTX 5090", (12, 0), 580, "cuda", "CUDA 13"),
        ("RTX 4090", (8, 9), 566, "cuda12", "CUDA 13 needs driver 580"),
        ("H200", (9, 0), 525, "cuda12", "CUDA 13 needs driver 580"),
        ("GTX 1080", (6, 1), 581, "cuda12", "CUDA 13 leaves out this card"),
        ("GTX 960", (5, 2), 566, "cuda12", "leaves out this card"),
        ("V100", (7, 0), 525, "cuda12", "leaves out this card"),
        ("RTX 5090", (12, 0), 572, "cpu", "driver 580 or newer, and this machine has 572: update it at nvidia.com"),
        ("RTX 2060", (7, 5), 470, "cpu", "needs driver 580 or newer"),
        ("GTX 1080", (6, 1), 470, "cpu", "needs driver 525 or newer, and this machine has 470"),
        ("GTX 780", (3, 5), 470, "cpu", "no build for GTX 780 (compute capability 3.5, the least is 5.0)"),
    ],
)
def test_card_and_driver_decide(name: str, compute: tuple[int, int], driver: int, backend: str, says: str) -> None:
    choice = choose_build(NVIDIA, [NvidiaCard(name, compute, driver)])
    assert choice.backend == backend
    assert says in choice.reason
    assert name in choice.reason


def test_of_several_cards_one_that_can_compute_decides() -> None:
    new, old = NvidiaCard("RTX 5090", (12, 0), 572), NvidiaCard("GTX 1080", (6, 1), 572)
    choice = choose_build(NVIDIA, [old, new])
    assert (choice.backend, choice.values[0]) == ("cuda12", "GTX 1080")
    both = [NvidiaCard("GTX 1080", (6, 1), 581), NvidiaCard("RTX 3060", (8, 6), 581)]
    assert choose_build(NVIDIA, both).backend == "cuda"


def test_a_card_without_an_answering_driver_gets_the_processors_build_and_a_sentence() -> None:
    choice = choose_build(Device("NVIDIA", "GeForce RTX 3060"), [])
    assert choice.backend == "cpu"
    assert "GeForce RTX 3060 was found, and its driver does not answer" in choice.reason
    assert choose_build(Device("Apple", "Apple GPU"), []).backend == "mps"
    assert choose_build(Device("", "Processor"), []).backend == "cpu"


@pytest.mark.parametrize(
    ("maker", "backend", "python", "words"),
    [
        ("AMD", "rocm", "py311", "a card: the build for ROCm, untried by us"),
        ("AMD", "rocm", "py313", "a card: the build for ROCm, untried by us"),
        ("AMD", "cpu", "py314", "the hashes of PyTorch for ROCm are unknown; install it from a folder of wheels"),
        ("Intel", "cpu", "py311", "the hashes of PyTorch for XPU are unknown; install it from a folder of wheels"),
    ],
)
def test_cards_of_other_makers_get_a_build_with_hashes_or_a_sentence(
    maker: str, backend: str, python: str, words: str
) -> None:
    offered = plans("linux-x64", python)
    choice = choose_build(Device(maker, "a card"), [], {plan.backend for plan in offered if plan.hashed})
    assert choice.backend == backend
    assert words in choice.reason
    chosen = suggested(choice.backend, offered)
    assert chosen is not None
    assert chosen.backend == backend
    assert chosen.untried or backend == "cpu"


def test_rocm_and_its_compiler_come_from_pytorchs_own_index_by_hash() -> None:
    plan = suggested("rocm", plans("linux-x64", "py311"))
    assert plan is not None
    assert plan.torch == "2.8.0+rocm6.4"
    own = [group for group in plan.groups() if "--extra-index-url https://download.pytorch.org/whl/rocm6.4" in group]
    assert [re.findall(r"(?m)^([\w-]+)==", group) for group in own] == [["pytorch-triton-rocm"], ["torch"]]
    assert all("--hash=sha256:" in group for group in plan.groups())


@pytest.mark.parametrize("system", ["linux-x64", "windows-x64"])
@pytest.mark.parametrize("python", ["py311", "py313", "py314"])
@pytest.mark.parametrize(("backend", "local"), [("cuda", "cu130"), ("cuda12", "cu126")])
def test_every_cuda_build_is_pinned_by_hash(system: str, python: str, backend: str, local: str) -> None:
    plan = suggested(backend, plans(system, python))
    assert plan is not None
    assert (plan.backend, plan.hashed) == (backend, True)
    # PyPI's own files for Linux are those of CUDA 13.
    assert plan.torch.endswith(f"+{local}") or (system, backend) == ("linux-x64", "cuda")
    of_torch = next(group for group in plan.groups() if "torch==" in group)
    assert re.findall(r"--extra-index-url (\S+)", of_torch) == (
        [f"https://download.pytorch.org/whl/{local}"] if "+" in plan.torch else []
    )
    nvidia = [group for group in plan.groups() if group.startswith("nvidia-")]
    assert bool(nvidia) == (system == "linux-x64"), "Windows' wheel has its libraries inside"
    if nvidia and backend == "cuda12":
        assert "cuda-toolkit==12.6" in plan.path.read_text(encoding="utf-8")
