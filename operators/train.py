"""Operators that start, cancel, resume and discard trainings."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core.errors import ModelError, RiffError
from ..core.files.file_lock import try_lock
from ..core.files.held_open import patiently, reason_of
from ..core.files.paths import is_plain_name
from ..core.model.learned_clips import LearnedClip
from ..core.model.model import Model
from ..core.model.model_file import load_model, read_info
from ..core.model.recipe import RECIPES, Recipe
from ..core.motion.motion import Motion
from ..core.training.checkpoint import begin
from ..rig.background import jobs
from ..rig.library.models import MODEL_SUFFIX, checkpoint_path, claim_new_model, file_name_for, models_folder
from ..state import timer
from ..state.armature_summary import known_problem
from ..state.poll_messages import armature_problem, set_poll_message
from ..state.preferences import training_device, training_python
from ..state.rig_settings import active_armature
from ..state.session import refresh_unfinished
from ..state.settings import RECIPE_ITEMS, RiffSettings, session_of, settings_of
from ..state.source import learned_action, learned_steps
from ..state.trainings import close_note
from .runs.stepwise import Stepwise

OPERATOR_ITEMS = [*RECIPE_ITEMS, ("custom", "Custom", "The recipe set up in the panel")]


def chosen_recipe(settings: RiffSettings, name: str) -> Recipe:
    """Return the recipe of that name; “custom” is built from the settings."""
    if name != "custom":
        return RECIPES[name]
    base = RECIPES[settings.base].scaled(settings.effort)
    weights = tuple(weight * settings.faithfulness for weight in base.reconstruction)
    custom = replace(base, name="custom", reconstruction=weights, contact=base.contact * settings.foot_weight)
    return custom.until(min(settings.last_level, custom.levels))


class TrainingStart(Stepwise):
    """Mixin of operators that start a training on the motion that they `read`; `_clips` are those that it joins."""

    _clips: Sequence[LearnedClip] = ()

    recipe: EnumProperty(
        name="Recipe", description="How thoroughly the action is learned", items=OPERATOR_ITEMS, default="fast"
    )
    seed: IntProperty(
        name="Seed",
        description="Random seed of the training; another seed gives a slightly different model",
        default=0,
        min=0,
    )
    scale: FloatProperty(
        name="Scale",
        description="Fraction of the recipe's steps to do",
        default=1.0,
        min=0.0001,
        max=1.0,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = armature_problem(ob) or known_problem(ob)
        if sum(training.running for training in jobs.trainings()) > 1:
            problem = "One training is running and another is waiting; wait for one to end, or cancel it"
        return set_poll_message(cls, problem)

    def read(self, context: bpy.types.Context) -> Generator[float, None, tuple[str, str, Motion]]:
        """Read in steps; return the model's name, a description of the source, and the motion. Raises RiffError."""
        raise RiffError(f"{self.__class__.__name__} reads nothing.")

    def start(self) -> Model | None:
        """Return the model to start from, if any. Raises ModelError."""
        return None

    def steps(self: Any, context: bpy.types.Context) -> Iterator[float]:
        rig, recipe = active_armature(context).name, chosen_recipe(settings_of(context), self.recipe)
        name, self._subject, motion = yield from self.read(context)
        yield 1.0
        recipe = recipe.scaled(self.scale) if self.scale < 1.0 else recipe
        begun = replace(begin(motion, recipe, self.seed, self.start()), rig=rig, clips=self._clips)
        path, held = claim_new_model(name, [job.path for job in jobs.trainings() if job.running])
        python, device = training_python(), training_device()
        _begin(jobs.TrainingJob(begun, path, keep=checkpoint_path(path), python=python, device=device, claims=[held]))

    def finished(self: Any, context: bpy.types.Context) -> Any:
        self.report({"INFO"}, f"Started training on {self._subject}")
        return {"FINISHED"}


class RIFF_OT_train(TrainingStart, bpy.types.Operator):
    """Learn the armature's action in the background, or the source of a variation: new ones are more than its pieces"""

    bl_idname = "riff.train"
    bl_label = "Train on Action"

    start_from: StringProperty(
        name="Start From",
        description="Model of the same skeleton to start from, which takes fewer steps; empty for none",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if self._is_trained(active_armature(context)):
            self.report(
                {"WARNING"}, "This action is being trained already; for another model choose another recipe or seed"
            )
            return {"CANCELLED"}
        return self.begin_modal(context)

    def _is_trained(self, ob: bpy.types.Object) -> bool:
        """Return whether the same training of the armature's action runs or waits: a second click on the button."""
        action = learned_action(ob)
        if action is None:
            return False
        begun = [job.checkpoint for job in jobs.trainings() if job.running and job.name == file_name_for(action.name)]
        return any(one and one.recipe.name == self.recipe and one.seed == self.seed for one in begun)

    def read(self, context: bpy.types.Context) -> Generator[float, None, tuple[str, str, Motion]]:
        ob = active_armature(context)
        action = learned_action(ob)
        name = action.name if action is not None else ob.name
        motion = yield from learned_steps(ob, context.scene)
        return name, f"“{name}”", motion

    def start(self) -> Model | None:
        if self.start_from and not is_plain_name(self.start_from):
            raise ModelError(f"“{self.start_from}” is not a valid model name.")
        return load_model(models_folder() / f"{self.start_from}{MODEL_SUFFIX}") if self.start_from else None


def _is_interim(path: Path) -> bool:
    """Return whether a file holds the model so far of a training that was killed."""
    try:
        return float(read_info(path)["fraction"]) < 1.0
    except ModelError:
        return False


def _begin(job: jobs.TrainingJob) -> None:
    close_note()
    jobs.submit(job)
    timer.ensure_running()
    timer.redraw()


def _running(name: str = "", *, begun: bool = False) -> jobs.TrainingJob | None:
    """Return the first training that runs or waits, of that name if given; if `begun`, one that has progress."""
    known = (one for one in jobs.trainings() if one.running and (one.progress is not None or not begun))
    return next((one for one in known if name in ("", one.name)), None)


class RIFF_OT_cancel_training(bpy.types.Operator):
    """Stop the training; it can be resumed later"""

    bl_idname = "riff.cancel_training"
    bl_label = "Cancel Training"

    name: StringProperty(name="Name", description="Training to cancel; empty for the running one")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, "" if _running() else "No training is running")

    def execute(self, context: bpy.types.Context) -> Any:
        training = _running(self.name)
        if training is not None:
            training.cancel()
        timer.redraw()
        return {"FINISHED"}


