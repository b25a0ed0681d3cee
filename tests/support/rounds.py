"""Rounds of one operation: traces of each in memory, in the file and in Blender's lists."""

from __future__ import annotations

import ctypes
import gc
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import numpy as np

from tests.support.limits import part, train_a_little, use_model
from tests.support.traces import jobs_at_work

EXTENSION = "bl_ext.user_default.riff"
KINDS = [prop.identifier for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION"]
PYTHON_BLOCK_BYTES = 64
"""About the size of one of Python's small objects."""

FLAT = 0.05
"""Share by which memory in use may grow from the warm-up to the end."""


def resident() -> int:
    """Bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


class _Mallinfo(ctypes.Structure):
    """The C library's account of its memory (`mallinfo2`), in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *(
                "arena",
                "ordblks",
                "smblks",
                "hblks",
                "hblkhd",
                "usmblks",
                "fsmblks",
                "uordblks",
                "fordblks",
                "keepcost",
            ),
        )
    ]


def in_use() -> int:
    """Bytes that are in use: of the C library, in all its arenas, and of Python's small objects.

    Memory that was freed and that the system has not taken back yet is no one's; it depends on the machine.
    """
    gc.collect()
    account: Any = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if account is None:
        return resident()
    account.restype = _Mallinfo
    found = account()
    return int(found.uordblks + found.hblkhd) + PYTHON_BLOCK_BYTES * sys.getallocatedblocks()


def content() -> dict[str, list[str]]:
    """The names of everything in the file."""
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in KINDS}


def handlers() -> dict[str, list[str]]:
    """Every function that Blender calls at its events."""
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return {
        name: sorted(f"{one.__module__}.{one.__qualname__}" for one in found)
        for name, found in lists.items()
        if isinstance(found, list)
    }


def repeat(one: Callable[[], None], rounds: int, warm_up: int) -> float:
    """Memory in use after so many rounds, as a multiple of that after the warm-up; the file's content stays as it was.

    That is what is kept, not what the system has not taken back: see `in_use`.

    Both are of the straight line through the memory after each round: a single reading may be off by a few percent.

    Raises AssertionError where anything stays in the file, or handlers or threads do.
    """
    for _ in range(warm_up):
        one()
    before = (content(), handlers(), jobs_at_work())
    used, whole = [in_use()], [resident()]
    for _ in range(rounds - warm_up):
        one()
        used.append(in_use())
        whole.append(resident())
    assert (content(), handlers(), jobs_at_work()) == before
    print("MB in use after each round:", *(size >> 20 for size in used))
    print("MB that the process has:", *(size >> 20 for size in whole))
    a_round, start = np.polyfit(range(len(used)), used, 1)
    return float(1.0 + a_round * (rounds - warm_up) / start)


def generate_and_discard(rounds: int, warm_up: int, model: Path) -> float:
    """Generate two variations, with pictures, and discard them, again and again: the growth of memory."""
    use_model(model)
    bpy.ops.riff.add_sample_dancer()

    def one() -> None:
        assert bpy.ops.riff.generate(count=2, frames=120) == {"FINISHED"}
        assert bpy.ops.riff.discard_others() == {"FINISHED"}

    return repeat(one, rounds, warm_up)


def train_again(rounds: int, warm_up: int) -> float:
    """Train a little and delete the model, again and again, in threads of this process: the growth of memory."""
    bpy.ops.riff.add_sample_dancer()
    action: Any = bpy.context.object.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 75

    def one() -> None:
        train_a_little()
        assert bpy.ops.riff.remove_model() == {"FINISHED"}

    return repeat(one, rounds, warm_up)


def registered() -> dict[str, Any]:
    """Additions of an enabled extension to Blender."""
    pulses = (
        "state.timer:pulse",
        "state.live:pulse",
        "state.session:refresh",
        "state.armature_summary:update_summary",
        "state.rig_marks:update_box",
        "state.pytorch.installation:refresh",
        "state.pytorch.trial:refresh",
    )
    timers = [
        name
        for name in pulses
        for module, _, function in [name.partition(":")]
        if bpy.app.timers.is_registered(getattr(part(module), function))
    ]
    return {
        "types": sorted(name for name in dir(bpy.types)),
        "handlers": handlers(),
        "timers": timers,
        "operators": sorted(dir(bpy.ops.riff)),
        "threads": jobs_at_work(),
        "finders": [*map(repr, sys.meta_path)],
        "modules": sorted(name for name in sys.modules if name.startswith(EXTENSION)),
        "path": list(sys.path),
        "strips": len(part("panels.overlays.region_strips")._handles),
        "listeners": len(part("state.timer").listeners),
        "wishes": len(part("state.settings").live_setting_listeners),
        "commands": len(part("shell.command_line")._handle),
        "previews": len(part("state.loss_picture")._collections),
        "languages": bpy.app.translations.locales.count("de_DE"),
        "properties": [
            hasattr(owner, name)
            for owner in (bpy.types.Scene, bpy.types.WindowManager, bpy.types.Object)
            for name in ("riff", "riff_crowd", "riff_compose", "riff_compare")
        ],
    }


def disable_and_enable(times: int) -> None:
    """Nothing is added a second time, and what is there while disabled is the same each time."""
    # Once before: timers that a Blender without a window never calls may be left of other work.
    addon_utils.disable(EXTENSION)
    addon_utils.enable(EXTENSION)
    _run_first_timers()
    enabled = registered()
    disabled = None
    for _ in range(times):
        addon_utils.disable(EXTENSION)
        now = registered()
        disabled = disabled or now
        assert now == disabled
        assert now["operators"] == []
        assert not any(name.startswith("RIFF") for name in now["types"])
        addon_utils.enable(EXTENSION)
        _run_first_timers()
        again = registered()
        assert again == enabled, [key for key in enabled if enabled[key] != again[key]]


def _run_first_timers() -> None:
    """Do the work of a window's timers a moment after the extension was enabled."""
    for name in ("state.session", "state.pytorch.installation", "state.pytorch.trial"):
        refresh = importlib.import_module(f"{EXTENSION}.{name}").refresh
        if bpy.app.timers.is_registered(refresh):
            refresh()
            bpy.app.timers.unregister(refresh)
