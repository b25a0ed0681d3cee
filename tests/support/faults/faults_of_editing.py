"""A person who edits while Riff works, files at their limits, folders far away or read-only, rounds of the same."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.support.faults.blender import PYTHON_311, PYTHON_313, ROOT, run_blender
from tests.support.faults.fault import Fault, NotHere

READY = """
from tests.support.editing import at_random as editing
from tests.support import limits
from tests.support import rounds
bpy.context.preferences.addons[riff.__name__].preferences.separate_process = False
bpy.ops.wm.read_homefile(use_empty=True)
"""

WITH_MODEL = (
    READY
    + """
from tests.support.small_model import save_small_model
model = Path(sys.argv[1]) / "model.safetensors"
if not model.exists():
    save_small_model(riff, model)
    bpy.ops.wm.read_homefile(use_empty=True)
"""
)

NEW_NAMESPACE = 0x20000
"""CLONE_NEWNS: what is mounted from then on is this process's own."""


def edit_at_random(seed: int, folder: Path, *, python: Path, children: bool = False) -> None:
    """Sequences of random steps, shrunk to the shortest that goes wrong."""
    script = f"{WITH_MODEL}editing.edit_at_random(int(sys.argv[2]), model, examples=8, steps=40, children={children})"
    run_blender(script, folder, seed, python=python, limit=600)


def in_a_window(seed: int, folder: Path, *, minutes: float = 2.0) -> None:
    """Random steps by mouse, keys and operators in a real window, Blender playing."""
    command = [
        sys.executable,
        "tests/gui/run_editing.py",
        "--zip",
        os.environ["RIFF_ZIP"],
        "--out",
        str(folder),
        "--minutes",
        str(minutes),
        "--seed",
        str(seed),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 3:
        raise NotHere(done.stdout.strip())
    assert done.returncode == 0, done.stdout[-3000:]


def at_a_limit(seed: int, folder: Path, *, call: str, python: Path = PYTHON_311) -> None:
    run_blender((WITH_MODEL if "model" in call else READY) + call, folder, folder, python=python, limit=900)


def far_folder(seed: int, folder: Path, *, length: int, python: Path = PYTHON_311) -> None:
    """Trained, by a process of its own, in a user folder whose path is long and in no alphabet that there is."""
    far = folder / "Jürgen Groß 日本語 שלום 💃"
    while len(str(far / "extensions/.user/user_default/riff/models")) < length:
        far /= "länger"
    far.mkdir(parents=True)
    run_blender(READY + "limits.far_away()", far, python=python, limit=600, HOME=str(far))


def read_only_home(seed: int, folder: Path, *, python: Path = PYTHON_311) -> None:
    """Enabled, listed, read and generated in a home that nothing can be written to; training says so."""
    model = "limits.use_model(model)\nbpy.ops.wm.save_userpref()"
    run_blender(WITH_MODEL + model, folder, python=python, limit=400)
    try:
        run_blender(
            WITH_MODEL + "limits.unreachable_folder(model)",
            folder,
            python=python,
            HOME=str(folder),
            before=partial(make_read_only, folder),
            limit=400,
        )
    except subprocess.SubprocessError as error:
        raise NotHere(f"a folder can only be made read-only by root: {error}") from error


def make_read_only(folder: Path) -> None:
    """For this process and those that it starts, as a medium that cannot be written to. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NAMESPACE):
        raise OSError(ctypes.get_errno(), "no mount namespace of its own")
    for options in (
        ["--make-rprivate", "/"],
        ["--bind", str(folder), str(folder)],
        ["-o", "remount,ro,bind", str(folder)],
    ):
        subprocess.run(["mount", *options], check=True)


def flat(seed: int, folder: Path, *, call: str, python: Path = PYTHON_311) -> str:
    """Memory in the end within 5 % of that after the warm-up; returns what it is after each round."""
    measured = f"growth = {call}\nprint('growth', growth)\nassert growth < 1 + rounds.FLAT, growth"
    script = (WITH_MODEL if "model" in call else READY) + measured
    said = run_blender(script, folder, python=python, limit=900)
    return "\n".join(f"- {line}" for line in said.splitlines() if line.startswith("MB "))


def again(seed: int, folder: Path, *, times: int, python: Path = PYTHON_311) -> None:
    run_blender(f"{READY}rounds.disable_and_enable({times})", folder, python=python, limit=400)


_LIMITS = {
    "an action of 10,000 frames": "limits.large_action(12, 10_000)",
    "an armature of 500 bones": "limits.large_action(500, 120)",
    "200 actions in the file": "limits.many_actions(200, model)",
    "strange names of armature, bones, action": "limits.strange_names(Path(sys.argv[2]))",
    "strange names of models": "limits.strange_model_names(model, Path(sys.argv[2]))",
}

FAULTS = (
    Fault("random editing while Riff works, 4.5", partial(edit_at_random, python=PYTHON_311), 3, limit=700),
    Fault("random editing while Riff works, 5.2", partial(edit_at_random, python=PYTHON_313), 3, limit=700),
    Fault(
        "random editing while a process trains, 4.5",
        partial(edit_at_random, python=PYTHON_311, children=True),
        1,
        limit=700,
    ),
    Fault("random editing in a real window", in_a_window, 1, limit=1500),
    *(Fault(name, partial(at_a_limit, call=call), 1, limit=1000) for name, call in _LIMITS.items()),
    Fault(
        "strange names of armature, bones, action, 5.2",
        partial(at_a_limit, call="limits.strange_names(Path(sys.argv[2]))", python=PYTHON_313),
        1,
        limit=1000,
    ),
    Fault("user folder in other alphabets", partial(far_folder, length=0), 1, limit=900),
    Fault("user folder with a path of 250 characters", partial(far_folder, length=250), 1, limit=900),
    Fault(
        "user folder with a path of 250 characters, 5.2",
        partial(far_folder, length=250, python=PYTHON_313),
        1,
        limit=900,
    ),
    Fault("read-only home", read_only_home, 1, limit=900),
    Fault("read-only home, 5.2", partial(read_only_home, python=PYTHON_313), 1, limit=900),
    Fault(
        "100 times generated and discarded, memory flat",
        partial(flat, call="rounds.generate_and_discard(100, 15, model)"),
        1,
        limit=1000,
    ),
    Fault("20 trainings, memory flat", partial(flat, call="rounds.train_again(20, 4)"), 1, limit=1000),
    Fault("disabled and enabled ten times", partial(again, times=10), 1, limit=500),
    Fault("disabled and enabled ten times, 5.2", partial(again, times=10, python=PYTHON_313), 1, limit=500),
)
