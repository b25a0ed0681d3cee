"""Blender for an attempt: `bpy` in a process of its own, Riff installed in a user folder that several can share."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.faults.fault import patience

ROOT = Path(__file__).resolve().parents[3]
PYTHON_311 = ROOT / ".venv311/bin/python"
PYTHON_313 = ROOT / ".venv313/bin/python"
EXTENSION = "bl_ext.user_default.riff"

OPENING = """
import importlib, os, sys, time
from pathlib import Path
from tests.support.faults.blender import part, riff_in, tick_until
riff = riff_in(Path(sys.argv[1]))
import bpy
"""
"""Beginning of every script; `sys.argv[2:]` are its own arguments."""


def start_blender(
    script: str,
    folder: Path,
    *arguments: object,
    python: Path = PYTHON_311,
    before: Callable[[], None] | None = None,
    **environment: str,
) -> subprocess.Popen[str]:
    """Run a script in bpy with Riff enabled and its user folder in `folder`; stdout and stderr come together.

    The process leads a process group of its own, which `end_blender` ends; `before` runs in it before bpy is there.
    """
    command = [str(python), "-c", OPENING + script + "\nsys.stdout.flush()\nos._exit(0)\n", str(folder)]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=before,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
    )


def run_blender(script: str, folder: Path, *arguments: object, limit: float = 600.0, **more: Any) -> str:
    """Run a script in bpy to its end; returns its output. Raises AssertionError where it fails, crashes or hangs."""
    process = start_blender(script, folder, *arguments, **more)
    try:
        said, _ = process.communicate(timeout=limit * patience())
    except subprocess.TimeoutExpired:
        end_blender(process)
        said, _ = process.communicate()
        raise AssertionError(f"Blender hung for {limit * patience():.0f} s:\n{said[-3000:]}") from None
    finally:
        end_blender(process)
    if process.returncode:
        raise AssertionError(f"Blender ended with {process.returncode}:\n{said[-3000:]}")
    return said


def end_blender(process: subprocess.Popen[str]) -> None:
    """kill -9 for the process and what it has started in its group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def riff_in(folder: Path) -> ModuleType:
    """bpy is imported with its user folder in `folder`, Riff enabled there: installed from RIFF_ZIP where it is not."""
    os.environ["BLENDER_USER_RESOURCES"] = str(folder)
    import bpy

    addon_utils = importlib.import_module("addon_utils")  # bpy shows it the way: there is none before
    if (folder / "extensions/user_default/riff/blender_manifest.toml").exists():
        addon_utils.enable(EXTENSION, default_set=True)
    else:
        bpy.ops.extensions.package_install_files(
            filepath=os.environ["RIFF_ZIP"], repo="user_default", enable_on_install=True, overwrite=True
        )
    preferences: Any = bpy.context.preferences
    assert EXTENSION in preferences.addons, "Riff is not enabled"
    bpy.ops.wm.read_homefile(use_empty=True)
    return importlib.import_module(EXTENSION)


def part(name: str) -> Any:
    """A module of the enabled extension, such as “rig.background.jobs”."""
    return importlib.import_module(f"{EXTENSION}.{name}")


def tick_until(done: Callable[[], bool], seconds: float = 600.0) -> None:
    """Do the work of Blender's timer until `done`. Raises TimeoutError."""
    tick, until = part("state.timer").tick, time.monotonic() + seconds * patience()
    while not done():
        tick()
        if time.monotonic() > until:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.02)
    tick()
