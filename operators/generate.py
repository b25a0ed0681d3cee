"""Generate: new actions from a trained model, and showing each on the armature."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import bpy
from bpy.props import IntProperty, StringProperty

from ..core.errors import RiffError
from ..rig import jobs
from ..rig.compat import assign_action
from ..rig.write import write_motion
from . import timer
from .session import refresh_variations
from .settings import session_of


def _action_of(ob: bpy.types.Object) -> bpy.types.Action | None:
    return ob.animation_data.action if ob.animation_data else None


def _learned_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    """The armature's action or, where that is a variation, the action which the variation was made beside."""
    action = _action_of(ob)
    source = bpy.data.actions.get(str(action.get("riff_source", ""))) if action is not None else None
    return source or action


class RIFF_OT_generate(bpy.types.Operator):
    """Generate new actions for this armature with the chosen model; the armature keeps its own action"""

    bl_idname = "riff.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER", "UNDO"}

    count: IntProperty(name="Count", description="How many variations to generate", default=5, min=1, max=100)
    frames: IntProperty(
        name="Frames", description="How many frames each variation lasts; 0 for as many as the source",
        default=0, min=0, max=100_000,
    )  # fmt: skip
    seed: IntProperty(
        name="Seed", description="The same model, seed and length always give the same variations", default=1, min=0,
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        session = session_of(context)
        problem = ""
        if context.object is None or context.object.type != "ARMATURE":
            problem = "Select an armature"
        elif not session.models:
            problem = "There is no model; train one on an action first"
        elif session.active_model >= len(session.models):
            problem = "Choose a model from the list"
        cls.poll_message_set(problem)
        return not problem

    def execute(self, context: bpy.types.Context) -> Any:
        self._begin(context)
        self._job.join()
        self._job.tick()
        while self._job.state is jobs.State.DONE and len(self._names) < len(self._job.motions):
            problem = self._write_next(context)
            if problem:
                return self._give_up(context, problem)
        return self._finish(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        """In a window the generator runs beside Blender, and one action is written at a time."""
        self._begin(context)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.05, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, self.count)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type == "ESC":
            self._job.cancel()
            return self._end_modal(context, self._give_up(context, "Generating was cancelled", "INFO"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        self._job.tick()
        if self._job.running:
            return {"PASS_THROUGH"}
        if self._job.state is jobs.State.DONE and len(self._names) < len(self._job.motions):
            problem = self._write_next(context)
            context.window_manager.progress_update(len(self._names))
            return self._end_modal(context, self._give_up(context, problem)) if problem else {"RUNNING_MODAL"}
        return self._end_modal(context, self._finish(context))

    def _begin(self, context: bpy.types.Context) -> None:
        session, scene = session_of(context), context.scene
        model = session.models[session.active_model]
        self._names: list[str] = []
        self._armature = context.object.name
        self._job = jobs.GenerationJob(
            Path(model.path), count=self.count, frames=self.frames or None,
            fps=scene.render.fps / scene.render.fps_base, seed=self.seed,
        )  # fmt: skip
        self._job.start()

    def _write_next(self, context: bpy.types.Context) -> str:
        """Write the next motion as an action; what went wrong, or nothing."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if ob is None or ob.type != "ARMATURE":
            return "The armature was deleted or renamed meanwhile"
        index = len(self._names)
        source = _learned_action(ob)
        properties = {
            "riff_model": self._job.model_name, "riff_seed": self.seed, "riff_index": index, "riff_frames": self.frames,
            "riff_armature": ob.name, "riff_source": source.name if source else "",
        }  # fmt: skip
        name = f"{self._job.model_name} Variation {self.seed}-{index + 1}"
        try:
            action = write_motion(ob, self._job.motions[index], name, source_action=source, properties=properties)
        except RiffError as error:
            return str(error)
        self._names.append(action.name)
        return ""

    def _finish(self, context: bpy.types.Context) -> Any:
        if self._job.state is not jobs.State.DONE:
            return self._give_up(context, self._job.error or "Generating was cancelled")
        refresh_variations(session_of(context))
        many = f"{len(self._names)} actions" if len(self._names) > 1 else f"“{self._names[0]}”"
        self.report({"INFO"}, f"Generated {many}")
        return {"FINISHED"}

    def _give_up(self, context: bpy.types.Context, problem: str, kind: Literal["ERROR", "INFO"] = "ERROR") -> Any:
        """Leave the file as it was before the operator began."""
        for name in self._names:
            action: bpy.types.Action | None = bpy.data.actions.get(name)
            if action is not None:
                bpy.data.actions.remove(action)
        self.report({kind}, problem)
        return {"CANCELLED"}

    def _end_modal(self, context: bpy.types.Context, result: Any) -> Any:
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)
        timer.redraw()
        return result


class RIFF_OT_show_action(bpy.types.Operator):
    """Put this action on the armature and play it; the action that was there stays in the file"""

    bl_idname = "riff.show_action"
    bl_label = "Show Action"
    bl_options = {"REGISTER", "UNDO"}

    action: StringProperty(name="Action", description="Name of the action to show")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        is_armature = context.object is not None and context.object.type == "ARMATURE"
        cls.poll_message_set("" if is_armature else "Select an armature")
        return is_armature

    def execute(self, context: bpy.types.Context) -> Any:
        action: bpy.types.Action | None = bpy.data.actions.get(self.action)
        if action is None:
            refresh_variations(session_of(context))
            self.report({"ERROR"}, f"The action “{self.action}” is no longer in the file")
            return {"CANCELLED"}
        shown = _action_of(context.object)
        try:
            assign_action(context.object, action)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if shown is not None and shown.users == 0:
            # The armature was its only user: Blender would drop it when the file is saved.
            shown.use_fake_user = True
        if context.screen is not None and not context.screen.is_animation_playing and not bpy.app.background:
            context.scene.frame_set(int(action.frame_range[0]))
            bpy.ops.screen.animation_play()
        return {"FINISHED"}


CLASSES = (RIFF_OT_generate, RIFF_OT_show_action)
