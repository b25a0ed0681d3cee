"""Export of the files beside the clips of a job folder, with which a farm runs it: Riff's code and templates."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from string import Template

from .. import EXTENSION_ROOT
from ..errors import JobError
from ..model.recipe import Recipe
from ..motion.clip_file import Clip
from .job import JOB_FORMAT, FarmJob, write_job, write_text

TEMPLATE = "template.yaml"
FLAMENCO = "riff_train.js"

TARGET_TASKS = 200
"""About as many tasks as an exported job has at least clips for: enough to spread, few enough to watch."""


def export_job(folder: Path, name: str, clips: Iterable[Clip], recipe: Recipe, seed: int = 0) -> FarmJob:
    """Make a job folder that is complete in itself. Raises JobError as `write_job` does."""
    job = write_job(folder, name, clips, recipe, seed)
    complete_job(job)
    return job


def complete_job(job: FarmJob) -> None:
    """Add code, the OpenJD template and a Flamenco job type to a job folder. Raises JobError."""
    templates = EXTENSION_ROOT / "farm"
    try:
        _copy_code(job.folder / "code" / "core")
        template = Template((templates / "openjd.yaml").read_text(encoding="utf-8"))
        shutil.copyfile(templates / "flamenco" / FLAMENCO, job.folder / FLAMENCO)
    except OSError as error:
        raise JobError(f"The job in “{job.folder}” cannot be completed: {error.strerror or error}.") from error
    count = len(job.entries)
    filled = template.substitute(
        name=json.dumps(_job_name(job.name), ensure_ascii=False),
        clips=f"0-{count - 1}" if count > 1 else "0",
        chunk=max(1, count // TARGET_TASKS),
        format=JOB_FORMAT,
    )
    write_text(job.folder / TEMPLATE, filled)


def _job_name(name: str) -> str:
    """A name that OpenJD takes: one line of at most 128 characters, and no braces that it would fill in."""
    line = "".join(letter for letter in name if letter.isprintable()).replace("{{", "{ {")
    return line.strip()[:128] or "Riff"


def _copy_code(target: Path) -> None:
    core = EXTENSION_ROOT / "core"
    for module in sorted(core.rglob("*.py")):
        copy = target / module.relative_to(core)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, copy)
