"""Files from strangers: a hundred thousand are read or refused in a sentence, quickly, in little memory."""

from __future__ import annotations

import atexit
import functools
import resource
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import RiffError
from core.farm.job import MANIFEST, Entry, FarmJob
from core.farm.manifest import read_job
from core.generation.generate import generate
from core.model.model_file import load_model, read_info
from core.motion.bvh import read_bvh
from core.motion.clip_file import load_clip
from core.training.checkpoint import load_checkpoint, read_checkpoint_info
from tests.support.faults.fault import Fault
from tests.support.faults.mutations import Mutation, mutate_bvh, mutate_clip, mutate_manifest, mutate_tensors
from tests.support.faults.sound_files import make_files

LONGEST = 2.0
"""Seconds of the processor that a file may take."""

MEMORY = 1 << 30
"""Bytes that reading may ask for beyond what the process has when it begins."""

GENERATED = 20
"""One of so many models that were read is made to move, too."""


@functools.cache
def sound() -> Path:
    """The folder of the sound files, made once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="riff-sound-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_files(folder)
    return folder


@functools.cache
def limit_memory() -> None:
    """From now on this process gets so much more memory than it has, and no more."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))


def limited(attempt: Callable[[int, Path], None]) -> Callable[[int, Path], None]:
    """The attempt in limited memory."""

    def within(seed: int, folder: Path) -> None:
        sound()
        limit_memory()
        attempt(seed, folder)

    return within


def survives(read: Callable[[Path], Any], path: Path) -> Any:
    """Result of `read`, or None where it refuses in one sentence. Raises AssertionError and the errors of `read`."""
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            # Numbers that are too large are refused by what they lead to; that numpy warns of them is no fault.
            warnings.simplefilter("ignore", RuntimeWarning)
            result = read(path)
    except RiffError as error:
        sentence = str(error)
        assert "\n" not in sentence.strip(), f"no sentence: {sentence}"
        assert len(sentence) < 8000, f"too long a sentence: {sentence[:200]}"
        result = None
    spent = time.process_time() - begun
    assert spent < LONGEST, f"took {spent:.1f} s"
    return result


def changed(name: str, mutation: Mutation, seed: int, folder: Path) -> Path:
    """A sound file, changed."""
    source = sound() / name
    path = folder / Path(name).name
    path.write_bytes(mutation(source.read_bytes(), np.random.default_rng([seed, len(name)])))
    return path


def try_model(seed: int, folder: Path) -> None:
    path = changed("model.safetensors", functools.partial(mutate_tensors, key="riff"), seed, folder)
    survives(read_info, path)
    model = survives(load_model, path)
    if model is not None:
        assert np.isfinite(model.source.features).all()
        if seed % GENERATED == 0:
            survives(lambda _: _finite(generate(model, frames=30, seed=seed, torch=False)[0]), path)


def try_checkpoint(seed: int, folder: Path) -> None:
    path = changed("training.safetensors", functools.partial(mutate_tensors, key="riff_training"), seed, folder)
    survives(read_checkpoint_info, path)
    survives(load_checkpoint, path)


def try_clip(seed: int, folder: Path) -> None:
    clip = survives(load_clip, changed("clip.clip", functools.partial(mutate_tensors, key="riff_clip"), seed, folder))
    if clip is not None:
        _finite(clip.motion)


def try_old_clip(seed: int, folder: Path) -> None:
    clip = survives(load_clip, changed("old.npz", mutate_clip, seed, folder))
    if clip is not None:
        _finite(clip.motion)


def try_bvh(seed: int, folder: Path) -> None:
    motion = survives(read_bvh, changed("clip.bvh", mutate_bvh, seed, folder))
    if motion is not None:
        _finite(motion)


def try_manifest(seed: int, folder: Path) -> None:
    path = changed(f"job/{MANIFEST}", mutate_manifest, seed, folder)
    (folder / "clips").mkdir()
    for clip in (sound() / "job/clips").iterdir():
        (folder / "clips" / clip.name).touch()
    job = survives(lambda _: read_job(folder), path)
    for entry in job.entries if job else ():
        paths = (job.clip_path(entry), job.model_path(entry), job.record_path(entry), job.training_path(entry))
        assert all(one.resolve().parent.parent == folder.resolve() for one in paths), f"leads outside: {entry}"
        survives(functools.partial(_record, job, entry), path)


def _record(job: FarmJob, entry: Entry, _: Path) -> Any:
    return job.record(entry)


def _finite(motion: Any) -> None:
    assert np.isfinite(motion.features).all(), "numbers that are not finite came through"


FAULTS = (
    Fault("a model from a stranger", limited(try_model), 30_000, 60.0),
    Fault("a checkpoint from a stranger", limited(try_checkpoint), 20_000, 60.0),
    Fault("a clip from a stranger", limited(try_clip), 20_000, 60.0),
    Fault("a clip of an earlier version (.npz) from a stranger", limited(try_old_clip), 20_000, 60.0),
    Fault("a BVH file from a stranger", limited(try_bvh), 15_000, 60.0),
    Fault("a manifest from a stranger", limited(try_manifest), 15_000, 60.0),
)
