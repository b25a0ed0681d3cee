"""Operators Export Training Job and Import Trained Models, for training many clips on a render farm."""

from __future__ import annotations

import filecmp
from collections.abc import Generator, Iterator
from glob import escape
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..core.errors import ClipError, JobError, RiffError
from ..core.farm.export import complete_job
from ..core.farm.job import Entry, FarmJob, JobWriter
from ..core.farm.manifest import read_job
from ..core.files.paths import copy_whole
from ..core.model.model_file import load_model
from ..core.motion.clip_file import Clip
from ..rig.library.blend_files import armature_for, asset_files, borrowed_actions, keyed_bones, sentence, source_actions
from ..rig.library.models import MODEL_SUFFIX, claim_new_model, file_name_for, models_folder
from ..rig.steps import part_of
from ..state.poll_messages import armature_problem, selection_problem, set_poll_message
from ..state.rig_settings import active_armature
from ..state.session import refresh_models
from ..state.settings import session_of, settings_of
from ..state.source import clip_steps
from .runs.stepwise import Stepwise
from .train import OPERATOR_ITEMS, chosen_recipe

WHICH_ITEMS = [
    ("ACTION", "Active Action", "The action of the active armature"),
    ("ARMATURE", "Armature's Actions", "All actions of the file that are for the active armature"),
    ("FILE", "All Actions", "All actions of the file, each with its armature"),
    ("LIBRARY", "Asset Library", "All action assets of an asset library, on the active armature"),
]


