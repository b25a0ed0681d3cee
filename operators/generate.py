"""Generate: new actions from a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

from ..core.errors import RiffError
from ..core.motion import Motion
from ..rig import jobs
from ..rig.portrait import give_picture
from ..rig.reduce import reduce_keys
from ..rig.write import write_motion
from . import timer
from .models import chosen_model
from .results import active_action
from .session import refresh_variations
from .settings import session_of


def learned_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    """The armature's action or, where that is a variation, the action which the variation was made beside."""
    action = active_action(ob)
    source = bpy.data.actions.get(str(action.get("riff_source", ""))) if action is not None else None
    return source or action


def origin_of(action: bpy.types.Action) -> list[tuple[float, int]]:
    """Seed and number of the variation that began a line of variations near each other, then of each in that line."""
    numbers = [float(number) for number in action.get("riff_like", [])]
    line = [(seed, int(index)) for seed, index in zip(numbers[::2], numbers[1::2], strict=True)]
    return [*line, (float(action.get("riff_seed", 0)), int(action.get("riff_index", 0)))]


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
    coarse: FloatProperty(
        name="Coarse Variation", description="How much the course of the motion varies", default=1.0, min=0.0, max=3.0,
    )  # fmt: skip
    fine: FloatProperty(
        name="Fine Variation", description="How much the details vary", default=1.0, min=0.0, max=3.0,
    )  # fmt: skip
    clean_feet: BoolProperty(
        name="Clean Feet", description="Make standing feet stand where they would slide a little", default=True,
    )  # fmt: skip
    tolerance: FloatProperty(
        name="Reduce Keys",
        description="Keep only the Bézier keys that follow the motion this closely; 0 keys each frame", default=0.0,
        min=0.0, max=0.5, subtype="ANGLE",
    )  # fmt: skip
    as_asset: BoolProperty(
        name="Mark as Asset", description="Offer the variations in the asset browser, each with a picture",
        default=True,
    )  # fmt: skip
    like: StringProperty(
        name="Like", description="Variation that the new ones are near to; empty for any", options={"SKIP_SAVE"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = ""
        if context.object is None or context.object.type != "ARMATURE":
            problem = "Select an armature"
        elif not len(session_of(context).models):
            problem = "There is no model; train one on an action first"
        elif chosen_model(context) is None:
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
        scene, like = context.scene, bpy.data.actions.get(self.like) if self.like else None
        self._like = origin_of(like) if like else []
        self._names: list[str] = []
        self._armature = context.object.name
        self._job = jobs.GenerationJob(
            Path(chosen_model(context).path), count=self.count, frames=self.frames or None,
            fps=scene.render.fps / scene.render.fps_base, seed=self.seed, strength=(self.coarse, self.fine),
            clean=self.clean_feet, like=self._like,
        )  # fmt: skip
        self._job.start()

    def _write_next(self, context: bpy.types.Context) -> str:
        """Write the next motion as an action; what went wrong, or nothing."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if ob is None or ob.type != "ARMATURE":
            return "The armature was deleted or renamed meanwhile"
        index = len(self._names)
        motion, source = self._job.motions[index], learned_action(ob)
        near = f" like {self.like.rpartition(' ')[2]}" if self.like else ""
        name = f"{self._job.model_name} Variation {self.seed}-{index + 1}{near}"
        try:
            properties = self._properties(ob, source, index)
            action = write_motion(ob, motion, name, source_action=source, properties=properties)
        except RiffError as error:
            return str(error)
        dress_action(ob, action, motion, asset=self.as_asset, tolerance=self.tolerance)
        self._names.append(action.name)
        return ""

    def _properties(self, ob: bpy.types.Object, source: bpy.types.Action | None, index: int) -> dict[str, Any]:
        """What an action must know to be generated again."""
        properties = {
            "riff_model": self._job.model_name, "riff_seed": self.seed, "riff_index": index, "riff_frames": self.frames,
            "riff_armature": ob.name, "riff_source": source.name if source else "", "riff_coarse": self.coarse,
            "riff_fine": self.fine, "riff_clean_feet": self.clean_feet,
        }  # fmt: skip
        line = [number for step in self._like for number in step]
        return {**properties, "riff_like": line} if line else properties

    def _finish(self, context: bpy.types.Context) -> Any:
        if self._job.state is not jobs.State.DONE:
            return self._give_up(context, self._job.error or "Generating was cancelled")
        session = session_of(context)
        refresh_variations(session)
        session.active_variation = max(0, session.variations.find(self._names[0]))
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


CLASSES = (RIFF_OT_generate,)
