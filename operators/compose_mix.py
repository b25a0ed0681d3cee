"""Operator for training on several actions of one rig; variations move between them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
from bpy.props import CollectionProperty, IntProperty, StringProperty

from ..core.directing.concatenate import mix_named
from ..core.directing.direction import names_in
from ..core.errors import ClipError
from ..core.motion.motion import Motion
from ..rig.steps import part_of
from ..state.rig_settings import active_armature
from ..state.shown.action_choices import RiffActionChoice, fill_choices
from ..state.source import source_steps
from .train import TrainingStart


class RIFF_OT_train_on_actions(TrainingStart, bpy.types.Operator):
    """Learn the armature's action and others together in the background; variations then move between them"""

    bl_idname = "riff.train_on_actions"
    bl_label = "Train on Several Actions"

    actions: StringProperty(
        name="Further Actions",
        description="Names of the other actions of this rig, separated by commas",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    choices: CollectionProperty(type=RiffActionChoice, options={"SKIP_SAVE", "HIDDEN"})
    active_choice: IntProperty(name="Action", description="Action of this rig", options={"SKIP_SAVE", "HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        fill_choices(self.choices, active_armature(context), context.scene)
        if not len(self.choices):
            self.report({"ERROR"}, "The file has no other action for this armature's bones; use Train on Action")
            return {"CANCELLED"}
        return context.window_manager.invoke_props_dialog(self, width=400)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        action = active_armature(context).animation_data.action
        if action is not None:
            layout.label(text=action.name, icon="ACTION", translate=False)
        layout.template_list("RIFF_UL_action_choices", "", self, "choices", self, "active_choice", rows=8)
        layout.prop(self, "recipe")

    def execute(self, context: bpy.types.Context) -> Any:
        return self.begin_confirmed(context)

    def read(self, context: bpy.types.Context) -> Generator[float, None, tuple[str, str, Motion]]:
        ob, scene = active_armature(context), context.scene
        actions = self._actions(ob)
        motions = []
        for number, action in enumerate(actions):
            motions.append((yield from part_of(source_steps(ob, scene, action), number, len(actions))))
        names = [action.name for action in actions]
        whole, self._clips = mix_named(names, motions)
        return " + ".join(names), f"{len(actions)} actions", whole

    def _actions(self, ob: bpy.types.Object) -> list[bpy.types.Action]:
        """Return the armature's own action and the others. Raises ClipError for an unknown name, or if there is no
        other.
        """
        found = [action for action in [ob.animation_data.action] if action is not None]
        chosen = [row.name for row in self.choices if row.use]
        for name in [*names_in(self.actions), *chosen]:
            action = bpy.data.actions.get(name)
            if action is None:
                raise ClipError(f"There is no action “{name}”; enter the names as in the list of actions.")
            if action not in found:
                found.append(action)
        if len(found) < 2:
            raise ClipError("Choose at least one other action, or use Train on Action.")
        return found


CLASSES = (RIFF_OT_train_on_actions,)
