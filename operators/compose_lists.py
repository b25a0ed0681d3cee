"""Operators that fill the lists of the Compose panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..core.model.model_file import load_model
from ..core.motion.body_parts import body_halves, find_parts
from ..core.motion.retarget import guess_bones
from ..rig.reading.read import ReadOptions, read_steps
from ..rig.steps import stride
from ..state.compose_settings import compose_settings
from ..state.poll_messages import armature_problem, selection_problem, set_poll_message
from ..state.rig_settings import active_armature, regions_of, rig_settings
from ..state.settings import chosen_model
from ..state.source import glance_steps
from .list_remove import ListRemove
from .runs.stepwise import Stepwise

GLANCE_FRAMES = 60
"""Frames of an action to look at for finding body parts."""


class RIFF_OT_find_parts(Stepwise, bpy.types.Operator):
    """List the armature's body parts, found from its skeleton and feet"""

    bl_idname = "riff.find_parts"
    bl_label = "Find Body Parts"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = armature_problem(active_armature(context))
        return set_poll_message(cls, problem)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        motion = yield from glance_steps(active_armature(context), context.scene, GLANCE_FRAMES)
        self._skeleton = motion.skeleton

    def finished(self, context: bpy.types.Context) -> Any:
        skeleton = self._skeleton
        parts = compose_settings(context).parts
        used = {part.name: part.use for part in parts}
        upper = set(body_halves(skeleton)["Upper Body"])
        parts.clear()
        for found in find_parts(skeleton):
            part = parts.add()
            part.name = found.name
            part.use = used.get(found.name, set(found.joints) <= upper)
        return {"FINISHED"}


class RIFF_OT_add_moment(bpy.types.Operator):
    """Add the chosen region of interest as a moment at the current frame"""

    bl_idname = "riff.add_moment"
    bl_label = "Add Moment"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = selection_problem(active_armature(context))
        if not problem and not regions_of(active_armature(context), only_used=False):
            problem = "Add a region for the moment first"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        settings, regions = compose_settings(context), regions_of(active_armature(context), only_used=False)
        chosen = rig_settings(active_armature(context))
        moment = settings.moments.add()
        active = chosen.active_region < len(chosen.regions)
        moment.region = chosen.regions[chosen.active_region].name if active else regions[0].name
        moment.frame = context.scene.frame_current
        settings.active_moment = len(settings.moments) - 1
        return {"FINISHED"}


class RIFF_OT_remove_moment(ListRemove, bpy.types.Operator):
    """Remove the chosen moment; its region is kept"""

    bl_idname = "riff.remove_moment"
    bl_label = "Remove Moment"
    rows, active = "moments", "active_moment"
    nothing_chosen = "Choose a moment from the list"

    @classmethod
    def problem(cls, context: bpy.types.Context) -> str:
        return ""

    @classmethod
    def owner(cls, context: bpy.types.Context) -> Any:
        return compose_settings(context)


class RIFF_OT_guess_bones(Stepwise, bpy.types.Operator):
    """Match the bones of the other armature to those of the model; correct the list where it is wrong"""

    bl_idname = "riff.guess_bones"
    bl_label = "Guess Bones"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = armature_problem(compose_settings(context).armature)
        if chosen_model(context) is None:
            problem = "Choose a model from the list"
        return set_poll_message(cls, problem)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        settings = compose_settings(context)
        wanted = load_model(chosen_model(context).path).skeleton
        yield 0.0
        action = settings.content or settings.armature.animation_data.action
        step = stride(action.frame_range[0], action.frame_range[1], GLANCE_FRAMES)
        motion = yield from read_steps(settings.armature, action, scene=context.scene, options=ReadOptions(step=step))
        yield 1.0
        guessed = guess_bones(wanted, motion.skeleton)
        self._pairs = [(name, guessed.get(name, "")) for name in wanted.names]

    def finished(self, context: bpy.types.Context) -> Any:
        bones = compose_settings(context).bones
        bones.clear()
        for name, other in self._pairs:
            pair = bones.add()
            pair.name, pair.other = name, other
        self.report({"INFO"}, f"Found {sum(bool(other) for _, other in self._pairs)} of {len(self._pairs)} bones")
        return {"FINISHED"}


CLASSES = (RIFF_OT_find_parts, RIFF_OT_add_moment, RIFF_OT_remove_moment, RIFF_OT_guess_bones)
