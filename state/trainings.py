"""Trainings as the panel shows them."""

from __future__ import annotations

from ..core.system.console import format_duration
from ..rig.background import jobs


def trainings() -> list[jobs.TrainingJob]:
    """Return all trainings of this session, the latest last."""
    return jobs.trainings()


def is_done(training: jobs.TrainingJob) -> bool:
    """Return True if a training has ended with a model."""
    return training.state is jobs.State.DONE


def is_cancelled(training: jobs.TrainingJob) -> bool:
    """Return True if the user cancelled a training."""
    return training.state is jobs.State.CANCELLED


def time_left(training: jobs.TrainingJob) -> str:
    """Return the remaining time of a running training, such as 3:05."""
    return format_duration(training.progress.seconds_left) if training.progress is not None else ""
