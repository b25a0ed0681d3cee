"""The task of a farm: train some clips of a job folder, each on its own, and say how each ended."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from .checkpoint import Checkpoint
from .clip_files import load_clip
from .errors import JobError, RiffError, TrainingStopped
from .job_folder import Entry, Job, prepare_outputs, read_job
from .progress import Progress
from .progress_line import ProgressLine


class TaskProgress:
    """Progress over all clips of a task: a line for people, or the lines that an OpenJD runtime understands."""

    def __init__(self, stream: TextIO, clips: int, openjd: bool) -> None:
        self.line = ProgressLine(stream)
        self.clips, self.done, self.openjd, self._shown = clips, 0, openjd, 0.0
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

    def next(self) -> None:
        self.done += 1
        if self.openjd:
            self.say(self.done / self.clips, "finished")


def run_clips(
    job: Job, entries: Sequence[Entry], should_stop: Callable[[], bool], *, device: str = "auto",
    threads: int | None = None, overwrite: bool = False, openjd: bool = False, stream: TextIO | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train each clip that has no model yet; a clip that fails leaves the others alone.

    Returns {"job", "trained", "skipped", "failed"}: names of clips, and the sentences of those that failed. A clip
    whose training was stopped goes on from its last state. Raises TrainingStopped, JobError where records cannot be
    written.
    """
    report: dict[str, Any] = {"job": job.name, "trained": [], "skipped": [], "failed": {}}
    progress = TaskProgress(stream or sys.stderr, len(entries), openjd)
    with progress.line:
        for entry in entries:
            progress.name = entry.name
            if job.is_done(entry) and not overwrite:
                report["skipped"].append(entry.name)
            else:
                error = _run_clip(job, entry, progress, should_stop, device, threads, overwrite)
                if error:
                    report["failed"][entry.name] = error
                else:
                    report["trained"].append(entry.name)
            progress.next()
    return report


def _run_clip(
    job: Job, entry: Entry, progress: TaskProgress, should_stop: Callable[[], bool], device: str,
    threads: int | None, overwrite: bool,
) -> str:  # fmt: skip
    """Train one clip and keep a record of how it ended; what was wrong, or nothing."""
    started = time.perf_counter()
    try:
        if overwrite:
            _forget(job, entry)
        _train(job, entry, progress, should_stop, device, threads)
    except (TrainingStopped, JobError):
        raise
    except RiffError as problem:
        error = str(problem)
    except MemoryError:
        error = "There is not enough memory; use a machine with more, or a shorter clip."
    except Exception as problem:
        # Out of GPU memory and the like come as many types. The log has the rest; the other clips can still be done.
        traceback.print_exc(file=progress.stream)
        error = f"{type(problem).__name__}: {problem}".splitlines()[0]
    else:
        job.write_record(entry, state="done", seconds=time.perf_counter() - started)
        _draw(job, entry, progress)
        return ""
    job.write_record(entry, state="failed", error=error, seconds=time.perf_counter() - started)
    return error


def _forget(job: Job, entry: Entry) -> None:
    for path in (job.model_path(entry), job.training_path(entry), job.record_path(entry), job.sheet_path(entry)):
        path.unlink(missing_ok=True)


def _train(
    job: Job, entry: Entry, progress: TaskProgress, should_stop: Callable[[], bool], device: str, threads: int | None,
) -> None:  # fmt: skip
    clip = load_clip(job.clip_path(entry), entry.sha256)
    from .training_file import go_on_from, run_with_text

    begun = Checkpoint(clip.motion, job.recipe, job.seed, entry.name, rig=entry.rig)
    state, model = job.training_path(entry), job.model_path(entry)
    run_with_text(go_on_from(state, begun), model, state, progress.show, should_stop, device, threads)


def _draw(job: Job, entry: Entry, progress: TaskProgress) -> None:
    """A picture that cannot be drawn costs the clip nothing: the report tries again."""
    from .pose_sheet import write_sheet

    try:
        write_sheet(job.model_path(entry), job.sheet_path(entry))
    except RiffError as error:
        print(error, file=progress.stream)


def all_ended(job: Job) -> bool:
    """Whether every clip has a record, done or failed: then whoever ended last writes the report."""
    names = {path.name for path in (job.folder / "records").iterdir()}
    return all(job.record_path(entry).name in names for entry in job.entries)


def any_failed(job: Job) -> bool:
    """Whether any clip's last training failed."""
    return any(job.record(entry).get("state") == "failed" for entry in job.entries)


def open_job(folder: Path) -> Job:
    """Read and check a job folder and make sure that its outputs can be written. Raises JobError before any work."""
    job = read_job(folder)
    prepare_outputs(folder)
    return job
