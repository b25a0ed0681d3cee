"""Cost of a farm's task compared with the plain command on the same clip: median processor seconds and seconds.

`python -m core train` measures the model's quality, as a task does, so the two are compared as they are. Each round
runs every way once. The clip is a part of the sample dance and is trained for a moment, so that mainly start-up,
quality measurement and the farm's overhead remain. Writes bench/results/farm.json and farm.md.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import RiffError
from core.farm.export import export_job
from core.farm.job import OUTPUT_FOLDERS, FarmJob
from core.model.recipe import FAST
from core.motion.clip_file import Clip

from .curve import RESULTS
from .measuring.machine import ROOT, circumstances, repeatable
from .measuring.table import write_json, write_whole
from .measuring.timing import Lap, load
from .measuring.training import SAMPLE, read_clip

CLIP_FRAMES = 120
TRAINING_SCALE = 0.0001
MANY_CLIPS = 3
"""Clips of the job that runs as one session; the runtime measures its first task and enlarges the next one."""

PLAIN, SHELL, TASK, REPORT, MANY = "plain", "job", "task", "report", "many"

NAMES = {
    PLAIN: "`python -m core train walk.clip`, one clip",
    SHELL: "`python -m core job`, one clip",
    TASK: "`openjd run --step Train`, one clip",
    REPORT: "`openjd run --step Report --run-dependencies`, one clip",
    MANY: f"the same with {MANY_CLIPS} clips, for each (the runtime makes two tasks of them)",
}
"""Name of each way in the table."""


def run(command: Sequence[object]) -> None:
    """Run a command to its end. Raises RiffError with its output if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RiffError(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}")


def measured(call: Callable[[], None]) -> Lap:
    """Measure the wall time of a call, and the processor time of its child processes with their descendants."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call()
    seconds, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Lap(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ways(one: FarmJob, many: FarmJob) -> dict[str, Callable[[], None]]:
    """Return each way of training, starting from a folder without results."""
    python, model = sys.executable, one.folder.parent / "m.safetensors"
    openjd = Path(python).with_name("openjd")
    clip = one.clip_path(one.entries[0])

    def session(job: FarmJob, *words: str) -> Callable[[], None]:
        template = job.folder / "template.yaml"
        return lambda: run(
            [
                openjd,
                "run",
                template,
                *words,
                "-p",
                f"Python={python}",
                "-p",
                "Device=cpu",
                "-p",
                f"JobFolder={job.folder}",
            ]
        )

    plain = [
        python,
        "-m",
        "core",
        "train",
        clip,
        "--out",
        model,
        "--scale",
        TRAINING_SCALE,
        "--device",
        "cpu",
        "--overwrite",
    ]
    return {
        PLAIN: lambda: run(plain),
        SHELL: lambda: run([python, "-m", "core", "job", one.folder, "--device", "cpu"]),
        TASK: session(one, "--step", "Train"),
        REPORT: session(one, "--step", "Report", "--run-dependencies"),
        MANY: session(many, "--step", "Report", "--run-dependencies"),
    }


def forget(*jobs: FarmJob) -> None:
    """Delete the results of the last run."""
    for job in jobs:
        for name in (*OUTPUT_FOLDERS, "report"):
            shutil.rmtree(job.folder / name, ignore_errors=True)


def rounds(one: FarmJob, many: FarmJob, count: int) -> dict[str, list[Lap]]:
    """Measure each way in turn, after one round that only warms file caches; return the laps per clip."""
    laps: dict[str, list[Lap]] = {name: [] for name in NAMES}
    for number in range(count + 1):
        for name, call in ways(one, many).items():
            forget(one, many)
            lap, clips = measured(call), len(many.entries) if name == MANY else 1
            if number:
                laps[name].append(Lap(lap.seconds / clips, lap.processor / clips))
        print(f"Round {number} of {count}", file=sys.stderr, flush=True)
    return laps


def rows(laps: dict[str, list[Lap]]) -> list[dict[str, Any]]:
    """Return medians, and the medians of each way's excess over the plain one of the same round."""
    plain = laps[PLAIN]
    return [
        {
            "way": NAMES[name],
            "processor": statistics.median(lap.processor for lap in mine),
            "seconds": statistics.median(lap.seconds for lap in mine),
            "processor_more": statistics.median(a.processor - b.processor for a, b in zip(mine, plain, strict=True)),
            "seconds_more": statistics.median(a.seconds - b.seconds for a, b in zip(mine, plain, strict=True)),
        }
        for name, mine in laps.items()
    ]


INTRODUCTION = """\
# What the farm path costs beside the plain command

`{command}`: {frames} frames of the clip “{clip}”, {joints} joints, recipe `fast` at one iteration a level,
{rounds} rounds of all ways in turn, medians of seconds. {date}, {cores} cores of {device}, PyTorch {torch},
load {load_before} before and {load_after} after. All of it is starting Python and PyTorch, calibrating and measuring
quality, which every way does; a task checks the job and draws a picture, too.

| | processor | seconds | processor more than plain | seconds more than plain |
|---|---:|---:|---:|---:|
"""


def page(report: dict[str, Any]) -> str:
    loads = {name: (report[name] or ["unknown"])[0] for name in ("load_before", "load_after")}
    told = {**report, **loads, "torch": report["versions"]["torch"]}
    lines = []
    for row in report["ways"]:
        more = [f"{row[key]:+.2f}" for key in ("processor_more", "seconds_more")]
        lines.append(f"| {row['way']} | {row['processor']:.2f} | {row['seconds']:.2f} | {' | '.join(more)} |\n")
    return INTRODUCTION.format(**told) + "".join(lines)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and return the report; every value fits JSON. Raises RiffError."""
    motion = read_clip(options.clip).slice(0, options.frames)
    with tempfile.TemporaryDirectory() as place:
        clips = [Clip(f"clip {number}", motion) for number in range(MANY_CLIPS)]
        recipe = FAST.scaled(TRAINING_SCALE)
        one = export_job(Path(place) / "one", "one", clips[:1], recipe)
        many = export_job(Path(place) / "many", "many", clips, recipe)
        before = load()
        laps = rounds(one, many, options.rounds)
    return {
        "clip": Path(options.clip).stem,
        "frames": motion.frames,
        "joints": motion.skeleton.joints,
        "rounds": options.rounds,
        "command": repeatable("bench.farm", options.given),
        "ways": rows(laps),
        "load_before": before,
        "load_after": load(),
        **circumstances(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.farm", description="What a farm's task costs.")
    parser.add_argument("--clip", default=SAMPLE, help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--frames", type=int, default=CLIP_FRAMES, help=f"frames of it to train on ({CLIP_FRAMES})")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is run (5)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    options = parser.parse_args(arguments)
    options.given = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        report = measure(options)
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    write_json(options.out / "farm.json", report)
    print(write_whole(options.out / "farm.md", page(report)).read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
