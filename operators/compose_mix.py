"""Train on several actions of one rig, so that variations move between them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core.checkpoint import Checkpoint
from ..core.direction import names_in
from ..core.errors import ClipError, RiffError
from ..core.mix import mix
from ..core.motion import learned_groups
from ..rig import jobs
from ..rig.models import checkpoint_path, new_model_path
from ..rig.read import read_motion
from . import timer
from .preferences import training_python
from .rig_settings import chosen_feet, rig_settings
from .settings import settings_of
from .train import OPERATOR_ITEMS, RIFF_OT_train, chosen_recipe


class RIFF_OT_train_on_actions(bpy.types.Operator):
    """Learn the armature's action and others together in the background; variations then move between them"""

    bl_idname = "riff.train_on_actions"
    bl_label = "Train on Several Actions"

    actions: StringProperty(
        name="Further Actions", description="Names of the other actions of this rig, separated by commas",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    recipe: EnumProperty(
        name="Recipe", description="How thoroughly the actions are learned", items=OPERATOR_ITEMS, default="fast",
    )  # fmt: skip
    seed: IntProperty(name="Seed", description="Trainings with another seed differ a little", default=0, min=0)
    scale: FloatProperty(
        name="Scale", description="Share of the recipe's steps to do", default=1.0, min=0.0001, max=1.0,
        options={"HIDDEN", "SKIP_SAVE"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return RIFF_OT_train.poll.__func__(cls, context)  # type: ignore[attr-defined, no-any-return]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> Any:
        ob = context.object
        try:
            actions = self._actions(ob)
            root, feet = rig_settings(ob).root, chosen_feet(ob)
            motion = mix([read_motion(ob, action, scene=context.scene, root=root, feet=feet) for action in actions])
            learned_groups(motion)
            name = " + ".join(action.name for action in actions)
            path = new_model_path(name, [job.path for job in jobs.trainings() if job.running])
            keep = checkpoint_path(path)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        recipe = chosen_recipe(settings_of(context), self.recipe)
        if self.scale < 1.0:
            recipe = recipe.scaled(self.scale)
        begun = Checkpoint(motion, recipe, self.seed, rig=ob.name)
        jobs.submit(jobs.TrainingJob(begun, path, keep=keep, python=training_python()))
        timer.ensure_running()
        timer.redraw()
        self.report({"INFO"}, f"Training on {len(actions)} actions has begun")
        return {"FINISHED"}

    def _actions(self, ob: bpy.types.Object) -> list[bpy.types.Action]:
        """The armature's own action and the others. Raises ClipError for a name of none, or none."""
        found = [ob.animation_data.action]
        for name in names_in(self.actions):
            action = bpy.data.actions.get(name)
            if action is None:
                raise ClipError(f"There is no action “{name}”; write the names as the list of actions has them.")
            if action not in found:
                found.append(action)
        if len(found) < 2:
            raise ClipError("Name another action to learn together with this one, or use Train on Action.")
        return found


CLASSES = (RIFF_OT_train_on_actions,)