class RIFF_OT_export_job(Stepwise, bpy.types.Operator):
    """Export actions as a job folder, from which a render farm or another machine trains models without Blender"""

    bl_idname = "riff.export_job"
    bl_label = "Export Training Job"
    _writer: JobWriter | None = None

    directory: StringProperty(
        name="Folder", description="Folder in which to create the job's folder", subtype="DIR_PATH"
    )
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})
    which: EnumProperty(name="Actions", description="Actions to train on", items=WHICH_ITEMS, default="ARMATURE")
    pattern: StringProperty(
        name="Names", description="Names or patterns of the actions, such as Walk*, separated by commas", default=""
    )
    library: StringProperty(name="Asset Library", description="Name of the asset library in the preferences")
    recipe: EnumProperty(
        name="Recipe", description="How thoroughly each action is learned", items=OPERATOR_ITEMS, default="fast"
    )
    seed: IntProperty(
        name="Seed",
        description="Random seed of the training; another seed gives a slightly different model",
        default=0,
        min=0,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, selection_problem(active_armature(context)))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        settings = settings_of(context)
        self.recipe, self.seed = settings.recipe, settings.training_seed
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Any:
        return self.begin_confirmed(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        self._left_out: list[str] = []
        self._writer = None
        self._armature = active_armature(context)
        recipe = chosen_recipe(settings_of(context), self.recipe)
        self._writer = JobWriter(self._folder(context), self._name(context), recipe, self.seed)
        yield from self._clips(context)
        if not self._writer.entries and self._left_out:
            raise JobError(f"No action can be learned. {self._left_out[0]}.")
        self._job = self._writer.finish()
        complete_job(self._job)

    def cancelled(self, context: bpy.types.Context) -> None:
        if self._writer:
            self._writer.discard()

    def finished(self, context: bpy.types.Context) -> Any:
        count = len(self._job.entries)
        text = f"Exported {count} clip{'s' if count > 1 else ''} to “{self._job.folder}”"
        if self._left_out:
            self.report({"WARNING"}, f"{text}; skipped {len(self._left_out)}: {'; '.join(self._left_out[:3])}")
        else:
            self.report({"INFO"}, text)
        return {"FINISHED"}

    def _name(self, context: bpy.types.Context) -> str:
        if self.which == "LIBRARY":
            return self.library
        armature = str(active_armature(context).name)
        return armature if self.which == "ARMATURE" else Path(bpy.data.filepath).stem or armature

    def _folder(self, context: bpy.types.Context) -> Path:
        """Return a new folder in the chosen one; a number is added as Blender does."""
        if not self.directory:
            raise JobError("Choose a folder for the job.")
        parent = Path(bpy.path.abspath(self.directory))
        stem = f"{file_name_for(self._name(context))} job"
        folder, number = parent / stem, 0
        while folder.exists():
            number += 1
            folder = parent / f"{stem}.{number:03}"
        return folder

    def _clips(self, context: bpy.types.Context) -> Iterator[float]:
        """Write each clip; skip an action that cannot be learned."""
        if self.which == "LIBRARY":
            yield from self._library_clips(context)
            return
        actions = self._actions(context)
        for number, action in enumerate(actions):
            self._add((yield from part_of(self._clip(context, action), number, len(actions))))

    def _add(self, clip: Clip | None) -> None:
        if clip:
            self._writer.add(clip)

    def _actions(self, context: bpy.types.Context) -> list[bpy.types.Action]:
        if self.which == "ACTION":
            problem = armature_problem(active_armature(context))
            if problem:
                raise ClipError(f"{problem}.")
            return [active_armature(context).animation_data.action]
        actions = source_actions([part.strip() for part in self.pattern.split(",") if part.strip()])
        if self.which == "ARMATURE":
            actions = [action for action in actions if _fits(action, active_armature(context))]
        if not actions:
            raise ClipError("There is no action to export; choose other actions or names.")
        return actions

    def _library_clips(self, context: bpy.types.Context) -> Iterator[float]:
        files, names = asset_files(self.library), set()
        for number, path in enumerate(files):
            with borrowed_actions(path) as actions:
                for done, action in enumerate(actions):
                    clip = yield from part_of(self._clip(context, action), number + done / len(actions), len(files))
                    # Blender renames an appended action if its name is taken; names may repeat among files
                    name = clip.name if clip else ""
                    while clip and name in names:
                        name = f"{path.stem}: {name}"
                    names.add(name)
                    self._add(Clip(name, clip.motion, clip.rig, path.name) if clip else None)

    def _clip(self, context: bpy.types.Context, action: bpy.types.Action) -> Generator[float, None, Clip | None]:
        name = action.name
        try:
            ob = armature_for(action) if self.which == "FILE" else self._armature
            return (yield from clip_steps(ob, action, context.scene))
        except ClipError as error:
            self._left_out.append(f"“{name}”: {sentence(error)}")
            return None


def _fits(action: bpy.types.Action, ob: bpy.types.Object) -> bool:
    return all(bone in ob.data.bones for bone in keyed_bones(action))


class RIFF_OT_import_trained(Stepwise, bpy.types.Operator):
    """Copy the trained models of a job folder into Riff's folder, each under the name of its action"""

    bl_idname = "riff.import_trained"
    bl_label = "Import Trained Models"

    directory: StringProperty(name="Folder", description="Folder of the job", subtype="DIR_PATH")
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Any:
        return self.begin_confirmed(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        self._paths: dict[str, Path] = {}
        self._problems: list[str] = []
        self._waiting = 0
        job = read_job(Path(bpy.path.abspath(self.directory)))
        for entry in job.entries:
            self._import(job, entry)
            yield (entry.number + 1) / len(job.entries)

    def _import(self, job: FarmJob, entry: Entry) -> None:
        record = job.record(entry)
        if record.get("state") == "failed":
            self._problems.append(f"“{entry.name}” failed: {str(record.get('error', '')).rstrip('.')}")
        elif not job.is_done(entry):
            self._waiting += 1
        else:
            try:
                self._paths[entry.name] = _bring_in(job.model_path(entry), entry)
            except (OSError, RiffError) as error:
                self._problems.append(f"“{entry.name}”: {getattr(error, 'strerror', None) or str(error).rstrip('.')}")

    def finished(self, context: bpy.types.Context) -> Any:
        active = active_armature(context)
        data = active.animation_data if active else None
        own_model = self._paths.get(data.action.name) if data and data.action else None
        try:
            refresh_models(session_of(context), own_model or next(iter(self._paths.values()), None))
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        known = sum(name in bpy.data.actions for name in self._paths)
        parts = [f"Imported {len(self._paths)} models, {known} for actions in this file"]
        if self._waiting:
            parts.append(f"{self._waiting} are not trained yet")
        parts += self._problems[:3]
        self.report({"WARNING" if self._problems else "INFO"}, "; ".join(parts))
        return {"FINISHED"}


def _bring_in(source: Path, entry: Entry) -> Path:
    """Copy a model into Riff's folder, unless it is there; return its path. Raises ModelError, OSError."""
    for path in models_folder().glob(f"{escape(file_name_for(entry.name))}*{MODEL_SUFFIX}"):
        if filecmp.cmp(source, path, shallow=False):
            return path
    load_model(source)
    target, held = claim_new_model(entry.name)
    try:
        copy_whole(source, target)
    finally:
        held.release()
    return target


CLASSES = (RIFF_OT_export_job, RIFF_OT_import_trained)
