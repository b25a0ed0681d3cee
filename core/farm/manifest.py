"""Reading and checking a job folder's manifest."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import JobError, RiffError
from ..files.fields import FieldError, Fields, as_utf8, open_regular, parse_json
from ..files.paths import is_plain_name, lies_in
from ..model.recipe import Recipe
from ..motion.clip_file import CLIP_SUFFIX, OLD_CLIP_SUFFIX
from .job import JOB_FORMAT, LARGEST, MANIFEST, MOST_CLIPS, OUTPUT_FOLDERS, Entry, FarmJob

MAX_STEM_BYTES = 200
"""Longest name of a clip's file without its suffix: those of its model, its lease and their unfinished files are up to
51 bytes longer, and file systems take 255."""

_SPAN = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def read_job(folder: Path) -> FarmJob:
    """Read a manifest and check it all: versions, every entry, every file that it names.

    Raises JobError, naming the entry, for a clip that is missing or named twice, and for what is no manifest of ours.
    """
    path = folder / MANIFEST
    try:
        with open_regular(path, LARGEST) as file:
            fields = Fields(parse_json(file.read(LARGEST)))
        check_format(fields.whole("riff_job", 0, 1 << 31), f"“{path}”")
        clips, seed = fields.items("clips", MOST_CLIPS), fields.whole("seed", 0, 2**32 - 1)
        name = as_utf8(fields.text("name", ""))
    except OSError as error:
        raise JobError(f"Cannot read “{path}”: {error.strerror or error}.") from error
    except FieldError as error:
        raise JobError(f"“{path}” is damaged or no manifest of Riff: {error}.") from error
    if not clips:
        raise JobError(f"“{path}” is damaged: it lacks clips.")
    entries = tuple(_entry(number, clip) for number, clip in enumerate(clips))
    _check_unique(entries)
    _check_present(folder, entries)
    return FarmJob(folder, name, _recipe(fields, path), seed, entries)


def check_format(number: int, what: str) -> None:
    """Raises JobError where a manifest or template, `what`, is newer than this Riff."""
    if number > JOB_FORMAT:
        raise JobError(f"{what} was made by a newer version of Riff (format {number}); update Riff on this machine.")


def _recipe(fields: Fields, path: Path) -> Recipe:
    try:
        return Recipe.from_json(fields.raw("recipe"))
    except (FieldError, RiffError) as error:
        reason = str(error).rstrip(".")
        raise JobError(f"“{path}” has a recipe that this version of Riff does not know: {reason}.") from error


def _entry(number: int, data: Any) -> Entry:
    where = f"Clip {number} of the manifest"
    try:
        fields = Fields(data, f"clips[{number}]")
        name = as_utf8(fields.text("name"))
        where += f", “{name}”,"
        file, checksum = fields.text("file", ""), fields.text("sha256", "")
        if not name:
            raise JobError(f"{where} has no name.")
        if (
            not is_plain_name(file)
            or not is_plain_name(file.removesuffix(CLIP_SUFFIX).removesuffix(OLD_CLIP_SUFFIX))
            or not file.endswith((CLIP_SUFFIX, OLD_CLIP_SUFFIX))
        ):
            raise JobError(f"{where} has no plain file name ending in {CLIP_SUFFIX}.")
        if len(file.removesuffix(CLIP_SUFFIX).removesuffix(OLD_CLIP_SUFFIX).encode()) > MAX_STEM_BYTES:
            raise JobError(f"{where} has a file name that is too long; it may have {MAX_STEM_BYTES} bytes.")
        if not re.fullmatch(r"[0-9a-f]{64}", checksum):
            raise JobError(f"{where} has no SHA-256 checksum.")
        seconds = fields.number("seconds", 1e-3, 1e6)
        return Entry(
            number, name, file, checksum, seconds, as_utf8(fields.text("rig", "")), as_utf8(fields.text("source", ""))
        )
    except FieldError as error:
        raise JobError(f"{where} is damaged: {error}.") from error


def _check_unique(entries: tuple[Entry, ...]) -> None:
    for what in ("name", "file"):
        seen: dict[str, int] = {}
        for entry in entries:
            value = str(getattr(entry, what)).casefold() if what == "file" else entry.name
            if value in seen:
                raise JobError(f"Clips {seen[value]} and {entry.number} have the same {what}, “{value}”.")
            seen[value] = entry.number


def _check_present(job: Path, entries: tuple[Entry, ...]) -> None:
    folder = job / "clips"
    _check_within(job, "clips")
    try:
        # one look at the folder, not one at each of a hundred thousand files; links could lead anywhere
        present = {item.name for item in os.scandir(folder) if item.is_file(follow_symlinks=False)}
    except OSError as error:
        raise JobError(f"Cannot read the folder “{folder}”: {error.strerror or error}.") from error
    for entry in entries:
        if entry.file not in present:
            raise JobError(f"Clip {entry.number} of the manifest, “{entry.name}”, is missing: no file “{entry.file}”.")


def _check_within(job: Path, name: str) -> None:
    """Raises JobError for a folder of a job that is a link to another place: what came from a stranger stays inside."""
    if not lies_in(job / name, job):
        raise JobError(f"“{job / name}” is a link that leads out of the folder; put a folder in its place.")


def chosen_entries(job: FarmJob, text: str) -> list[Entry]:
    """The clips that a text like “0-3,7” names by their numbers; all for an empty text. Raises JobError."""
    if not text:
        return list(job.entries)
    numbers: dict[int, None] = {}
    for part in text.split(","):
        span = _SPAN.fullmatch(part.strip())
        if span is None:
            raise JobError(f"“{text}” is no list of clips; write it like 0-3,7.")
        first, last = int(span[1]), int(span[2] or span[1])
        if not first <= last < len(job.entries):
            raise JobError(f"The job has the clips 0 to {len(job.entries) - 1}; “{part}” is not among them.")
        numbers |= dict.fromkeys(range(first, last + 1))
    return [job.entries[number] for number in numbers]


def prepare_outputs(folder: Path, names: Iterable[str] = OUTPUT_FOLDERS) -> None:
    """Make the folders that tasks write to. Raises JobError, before any work, where nothing can be written there."""
    for name in names:
        target = folder / name
        _check_within(folder, name)
        try:
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=target):
                pass
        except OSError as error:
            raise JobError(f"Cannot write into “{target}”: {error.strerror or error}.") from error
