"""Operator Add Sample Dancer: a character to try Riff with, without a clip at hand."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from ..core.errors import ModelError
from ..rig.library.models import add_model
from ..sample.dancer import MODEL, add_sample_dancer
from ..sample.place import is_animated
from ..state.poll_messages import set_poll_message
from ..state.rig_settings import rig_settings
from ..state.session import choose_model_of, refresh_models
from ..state.settings import session_of


class RIFF_OT_add_sample_dancer(bpy.types.Operator):
    """Add a dancer with a trained model beside what is there; a scene without animation gets her length and rate"""

    bl_idname = "riff.add_sample_dancer"
    bl_label = "Add Sample Dancer"
    bl_options = {"REGISTER", "UNDO"}

    with_model: BoolProperty(
        name="With Model",
        description="Put the trained model of the dance into the list of models",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        in_object_mode = context.mode == "OBJECT"
        return set_poll_message(cls, "" if in_object_mode else "Switch to Object Mode first")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if not self.properties.is_property_set("with_model"):
            self.with_model = True  # by a click; scripts get only what they ask for
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Any:
        scene = context.scene
        moves = is_animated(scene)
        if not moves:
            scene.render.fps, scene.render.fps_base = 30, 1.0
        dancer = add_sample_dancer(context)
        if not moves:
            action = dancer.animation_data.action
            scene.frame_start, scene.frame_end = int(action.frame_range[0]), int(action.frame_range[1])
            scene.frame_set(scene.frame_start)
        if self.with_model:
            self._add_model(context, dancer)
        return {"FINISHED"}

    def _add_model(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Put the model of the dance into the list and choose it."""
        try:
            path = add_model(MODEL)
            refresh_models(session_of(context), path)
        except (ModelError, OSError) as error:
            self.report({"WARNING"}, f"The model of the dance cannot be added: {error}")
            return
        rig_settings(dancer).model = path.stem
        choose_model_of(session_of(context), dancer)


CLASSES = (RIFF_OT_add_sample_dancer,)
