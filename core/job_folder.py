"""A job folder: many clips to train on, what is known of each, and where its model, state and picture go.

    manifest.json   what to train: recipe, seed, a line for each clip     clips/      a file of features for each
    models/         what comes out                                        trainings/  states of what is not finished
    records/        how each clip's training ended                        sheets/     a picture of each model

Everything that a task writes is a file of its clip alone, so tasks never wait for each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import JobError, RiffError
from .files.fields import FieldError, Fields, open_regular, parse_json
from .files.paths import is_plain_name, lies_in
from .model.recipe import Recipe
from .motion.clip_file import SUFFIX, Clip, save_clip

FORMAT = 1
"""Version of the manifest and of the template that goes with it; newer ones are refused."""

MANIFEST = "manifest.json"
LARGEST, LARGEST_RECORD = 1 << 27, 1 << 20
"""Bytes of a manifest, and of the record of one clip."""

MOST_CLIPS = 250_000
OUTPUTS = ("models", "trainings", "records", "sheets")

_SPAN = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


@dataclass(frozen=True)
class Entry:
    """A clip of a job: its number from 0, what it and its armature are called, the file in clips/ and its checksum."""

    number: int
    name: str
    file: str
    sha256: str
    seconds: float
    rig: str = ""
    source: str = ""

    @property
    def stem(self) -> str:
        return self.file.removesuffix(SUFFIX)


@dataclass(frozen=True)
class Job:
    """A job folder whose manifest has been read and checked."""

    folder: Path
    name: str
    recipe: Recipe
    seed: int
    entries: tuple[Entry, ...]

    def clip_path(self, entry: Entry) -> Path:
        return self.folder / "clips" / entry.file

    def model_path(self, entry: Entry) -> Path:
        return self.folder / "models" / f"{entry.stem}.safetensors"

    def training_path(self, entry: Entry) -> Path:
        return self.folder / "trainings" / f"{entry.stem}.safetensors"

    def record_path(self, entry: Entry) -> Path:
        return self.folder / "records" / f"{entry.stem}.json"

    def sheet_path(self, entry: Entry) -> Path:
        return self.folder / "sheets" / f"{entry.stem}.svg"

    def key(self, entry: Entry) -> str:
        """What the model of a clip depends on, in one word: another clip, recipe or seed gives another."""
        what = json.dumps([entry.name, entry.sha256, self.recipe.to_json(), self.seed])
        return hashlib.sha256(what.encode()).hexdigest()

    def record(self, entry: Entry) -> dict[str, Any]:
        """How the training of a clip ended, `state` being “done” or “failed”; empty where it has not."""
        try:
            with open_regular(self.record_path(entry), LARGEST_RECORD) as file:
                record = parse_json(file.read(LARGEST_RECORD))
        except (OSError, FieldError):
            return {}
        return record if isinstance(record, dict) and record.get("key") == self.key(entry) else {}

    def write_record(self, entry: Entry, **what: Any) -> None:
        """Keep how a training ended. Raises JobError."""
        write_text(self.record_path(entry), json.dumps({"key": self.key(entry), "name": entry.name, **what}))

    def is_done(self, entry: Entry) -> bool:
        """Whether the clip's model is there and is of this clip, recipe and seed."""
        return self.record(entry).get("state") == "done" and self.model_path(entry).exists()


