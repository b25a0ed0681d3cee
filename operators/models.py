"""Operators for the list of trained models: refresh, rename, delete, import, export, reveal, show quality."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..core.errors import ModelError
from ..core.files.held_open import patiently, reason_of
from ..core.files.paths import copy_whole
from ..core.model.model_file import load_model
from ..rig.library.models import MODEL_SUFFIX, claim_new_model, file_name_for, models_folder
from ..state.model_fit import forget
from ..state.poll_messages import set_poll_message
from ..state.session import refresh_models, refresh_unfinished
from ..state.settings import chosen_model, session_of


class _OnChosenModel:
    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, "" if chosen_model(context) is not None else "Choose a model from the list")


class RIFF_OT_refresh_models(bpy.types.Operator):
    """Read the list of models from Riff's folder again"""

    bl_idname = "riff.refresh_models"
    bl_label = "Refresh Models"

    def execute(self, context: bpy.types.Context) -> Any:
        return _refresh(self, context, unfinished=True)


class RIFF_OT_choose_model(bpy.types.Operator):
    """Generate from this model"""

    bl_idname = "riff.choose_model"
    bl_label = "Choose Model"

    name: StringProperty(name="Name", description="Model to generate from")

    def execute(self, context: bpy.types.Context) -> Any:
        session = session_of(context)
        row = session.models.find(self.name)
        if row < 0:
            self.report({"ERROR"}, f"There is no model “{self.name}”")
            return {"CANCELLED"}
        session.active_model = row
        return {"FINISHED"}


class RIFF_OT_remove_model(_OnChosenModel, bpy.types.Operator):
    """Delete the chosen model's file; actions generated from it are kept"""

    bl_idname = "riff.remove_model"
    bl_label = "Delete Model"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Any:
        path = Path(chosen_model(context).path)
        try:
            patiently(lambda: path.unlink(missing_ok=True))
        except OSError as error:
            self.report({"ERROR"}, f"“{path.name}” cannot be deleted: {reason_of(error)}")
            return {"CANCELLED"}
        return _refresh(self, context)


class RIFF_OT_rename_model(_OnChosenModel, bpy.types.Operator):
    """Rename the chosen model; actions generated from it keep the old name"""

    bl_idname = "riff.rename_model"
    bl_label = "Rename Model"

    name: StringProperty(name="Name", description="New name of the model")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        self.name = chosen_model(context).name
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> Any:
        old = Path(chosen_model(context).path)
        if not self.name.strip(" ."):
            self.report({"ERROR"}, "Enter a name for the model")
            return {"CANCELLED"}
        if file_name_for(self.name) == old.stem:
            return {"FINISHED"}
        try:
            new, held = claim_new_model(self.name)
            try:
                patiently(lambda: old.rename(new))
            finally:
                held.release()
        except (OSError, ModelError) as error:
            self.report({"ERROR"}, f"“{old.name}” cannot be renamed: {reason_of(error)}")
            _refresh(self, context)
            return {"CANCELLED"}
        return _refresh(self, context, new)


class RIFF_OT_import_model(bpy.types.Operator):
    """Copy a model's file into Riff's folder"""

    bl_idname = "riff.import_model"
    bl_label = "Import Model"

    filepath: StringProperty(name="File Path", description="File of the model", subtype="FILE_PATH")
    filter_glob: StringProperty(
        name="Filter", description="Filter of the shown files", default=f"*{MODEL_SUFFIX}", options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Any:
        source = Path(bpy.path.abspath(self.filepath))
        try:
            load_model(source)
            target, held = claim_new_model(source.stem)
            try:
                copy_whole(source, target)
            finally:
                held.release()
        except (OSError, ModelError) as error:
            self.report({"ERROR"}, getattr(error, "strerror", None) or str(error))
            return {"CANCELLED"}
        return _refresh(self, context, target)


class RIFF_OT_export_model(_OnChosenModel, bpy.types.Operator):
    """Save a copy of the chosen model's file"""

    bl_idname = "riff.export_model"
    bl_label = "Export Model"

    filepath: StringProperty(name="File Path", description="File to save the model as", subtype="FILE_PATH")
    filter_glob: StringProperty(
        name="Filter", description="Filter of the shown files", default=f"*{MODEL_SUFFIX}", options={"HIDDEN"}
    )
    check_existing: BoolProperty(
        name="Check Existing", description="Ask before overwriting a file", default=True, options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        self.filepath = f"{chosen_model(context).name}{MODEL_SUFFIX}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Any:
        target = Path(bpy.path.abspath(self.filepath))
        if not target.name:
            self.report({"ERROR"}, "Enter a name for the file")
            return {"CANCELLED"}
        try:
            copy_whole(chosen_model(context).path, target)
        except OSError as error:
            self.report({"ERROR"}, f"The model cannot be saved there: {reason_of(error)}")
            return {"CANCELLED"}
        return {"FINISHED"}


class RIFF_OT_reveal_models(bpy.types.Operator):
    """Open the folder of models in the system's file browser"""

    bl_idname = "riff.reveal_models"
    bl_label = "Reveal Models"

    def execute(self, context: bpy.types.Context) -> Any:
        try:
            return bpy.ops.wm.path_open(filepath=str(models_folder()))
        except ModelError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}


class RIFF_OT_model_figures(bpy.types.Operator):
    """Show the quality of this model, measured on three variations at the end of its training"""

    bl_idname = "riff.model_figures"
    bl_label = "Quality"

    name: StringProperty(name="Name", description="Model whose quality to show", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        row = session_of(context).models.get(properties.name)
        say: Any = bpy.app.translations.pgettext_tip
        if row is None or not row.figures:
            return str(say("The quality of this model has not been measured"))
        return "\n".join([*(say(line) for line in row.advice.splitlines()), row.figures])

    def execute(self, context: bpy.types.Context) -> Any:
        row = session_of(context).models.get(self.name)
        if row is None:
            self.report({"ERROR"}, f"There is no model “{self.name}”")
            return {"CANCELLED"}
        told = "; ".join([*row.advice.splitlines(), *row.figures.splitlines()])
        self.report({"INFO"}, told if row.figures else "The quality of this model has not been measured")
        return {"FINISHED"}


def _refresh(
    operator: bpy.types.Operator, context: bpy.types.Context, select: Path | None = None, unfinished: bool = False
) -> Any:
    forget()
    try:
        refresh_models(session_of(context), select)
        if unfinished:  # another Blender may have finished one
            refresh_unfinished(session_of(context))
    except ModelError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


CLASSES = (
    RIFF_OT_refresh_models,
    RIFF_OT_choose_model,
    RIFF_OT_remove_model,
    RIFF_OT_rename_model,
    RIFF_OT_import_model,
    RIFF_OT_export_model,
    RIFF_OT_reveal_models,
    RIFF_OT_model_figures,
)
