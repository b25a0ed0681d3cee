"""Work that runs in a thread beside Blender, such as training a model.

The thread never touches bpy. It puts messages into a queue; `tick`, called on the main thread by a timer, a test or a
script, takes them out. Nothing here keeps a reference to Blender data.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ...core import HAS_INSTALLER
from ...core.errors import Cancelled, RiffError
from ...core.files.file_lock import FileLock
from ...core.runs.run import run_training
from ...core.system.log import log, unforeseen
from ...core.system.memory import as_memory_error, trim_malloc
from ...core.torch_trial.trial import is_own
from ...core.training.checkpoint import Checkpoint, load_checkpoint
from ...core.training.progress import Progress
from .child import NotStarted, run_in_child

NO_TORCH = (
    "PyTorch is not installed; click Install PyTorch in the Train panel, then try again."
    if HAS_INSTALLER
    else "Blender's Python has no PyTorch; name a Python that has it in Riff's preferences, or train on a farm."
)
"""Error of a training in a Python without PyTorch."""


STOP_ALL_SECONDS = 2.0
"""Longest time for which disabling the extension and quitting Blender wait for jobs."""


class State(Enum):
    """The state of a job; the last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def _python_ends(grace: float = 0.0) -> bool:
    """Return True if Python is shutting down, after waiting up to `grace` seconds for that.

    Python ends its main thread and waits for other threads before it runs any atexit function. Thread pools refuse work
    a moment earlier, hence the wait.
    """
    threading.main_thread().join(grace)
    return not threading.main_thread().is_alive()


