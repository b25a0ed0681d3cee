"""Common part of operators whose job makes motions beside Blender and that write each as a new action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import bpy

from ...core.errors import RiffError
from ...core.motion.motion import Motion
from ...rig.background import jobs
from ...rig.compat import name_of_two
from ...rig.ownership import let_go, mark_made
from ...rig.steps import part_of
from ...rig.stored import MAX_SEED
from ...rig.writing.cyclic import make_cyclic
from ...rig.writing.reduce import reduce_keys
from ...rig.writing.thumbnail import give_moving, give_picture, give_poses
from ...rig.writing.write import match_of, write_steps
from ...state import timer
from ...state.preferences import shows_results
from ...state.rig_settings import active_armature, identity_of, rig_settings
from ...state.session import refresh_variations
from ...state.settings import chosen_model, session_of, settings_of
from ...state.source import learned_action
from ...state.variations.history import RUN_KEY, next_run
from ...state.variations.recording import Order, record_steps
from ...state.variations.show import show_action
from .stepwise import Stepwise


def dress_steps(
    ob: bpy.types.Object, action: bpy.types.Action, motion: Motion, *, asset: bool = False, tolerance: float = 0.0
) -> Iterator[None]:
    """Finish a new variation in steps: with pictures, as an asset, with fewer keys, which stay Riff's own."""
    give_poses(action, motion)
    yield
    give_moving(action, motion)
    if asset:
        yield
        give_picture(action, motion)
        action.asset_mark()
    if tolerance:
        yield
        reduce_keys(ob, action, tolerance)
        mark_made(action)


