"""Train on Action, and Cancel."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ..core.errors import RiffError
from ..core.motion import Motion, learned_groups
from ..core.recipe import RECIPES
from ..rig import jobs
from ..rig.models import new_model_path
from ..rig.read import read_motion
from . import timer
from .settings import RECIPE_ITEMS


def armature_problem(ob: bpy.types.Object | None) -> str:
    """What keeps this object from being trained on, as a sentence for a tooltip; empty where nothing does."""
    if ob is None or ob.type != "ARMATURE":
        return "Select an armature"
    if ob.animation_data is None or ob.animation_data.action is None:
        return "The armature has no action; give it one to learn from"
    return ""


class RIFF_OT_train(bpy.types.Operator):
    """Learn the armature's action in the background, to generate variations of it"""

    bl_idname = "riff.train"
    bl_label = "Train on Action"

    recipe: EnumProperty(
        name="Recipe", description="How thoroughly the action is learned", items=RECIPE_ITEMS, default="fast",
    )  # fmt: skip
    seed: IntProperty(name="Seed", description="Trainings with another seed differ a little", default=0, min=0)
    scale: FloatProperty(
        name="Scale", description="Share of the recipe's steps to do", default=1.0, min=0.0001, max=1.0,
        options={"HIDDEN", "SKIP_SAVE"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = armature_problem(context.object)
        training = jobs.latest_training()
        if training and training.running:
            problem = "A training is running; wait for it to end or cancel it"
        cls.poll_message_set(problem)
        return not problem

    def execute(self, context: bpy.types.Context) -> Any:
        try:
            action, motion = self._read(context)
            path = new_model_path(action)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        recipe = RECIPES[self.recipe]
        if self.scale < 1.0:
            recipe = recipe.scaled(self.scale)
        jobs.TrainingJob(motion, recipe, path, seed=self.seed).start()
        timer.ensure_running()
        self.report({"INFO"}, f"Training on “{action}” has begun")
        return {"FINISHED"}

    @staticmethod
    def _read(context: bpy.types.Context) -> tuple[str, Motion]:
        motion = read_motion(context.object, scene=context.scene)
        learned_groups(motion)
        return context.object.animation_data.action.name, motion


class RIFF_OT_cancel_training(bpy.types.Operator):
    """Stop the training; what it has learned so far is lost"""

    bl_idname = "riff.cancel_training"
    bl_label = "Cancel Training"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        training = jobs.latest_training()
        running = training is not None and training.running
        cls.poll_message_set("" if running else "No training is running")
        return running

    def execute(self, context: bpy.types.Context) -> Any:
        jobs.latest_training().cancel()
        return {"FINISHED"}


CLASSES = (RIFF_OT_train, RIFF_OT_cancel_training)
