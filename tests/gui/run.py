"""Run Riff in a real Blender window: `python tests/gui/run.py --zip dist/riff.zip`, pictures to out/gui.

Ends with 0 where a person's path went through, 3 where no such window can be had here (said loudly), else 1.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from root import Unavailable, find_root, mounted

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TRACES = ROOT / "tests/support/traces.py"
"""Module of the tests that scripts in the window use too; it lies beside them in there."""

PICTURES = (
    "1-empty",
    "2-dancer",
    "3-training",
    "4-cancelled",
    "5-trained",
    "6-generated",
    "7-playing",
    "8-kept",
    "9-live",
    "10-region",
    "11-undone",
    "12-dragged",
)
MARKS = (
    "summary 21 joints, feet 4",
    "training cancelled",
    "resumed done",
    "note True",
    "first result plays True",
    "row clicked, chosen 2 plays True",
    "kept 5",
    "pose moved True",
    "actions during preview 0",
    "live kept, shown True",
    "preview range True",
    "region is the preview range True",
    "undone",
    "region dragged True",
    "region moved True",
)
WIDE, SMALL = (1400, 960), (800, 520)
"""Sizes of the window in pixels; a small one is drawn quicker."""

MEANWHILE = (
    "escape: scenes Scene, training None",
    "undo: scenes Scene, creature at 0",
    "save: scenes Scene, objects Creature",
    "training: done",
    "deletion: variations left 0",
    "another file: scenes Scene, training None",
)

DIRECTING = (
    "composed",
    "one undo takes all alternatives back",
    "left after Esc 0",
    "loop",
    "crowd of 6",
    "one undo takes the crowd back",
)

SCREENS = (
    "command line: variations 5, model Sample Dance Instant",
    "command line: generated 5, first plays True",
    "recent file: variations 5, model Sample Dance Instant",
    "recent file: generated 5, first plays True",
    "full screen: made 3, first plays True",
    "two windows: 2",
    "two windows: all or nothing True, scenes Scene",
    "two windows: goes on in the first",
    "no viewport: made 2, first plays True",
)

IN_TIME = (
    "spans: made 1, plays True",
    "spans: one undo takes it back",
    "pins: made 1, plays True",
    "pins: hand at its place True",
    "pins: one undo takes it back",
    "amount: made 1, plays True",
    "amount: one undo takes it back",
)

COMPARING = (
    "the pictures move True",
    "ghosts 3, the character plays its own True",
    "a click on a ghost shows it",
    "kept the second, rejected the third, ghosts 2",
    "made again",
    "hidden True",
    "one undo shows them again",
)

NEWCOMER = (
    "first variation plays: 4 clicks",
    "torch loaded False",
    "the tenth is kept: 23 clicks",
    "PyTorch here False",
)

BESIDE = (
    ("newcomer", NEWCOMER, WIDE, ""),
    ("meanwhile", MEANWHILE, SMALL, ""),
    ("directing", DIRECTING, SMALL, ""),
    ("in_time", IN_TIME, SMALL, ""),
    ("choosing/comparing", COMPARING, SMALL, ""),
    ("screens", SCREENS, SMALL, "dancer_file.py"),
)
"""Scripts that run after the person's path, the marks of each, the size of its window, and the script that saves the
file with which it opens."""

BANNER = (204, 61, 61)
"""Colour of the banner with which the status bar shows an error."""


def run_in_window(
    root: Path,
    zip_path: Path,
    script: str,
    out: Path,
    seconds: int,
    size: tuple[int, int] = WIDE,
    *,
    by_hand: bool = True,
    first: str = "",
) -> str:
    """Install the extension in the root, run a script of this folder in a window of this size in pixels.

    Returns what it printed. Waits for another run in the same root to end. Only where it is done `by_hand`, pointer and
    keys can be simulated: Blender then never sleeps, and keeps a processor busy that it leaves to others else. The
    script `first` runs in the background before; it saves dancer.blend, with which the window then opens.
    """
    with open(root / "riff.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        option = "--enable-event-simulate" if by_hand else ""
        return _run_alone(root, zip_path, script, out, seconds, size, option, first)


def _run_alone(
    root: Path, zip_path: Path, script: str, out: Path, seconds: int, size: tuple[int, int], option: str, first: str
) -> str:
    width, height = size
    inside = root / "riff"
    shutil.rmtree(inside, ignore_errors=True)
    (inside / "out").mkdir(parents=True)
    shutil.copytree(HERE, inside / "gui")
    shutil.copyfile(TRACES, inside / "gui" / TRACES.name)
    shutil.copyfile(zip_path, inside / "riff.zip")
    (inside / "run.sh").write_text(
        "set -e\nblender --command extension install-file -r user_default -e /riff/riff.zip\n"
        + (f"blender --background --python-exit-code 1 --python /riff/gui/{first}\n" if first else "")
        + f"timeout --kill-after=10 {seconds} xvfb-run -a -s '-screen 0 {width}x{height}x24' blender "
        f"{'/riff/out/dancer.blend' if first else ''} "
        f"{option} --window-geometry 0 0 {width} {height} --python /riff/gui/{script}\n"
    )
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": "1",
        "BLENDER_USER_RESOURCES": "/riff/user",
        "RIFF_GUI_OUT": "/riff/out",
        "RIFF_GUI_SECONDS": os.environ.get("RIFF_GUI_SECONDS", "20"),
        "RIFF_GUI_SEED": os.environ.get("RIFF_GUI_SEED", "1"),
    }
    with mounted(root):
        done = subprocess.run(
            ["chroot", str(root), "bash", "/riff/run.sh"],
            env=environment,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(inside / "out", out, dirs_exist_ok=True)
    (out / "log.txt").write_text(done.stdout)
    return done.stdout


def problems_of(log: str, out: Path, root: Path) -> list[str]:
    """Problems on a person's path, a line each."""
    found = unfulfilled(log, MARKS)
    for name in PICTURES:
        path = out / f"{name}.png"
        if not path.exists():
            found.append(f"no picture {name}")
        elif banner_share(root, path) > 0.0005:
            found.append(f"an error banner in {name}")
    return found