class ActionWriter(Stepwise):
    """Mixin of operators whose `begin` starts `_job`, a job with `motions` and `model_name`, for their `seed`.

    In a window the job runs beside Blender and the actions are written in steps. After any error the file is as before.
    """

    doing, done = "Generating", "Generated"
    _job: jobs.BackgroundJob | None = None
    _made: Sequence[bpy.types.Action] = ()

    def begin(self, context: bpy.types.Context) -> Iterator[float]:
        """Start the job, in steps. Raises RiffError."""
        raise RiffError(f"{self.__class__.__name__} starts nothing.")

    def action_name(self, index: int) -> str:
        raise RiffError(f"{self.__class__.__name__} names nothing.")

    def action_properties(self, motion: Motion) -> dict[str, Any]:
        """Return further id-properties from which an action can be generated again."""
        return {}

    def frame_start(self) -> int | None:
        """Return the first frame of the actions; None for the source's first frame."""
        return None

    def is_loop(self) -> bool:
        """Return whether the actions are loops."""
        return False

    def dressing(self) -> dict[str, Any]:
        """Return the keyword arguments of `dress_steps` for each action."""
        return {}

    def is_wanted(self, index: int) -> bool:
        """Return whether the job's motion of this index is to be written."""
        return True

    def source_action(self, ob: bpy.types.Object) -> bpy.types.Action | None:
        """Return the action whose keys the new ones are like; None for the whole NLA."""
        return learned_action(ob)

    def is_stepped(self, ob: bpy.types.Object) -> bool:
        """Return whether variations of stepped keys are stepped."""
        return not rig_settings(ob).smooth_steps

    def run_number(self, ob: bpy.types.Object) -> int:
        """Return the number of this run in the armature's history."""
        return next_run(ob)

    def order(self, ob: bpy.types.Object) -> Order | None:
        """Return what the history needs to run the job again; None for what is not to be recorded."""
        return None

    def seed_settings(self, context: bpy.types.Context) -> Any:
        """Return the settings of the panel that hold this operator's seed."""
        return settings_of(context)

    def progress_steps(self: Any) -> tuple[int, int]:
        """Return the number of steps done and their total."""
        return len(self._made), self.count

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self: Any, context: bpy.types.Context) -> Iterator[float]:
        self._made, self._matched = [], ""
        self._armature = active_armature(context).name
        yield from self.begin(context)
        yield from self.wait_for(self._job, self._share)
        if self._job.state is not jobs.State.DONE:
            raise RiffError(self._job.error or f"{self.doing} was cancelled")
        armature = context.scene.objects.get(self._armature)
        self._run = self.run_number(armature) if armature is not None and armature.type == "ARMATURE" else 0
        for index, motion in enumerate(self._job.motions):
            if self.is_wanted(index):
                yield from self._write(context, index, motion)
        self._names = [action.name for action in self._made]
        yield from self._record(context)

    def _share(self: Any) -> float:
        done, whole = self.progress_steps()
        return done / whole

    def _write(self: Any, context: bpy.types.Context, index: int, motion: Motion) -> Iterator[float]:
        """Write a motion as an action, in steps."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if ob is None or ob.type != "ARMATURE":
            raise RiffError("The armature was deleted or renamed meanwhile.")
        self._matched = match_of(ob, motion).sentence()
        source = self.source_action(ob)
        properties = {
            "riff_model": self._job.model_name,
            "riff_seed": self.seed,
            "riff_index": index,
            "riff_armature": ob.name,
            "riff_identity": identity_of(ob),
            "riff_source": source.name if source else "",
            RUN_KEY: [self._run, index],
            **self.action_properties(motion),
        }
        name = name_of_two(self._job.model_name, self.action_name(index))
        writing = write_steps(
            ob,
            motion,
            name,
            source_action=source,
            properties=properties,
            frame_start=self.frame_start(),
            stepped=self.is_stepped(ob),
        )
        action = yield from part_of(writing, index, len(self._job.motions))
        self._made.append(action)
        if self.is_loop():
            make_cyclic(action, source)
            mark_made(action)
        yield self._share()
        for _ in dress_steps(ob, action, motion, **self.dressing()):
            yield self._share()
        yield self._share()

    def _record(self: Any, context: bpy.types.Context) -> Iterator[float]:
        """Record the run in the armature's history, in steps."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        order = self.order(ob) if ob is not None and ob.type == "ARMATURE" else None
        if order is None:
            return
        source, render = self.source_action(ob), context.scene.render
        yield from record_steps(
            ob,
            self._run,
            order,
            operator=type(self).bl_idname,
            label=self.bl_label,
            names=[self.action_name(index) for index in range(len(self._job.motions))],
            model=self._job.model_name,
            source=source.name if source else "",
            fps=render.fps / render.fps_base,
            seed=self.seed,
            stepped=self.is_stepped(ob),
            properties=self.action_properties(self._job.motions[0]),
            frame_start=self.frame_start(),
            loop=self.is_loop(),
            dressing=self.dressing(),
        )
        yield 1.0

    def finished(self: Any, context: bpy.types.Context) -> Any:
        session = session_of(context)
        refresh_variations(session)
        self._move_on(context)
        many = f"{len(self._names)} actions" if len(self._names) > 1 else f"“{self._names[0]}”"
        matched = f"; {self._matched}" if self._matched else ""
        self.report({"INFO"}, f"{self.done} {many}{matched}")
        timer.redraw()
        return {"FINISHED"}

    def _move_on(self: Any, context: bpy.types.Context) -> None:
        """Remember the model for the armature, move on to the next seed, and in a window show the first action."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        chosen, settings = chosen_model(context), self.seed_settings(context)
        if ob is None or ob.type != "ARMATURE":
            return
        if chosen is not None:
            rig_settings(ob).model = chosen.name
        if not settings_of(context).same_seed and settings.seed == self.seed < MAX_SEED:
            settings.seed += 1
        first = bpy.data.actions.get(self._names[0])
        if self._beside_window and first is not None and shows_results():
            with suppress(RiffError):  # it is in the list, where a click on it says why
                show_action(context, ob, first)

    def cancelled(self: Any, context: bpy.types.Context) -> None:
        """Restore the file to its state before the operator."""
        if self._job is not None:
            self._job.cancel()
            timer.ensure_running()  # takes the job's last messages
        for action in self._made:
            with suppress(ReferenceError):  # already gone with an undo or its file
                let_go(action)
        timer.redraw()
