"""Faults while a training runs: Blender is killed, numbers grow beyond bounds, memory ends."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ModelError
from core.model.model import Model
from core.model.model_file import load_model
from core.model.recipe import FAST
from core.motion.bvh import write_bvh
from core.training import progress_reporter, snapshot
from core.training.checkpoint import Checkpoint, load_checkpoint, read_checkpoint_info, save_checkpoint
from core.training.progress import Progress
from tests.support.faults.blender import PYTHON_311, PYTHON_313, ROOT, end_blender, run_blender, start_blender
from tests.support.faults.fault import Fault, Lost, NotHere, patience
from tests.support.faults.processes import running
from tests.support.motions import walking_motion

TINY = replace(FAST, iterations=(6, 4, 3, 3), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)

OLDEST = 30.0
"""Seconds of training that may be lost when Blender is killed."""

MOVED_CLOCK = Path(__file__).with_name("moved_clock.c")

TRAIN = """
preferences = bpy.context.preferences.addons[riff.__name__].preferences
preferences.separate_process = sys.argv[2] == "process"
bpy.ops.riff.add_sample_dancer()
bpy.ops.riff.train(scale=float(sys.argv[3]), seed=int(sys.argv[4]))
job = part("rig.background.jobs").latest_training()
while job.running:
    part("state.timer").tick()
    if job.progress:
        print("AT", job.progress.seconds, job.progress.seconds_left, flush=True)
    time.sleep(0.1)