def unfulfilled(log: str, wanted: Sequence[str]) -> list[str]:
    """Marks that a script did not make, and why."""
    found = [] if "GUI-DONE" in log else ["it did not come to its end"]
    found += [f"no mark “{mark}”" for mark in wanted if not any(mark in line for line in marks(log))]
    return found + [line for line in log.splitlines() if line.startswith(("RuntimeError", "AssertionError", "Error"))]


def marks(log: str) -> list[str]:
    return [line.removeprefix("GUI-MARK ") for line in log.splitlines() if line.startswith("GUI-MARK ")]


def banner_share(root: Path, path: Path) -> float:
    """Share of a picture's pixels that have the colour of an error banner."""
    command = ["chroot", str(root), "convert", "-", "-depth", "8", "rgb:-"]
    raw = subprocess.run(command, input=path.read_bytes(), stdout=subprocess.PIPE, check=True).stdout
    pixels = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3).astype(int)
    return float((np.abs(pixels - BANNER).max(axis=1) < 12).mean())


def _tell(name: str, log: str, started: float) -> None:
    for line in marks(log):
        print(line)
    print(f"── {name}: {time.monotonic() - started:.0f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run Riff in a real Blender window.")
    parser.add_argument("--zip", type=Path, default=ROOT / "dist/riff.zip", help="the built extension")
    parser.add_argument("--out", type=Path, default=ROOT / "out/gui", help="folder for pictures and log")
    parser.add_argument("--seconds", type=int, default=900, help="patience")
    options = parser.parse_args()
    try:
        root = find_root()
    except Unavailable as error:
        print(f"*** No Blender window: {error}. Nothing of the panel is tested by clicks. ***", flush=True)
        return 3
    shutil.rmtree(options.out, ignore_errors=True)
    started = time.monotonic()
    log = run_in_window(root, options.zip.resolve(), "person.py", options.out, options.seconds)
    problems = problems_of(log, options.out, root)
    _tell("person", log, started)
    for name, wanted, size, first in BESIDE:
        started = time.monotonic()
        folder = options.out / name
        log = run_in_window(root, options.zip.resolve(), f"{name}.py", folder, options.seconds, size, first=first)
        problems += [f"{name}: {problem}" for problem in unfulfilled(log, wanted)]
        _tell(name, log, started)
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(PICTURES)} pictures in {options.out}" if not problems else f"See {options.out / 'log.txt'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
