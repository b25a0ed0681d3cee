"""What operators share that let a job make motions beside Blender and write each as a new action."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from ..core.errors import RiffError
from ..core.motion import Motion
from ..rig import jobs
from ..rig.portrait import give_picture
from ..rig.reduce import reduce_keys
from ..rig.write import write_motion
from . import timer
from .results import active_action
from .session import refresh_variations
from .settings import session_of


def learned_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    """The armature's action or, where that is a variation, the action which the variation was made beside."""
    action = active_action(ob)
    source = bpy.data.actions.get(str(action.get("riff_source", ""))) if action is not None else None
    return source or action


def dress_action(
    ob: bpy.types.Object, action: bpy.types.Action, motion: Motion, *, asset: bool, tolerance: float,
) -> None:  # fmt: skip
    """What every new variation may get: a picture for the asset browser, fewer keys."""
    if asset:
        give_picture(action, motion)
    else:
        action.asset_clear()
        action.use_fake_user = True
    if tolerance:
        reduce_keys(ob, action, tolerance)


class ActionWriter:
    """Mixed into operators whose `begin` starts `_job`, a job with `motions` and `model_name` for their `seed`.

    In a window the job runs beside Blender and one action is written at a time; whatever goes wrong, the file is left
    as it was.
    """

    doing, done = "Generating", "Generated"

    def begin(self, context: bpy.types.Context) -> str:
        """Start the job; what is wrong, or nothing."""
        raise RiffError(f"{self.__class__.__name__} starts nothing.")

    def action_name(self, index: int) -> str:
        raise RiffError(f"{self.__class__.__name__} names nothing.")

    def action_properties(self, motion: Motion) -> dict[str, Any]:
        """What an action must know to be made again, beside model, seed, number, armature and source."""
        return {}

    def frame_start(self) -> int | None:
        """Where actions begin; None for the source's first frame."""
        return None

    def dressing(self) -> dict[str, Any]:
        """How `dress_action` treats each action."""
        return {"asset": True, "tolerance": 0.0}

    def progress_steps(self: Any) -> tuple[int, int]:
        """How much is done, and of how much."""
        return len(self._names), self.count

    def execute(self: Any, context: bpy.types.Context) -> Any:
        problem = self._start(context)
        if problem:
            return self._give_up(problem)
        self._job.join()
        self._job.tick()
        while self._more_to_write():
            problem = self._write_next(context)
            if problem:
                return self._give_up(problem)
        return self._finish(context)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        problem = self._start(context)
        if problem:
            return self._give_up(problem)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.05, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, self.progress_steps()[1])
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type == "ESC":
            self._job.cancel()
            return self._end_modal(context, self._give_up(f"{self.doing} was cancelled", "INFO"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        self._job.tick()
        context.window_manager.progress_update(self.progress_steps()[0])
        if self._job.running:
            return {"PASS_THROUGH"}
        if self._more_to_write():
            problem = self._write_next(context)
            return self._end_modal(context, self._give_up(problem)) if problem else {"RUNNING_MODAL"}
        return self._end_modal(context, self._finish(context))

    def _start(self: Any, context: bpy.types.Context) -> str:
        self._names: list[str] = []
        self._armature = context.object.name
        problem: str = self.begin(context)
        return problem

    def _more_to_write(self: Any) -> bool:
        return self._job.state is jobs.State.DONE and len(self._names) < len(self._job.motions)

    def _write_next(self: Any, context: bpy.types.Context) -> str:
        """Write the next motion as an action; what went wrong, or nothing."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if ob is None or ob.type != "ARMATURE":
            return "The armature was deleted or renamed meanwhile"
        index = len(self._names)
        motion, source = self._job.motions[index], learned_action(ob)
        properties = {
            "riff_model": self._job.model_name, "riff_seed": self.seed, "riff_index": index, "riff_armature": ob.name,
            "riff_source": source.name if source else "", **self.action_properties(motion),
        }  # fmt: skip
        name = f"{self._job.model_name} {self.action_name(index)}"
        try:
            action = write_motion(
                ob, motion, name, source_action=source, properties=properties, frame_start=self.frame_start(),
            )  # fmt: skip
        except RiffError as error:
            return str(error)
        dress_action(ob, action, motion, **self.dressing())
        self._names.append(action.name)
        return ""

    def _finish(self: Any, context: bpy.types.Context) -> Any:
        if self._job.state is not jobs.State.DONE:
            return self._give_up(self._job.error or f"{self.doing} was cancelled")
        session = session_of(context)
        refresh_variations(session)
        session.active_variation = max(0, session.variations.find(self._names[0]))
        many = f"{len(self._names)} actions" if len(self._names) > 1 else f"“{self._names[0]}”"
        self.report({"INFO"}, f"{self.done} {many}")
        return {"FINISHED"}

    def _give_up(self: Any, problem: str, kind: Literal["ERROR", "INFO"] = "ERROR") -> Any:
        """Leave the file as it was before the operator began."""
        for name in self._names:
            action: bpy.types.Action | None = bpy.data.actions.get(name)
            if action is not None:
                bpy.data.actions.remove(action)
        self.report({kind}, problem)
        return {"CANCELLED"}

    def _end_modal(self: Any, context: bpy.types.Context, result: Any) -> Any:
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)
        timer.redraw()
        return result
