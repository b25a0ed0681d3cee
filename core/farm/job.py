"""A job folder: many clips to train on, what is known of each, and where its model, state and picture go.

    manifest.json   what to train: recipe, seed, a line for each clip     clips/      a file of features for each
    models/         what comes out                                        trainings/  states of what is not finished
    records/        how each clip's training ended                        sheets/     a picture of each model

Everything that a task writes is a file of its clip alone, so tasks never wait for each other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import JobError
from ..files.fields import FieldError, as_utf8, open_regular, parse_json
from ..files.held_open import remove_if_possible
from ..files.paths import lies_in, write_bytes
from ..model.recipe import Recipe
from ..motion.clip_file import CLIP_SUFFIX, OLD_CLIP_SUFFIX, Clip, save_clip

JOB_FORMAT = 1
"""Version of the manifest and of the template that goes with it; newer ones are refused."""


MANIFEST = "manifest.json"


LARGEST, LARGEST_RECORD = 1 << 27, 1 << 20
"""Bytes of a manifest, and of the record of one clip."""


MOST_CLIPS = 250_000


OUTPUT_FOLDERS = ("models", "trainings", "records", "sheets")


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
        return self.file.removesuffix(CLIP_SUFFIX).removesuffix(OLD_CLIP_SUFFIX)


@dataclass(frozen=True)
class FarmJob:
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
        """Return a digest of a clip's samples, recipe and seed, on which its model depends."""
        what = json.dumps([entry.name, entry.sha256, self.recipe.to_json(), self.seed])
        return hashlib.sha256(what.encode()).hexdigest()

    def record(self, entry: Entry) -> dict[str, Any]:
        """Return how the training of a clip ended, `state` being “done” or “failed”; empty where it has not ended."""
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
        """Return whether the model file is there and belongs to the clip, recipe and seed."""
        return self.record(entry).get("state") == "done" and self.model_path(entry).exists()


class JobWriter:
    """Makes a job folder of clips that come one at a time; the manifest comes last.

    Raises JobError for a folder that holds something else and a disk that refuses.
    """

    def __init__(self, folder: Path, name: str, recipe: Recipe, seed: int = 0) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise JobError(f"“{folder}” is not empty; choose another folder for the job.")
        self.folder, self.name, self.recipe, self.seed = folder, as_utf8(name), recipe, seed
        self.entries: dict[str, Entry] = {}
        self._finished = False
        try:
            (folder / "clips").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobError(f"Cannot make the folder “{folder}”: {error.strerror or error}.") from error

    def add(self, clip: Clip) -> None:
        """Write one clip. Raises JobError for a second one of the same name, ClipError where the disk refuses."""
        if clip.name in self.entries:
            raise JobError(f"Two clips are called “{clip.name}”; rename one of them.")
        number = len(self.entries)
        file = f"{number:05d}-{_slug(clip.name)}{CLIP_SUFFIX}"
        checksum = save_clip(clip, self.folder / "clips" / file)
        seconds = clip.motion.duration
        names = map(as_utf8, (clip.rig, clip.source))
        self.entries[clip.name] = Entry(number, as_utf8(clip.name), file, checksum, seconds, *names)

    def finish(self) -> FarmJob:
        """Write the manifest. Raises JobError where there is no clip."""
        if not self.entries:
            raise JobError("There is no clip to export.")
        job = FarmJob(self.folder, self.name, self.recipe, self.seed, tuple(self.entries.values()))
        write_text(self.folder / MANIFEST, json.dumps(_to_json(job), ensure_ascii=False, indent=1))
        self._finished = True
        return job

    def discard(self) -> None:
        """Delete the clips and the manifest that were written; what others have put into the folder meanwhile stays."""
        clips = self.folder / "clips"
        if self._finished:
            remove_if_possible(self.folder / MANIFEST)
        with suppress(OSError):  # there may be more in it, or it may be gone
            if lies_in(clips, self.folder):
                for entry in self.entries.values():
                    (clips / entry.file).unlink(missing_ok=True)
                clips.rmdir()


def write_job(folder: Path, name: str, clips: Iterable[Clip], recipe: Recipe, seed: int = 0) -> FarmJob:
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


def _to_json(job: FarmJob) -> dict[str, Any]:
    clips = [
        {"name": e.name, "file": e.file, "sha256": e.sha256, "seconds": e.seconds, "rig": e.rig, "source": e.source}
        for e in job.entries
    ]
    return {"riff_job": JOB_FORMAT, "name": job.name, "recipe": job.recipe.to_json(), "seed": job.seed, "clips": clips}


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all; half characters of names that are no UTF-8 are written as escapes, as JSON has
    them. Raises JobError where the disk refuses.
    """
    try:
        write_bytes(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise JobError(f"Cannot write “{path}”: {error.strerror or error}.") from error