print("ENDED", job.state.value, job.error, flush=True)
"""
"""Arguments: “process” or “thread”, scale, seed."""

RESUME = """
preferences = bpy.context.preferences.addons[riff.__name__].preferences
preferences.separate_process = sys.argv[2] == "process"
part("state.session").refresh()
assert [row.name for row in bpy.context.window_manager.riff.unfinished] == ["Sample Dance"]
bpy.ops.riff.resume_training()
job = part("rig.background.jobs").latest_training()
tick_until(lambda: not job.running, 600.0)
assert job.state is part("rig.background.jobs").State.DONE, job.error
assert not list(part("rig.library.models").trainings_folder().iterdir())
"""


def killed_in_a_thread(seed: int, folder: Path) -> None:
    """Blender trains in a thread and is killed some time after a state was written."""
    killed(seed, folder, "thread", 0.2)


def killed_with_a_child(seed: int, folder: Path) -> None:
    """Blender trains in a child process and is killed; the child ends by itself and keeps its last state."""
    killed(seed, folder, "process", 0.03)


def killed(seed: int, folder: Path, way: str, scale: float, python: Path = PYTHON_311) -> None:
    state = folder / "extensions/.user/user_default/riff/trainings/Sample Dance.safetensors"
    blender = start_blender(TRAIN, folder, way, scale, seed, python=python)
    try:
        seconds = kill_under_way(blender, state, random.Random(seed), wait=way == "thread")
        until = time.monotonic() + 300.0 * patience()
        while running(group=blender.pid) and time.monotonic() < until:
            time.sleep(0.05)
        assert not running(group=blender.pid), "the child process did not end by itself"
    finally:
        end_blender(blender)
    kept = load_checkpoint(state)
    if seconds - kept.seconds > OLDEST:
        raise Lost(f"the state was of {seconds - kept.seconds:.0f} s before")
    run_blender(RESUME, folder, way, python=python, limit=600.0)
    resumed = load_model(folder / "extensions/.user/user_default/riff/models/Sample Dance.safetensors")
    assert_same(resumed, whole(kept))


def kill_under_way(blender: subprocess.Popen[str], state: Path, chance: random.Random, wait: bool) -> float:
    """kill -9, after a state was written where that is to be waited for; seconds of the training until then."""
    seconds, after, until = 0.0, chance.uniform(0.5, 4.0), 0.0
    assert blender.stdout is not None
    said = []
    for line in blender.stdout:
        said.append(line)
        if line.startswith("ENDED"):
            raise AssertionError("the training ended before Blender was killed: " + "".join(said[-3:]))
        if not line.startswith("AT"):
            continue
        seconds = float(line.split()[1])
        if not until and (not wait or read_checkpoint_info(state)["step"]):
            until = time.monotonic() + after
        if until and time.monotonic() > until:
            os.kill(blender.pid, signal.SIGKILL)
            blender.wait()
            return seconds
    raise AssertionError("Blender ended by itself:\n" + "".join(said[-20:]))


def whole(kept: Checkpoint) -> Model:
    """The model of the same training, never interrupted, matched above the level that its figures choose."""
    from core.runs.matched_choice import LevelChoice
    from core.training.train import resume

    choice = LevelChoice()
    begun = replace(kept, state={}, arrays={}, step=0, fraction=0.0, seconds=0.0, history=[])
    return choice.best(resume(begun, on_level=choice.compare, is_enough=choice.is_made))


def assert_same(one: Model, other: Model) -> None:
    for name, value in other.weights.items():
        if name not in one.weights or not np.array_equal(one.weights[name], value):
            raise Lost(f"{name} is not what an uninterrupted training gives")
    if (one.recipe, one.matched, one.sampling_noise) != (other.recipe, other.matched, other.sampling_noise):
        raise Lost("the model is sampled or matched in another way")


def damaged_checkpoint(seed: int, folder: Path) -> None:
    """A checkpoint cut short, or with a byte that is another: it is read as it was, or refused in a sentence."""
    path, chance = folder / "Walk.safetensors", random.Random(seed)
    save_checkpoint(Checkpoint(walking_motion(), FAST, seed, "Walk"), path)
    data = bytearray(path.read_bytes())
    if seed % 2:
        data = data[: chance.randrange(len(data))]
    else:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    for read in (load_checkpoint, read_checkpoint_info):
        try:
            read(path)
        except ModelError as sentence:
            if path.name not in str(sentence):
                raise


def not_a_number(seed: int, folder: Path) -> None:
    """A weight of a network at work becomes NaN or infinite at some step: taken back, told, and gone on with."""
    from core.training.stage import Stage
    from core.training.train import train

    chance, seen = random.Random(seed), list[Progress]()
    at, network = chance.randrange(1, sum(TINY.iterations)), chance.choice(["generator", "critic"])
    value = chance.choice([float("nan"), float("inf"), -float("inf")])
    snapshot.SNAPSHOT_SECONDS, progress_reporter.REPORT_SECONDS = chance.choice([0.0, 3.0]), 0.0

    def spoil(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) != at:
            return
        for found in gc.get_objects():
            if type(found) is Stage and found.steps:
                weights = next(iter(getattr(found, network).parameters())).data.view(-1)
                weights[chance.randrange(len(weights))] = value

    model = train(walking_motion(), TINY, spoil, seed=seed)
    assert all(np.isfinite(weight).all() for weight in model.weights.values()), "the model is spoilt"
    # A masked weight counts for nothing: then there was nothing to take back but what a snapshot or the end saw.
    assert seen[-1].rate_cuts == 1, "nobody was told"


def no_memory(seed: int, folder: Path) -> None:
    """A training that gets only so much more memory than PyTorch uses: it ends well, or with a sentence."""
    clip = folder / "walk.bvh"
    write_bvh(clip, walking_motion(20.0))
    room = random.Random(seed).randrange(1, 160)
    program = (
        "import re, resource, sys, torch, core.training.train, core.cli.main, core.cli.verbs\n"
        "used = int(re.search(r'VmSize:\\s+(\\d+)', open('/proc/self/status').read())[1]) * 1024\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (used + {room << 20},) * 2)\n"
        "sys.exit(core.cli.main.main(sys.argv[1:]))\n"
    )
    command = ["train", str(clip), "--out", str(folder / "m.safetensors"), "--scale", "0.002", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", program, *command], cwd=ROOT, capture_output=True, text=True, timeout=170 * patience()
    )
    if done.returncode == 0:
        load_model(folder / "m.safetensors")
        return
    assert done.returncode == 1, f"{room} MB: ended with {done.returncode}: {done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr, f"{room} MB: {done.stderr[-2000:]}"
    assert "memory" in done.stderr, f"{room} MB: {done.stderr[-2000:]}"
    assert not (folder / "m.safetensors").exists()


def clock_jumps(seed: int, folder: Path) -> None:
    """The system's clock goes back and forth by days while Blender trains and lists."""
    library, chance, now = folder / "moved_clock.so", random.Random(seed), folder / "clock"
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise NotHere("moving the clock of a process needs Linux and a C compiler")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(MOVED_CLOCK), "-ldl"], check=True)
    now.write_text("0")
    environment: dict[str, Any] = {"LD_PRELOAD": str(library), "MOVED_CLOCK": str(now)}
    python = PYTHON_313 if seed % 3 == 2 and PYTHON_313.exists() else PYTHON_311
    way = "process" if seed % 2 else "thread"
    blender = start_blender(TRAIN, folder / "user", way, 0.01, seed, python=python, **environment)
    times, said = [], []
    try:
        assert blender.stdout is not None
        for line in blender.stdout:
            said.append(line)
            if line.startswith("AT"):
                times.append(tuple(map(float, line.split()[1:])))
                now.write_text(str(chance.randrange(-400, 400) * 86400))
    finally:
        end_blender(blender)
    assert said[-1].startswith("ENDED done"), "".join(said[-20:])
    spent = [seconds for seconds, _ in times]
    assert spent == sorted(spent), "the time so far went back"
    assert spent[0] >= 0.0, "a time before the beginning was told"
    assert spent[-1] < 43_200.0, f"{spent[-1]:.0f} s were told"
    assert all(0.0 <= left < 43_200.0 for _, left in times), "no sensible time left was told"


FAULTS = (
    Fault("kill -9 of Blender that trains in a thread", killed_in_a_thread, 2, limit=900.0),
    Fault("kill -9 of Blender that trains in a child process", killed_with_a_child, 4, limit=600.0),
    Fault("a weight becomes NaN or infinite", not_a_number, 30),
    Fault("host memory ends while training", no_memory, 20),
    Fault("the clock goes back and forth while training", clock_jumps, 4, limit=400.0),
    Fault("checkpoint cut short or a bit flipped", damaged_checkpoint, 200),
)
