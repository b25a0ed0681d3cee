"""The process in which attempts of one fault are made: `python -m tests.soak.attempts FAULT FIRST LAST PIPE`.

Writes a line of JSON to the pipe before and after each attempt, so that whoever started it knows which one hangs
or ended the process.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.support.faults.fault import Fault, Lost, NotHere

FAULTS = Path(__file__).resolve().parents[1] / "support/faults"


def all_faults() -> Iterator[Fault]:
    """The faults of every module `faults_of_*.py` of tests/support/faults, by the modules' names."""
    for path in sorted(FAULTS.glob("faults_of_*.py")):
        yield from importlib.import_module(f"tests.support.faults.{path.stem}").FAULTS


def attempt(fault: Fault, seed: int) -> tuple[str, str]:
    """Make one attempt in a folder of its own; returns how it went, in a word, and what there is to say of it."""
    folder = Path(tempfile.mkdtemp(prefix="riff-soak-"))
    try:
        return "survived", fault.attempt(seed, folder) or ""
    except Lost as loss:
        return "lost", str(loss)
    except NotHere as reason:
        return "not here", str(reason)
    except Exception:
        return "failed", traceback.format_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    name, first, last, pipe = sys.argv[1], *map(int, sys.argv[2:5])
    fault = next(fault for fault in all_faults() if fault.name == name)
    with open(pipe, "w", encoding="utf-8") as answers:
        for seed in range(first, last):
            print(json.dumps({"seed": seed}), file=answers, flush=True)
            word, words = attempt(fault, seed)
            print(json.dumps({"seed": seed, "went": word, "words": words}), file=answers, flush=True)
    # bpy, where an attempt has imported it, may wait for ever at Python's end.
    os._exit(0)


if __name__ == "__main__":
    main()