class RIFF_OT_end_training(bpy.types.Operator):
    """End the training now and keep the model so far; levels that are not trained are matched"""

    bl_idname = "riff.end_training"
    bl_label = "Enough"

    name: StringProperty(name="Name", description="Training to end; empty for the running one")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(
            cls, "" if _running(begun=True) else "No training has made a model yet; cancel it instead"
        )

    def execute(self, context: bpy.types.Context) -> Any:
        training = _running(self.name, begun=True)
        if training is None:
            self.report({"ERROR"}, f"The training “{self.name}” has made no model yet")
            return {"CANCELLED"}
        training.end_early()
        timer.redraw()
        return {"FINISHED"}


class RIFF_OT_resume_training(bpy.types.Operator):
    """Continue a cancelled or interrupted training"""

    bl_idname = "riff.resume_training"
    bl_label = "Resume"

    name: StringProperty(name="Name", description="Training to resume; empty for the latest")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = "" if len(session_of(context).unfinished) else "There is no unfinished training"
        if sum(training.running for training in jobs.trainings()) > 1:
            problem = "One training is running and another is waiting; wait for one to end, or cancel it"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        rows = session_of(context).unfinished
        row = rows.get(self.name) if self.name else rows[0]
        if row is None or not Path(row.path).exists():
            return _forget(self, context, f"The training “{self.name}” no longer exists")
        keep = Path(row.path)
        held = try_lock(keep)
        if held is None:
            return _forget(self, context, f"The training “{row.name}” is in use by another Blender")
        claims = [held]
        try:
            path = models_folder() / keep.name
            if path.exists() and not _is_interim(path):
                path, another = claim_new_model(row.name)
                claims.append(another)
        except ModelError as error:
            held.release()
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        python, device = training_python(), training_device()
        _begin(jobs.TrainingJob(keep, path, name=row.name, keep=keep, python=python, device=device, claims=claims))
        refresh_unfinished(session_of(context))
        return {"FINISHED"}


class RIFF_OT_discard_training(bpy.types.Operator):
    """Delete an unfinished training"""

    bl_idname = "riff.discard_training"
    bl_label = "Discard Training"

    name: StringProperty(name="Name", description="Training to discard")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Any:
        row = session_of(context).unfinished.get(self.name)
        if row is None:
            return _forget(self, context, f"The training “{self.name}” no longer exists")
        held = try_lock(Path(row.path))
        if held is None:
            return _forget(self, context, f"The training “{row.name}” is in use by another Blender")
        try:
            patiently(lambda: Path(row.path).unlink(missing_ok=True))
        except OSError as error:
            self.report({"ERROR"}, f"“{row.name}” cannot be deleted: {reason_of(error)}")
            return {"CANCELLED"}
        finally:
            held.release()
        refresh_unfinished(session_of(context))
        timer.redraw()
        return {"FINISHED"}


class RIFF_OT_read_note(bpy.types.Operator):
    """Say how the latest training ended, and show what was learned"""

    bl_idname = "riff.read_note"
    bl_label = "Read Note"

    def execute(self, context: bpy.types.Context) -> Any:
        session = session_of(context)
        session.tab = "LEARN"
        self.report({"WARNING" if session.note_problem else "INFO"}, session.note_problem or session.note)
        return {"FINISHED"}


class RIFF_OT_close_note(bpy.types.Operator):
    """Close the note on the latest training"""

    bl_idname = "riff.close_note"
    bl_label = "Close Note"

    def execute(self, context: bpy.types.Context) -> Any:
        close_note()
        return {"FINISHED"}


def _forget(operator: bpy.types.Operator, context: bpy.types.Context, problem: str) -> Any:
    refresh_unfinished(session_of(context))
    operator.report({"ERROR"}, problem)
    return {"CANCELLED"}


CLASSES = (
    RIFF_OT_train,
    RIFF_OT_cancel_training,
    RIFF_OT_end_training,
    RIFF_OT_resume_training,
    RIFF_OT_discard_training,
    RIFF_OT_read_note,
    RIFF_OT_close_note,
)
