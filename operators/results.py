"""What is done with generated actions: play, keep, discard, more like this, fewer keys, asset, NLA track."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.props import FloatProperty, StringProperty

from ..core.errors import RiffError
from ..rig.jobs import State
from ..rig.play import play
from ..rig.portrait import give_picture
from ..rig.read import read_steps
from ..rig.reduce import dense_curves, reduce_keys, write_fits
from ..rig.reduce_job import ReduceJob
from ..rig.steps import stride
from .poll import answer, selection_problem
from .session import refresh_variations
from .settings import session_of, settings_of
from .stepwise import Stepwise

GLANCE = 60
"""Frames of an action that are looked at for its picture."""


def active_action(ob: bpy.types.Object) -> bpy.types.Action | None:
    return ob.animation_data.action if ob.animation_data else None


class _OnVariation:
    """Mixed into operators that `act` on one generated action, by name, or on the chosen one of the list."""

    action: StringProperty(name="Action", description="Name of the variation; the chosen one where it is empty")

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        return answer(cls, selection_problem(context.object))

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        raise RiffError(f"{self.__class__.__name__} does nothing.")

    def execute(self: Any, context: bpy.types.Context) -> Any:
        action = self.variation(context)
        return {"CANCELLED"} if action is None else self.act(context, action)

    def variation(self: Any, context: bpy.types.Context) -> bpy.types.Action | None:
        """The action meant; None, reported, where it is no longer there."""
        try:
            return self.find(context)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return None

    def find(self: Any, context: bpy.types.Context) -> bpy.types.Action:
        """The action meant. Raises RiffError where it is no longer there."""
        session = session_of(context)
        name = self.action
        if not name and session.active_variation < len(session.variations):
            name = session.variations[session.active_variation].name
        action: bpy.types.Action | None = bpy.data.actions.get(name)
        if action is None:
            refresh_variations(session)
            raise RiffError(f"The action “{name}” is no longer in the file")
        return action


class RIFF_OT_show_action(_OnVariation, bpy.types.Operator):
    """Put this action on the armature and play it; the action that was there stays in the file"""

    bl_idname = "riff.show_action"
    bl_label = "Show Action"
    bl_options = {"REGISTER", "UNDO"}

    action: StringProperty(name="Action", description="Name of the action to show")

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        shown = active_action(context.object)
        try:
            play(context.object, action)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if shown is not None and shown.users == 0:
            # The armature was its only user: Blender would drop it when the file is saved.
            shown.use_fake_user = True
        session = session_of(context)
        row = session.variations.find(action.name)
        if row >= 0:  # the buttons beside the list are for what one sees
            session.active_variation = row
        if context.screen is not None and not context.screen.is_animation_playing and not bpy.app.background:
            context.scene.frame_set(int(action.frame_range[0]))
            bpy.ops.screen.animation_play()
        return {"FINISHED"}


class RIFF_OT_keep_variation(_OnVariation, bpy.types.Operator):
    """Keep this variation: Discard Others spares it; click again to keep it no longer"""

    bl_idname = "riff.keep_variation"
    bl_label = "Keep"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        action["riff_kept"] = not action.get("riff_kept", False)
        refresh_variations(session_of(context))
        return {"FINISHED"}


class RIFF_OT_discard_variation(_OnVariation, bpy.types.Operator):
    """Delete this variation from the file"""

    bl_idname = "riff.discard_variation"
    bl_label = "Discard"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        _remove(context, action)
        refresh_variations(session_of(context))
        return {"FINISHED"}


class RIFF_OT_discard_others(bpy.types.Operator):
    """Delete every variation of this armature that is not kept"""

    bl_idname = "riff.discard_others"
    bl_label = "Discard Others"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = context.object
        rows = session_of(context).variations
        some = ob is not None and any(row.armature == ob.name and not row.kept for row in rows)
        return answer(cls, "" if some else "There is no variation that is not kept")

    def execute(self, context: bpy.types.Context) -> Any:
        session = session_of(context)
        rows = [row.name for row in session.variations if row.armature == context.object.name and not row.kept]
        for name in rows:
            action: bpy.types.Action | None = bpy.data.actions.get(name)
            if action is not None:
                _remove(context, action)
        refresh_variations(session)
        self.report({"INFO"}, f"Discarded {len(rows)} variation{'s' if len(rows) != 1 else ''}")
        return {"FINISHED"}


def _remove(context: bpy.types.Context, action: bpy.types.Action) -> None:
    """Remove a variation; an armature that shows it gets its source back."""
    source: bpy.types.Action | None = bpy.data.actions.get(str(action.get("riff_source", "")))
    ob = context.object
    if active_action(ob) == action and source is not None:
        play(ob, source)
    bpy.data.actions.remove(action)


class RIFF_OT_reduce_keys(_OnVariation, bpy.types.Operator):
    """Replace the keys on every frame by as few Bézier keys as follow the same curves, to edit them by hand"""

    bl_idname = "riff.reduce_keys"
    bl_label = "Reduce Keys"
    bl_options = {"REGISTER", "UNDO"}

    tolerance: FloatProperty(
        name="Tolerance", description="How far rotations may be off", default=0.0087, min=0.0001, max=0.5,
        subtype="ANGLE",
    )  # fmt: skip

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        return self._tell(*reduce_keys(context.object, action, self.tolerance))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        """In a window the curves are fitted beside Blender."""
        action = self.variation(context)
        if action is None:
            return {"CANCELLED"}
        self.action = action.name
        self._job = ReduceJob(dense_curves(context.object, action, self.tolerance))
        self._job.start()
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.05, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, max(1, len(self._job.curves)))
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type == "ESC":
            self._job.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        self._job.tick()
        context.window_manager.progress_update(self._job.done)
        if self._job.running:
            return {"PASS_THROUGH"}
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)
        action = self.variation(context) if self._job.state is State.DONE else None
        if action is None:
            return {"CANCELLED"}
        return self._tell(*write_fits(action, self._job.curves, self._job.fits))

    def _tell(self, before: int, after: int) -> Any:
        self.report({"INFO"}, f"{before} keys became {after}")
        return {"FINISHED"}


class RIFF_OT_variation_to_nla(_OnVariation, bpy.types.Operator):
    """Put this variation on a new NLA track of the armature, at the current frame"""

    bl_idname = "riff.variation_to_nla"
    bl_label = "Add to NLA"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        data = context.object.animation_data or context.object.animation_data_create()
        track = data.nla_tracks.new()
        track.name = action.name
        strip = track.strips.new(action.name, context.scene.frame_current, action)
        if strip.action_slot is None:
            strip.action_slot = action.slots[0]
        return {"FINISHED"}


class RIFF_OT_mark_asset(Stepwise, _OnVariation, bpy.types.Operator):
    """Offer this variation in the asset browser, with a picture of it"""

    bl_idname = "riff.mark_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        action = self.find(context)
        self.action = action.name
        step = stride(action.frame_range[0], action.frame_range[1], GLANCE)
        motion = yield from read_steps(context.object, action, scene=context.scene, step=step)
        yield 1.0
        give_picture(action, motion)
        action.asset_mark()
        action.asset_data.description = f"Variation of “{action.get('riff_source', '')}” by Riff"


class RIFF_OT_more_like_this(_OnVariation, bpy.types.Operator):
    """Generate variations that share the course of this one and differ in detail"""

    bl_idname = "riff.more_like_this"
    bl_label = "More Like This"

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        session = session_of(context)
        model = str(action.get("riff_model", ""))
        index = next((k for k, row in enumerate(session.models) if row.label == model or row.name == model), None)
        if index is None:
            self.report({"ERROR"}, f"The model “{model}” is no longer in the list")
            return {"CANCELLED"}
        session.active_model = index
        mode = "INVOKE_DEFAULT" if context.window and not bpy.app.background else "EXEC_DEFAULT"
        return bpy.ops.riff.generate(  # type: ignore[attr-defined]
            mode, like=action.name, frames=int(action.get("riff_frames", 0)), count=settings_of(context).count,
        )


CLASSES = (
    RIFF_OT_show_action, RIFF_OT_keep_variation, RIFF_OT_discard_variation, RIFF_OT_discard_others,
    RIFF_OT_reduce_keys, RIFF_OT_variation_to_nla, RIFF_OT_mark_asset, RIFF_OT_more_like_this,
)  # fmt: skip
