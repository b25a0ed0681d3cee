"""The verbs for many clips: what there is, one task of a job, the report of a library."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import RiffError
from ..evaluation.grade import grade
from ..farm.manifest import check_format, chosen_entries, read_job
from ..farm.report import write_report
from ..farm.task import all_ended, any_failed, open_job, run_clips
from ..files.held_open import reason_of
from ..model.model_file import read_info
from ..motion.clip_file import CLIP_SUFFIX, OLD_CLIP_SUFFIX, read_clip
from .signals import stop_on_signal
from .verbs import require_torch


def list_verb(options: argparse.Namespace) -> dict[str, Any]:
    """List the models, clips and jobs at the paths; one that cannot be read is listed with its problem."""
    rows = [row for place in options.paths for row in _rows(place)]
    return {"items": rows, "count": len(rows), "broken": sum("problem" in row for row in rows)}


def _rows(place: Path) -> list[dict[str, Any]]:
    """Describe the files at a place; a place that may not be looked at is described by that."""
    try:
        return [_described(path) for path in _files(place)]
    except OSError as error:
        return [{"path": str(place), "kind": "unknown", "problem": f"Cannot read it: {reason_of(error)}."}]


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    if (place / "manifest.json").exists():
        return [place]
    known = (".safetensors", CLIP_SUFFIX, OLD_CLIP_SUFFIX, ".bvh")
    return sorted(path for path in place.iterdir() if path.suffix.lower() in known)


def _described(path: Path) -> dict[str, Any]:
    try:
        if path.is_dir():
            job = read_job(path)
            done = sum(job.is_done(entry) for entry in job.entries)
            return {"path": str(path), "kind": "job", "name": job.name, "clips": len(job.entries), "done": done}
        if path.suffix.lower() == ".safetensors":
            info = read_info(path)
            return {"path": str(path), "kind": "model", **info, "verdict": grade(info.get("quality", {}))}
        clip = read_clip(path)
        size = {"frames": clip.motion.frames, "fps": clip.motion.fps, "duration": clip.motion.duration}
        return {"path": str(path), "kind": "clip", "name": clip.name, "joints": clip.motion.skeleton.joints, **size}
    except RiffError as error:
        return {"path": str(path), "kind": "unknown", "problem": str(error)}


def job_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Train clips of a job folder that have no model yet. Raises JobError before any work, Cancelled."""
    check_format(options.format, "The job's template")
    job = open_job(options.folder)
    entries = chosen_entries(job, options.clips)
    if any(not job.is_done(entry) or options.overwrite for entry in entries):
        require_torch(options.device)  # its lack is the machine's failure, not the clips'
    with stop_on_signal() as stop:
        report = run_clips(
            job,
            entries,
            stop.is_set,
            device=options.device,
            threads=options.threads,
            overwrite=options.overwrite,
            openjd=options.openjd,
            stream=sys.stderr,
        )
    if (report["trained"] or report["failed"]) and all_ended(job) and any_failed(job):
        # A farm does not begin the report's step while a task has failed: whoever ends last writes it.
        report["page"] = write_report(options.folder)["page"]
    return report


def report_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write the table and the page of contact sheets of a job or a folder of models. Raises JobError."""
    return write_report(options.folder, sheets=not options.no_sheets)
