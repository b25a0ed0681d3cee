"""What all operators that compose share: they read the action, let a job work beside Blender, write actions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..core.direction import Direction, direct
from ..core.errors import RiffError
from ..core.motion import Motion
from ..rig import jobs
from ..rig.actions import source_of
from ..rig.compose_job import CompositionJob
from ..rig.marked import curve_points
from ..rig.write import write_motion
from . import timer
from .generate import dress_action, learned_action
from .models import chosen_model
from .session import refresh_variations
from .settings import session_of
from .train import armature_problem, read_source

ENTRY_ITEMS = [
    ("1", "Level 1", "What is kept is there from the first strokes on"),
    ("2", "Level 2", "The paper's choice: new motion is sketched freely, then drawn to what is kept"),
    ("3", "Level 3", "What is kept enters late"),
    ("4", "Level 4", "What is kept enters at the last moment; joins are less smooth"),
]
ROOT_ITEMS = [
    ("FREE", "Free", "The root goes where the new motion takes it"),
    ("SOURCE", "Keep Path", "The root keeps the path that it has in the action"),
    ("CURVE", "Follow Curve", "The root walks along a curve object"),
]


FRESH = {"SKIP_SAVE"}
"""Options of properties that begin at their defaults each time, so that a script gets what it says and no more."""


class ComposeRun:
    """Mixed into operators that say in `direction` what they want; one action for each alternative."""

    bl_options: Any = {"REGISTER", "UNDO"}
    result = "Take"

    count: IntProperty(
        name="Count", description="How many alternatives to make", default=1, min=1, max=100, options=FRESH,
    )  # fmt: skip
    seed: IntProperty(
        name="Seed", description="The same model, seed and choices always give the same result", default=1, min=0,
        options=FRESH,
    )  # fmt: skip
    entry: EnumProperty(
        name="Entry Level", description="How early in the making what is kept enters", items=ENTRY_ITEMS, default="2",
        options=FRESH,
    )  # fmt: skip
    root: EnumProperty(
        name="Root Path", description="Where the root goes where it is not kept", items=ROOT_ITEMS, default="FREE",
        options=FRESH,
    )  # fmt: skip
    curve: StringProperty(
        name="Curve", description="Name of the curve object that the root follows", options=FRESH,
    )  # fmt: skip
    clean_feet: BoolProperty(
        name="Clean Feet", description="Make standing feet stand where the motion is new", default=True, options=FRESH,
    )  # fmt: skip

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        problem = armature_problem(context.object)
        if not problem and not len(session_of(context).models):
            problem = "There is no model; train one on an action first"
        elif not problem and chosen_model(context) is None:
            problem = "Choose a model from the list"
        cls.poll_message_set(problem)
        return not problem

    def direction(self, context: bpy.types.Context, first: int) -> Direction:
        """What to compose; `first` is the action's first frame. Raises RiffError for what cannot be."""
        raise RiffError(f"{self.__class__.__name__} asks for nothing.")

    def content(self, context: bpy.types.Context) -> Motion:
        """The motion to work around. Raises RiffError."""
        return read_source(context.object, context.scene)

    def bones(self, context: bpy.types.Context) -> dict[str, str] | None:
        """The model's bones by those of the content, where that is another rig's; None to let Riff see."""
        return None

    def execute(self: Any, context: bpy.types.Context) -> Any:
        problem = self._begin(context)
        if problem:
            return self._give_up(problem)
        self._job.join()
        self._job.tick()
        while self._job.state is jobs.State.DONE and len(self._names) < len(self._job.motions):
            problem = self._write_next(context)
            if problem:
                return self._give_up(problem)
        return self._finish(context)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        """In a window the composing runs beside Blender, and one action is written at a time."""
        problem = self._begin(context)
        if problem:
            return self._give_up(problem)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.05, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, 2 * self.count)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type == "ESC":
            self._job.cancel()
            return self._end_modal(context, self._give_up("Composing was cancelled", "INFO"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        self._job.tick()
        context.window_manager.progress_update(self._job.done + len(self._names))
        if self._job.running:
            return {"PASS_THROUGH"}
        if self._job.state is jobs.State.DONE and len(self._names) < len(self._job.motions):
            problem = self._write_next(context)
            return self._end_modal(context, self._give_up(problem)) if problem else {"RUNNING_MODAL"}
        return self._end_modal(context, self._finish(context))

    def _begin(self: Any, context: bpy.types.Context) -> str:
        """Read and check all that Blender knows, and start the job; what is wrong, or nothing."""
        self._names: list[str] = []
        self._armature = context.object.name
        try:
            self._first = source_of(context.object).frames()[0]
            self._direction = self._rooted(context, self.direction(context, self._first))
            content, bones = self.content(context), self.bones(context)
            if bones is None:
                direct(content, self._direction)
        except RiffError as error:
            return str(error)
        path = Path(chosen_model(context).path)
        self._job = CompositionJob(
            path, content, self._direction, count=self.count, seed=self.seed, clean=self.clean_feet, bones=bones,
        )  # fmt: skip
        self._job.start()
        return ""

    def _rooted(self: Any, context: bpy.types.Context, direction: Direction) -> Direction:
        route = curve_points(bpy.data.objects.get(self.curve)) if self.root == "CURVE" else ()
        root = {"FREE": "free", "SOURCE": "source", "CURVE": "route"}[self.root]
        return replace(direction, entry=int(self.entry), root=root, route=route)

    def _write_next(self: Any, context: bpy.types.Context) -> str:
        """Write the next motion as an action; what went wrong, or nothing."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if ob is None or ob.type != "ARMATURE":
            return "The armature was deleted or renamed meanwhile"
        index = len(self._names)
        motion, source = self._job.motions[index], learned_action(ob)
        properties = {
            "riff_model": self._job.model_name, "riff_seed": self.seed, "riff_index": index,
            "riff_frames": motion.frames, "riff_armature": ob.name, "riff_source": source.name if source else "",
            "riff_composition": json.dumps(self._direction.to_json()),
        }  # fmt: skip
        name = f"{self._job.model_name} {self.result} {self.seed}-{index + 1}"
        start = self._first - self._direction.before
        try:
            action = write_motion(
                ob, motion, name, source_action=source, properties=properties, frame_start=start,
            )  # fmt: skip
        except RiffError as error:
            return str(error)
        dress_action(ob, action, motion, asset=True, tolerance=0.0)
        self._names.append(action.name)
        return ""

    def _finish(self: Any, context: bpy.types.Context) -> Any:
        if self._job.state is not jobs.State.DONE:
            return self._give_up(self._job.error or "Composing was cancelled")
        session = session_of(context)
        refresh_variations(session)
        session.active_variation = max(0, session.variations.find(self._names[0]))
        many = f"{len(self._names)} actions" if len(self._names) > 1 else f"“{self._names[0]}”"
        self.report({"INFO"}, f"Composed {many}")
        return {"FINISHED"}

    def _give_up(self: Any, problem: str, kind: Literal["ERROR", "INFO"] = "ERROR") -> Any:
        """Leave the file as it was before the operator began."""
        for name in self._names:
            action: bpy.types.Action | None = bpy.data.actions.get(name)
            if action is not None:
                bpy.data.actions.remove(action)
        self.report({kind}, problem)
        return {"CANCELLED"}

    def _end_modal(self: Any, context: bpy.types.Context, result: Any) -> Any:
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)
        timer.redraw()
        return result
