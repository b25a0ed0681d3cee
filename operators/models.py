"""The list of trained models: refresh, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..core.errors import ModelError
from .session import refresh_models
from .settings import session_of


class RIFF_OT_refresh_models(bpy.types.Operator):
    """Look for models in Riff's folder again"""

    bl_idname = "riff.refresh_models"
    bl_label = "Refresh Models"

    def execute(self, context: bpy.types.Context) -> Any:
        return _refresh(self, context)


class RIFF_OT_remove_model(bpy.types.Operator):
    """Delete the chosen model's file; actions that it generated stay"""

    bl_idname = "riff.remove_model"
    bl_label = "Delete Model"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        session = session_of(context)
        chosen = bool(session.active_model < len(session.models))
        cls.poll_message_set("" if chosen else "Choose a model from the list")
        return chosen

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Any:
        session = session_of(context)
        path = Path(session.models[session.active_model].path)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self.report({"ERROR"}, f"“{path.name}” cannot be deleted: {error.strerror or error}")
            return {"CANCELLED"}
        return _refresh(self, context)


def _refresh(operator: bpy.types.Operator, context: bpy.types.Context) -> Any:
    try:
        refresh_models(session_of(context))
    except ModelError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


CLASSES = (RIFF_OT_refresh_models, RIFF_OT_remove_model)
