"""Common part of operators that make an instant model of the armature's action."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ...core.cycles.unroll import learnable
from ...core.errors import RiffError
from ...rig.background import jobs
from ...rig.background.instant_job import InstantJob
from ...rig.compat import name_of_two
from ...rig.library.models import claim_new_model
from ...state import timer
from ...state.rig_settings import active_armature
from ...state.session import refresh_models
from ...state.settings import session_of
from ...state.source import learned_action, learned_steps
from .stepwise import Stepwise


class InstantRun(Stepwise):
    """Mixin of operators whose steps include `make_instant_model`."""

    _instant: InstantJob | None = None

    def make_instant_model(self: Any, context: bpy.types.Context) -> Iterator[float]:
        """Read what is to be learned, make and save its instant model, and choose it in the list, in steps.

        Raises RiffError.
        """
        ob = active_armature(context)
        rig, action = ob.name, learned_action(ob)
        motion = yield from learned_steps(ob, context.scene)
        motion = learnable(motion)
        running = [job.path for job in jobs.trainings() if job.running]
        path, held = claim_new_model(name_of_two(action.name if action is not None else rig, "Instant"), running)
        self._instant = InstantJob(motion, path, rig=rig, claims=[held])
        self._instant.start()
        timer.ensure_running()  # it takes the end of the measurement
        if not self._beside_window:
            self._instant.join()
        self._instant.tick()
        while self._instant.running and not self._instant.saved:
            self._paused = True
            yield 0.5
            self._instant.tick()
        if not self._instant.saved:
            raise RiffError(self._instant.error or f"{self.bl_label} was cancelled")
        refresh_models(session_of(context), path)

    def cancel_instant_model(self) -> None:
        """Stop making the model; one that is saved already is kept and measured."""
        if self._instant is not None and not self._instant.saved:
            self._instant.cancel()
