"""Export of the files beside the clips of a job folder, with which a farm runs it: Riff's code and templates."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from string import Template

from .. import EXTENSION_ROOT
from ..errors import JobError
from ..files.held_open import remove_if_possible
from ..model.recipe import Recipe
from ..motion.clip_file import Clip
from .job import JOB_FORMAT, FarmJob, JobWriter, write_text

TEMPLATE = "template.yaml"
FLAMENCO = "riff_train.js"

TARGET_TASKS = 200
"""About as many tasks as an exported job has at least clips for: enough to spread, few enough to watch."""


def export_job(folder: Path, name: str, clips: Iterable[Clip], recipe: Recipe, seed: int = 0) -> FarmJob:
    """Make a job folder that is complete in itself, all or nothing. Raises JobError as `write_job` does."""
    writer = JobWriter(folder, name, recipe, seed)
    try:
        for clip in clips:
            writer.add(clip)
        job = writer.finish()
        complete_job(job)
        return job
    except BaseException:
        writer.discard()
        raise


def complete_job(job: FarmJob) -> None:
    """Add code, the OpenJD template and a Flamenco job type to a job folder, all or nothing. Raises JobError."""
    written: list[Path] = []
    try:
        _write_beside_clips(job, written)
    except OSError as error:
        _take_back(written, job.folder)
        raise JobError(f"The job in “{job.folder}” cannot be completed: {error.strerror or error}.") from error
    except BaseException:
        _take_back(written, job.folder)
        raise


def _write_beside_clips(job: FarmJob, written: list[Path]) -> None:
    """Write the files beside the clips, and add each that is new to the list first. Raises OSError, JobError."""

    def new(target: Path) -> Path:
        if not os.path.lexists(target):
            written.append(target)
        return target

    templates = EXTENSION_ROOT / "farm"
    core = EXTENSION_ROOT / "core"
    for module in sorted(core.rglob("*.py")):
        copy = new(job.folder / "code" / "core" / module.relative_to(core))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, copy)
    template = Template((templates / "openjd.yaml").read_text(encoding="utf-8"))
    shutil.copyfile(templates / "flamenco" / FLAMENCO, new(job.folder / FLAMENCO))
    count = len(job.entries)
    filled = template.substitute(
        name=json.dumps(_job_name(job.name), ensure_ascii=False),
        clips=f"0-{count - 1}" if count > 1 else "0",
        chunk=max(1, count // TARGET_TASKS),
        format=JOB_FORMAT,
    )
    write_text(new(job.folder / TEMPLATE), filled)


def _take_back(written: Iterable[Path], folder: Path) -> None:
    """Delete files that were written into a job's folder, and folders in it that are empty then. Raises nothing."""
    for path in written:
        remove_if_possible(path)
    with suppress(OSError):
        for place in sorted({parent for path in written for parent in path.parents}, reverse=True):
            if place.is_relative_to(folder) and place != folder and place.is_dir() and not any(place.iterdir()):
                place.rmdir()


def _job_name(name: str) -> str:
    """A name that OpenJD takes: one line of at most 128 characters, and no braces that it would fill in."""
    line = "".join(letter for letter in name if letter.isprintable()).replace("{{", "{ {")
    return line.strip()[:128] or "Riff"
