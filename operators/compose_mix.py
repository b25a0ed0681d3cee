"""Train on several actions of one rig, so that variations move between them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from ..core.direction import names_in
from ..core.errors import ClipError
from ..core.mix import mix
from ..core.motion import Motion
from ..rig.read import read_motion
from .rig_settings import chosen_feet, rig_settings
from .train import TrainingStart


class RIFF_OT_train_on_actions(TrainingStart, bpy.types.Operator):
    """Learn the armature's action and others together in the background; variations then move between them"""

    bl_idname = "riff.train_on_actions"
    bl_label = "Train on Several Actions"

    actions: StringProperty(
        name="Further Actions", description="Names of the other actions of this rig, separated by commas",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return context.window_manager.invoke_props_dialog(self)

    def read(self, context: bpy.types.Context) -> tuple[str, str, Motion]:
        ob = context.object
        actions = self._actions(ob)
        root, feet = rig_settings(ob).root, chosen_feet(ob)
        motion = mix([read_motion(ob, action, scene=context.scene, root=root, feet=feet) for action in actions])
        return " + ".join(action.name for action in actions), f"{len(actions)} actions", motion

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