class JobWriter:
    """Makes a job folder of clips that come one at a time; the manifest comes last.

    Raises JobError for a folder that holds something else and a disk that refuses.
    """

    def __init__(self, folder: Path, name: str, recipe: Recipe, seed: int = 0) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise JobError(f"“{folder}” is not empty; choose another folder for the job.")
        self.folder, self.name, self.recipe, self.seed = folder, name, recipe, seed
        self.entries: dict[str, Entry] = {}
        try:
            (folder / "clips").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobError(f"Cannot make the folder “{folder}”: {error.strerror or error}.") from error

    def add(self, clip: Clip) -> None:
        """Write one clip. Raises JobError for a second one of the same name, ClipError where the disk refuses."""
        if clip.name in self.entries:
            raise JobError(f"Two clips are called “{clip.name}”; rename one of them.")
        number = len(self.entries)
        file = f"{number:05d}-{_slug(clip.name)}{SUFFIX}"
        checksum = save_clip(clip, self.folder / "clips" / file)
        seconds = clip.motion.duration
        self.entries[clip.name] = Entry(number, clip.name, file, checksum, seconds, clip.rig, clip.source)

    def finish(self) -> Job:
        """Write the manifest. Raises JobError where there is no clip."""
        if not self.entries:
            raise JobError("There is no clip to export.")
        job = Job(self.folder, self.name, self.recipe, self.seed, tuple(self.entries.values()))
        write_text(self.folder / MANIFEST, json.dumps(_to_json(job), ensure_ascii=False, indent=1))
        return job

    def discard(self) -> None:
        """Take back what was written; the folder was empty before, so nothing else is in there."""
        shutil.rmtree(self.folder / "clips", ignore_errors=True)
        (self.folder / MANIFEST).unlink(missing_ok=True)


def write_job(folder: Path, name: str, clips: Iterable[Clip], recipe: Recipe, seed: int = 0) -> Job:
    """Make a job folder of clips, all or nothing. Raises what `JobWriter` does."""
    writer = JobWriter(folder, name, recipe, seed)
    try:
        for clip in clips:
            writer.add(clip)
        return writer.finish()
    except BaseException:
        writer.discard()
        raise


def _slug(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name, flags=re.ASCII).strip("_")[:60] or "clip"


def _to_json(job: Job) -> dict[str, Any]:
    clips = [
        {"name": e.name, "file": e.file, "sha256": e.sha256, "seconds": e.seconds, "rig": e.rig, "source": e.source}
        for e in job.entries
    ]
    return {"riff_job": FORMAT, "name": job.name, "recipe": job.recipe.to_json(), "seed": job.seed, "clips": clips}


def read_job(folder: Path) -> Job:
    """Read a manifest and check it all: versions, every entry, every file that it names.

    Raises JobError, naming the entry, for a clip that is missing or named twice, and for what is no manifest of ours.
    """
    path = folder / MANIFEST
    try:
        with open_regular(path, LARGEST) as file:
            fields = Fields(parse_json(file.read(LARGEST)))
        check_format(fields.whole("riff_job", 0, 1 << 31), f"“{path}”")
        clips, seed = fields.items("clips", MOST_CLIPS), fields.whole("seed", 0, 2**32 - 1)
        name = fields.text("name", "")
    except OSError as error:
        raise JobError(f"Cannot read “{path}”: {error.strerror or error}.") from error
    except FieldError as error:
        raise JobError(f"“{path}” is damaged or no manifest of Riff: {error}.") from error
    if not clips:
        raise JobError(f"“{path}” is damaged: it lacks clips.")
    entries = tuple(_entry(number, clip) for number, clip in enumerate(clips))
    _check_unique(entries)
    _check_present(folder, entries)
    return Job(folder, name, _recipe(fields, path), seed, entries)


def check_format(number: int, what: str) -> None:
    """Raises JobError where a manifest or template, `what`, is newer than this Riff."""
    if number > FORMAT:
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
        name = fields.text("name")
        where += f", “{name}”,"
        file, checksum = fields.text("file", ""), fields.text("sha256", "")
        if not name:
            raise JobError(f"{where} has no name.")
        if not is_plain_name(file) or not is_plain_name(file.removesuffix(SUFFIX)) or not file.endswith(SUFFIX):
            raise JobError(f"{where} has no plain file name ending in {SUFFIX}.")
        if not re.fullmatch(r"[0-9a-f]{64}", checksum):
            raise JobError(f"{where} has no SHA-256 checksum.")
        seconds = fields.number("seconds", 1e-3, 1e6)
        return Entry(number, name, file, checksum, seconds, fields.text("rig", ""), fields.text("source", ""))
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


def chosen_entries(job: Job, text: str) -> list[Entry]:
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


def prepare_outputs(folder: Path, names: Iterable[str] = OUTPUTS) -> None:
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


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises JobError where the disk refuses."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise JobError(f"Cannot write “{path}”: {error.strerror or error}.") from error
