"""*Enough* at odd moments, and to training processes that are dead, stopped, deaf or untrue."""

from __future__ import annotations

import importlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts and signals of POSIX")

LIMIT_SECONDS = 2.0

PROGRESS = (
    '["progress", {"level": 1, "levels": 4, "step": 1, "steps": 9, "fraction": 0.1, "seconds": 1.0, '
    '"seconds_left": 1.0, "steps_per_second": 1.0}]'
)

CHILDREN = {
    "ends with a model": """head -c 1 >/dev/null; cp {trained} "$MODEL"; echo '["end", "done"]'""",
    "dies of it": "head -c 1 >/dev/null; kill -9 $$",
    "is dead by then": "exit 7",
    "is deaf": "exec sleep 60",
    "stops itself": "kill -STOP $$; sleep 60",
    "has closed its input": """exec <&-; sleep 1; cp {trained} "$MODEL"; echo '["end", "done"]'""",
    "lies about a model": """head -c 1 >/dev/null; rm -f "$MODEL"; echo '["end", "done"]'""",
    "puts a folder in the model's place": """head -c 1 >/dev/null; rm "$MODEL"; mkdir "$MODEL"; exec sleep 60""",
    "measures for long": """echo '["phase", "Measuring quality"]'; head -c 2 >/dev/null; sleep 60""",
}
"""Shell scripts in the place of a training process that has told its progress and saved a model so far."""


@pytest.fixture
def jobs(riff: ModuleType) -> ModuleType:
    return importlib.import_module(f"{riff.__name__}.rig.background.jobs")


@pytest.fixture
def begin(riff: ModuleType, jobs: ModuleType, models: Path, trained: Path, tmp_path: Path) -> Callable[[str], Any]:
    """Begin a training “Dance” whose process does this, once it has made a model so far."""
    bpy.ops.riff.add_sample_dancer()
    motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(bpy.context.object)
    recipe = importlib.import_module(f"{riff.__name__}.core.model.recipe").RECIPES["fast"]
    checkpoint = importlib.import_module(f"{riff.__name__}.core.training.checkpoint").Checkpoint(motion, recipe)
    library = importlib.import_module(f"{riff.__name__}.rig.library.models")

    def start(does: str) -> Any:
        python = tmp_path / "python"
        said = f"echo '{PROGRESS}'; cp {trained} \"$MODEL\"; echo '[\"interim\", 0.1]'; "
        python.write_text(f'#!/bin/sh\nMODEL="$4"\n{said}{does.format(trained=trained)}\n')
        python.chmod(0o755)
        path, held = library.claim_new_model("Dance")
        job = jobs.TrainingJob(checkpoint, path, keep=library.checkpoint_path(path), python=python, claims=[held])
        jobs.submit(job)
        follow(riff, lambda: bool(job.interim) or not job.running)
        return job

    return start


def follow(riff: ModuleType, until: Callable[[], bool], seconds: float = 10.0) -> None:
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    limit = time.monotonic() + seconds
    while not until() and time.monotonic() < limit:
        tick()
        time.sleep(0.01)


def enough(**choices: Any) -> str:
    """Click Enough; return the sentence that refuses it, empty where it is taken."""
    try:
        bpy.ops.riff.end_training(**choices)
    except RuntimeError as error:
        return str(error)
    return ""


ENDS = {
    "ends with a model": ("DONE", ""),
    "dies of it": ("FAILED", "code -9"),
    "is dead by then": ("FAILED", "code 7"),
    "has closed its input": ("DONE", ""),
    "lies about a model": ("FAILED", "ended without a model"),
}
"""State and part of the error of a training whose process ends by itself."""


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("times", [1, 3])
def test_enough_of_a_process_that_ends(
    riff: ModuleType, begin: Callable[[str], Any], how: str, times: int, capfd: pytest.CaptureFixture[str]
) -> None:
    job = begin(CHILDREN[how])
    for _ in range(times):
        said = enough()
        assert said == "" or "No training has made a model yet" in said
    follow(riff, lambda: not job.running)
    state, error = ENDS[how]
    assert job.state.name == state
    assert error in job.error
    assert "did not foresee" not in job.error
    assert "No training has made a model yet" in enough()
    assert job.path.exists() == (how != "lies about a model")
    rows = bpy.context.window_manager.riff.models
    assert [row.name for row in rows] == (["Dance"] if job.path.exists() else [])
    assert [row.name for row in bpy.context.window_manager.riff.unfinished] == ["Dance"]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("then", ["cancel", "another file", "all stop"])
@pytest.mark.parametrize("how", [one for one in CHILDREN if one not in ENDS])
def test_enough_of_a_process_that_does_not_end(
    riff: ModuleType,
    jobs: ModuleType,
    begin: Callable[[str], Any],
    how: str,
    then: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    job = begin(CHILDREN[how])
    assert enough() == enough(name="Dance") == ""
    assert "has made no model yet" in enough(name="Other")
    time.sleep(0.3)
    if then == "another file":
        bpy.ops.wm.read_homefile(use_empty=True)
        assert enough() == ""
        assert job.running
    started = time.monotonic()
    if then == "all stop":
        jobs.stop_all()
    else:
        assert bpy.ops.riff.cancel_training() == {"FINISHED"}
        assert enough() == ""
        follow(riff, lambda: not job.running)
    assert time.monotonic() - started < LIMIT_SECONDS + 0.5
    assert job.state.name == "CANCELLED"
    assert job.error == ""
    assert job.keep.exists(), "the state is kept"
    assert not job.path.is_file(), "the model so far is taken back"
    assert "Traceback" not in capfd.readouterr().err


def test_enough_at_the_moment_of_the_end(riff: ModuleType, begin: Callable[[str], Any], trained: Path) -> None:
    """It has ended, and nobody has looked yet."""
    job = begin(f'cp {trained} "$MODEL"; echo \'["end", "done"]\'')
    job.join(10.0)
    assert job.running == (enough() == "")
    follow(riff, lambda: not job.running)
    assert job.state.name == "DONE"


def test_a_process_that_was_stopped_goes_on_where_it_was(
    riff: ModuleType, begin: Callable[[str], Any], trained: Path, tmp_path: Path
) -> None:
    """Enough reaches it when somebody lets it go on."""
    job = begin(f"echo $$ > {tmp_path}/pid; " + CHILDREN["ends with a model"])
    number = int((tmp_path / "pid").read_text())
    os.kill(number, signal.SIGSTOP)
    assert enough() == ""
    follow(riff, lambda: not job.running, 1.0)
    assert job.running
    os.kill(number, signal.SIGCONT)
    follow(riff, lambda: not job.running)
    assert job.state.name == "DONE"
