"""The task of a farm: train some clips of a job folder, each on its own, and say how each ended."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from ..errors import Cancelled, JobError, ModelError, RiffError
from ..files.held_open import reason_of
from ..files.lease import Lease, acquire_lease, lease_path, read_holder
from ..motion.clip_file import load_clip
from ..runs.run import run_with_text
from ..runs.state_file import go_on_from
from ..system.console import ProgressLine
from ..training.checkpoint import begin
from ..training.progress import Progress
from .job import Entry, FarmJob
from .manifest import prepare_outputs, read_job
from .pose_sheet import write_sheet

LOOK_AGAIN = 1.0
"""Seconds between two looks at a clip that another process is training."""


class TaskProgress:
    """Progress over all clips of a task: a line for people, or the lines that an OpenJD runtime understands."""

    def __init__(self, stream: TextIO, clips: int, openjd: bool) -> None:
        self.line = ProgressLine(stream)
        self.clips, self.done, self.openjd, self._shown = clips, 0, openjd, float("-inf")
        self.stream = stream
        self.name = ""

    def show(self, progress: Progress | None, text: str) -> None:
        share = (self.done + (progress.fraction if progress else 1.0)) / self.clips
        if not self.openjd:
            self.line.show(f"Clip {self.done + 1} of {self.clips}, “{self.name}”: {text}")
        elif progress is None or time.monotonic() - self._shown > 1.0:
            self._shown = time.monotonic()
            self.say(share, text)

    def say(self, share: float, text: str) -> None:
        status = f"“{self.name}”: {text}".replace("\n", " ")
        print(f"openjd_progress: {100 * share:.1f}\nopenjd_status: {status}", file=self.stream, flush=True)

    def wait(self, name: str, who: str) -> None:
        """Say, now and then, that another process is at a clip."""
        text = f"waits for {who}, which trains it"
        if not self.openjd:
            self.line.show(f"Clip {self.done + 1} of {self.clips}, “{name}”: {text}")
        elif time.monotonic() - self._shown > 30.0:
            self._shown = time.monotonic()
            print(f"openjd_status: “{name}”: {text}", file=self.stream, flush=True)

    def next(self, ending: str) -> None:
        self.done += 1
        if self.openjd:
            self.say(self.done / self.clips, ending)


def run_clips(
    job: FarmJob,
    entries: Sequence[Entry],
    should_stop: Callable[[], bool],
    *,
    device: str = "auto",
    threads: int | None = None,
    overwrite: bool = False,
    openjd: bool = False,
    stream: TextIO | None = None,
) -> dict[str, Any]:
    """Train each clip that has no model yet; a clip that fails leaves the others alone.

    A clip that another process is training comes last and is waited for: it is skipped when that has a model, and gone
    on with where that has died. Returns {"job", "trained", "skipped", "failed"}: names of clips, and the sentences of
    those that failed. A clip whose training was stopped goes on from its last state. Raises Cancelled, JobError
    where records cannot be written.
    """
    progress = TaskProgress(stream or sys.stderr, len(entries), openjd)
    task = _Task(job, progress, should_stop, device, threads, overwrite)
    with progress.line:
        waiting = list(entries)
        while waiting:
            held = [entry for entry in waiting if not task.attempt(entry)]
            if len(held) == len(waiting):
                task.wait_for(held[0])
            waiting = held
    return task.report


class _Task:
    """The clips of one task: what is asked for, and how each ended."""

    def __init__(
        self,
        job: FarmJob,
        progress: TaskProgress,
        should_stop: Callable[[], bool],
        device: str,
        threads: int | None,
        overwrite: bool,
    ) -> None:
        self.job, self.progress, self.should_stop = job, progress, should_stop
        self.device, self.threads, self.overwrite = device, threads, overwrite
        self.report: dict[str, Any] = {"job": job.name, "trained": [], "skipped": [], "failed": {}}

    def attempt(self, entry: Entry) -> bool:
        """Settle a clip: train it or see that it is done; False where another process is at it."""
        self.progress.name = entry.name
        if not self._skip(entry):
            lease = acquire_lease(self.job.training_path(entry))
            if lease is None:
                return False
            with lease:
                # Who had it before may have ended between the two looks.
                if not self._skip(entry) and not self._run_clip(entry, lease):
                    return False
        self.progress.next("failed" if entry.name in self.report["failed"] else "finished")
        return True

    def wait_for(self, entry: Entry) -> None:
        """Look again in a moment. Raises Cancelled."""
        self.progress.wait(entry.name, read_holder(lease_path(self.job.training_path(entry))).who)
        for _ in range(round(LOOK_AGAIN / 0.1)):
            if self.should_stop():
                raise Cancelled
            time.sleep(0.1)

    def _skip(self, entry: Entry) -> bool:
        done = self.job.is_done(entry) and not self.overwrite
        if done:
            self.report["skipped"].append(entry.name)
        return done

    def _run_clip(self, entry: Entry, lease: Lease) -> bool:
        """Train one clip and keep a record of how it ended; False where another process has taken it over."""
        started = time.perf_counter()
        try:
            if self.job.model_path(entry).is_dir():  # an hour of training would find no place for its model
                raise ModelError(f"“{self.job.model_path(entry)}” is a folder; remove it.")
            if self.overwrite:
                _forget(self.job, entry)
            self._train(entry, lease)
        except Cancelled:
            if lease.lost.is_set() and not self.should_stop():
                return False
            raise
        except JobError:
            raise
        except Exception as problem:
            error = self._sentence(problem)
            self.job.write_record(entry, state="failed", error=error, seconds=time.perf_counter() - started)
            self.report["failed"][entry.name] = error
        else:
            self.job.write_record(entry, state="done", seconds=time.perf_counter() - started)
            self._draw(entry)
            self.report["trained"].append(entry.name)
        return True

    def _sentence(self, problem: Exception) -> str:
        if isinstance(problem, RiffError):
            return str(problem)
        if isinstance(problem, MemoryError):
            return "There is not enough memory; use a machine with more, or a shorter clip."
        if isinstance(problem, OSError):
            return f"Cannot use “{problem.filename or 'a file'}”: {reason_of(problem)}."
        # Out of GPU memory and the like come as many types. The log has the rest; the other clips can still be done.
        traceback.print_exception(problem, file=self.progress.stream)
        return f"{type(problem).__name__}: {problem}".splitlines()[0]

    def _train(self, entry: Entry, lease: Lease) -> None:
        job = self.job
        clip = load_clip(job.clip_path(entry), entry.sha256)
        begun = replace(begin(clip.motion, job.recipe, job.seed), name=entry.name, rig=entry.rig)
        state, model = job.training_path(entry), job.model_path(entry)

        def should_stop() -> bool:
            return self.should_stop() or lease.lost.is_set()

        run_with_text(
            go_on_from(state, begun), model, state, self.progress.show, should_stop, self.device, self.threads
        )

    def _draw(self, entry: Entry) -> None:
        """A picture that cannot be drawn costs the clip nothing: the report tries again."""
        try:
            write_sheet(self.job.model_path(entry), self.job.sheet_path(entry))
        except RiffError as error:
            print(error, file=self.progress.stream)


def _forget(job: FarmJob, entry: Entry) -> None:
    for path in (job.model_path(entry), job.training_path(entry), job.record_path(entry), job.sheet_path(entry)):
        path.unlink(missing_ok=True)


def all_ended(job: FarmJob) -> bool:
    """Return whether each clip has a record, done or failed; the last task to end then writes the report."""
    names = {path.name for path in (job.folder / "records").iterdir()}
    return all(job.record_path(entry).name in names for entry in job.entries)


def any_failed(job: FarmJob) -> bool:
    """Return whether the last training of any clip failed."""
    return any(job.record(entry).get("state") == "failed" for entry in job.entries)


def open_job(folder: Path) -> FarmJob:
    """Read and check a job folder and make sure that its outputs can be written. Raises JobError before any work."""
    job = read_job(folder)
    prepare_outputs(folder)
    return job
