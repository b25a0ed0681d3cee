"""The verbs for many clips: what there is, one task of a job, the report of a library."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import JobError, RiffError
from .signals import stop_on_signal


def list_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Say what models, clips and jobs are at the paths; what cannot be read is listed with what is wrong."""
    rows = [_told(path) for place in options.paths for path in _files(place)]
    return {"items": rows, "count": len(rows), "broken": sum("problem" in row for row in rows)}


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    if (place / "manifest.json").exists():
        return [place]
    return sorted(path for path in place.iterdir() if path.suffix.lower() in (".safetensors", ".npz", ".bvh"))


def _told(path: Path) -> dict[str, Any]:
    from ..evaluation.grade import grade
    from ..farm.manifest import read_job
    from ..model.model_file import read_info
    from ..motion.clip_file import read_clip

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
    from ..farm.manifest import check_format, chosen_entries
    from ..farm.task import all_ended, any_failed, open_job, run_clips

    check_format(options.format, "The job's template")
    job = open_job(options.folder)
    entries = chosen_entries(job, options.clips)
    if any(not job.is_done(entry) or options.overwrite for entry in entries):
        _check_torch(options.device)
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
        from ..farm.report import write_report

        report["page"] = write_report(options.folder)["page"]
    return report


def _check_torch(device: str) -> None:
    """Without PyTorch no clip could be trained: that is the machine's failure, not the clips'."""
    try:
        from ..system.devices import check_device

        check_device(device)
    except ImportError as error:
        message = f"PyTorch cannot be loaded in this Python ({error}); Riff trains with it."
        raise JobError(message) from error


def report_verb(options: argparse.Namespace) -> dict[str, Any]:
    """Write the table and the page of contact sheets of a job or a folder of models. Raises JobError."""
    from ..farm.report import write_report

    return write_report(options.folder, sheets=not options.no_sheets)