class BackgroundJob:
    """A piece of work in a thread; subclasses do it in `_work` and send messages by `_send`.

    Read `state`, `error` (a sentence if the state is FAILED) and the attributes of subclasses on the main thread only.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.state = State.WAITING
        self.error = ""
        self._messages: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._stop = threading.Event()
        # not a daemon: Blender can abort if Python ends while a daemon thread is inside PyTorch
        self._thread = threading.Thread(target=self._run, name=label, daemon=False)

    @property
    def running(self) -> bool:
        return self.state in (State.WAITING, State.RUNNING)

    @property
    def begun(self) -> bool:
        """Return True once the thread was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        _jobs[:] = [job for job in _jobs if job.running or type(job) is not type(self)]
        _jobs.append(self)
        self.begin()

    def begin(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Ask the thread to stop; the state changes at a later tick, or at once if the thread was not started."""
        self._stop.set()
        if not self.begun:
            self.state = State.CANCELLED

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread to end; `tick` must still take its last messages."""
        if self.begun:
            self._thread.join(timeout)

    def tick(self) -> bool:
        """Take the thread's messages, without waiting; return True if there were any."""
        changed = False
        while self.running:
            try:
                kind, value = self._messages.get_nowait()
            except Empty:
                break
            self._receive(kind, value)
            changed = True
        return changed

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "state":
            self.state = value
        elif kind == "failed":
            self.state, self.error = State.FAILED, value

    def _send(self, kind: str, value: Any) -> None:
        self._messages.put((kind, value))

    def _should_stop(self) -> bool:
        return self._stop.is_set() or _python_ends()

    def _stop_if_asked(self) -> None:
        if self._should_stop():
            raise Cancelled

    def _run(self) -> None:
        # Two OpenMP threads that wait actively beside Blender's own slow training tenfold; torch reads this on loading.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self._send("state", State.RUNNING)
        try:
            with as_memory_error():
                self._work()
        except Cancelled:
            self._send("state", State.CANCELLED)
        except RiffError as error:
            log.note(f"{self.label}: {error}")
            self._send("failed", str(error))
        except ModuleNotFoundError as error:
            self._send("failed", NO_TORCH if error.name == "torch" else f"{self.label} failed: {error}.")
        except MemoryError:
            self._send("failed", f"{self.label} ran out of memory; try a shorter action.")
        except Exception as error:
            # the thread must not end without telling the user, whatever happened
            sentence = unforeseen(self.label, error)
            if not _python_ends(grace=0.5):
                traceback.print_exc()
            self._send("failed", sentence)
        else:
            self._send("state", State.DONE)

    def _work(self) -> None:
        raise RiffError(f"{self.label} has nothing to do.")


class TrainingJob(BackgroundJob):
    """Trains a model and saves it as `path`, a new file; from the checkpoint `keep` a later job can resume.

    `begun` is the training to start, or the file of a checkpoint to resume. With `python`, the training runs in a
    process of that interpreter. The job holds the `claims` on its files until it has ended.

    `expected` are the estimated seconds, None before they are measured. `progress` is the latest Progress, None before
    the first. `losses` has a row for each: fraction done, then losses of critic, generator and reconstruction.
    `problem` is a sentence while the disk refuses to store something. `interim` is the fraction done of the model so
    far in the file `path`, 0 before there is one.
    """

    def __init__(
        self,
        begun: Checkpoint | Path,
        path: Path,
        *,
        name: str = "",
        keep: Path | None = None,
        device: str = "auto",
        python: Path | None = None,
        claims: Sequence[FileLock] = (),
    ) -> None:
        super().__init__("Training")
        self.path, self.keep = path, keep
        self.name = name or path.stem
        self.expected: float | None = None
        self.progress: Progress | None = None
        self.device_name = self.phase = self.problem = ""
        self.losses: list[tuple[float, ...]] = []
        self.interim = 0.0
        self._enough = threading.Event()
        self._begun, self._device, self._python, self._claims = begun, device, python, claims

    def cancel(self) -> None:
        super().cancel()
        if not self.begun:
            self._release()

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Return the training to start; None for one that resumes from a file."""
        return None if isinstance(self._begun, Path) else self._begun

    def end_early(self) -> None:
        """Ask the training to end with the model so far."""
        self._enough.set()

    @property
    def ends_early(self) -> bool:
        """Return True once the training was asked to end."""
        return self._enough.is_set()

    def _release(self) -> None:
        for held in self._claims:
            held.release()

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "expected":
            self.expected = value
        elif kind == "device":
            self.device_name = value
        elif kind == "phase":
            self.phase = value
        elif kind == "problem":
            self.problem = value
        elif kind == "interim":
            self.interim = value
        elif kind == "progress":
            self.progress = value
            kinds = ("critic", "adversarial", "reconstruction")
            self.losses.append((value.fraction, *(value.losses.get(kind, 0.0) for kind in kinds)))
        super()._receive(kind, value)

    def _work(self) -> None:
        try:
            self._train()
        finally:
            self._release()
            trim_malloc()

    def _train(self) -> None:
        begun = load_checkpoint(self._begun) if isinstance(self._begun, Path) else self._begun
        begun = replace(begun, name=self.name)
        work = (begun, self.path, self._send, self._should_stop)
        if self._python is not None:
            try:
                run_in_child(
                    self._python,
                    *work,
                    keep=self.keep,
                    device=self._device,
                    claims=self._claims,
                    is_enough=self._enough.is_set,
                )
                return
            except (ModuleNotFoundError, NotStarted):
                # Blender's own Python can train without a process; one that the user chose is not replaced unasked.
                if not is_own(self._python):
                    raise
        run_training(*work, keep=self.keep, device=self._device, is_enough=self._enough.is_set, interim=True)


class EstimateJob(BackgroundJob):
    """Measures how long a training would take, in its own process, so that Blender need not load PyTorch yet.

    `expected` are the seconds and `device_name` is the device, once the job is DONE.
    """

    def __init__(self, begun: Checkpoint, python: Path) -> None:
        super().__init__("Estimating")
        self.expected: float | None = None
        self.device_name = ""
        self._begun, self._python = begun, python

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "expected":
            self.expected = value
        elif kind == "device":
            self.device_name = value
        super()._receive(kind, value)

    def _work(self) -> None:
        run_in_child(self._python, self._begun, None, self._send, self._should_stop)


_jobs: list[BackgroundJob] = []


def submit(job: TrainingJob) -> None:
    """Start a training, or queue it until those before it have ended."""
    busy = any(other.running for other in trainings())
    _jobs[:] = [other for other in _jobs if other.running or not isinstance(other, TrainingJob)]
    _jobs.append(job)
    if not busy:
        job.begin()


def trainings() -> list[TrainingJob]:
    """Return every training that runs or waits, and the one that ended last, in their order."""
    return [job for job in _jobs if isinstance(job, TrainingJob)]


def latest_training() -> TrainingJob | None:
    """Return the running training, else the one that ended last, else None."""
    return next((job for job in trainings() if job.running), None) or next(reversed(trainings()), None)


def any_running() -> bool:
    return any(job.running for job in _jobs)


def tick_all() -> tuple[bool, list[BackgroundJob]]:
    """Tick every job and start the next training in line; return True if anything changed, and the jobs that just
    ended.
    """
    running = [job for job in _jobs if job.running]
    news = [job.tick() for job in running]
    ended = [job for job in running if not job.running]
    waiting = [job for job in trainings() if job.running]
    if waiting and not waiting[0].begun:
        waiting[0].begin()
    return any(news) or bool(ended), ended


def stop_all() -> None:
    """Cancel every job and wait for its thread: well under a second, at most STOP_ALL_SECONDS.

    A thread that is loading PyTorch, or waits for a disk, ends by itself at its next step.
    """
    deadline = time.monotonic() + STOP_ALL_SECONDS
    for job in _jobs:
        job.cancel()
    for job in _jobs:
        job.join(max(0.0, deadline - time.monotonic()))
        job.tick()
    _jobs.clear()
