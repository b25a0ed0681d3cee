"""Training processes that hang, lie, flood or leave others behind: Cancel and disabling take no two seconds."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts and signals of POSIX")

LIMIT_SECONDS = 2.0

ODD = {
    "says nothing": "exec sleep 60",
    "is deaf": "trap '' TERM INT HUP; while true; do sleep 1; done",
    "says one endless line": "exec tr '\\0' 'x' < /dev/zero",
    "says lines without end": "exec yes",
    "complains without end": "exec tr '\\0' 'x' < /dev/zero >&2",
    "complains in lines without end": "yes >&2",
    "floods with progress": (
        """exec yes '["progress", {"level": 1, "levels": 1, "step": 1, "steps": 9, "fraction": 0.1, "seconds": 1.0, """
        """"seconds_left": 1.0, "steps_per_second": 1.0}]'"""
    ),
    "leaves a grandchild with its output": "sleep 60 & sleep 0.3; exit 0",
}

LIES = {
    """echo '["state", "x"]'; echo '["end", "done"]'""": "ended without a model",
    """echo '["progress", {"level": "x"}]'; echo '["progress", 7]'; echo '["interim", "x"]'; exit 3""": "code 3",
    """echo '["failed", {"a": 1}]'""": "The training process failed",
    """echo '{"a": 1}'; echo '[]'; echo '[1, 2, 3]'; echo 'null'; exit 4""": "code 4",
    """python3 -c "print('[' * 100000)"; exit 5""": "code 5",
}


@pytest.fixture
def jobs(riff: ModuleType) -> ModuleType:
    return importlib.import_module(f"{riff.__name__}.rig.background.jobs")


@pytest.fixture
def begun(riff: ModuleType) -> Any:
    bpy.ops.riff.add_sample_dancer()
    motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(bpy.context.object)
    recipe = importlib.import_module(f"{riff.__name__}.core.model.recipe").RECIPES["fast"]
    return importlib.import_module(f"{riff.__name__}.core.training.checkpoint").Checkpoint(motion, recipe)


def python_that(does: str, tmp_path: Path) -> Path:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path


def ends_within(job: Any, seconds: float) -> None:
    """Tick until a job ends."""
    deadline = time.monotonic() + seconds
    while job.running and time.monotonic() < deadline:
        job.tick()
        time.sleep(0.01)
    assert not job.running
    job.join(seconds)


@pytest.mark.parametrize("how", ODD)
def test_cancel_waits_for_nobody(how: str, jobs: ModuleType, begun: Any, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    job = jobs.TrainingJob(begun, tmp_path / "m.safetensors", python=python_that(ODD[how], tmp_path))
    job.start()
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        job.tick()
        time.sleep(0.01)
    started = time.monotonic()
    job.cancel()
    ends_within(job, LIMIT_SECONDS)
    assert time.monotonic() - started < LIMIT_SECONDS
    assert "did not foresee" not in job.error
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert grown < 200, f"{grown} MB more"


@pytest.mark.parametrize(("does", "said"), LIES.items())
def test_a_lie_is_a_sentence(does: str, said: str, jobs: ModuleType, begun: Any, tmp_path: Path) -> None:
    job = jobs.TrainingJob(begun, tmp_path / "m.safetensors", python=python_that(does, tmp_path))
    job.start()
    ends_within(job, 20.0)
    assert job.state is jobs.State.FAILED
    assert said in job.error


def children() -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True)
    named = [int(pid) for pid in found.stdout.split()]
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in named}
    return [pid for pid, path in commands.items() if path.exists() and b"core.runs.worker" in path.read_bytes()]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the process")
@pytest.mark.parametrize("way", ["cancel", "disable"])
def test_a_stopped_process_is_killed(way: str, riff: ModuleType, jobs: ModuleType, begun: Any, tmp_path: Path) -> None:
    keep = tmp_path / "keep.safetensors"
    job = jobs.TrainingJob(begun, tmp_path / "m.safetensors", python=Path(sys.executable), keep=keep)
    job.start()
    deadline = time.monotonic() + 90.0
    while job.progress is None and job.running and time.monotonic() < deadline:
        job.tick()
        time.sleep(0.01)
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    started = time.monotonic()
    if way == "cancel":
        job.cancel()
        ends_within(job, LIMIT_SECONDS)
    else:
        addon_utils.disable(riff.__name__)
    try:
        assert time.monotonic() - started < LIMIT_SECONDS + 0.5, "disabling itself takes a moment"
        assert children() == []
        assert keep.exists()
        assert not job.path.exists()
    finally:
        if way == "disable":
            addon_utils.enable(riff.__name__)
