"""Errors of Riff: sentences for the person at the screen, and the end of work that was cancelled."""

from __future__ import annotations

from collections.abc import Callable


class Cancelled(Exception):
    """Work that ended because it was asked to; it is no RiffError, since nothing went wrong."""


def cancel_check(should_stop: Callable[[], bool]) -> Callable[[], None]:
    """Return a function that raises Cancelled where `should_stop` says so; long work calls it often."""

    def check_cancelled() -> None:
        if should_stop():
            raise Cancelled

    return check_cancelled


class RiffError(Exception):
    """Something the user can mend; the message is one plain sentence that says what is wrong and what to do."""


class ClipError(RiffError):
    """A clip or action that cannot be read or trained on."""


class ModelError(RiffError):
    """A model file that cannot be read, written or used with this rig."""


class JobError(RiffError):
    """A job folder that cannot be read, written or worked on."""
