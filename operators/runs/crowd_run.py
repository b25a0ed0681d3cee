"""Common part of operators that make crowd members: a job generates them beside Blender, then they are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import bpy

from ...core.errors import RiffError
from ...rig.background import jobs
from ...rig.crowd.crowd import keep_settings, remove_crowd
from ...rig.crowd.request import PreparedJob, unplaced_message, updated_settings
from ...rig.crowd.write import CrowdWriter
from ...state import timer
from ...state.session import refresh_variations
from ...state.settings import session_of
from .stepwise import Stepwise


class CrowdRun(Stepwise):
    """Mixin of operators that prepare a job in `prepare_job` and write its members with `write_member`.

    After Esc or an error the file is as before.
    """

    _prepared: PreparedJob | None = None
    _writer: CrowdWriter | None = None
    _made: bpy.types.Collection | None = None
    _wanted = 0

    def prepare_job(self, context: bpy.types.Context) -> PreparedJob:
        """Read Blender's data; set `_settings`, the crowd's settings, and `_wanted`, the number of members wanted.

        Raises RiffError.
        """
        raise RiffError(f"{self.__class__.__name__} prepares nothing.")

    def write_member(self, index: int) -> None:
        """Write the member of this index of the finished job."""
        raise RiffError(f"{self.__class__.__name__} writes nothing.")

    def finished_crowd(self, context: bpy.types.Context) -> bpy.types.Collection:
        """Return the crowd, with the new members in it."""
        raise RiffError(f"{self.__class__.__name__} makes no crowd.")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self: Any, context: bpy.types.Context) -> Iterator[float]:
        self._prepared = self.prepare_job(context)
        job = self._prepared.job
        job.start()
        yield from self.wait_for(job, lambda: min(1.0, 0.5 * len(job.ready) / self._wanted))
        if job.state is not jobs.State.DONE:
            raise RiffError(job.error or f"{self.bl_label} was cancelled")
        if not job.ready:
            raise RiffError(unplaced_message(self._settings, self._prepared.distance, self._wanted, 0))
        armature: bpy.types.Object | None = context.scene.objects.get(self._settings.armature)
        if armature is None or armature.type != "ARMATURE":
            raise RiffError(f"The character “{self._settings.armature}” was deleted or renamed meanwhile.")
        try:
            self._writer = CrowdWriter(context.scene, armature, self._prepared, self._settings)
            for index in range(len(self._writer)):
                self.write_member(index)
                yield 0.5 + 0.5 * (index + 1) / len(self._writer)
            self._writer.close()
            self._settings = updated_settings(self._settings, job)
            keep_settings(self.finished_crowd(context), self._settings.to_json())
            self._writer.keep()
        except (ReferenceError, LookupError):  # a data-block, or one looked up by name, is gone
            raise RiffError(
                "The character, its crowd or its bones were edited meanwhile; all changes were undone"
            ) from None

    def finished(self: Any, context: bpy.types.Context) -> Any:
        refresh_variations(session_of(context))
        self._tell(len(self._writer))
        timer.redraw()
        screen = context.screen
        if self._beside_window and screen is not None and not screen.is_animation_playing:
            bpy.ops.screen.animation_play()
        return {"FINISHED"}

    def _tell(self: Any, made: int) -> None:
        if made < self._wanted:
            self.report({"WARNING"}, unplaced_message(self._settings, self._prepared.distance, self._wanted, made))
        else:
            settings = self._settings
            apart = settings.smallest / settings.from_source if settings.from_source else 0.0
            alike = f"; variety {apart:.0%}" if apart else ""
            sentence = self._prepared.maker.plan.match.sentence()
            matched = f"; {sentence}" if sentence else ""
            self.report({"INFO"}, f"{made} member{'s' if made != 1 else ''}{alike}{matched}")

    def cancelled(self: Any, context: bpy.types.Context) -> None:
        """Restore the file to its state before the operator."""
        if self._prepared is not None:
            self._prepared.job.cancel()
        if self._writer is not None:
            self._writer.close()
        with suppress(ReferenceError):  # members are already gone with an undo or their file
            if self._writer is not None:
                self._writer.take_back()
            if self._made is not None:
                remove_crowd(self._made)
        timer.redraw()
