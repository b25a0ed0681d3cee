"""Work that runs beside Blender in a thread of its own: training a model, generating motions.

The thread never touches bpy. It puts messages into a queue, and `tick`, called on the main thread by a timer, by a test
or by a script, takes them out. Nothing here keeps a reference to Blender data.
"""

from __future__ import annotations

import os
import threading
import traceback
from dataclasses import replace
from enum import Enum
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ..core.errors import RiffError, TrainingStopped
from ..core.motion import RATE, Motion, resample
from ..core.progress import Progress
from ..core.recipe import Recipe

NO_TORCH = "PyTorch is missing from Blender's Python; install it as Riff's manual says, then try again."


class State(Enum):
    """How far a job is; the last three are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def _python_ends(grace: float = 0.0) -> bool:
    """Whether Python shuts down: it waits for our threads before it runs any atexit function, its main thread ended.

    `grace` seconds are waited for that: thread pools refuse work a moment earlier.
    """
    threading.main_thread().join(grace)
    return not threading.main_thread().is_alive()


class _Cancelled(Exception):
    """The work was asked to stop and has left nothing behind."""


class Job:
    """A piece of work in a thread; subclasses say what it is in `_work`, which sends messages by `_send`.

    Read `state`, `error` (a sentence where the state is FAILED) and what the subclass adds on the main thread only.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.state = State.WAITING
        self.error = ""
        self._messages: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._stop = threading.Event()
        # Not a daemon: one that is torn down inside PyTorch when Python ends can abort Blender.
        self._thread = threading.Thread(target=self._run, name=label, daemon=False)

    @property
    def running(self) -> bool:
        return self.state in (State.WAITING, State.RUNNING)

    def start(self) -> None:
        _jobs[:] = [job for job in _jobs if job.running or type(job) is not type(self)]
        _jobs.append(self)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the thread to stop; the state changes at a later tick."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread to end; its last messages are still to be taken by `tick`."""
        self._thread.join(timeout)

    def tick(self) -> bool:
        """Take the thread's messages; true where there were any. Never waits."""
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

    def _run(self) -> None:
        # Two OpenMP threads that wait actively beside Blender's own slow training tenfold; read when torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self._send("state", State.RUNNING)
        try:
            self._work()
        except (TrainingStopped, _Cancelled):
            self._send("state", State.CANCELLED)
        except RiffError as error:
            self._send("failed", str(error))
        except ModuleNotFoundError as error:
            self._send("failed", NO_TORCH if error.name == "torch" else f"{self.label} failed: {error}.")
        except MemoryError:
            self._send("failed", f"{self.label} needs more memory than is free; try a shorter action.")
        except Exception as error:
            # Whatever it is, the thread must not end without a word to the person who waits for it.
            if not _python_ends(grace=0.5):
                traceback.print_exc()
            self._send("failed", f"{self.label} failed: {type(error).__name__}: {error}")
        else:
            self._send("state", State.DONE)

    def _work(self) -> None:
        raise RiffError(f"{self.label} has nothing to do.")


class TrainingJob(Job):
    """Trains a model on a motion and saves it as `path`, a new file.

    `expected` are the seconds that it will take, measured before it begins (None until then); `progress` is the latest
    Progress or None before the first; `device` is as `core.train.train` takes it.
    """

    def __init__(
        self, motion: Motion, recipe: Recipe, path: Path, *, name: str = "", seed: int = 0, device: str = "auto",
    ) -> None:  # fmt: skip
        super().__init__("Training")
        self.recipe = recipe
        self.path = path
        self.name = name or path.stem
        self.expected: float | None = None
        self.progress: Progress | None = None
        self._motion = motion
        self._seed = seed
        self._device = device

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "expected":
            self.expected = value
        elif kind == "progress":
            self.progress = value
        super()._receive(kind, value)

    def _work(self) -> None:
        # Loading PyTorch takes seconds, so it happens here rather than when the extension is enabled.
        from ..core.estimate import expected_seconds
        from ..core.model import save_model
        from ..core.train import train

        self._send("expected", expected_seconds(self._motion, self.recipe, device=self._device))
        model = train(
            self._motion, self.recipe, self._report, self._should_stop, seed=self._seed, device=self._device,
        )  # fmt: skip
        save_model(replace(model, name=self.name), self.path)

    def _report(self, progress: Progress) -> None:
        self._send("progress", progress)


class GenerationJob(Job):
    """Generates `count` motions of `frames` rows at `fps` (None: as long as the source) from the model at `model_path`.

    `motions` and `model_name` are there once the job is DONE.
    """

    def __init__(self, model_path: Path, *, count: int, frames: int | None, fps: float, seed: int) -> None:
        super().__init__("Generating")
        self.model_name = ""
        self.motions: list[Motion] = []
        self._model_path = model_path
        self._count = count
        self._frames = frames
        self._fps = fps
        self._seed = seed

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "motions":
            self.model_name, self.motions = value
        super()._receive(kind, value)

    def _work(self) -> None:
        from ..core.generate import generate
        from ..core.model import load_model

        model = load_model(self._model_path)
        frames = None if self._frames is None else max(2, round((self._frames - 1) * RATE / self._fps) + 1)
        motions = generate(model, frames=frames, count=self._count, seed=self._seed)
        if self._should_stop():
            raise _Cancelled
        self._send("motions", (model.name, [resample(motion, self._fps) for motion in motions]))


_jobs: list[Job] = []


def latest_training() -> TrainingJob | None:
    """The training that runs or, where none does, the one that ended last."""
    return next((job for job in reversed(_jobs) if isinstance(job, TrainingJob)), None)


def any_running() -> bool:
    return any(job.running for job in _jobs)


def tick_all() -> tuple[bool, list[Job]]:
    """Tick every job: whether any had news, and those that have just ended."""
    running = [job for job in _jobs if job.running]
    news = [job.tick() for job in running]
    return any(news), [job for job in running if not job.running]


def stop_all() -> None:
    """Cancel every job and wait until its thread has ended: well under a second, or until PyTorch has loaded."""
    for job in _jobs:
        job.cancel()
    for job in _jobs:
        job.join()
        job.tick()
    _jobs.clear()
