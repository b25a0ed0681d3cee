"""Operators of the hints in the box Source: mend what is odd about the action, close a hint, take a strip's action."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import bpy
from bpy.props import FloatProperty, StringProperty

from ..core.errors import RiffError
from ..rig.compat import assign_action
from ..rig.hints.dead_keys import mend_dead_keys
from ..rig.hints.find import Hint, HintKind, find_hint
from ..rig.hints.mending import leave_out, plays_alone, scale_keys, set_rate, split_takes
from ..rig.reading.actions import Source, source_of
from ..rig.writing.cyclic import make_cyclic
from ..state import timer
from ..state.armature_summary import forget
from ..state.poll_messages import armature_problem, selection_problem, set_poll_message, settings_problem
from ..state.rig_settings import active_armature, rig_settings
from ..state.source import glance_steps
from ..state.source_hints import close_hint, look_at, offered_actions
from .runs.stepwise import Stepwise

LOOK_FRAMES = 120
"""Frames to look at for hints that need the motion."""


class RIFF_OT_mend_source(Stepwise, bpy.types.Operator):
    """Mend this about the action; undo takes it back"""

    bl_idname = "riff.mend_source"
    bl_label = "Mend Source"
    bl_options = {"REGISTER", "UNDO"}

    kind: StringProperty(name="Kind", description="Kind of the hint", options={"HIDDEN", "SKIP_SAVE"})
    rate: FloatProperty(
        name="Captured At",
        description="Frame rate at which the motion was captured; 0 for the rate that Riff guesses",
        default=0.0,
        min=0.0,
        soft_max=240.0,
        max=10_000.0,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, armature_problem(active_armature(context)))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def draw(self, context: bpy.types.Context) -> None:
        if self.kind == HintKind.RATE:
            self.layout.use_property_split = True
            self.layout.prop(self, "rate")

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        """Look for the oddity again, since the action may have changed, and mend it in the last step."""
        ob = active_armature(context)
        kind = next((one for one in HintKind if one == self.kind), None)
        if kind is None:
            raise RiffError(f"There is no hint “{self.kind}”.")
        motion = None
        if kind in (HintKind.RATE, HintKind.CYCLE):
            motion = yield from glance_steps(ob, context.scene, LOOK_FRAMES)
        hint = yield from find_hint(look_at(ob, context.scene, motion), kind)
        if active_armature(context) != ob:
            raise RiffError("The selection changed; select the armature and try again.")
        if hint is None:
            raise RiffError("There is nothing left to fix.")
        source = source_of(ob)
        if not source.action.is_editable or not ob.is_editable:
            raise RiffError(f"“{source.action.name}” comes from another file; make it local first.")
        if kind is HintKind.RATE:
            self.rate = self.rate or hint.numbers[0]
            _set_rate(context, source, self.rate)
        else:
            MENDS[kind](context, source, hint)

    def finished(self, context: bpy.types.Context) -> Any:
        forget()
        timer.redraw()
        return {"FINISHED"}


def _set_rate(context: bpy.types.Context, source: Source, rate: float) -> None:
    """Set the scene's rate where nothing else plays in it; else move the action's keys to where they belong in time."""
    if plays_alone(active_armature(context), source, context.scene):
        set_rate(context.scene, rate)
    else:
        render = context.scene.render
        scale_keys(source, render.fps / render.fps_base / rate)


def _take_whole_nla(context: bpy.types.Context, source: Source, hint: Hint) -> None:
    rig_settings(active_armature(context)).whole_nla = True


def _make_smooth(context: bpy.types.Context, source: Source, hint: Hint) -> None:
    rig_settings(active_armature(context)).smooth_steps = True


def _split(context: bpy.types.Context, source: Source, hint: Hint) -> None:
    split_takes(active_armature(context), source, list(zip(hint.numbers[::2], hint.numbers[1::2], strict=True)))


MENDS: dict[HintKind, Callable[[bpy.types.Context, Source, Hint], None]] = {
    HintKind.LAYERS: _take_whole_nla,
    HintKind.DEAD: lambda context, source, hint: mend_dead_keys(active_armature(context), source),
    HintKind.STRAY: lambda context, source, hint: leave_out(source.action, *hint.numbers[-2:]),
    HintKind.APART: lambda context, source, hint: leave_out(source.action, *hint.numbers[-2:]),
    HintKind.TAKES: _split,
    HintKind.STEPPED: _make_smooth,
    HintKind.CYCLE: lambda context, source, hint: make_cyclic(source.action, None),
}
"""Mending of each kind of hint but that of the rate, which has a setting of its own."""


class RIFF_OT_close_hint(bpy.types.Operator):
    """Close this hint for this action; it stays closed in the saved file"""

    bl_idname = "riff.close_hint"
    bl_label = "Close Hint"
    bl_options = {"REGISTER", "UNDO"}

    kind: StringProperty(name="Kind", description="Kind of the hint", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        return set_poll_message(cls, armature_problem(ob) or settings_problem(ob))

    def execute(self, context: bpy.types.Context) -> Any:
        kind = next((one for one in HintKind if one == self.kind), None)
        if kind is None or active_armature(context).animation_data.action is None:
            self.report({"ERROR"}, f"There is no hint “{self.kind}”")
            return {"CANCELLED"}
        close_hint(active_armature(context), kind)
        return {"FINISHED"}


class RIFF_OT_take_strip_action(bpy.types.Operator):
    """Make this strip's action the active one, to learn from it; the strips stay as they are"""

    bl_idname = "riff.take_strip_action"
    bl_label = "Take Strip's Action"
    bl_options = {"REGISTER", "UNDO"}

    action: StringProperty(name="Action", description="Name of the action", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        problem = selection_problem(active_armature(context))
        if not problem and not active_armature(context).is_editable:
            problem = "The armature is linked from another file; change this there"
        if not problem and not offered_actions(active_armature(context)):
            problem = "No other action lies in the NLA strips of this armature"
        return set_poll_message(cls, problem)

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        action = next((one for one in offered_actions(ob) if one.name == self.action), None)
        if action is None:
            self.report({"ERROR"}, f"No NLA strip of “{ob.name}” plays an action “{self.action}”")
            return {"CANCELLED"}
        try:
            assign_action(ob, action)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        rig_settings(ob).whole_nla = False
        return {"FINISHED"}


CLASSES = (RIFF_OT_mend_source, RIFF_OT_close_hint, RIFF_OT_take_strip_action)
