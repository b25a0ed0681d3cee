"""Operators Live Variation and Keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import bpy

from ..core.errors import RiffError
from ..rig.compat import name_of_two
from ..rig.ownership import let_go
from ..rig.writing.write import write_steps
from ..state import timer
from ..state.live import begin, end, is_live, live_preview
from ..state.poll_messages import model_problem, selection_problem, set_poll_message
from ..state.preferences import shows_results
from ..state.rig_settings import active_armature, identity_of, rig_settings
from ..state.session import refresh_variations
from ..state.settings import session_of, settings_of
from ..state.variations.history import RUN_KEY, next_run
from ..state.variations.recording import Order, record_steps
from ..state.variations.show import show_action
from .runs.stepwise import Stepwise
from .runs.write_actions import dress_steps


class RIFF_OT_live(bpy.types.Operator):
    """Preview variations on the armature while dragging the slider, without changing any action; click again to stop"""

    bl_idname = "riff.live"
    bl_label = "Live Variation"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = "" if is_live() else selection_problem(active_armature(context)) or model_problem(context)
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        if is_live():
            end()
        else:
            begin(context)
        return {"FINISHED"}


class RIFF_OT_live_keep(Stepwise, bpy.types.Operator):
    """Keep the shown motion as a new action and end the live variation"""

    bl_idname = "riff.live_keep"
    bl_label = "Keep"
    bl_options = {"REGISTER", "UNDO"}

    _kept: bpy.types.Action | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        job = live_preview.job
        ready = job is not None and job.motion is not None and job.finished
        return set_poll_message(cls, "" if ready else "Release the slider and wait a moment")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        job, source = live_preview.job, bpy.data.actions.get(live_preview.source)
        armature = self._armature = live_preview.armature
        end()
        ob: bpy.types.Object | None = context.scene.objects.get(armature)
        if job is None or job.motion is None or job.answered is None or ob is None:
            raise RiffError("The previewed armature was deleted or renamed.")
        name = name_of_two(job.model_name, f"Variation {job.answered.position:.2f}")
        settings = settings_of(context)
        properties = {
            "riff_model": job.model_name,
            "riff_seed": float(job.answered.position),
            "riff_index": 0,
            "riff_frames": 0 if settings.source_length else settings.frames,
            "riff_armature": armature,
            "riff_identity": identity_of(ob),
            "riff_source": source.name if source else "",
            "riff_coarse": job.answered.coarse,
            "riff_fine": job.answered.fine,
            "riff_clean_feet": job.answered.clean_feet,
            "riff_root": job.answered.root.upper(),
            "riff_kept": True,
        }
        stepped, number = not rig_settings(ob).smooth_steps, next_run(ob)
        marked = {**properties, RUN_KEY: [number, 0]}
        self._kept = yield from write_steps(
            ob, job.motion, name, source_action=source, properties=marked, stepped=stepped
        )
        yield 1.0
        for _ in dress_steps(ob, self._kept, job.motion):
            yield 1.0
        self._name = self._kept.name
        answered = asdict(job.answered)
        order = Order(
            "live",
            {"request": answered, "frames": job.frames, "fps": job.fps},
            {**answered, "root": properties["riff_root"], "frames": properties["riff_frames"]},
            [source.name if source else ""],
            job.model_path,
        )
        yield from record_steps(
            ob,
            number,
            order,
            operator=type(self).bl_idname,
            label="Live Variation",
            names=[f"Variation {job.answered.position:.2f}"],
            model=job.model_name,
            source=source.name if source else "",
            fps=job.fps,
            seed=job.answered.position,
            stepped=stepped,
            properties=properties,
        )

    def finished(self, context: bpy.types.Context) -> Any:
        refresh_variations(session_of(context))
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if self._beside_window and ob is not None and ob.type == "ARMATURE" and shows_results():
            with suppress(RiffError):  # it is in the list, where a click on it says why
                show_action(context, ob, self._kept)
        self.report({"INFO"}, f"Kept “{self._name}”")
        timer.redraw()
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        with suppress(ReferenceError):  # already gone with an undo or its file
            if self._kept is not None:
                let_go(self._kept)


CLASSES = (RIFF_OT_live, RIFF_OT_live_keep)
