"""Operators that use a generated action: reduce its keys, add it to the NLA, mark it as an asset, generate more."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import bpy
from bpy.props import FloatProperty

from ...core.errors import RiffError
from ...rig.background.jobs import State
from ...rig.background.reduce_job import ReduceJob
from ...rig.compat import slot_for
from ...rig.ownership import is_made_by_riff, mark_made
from ...rig.reading.actions import range_of
from ...rig.reading.read import ReadOptions, read_steps
from ...rig.steps import part_of, stride
from ...rig.stored import stored_flag, stored_text, stored_whole
from ...rig.writing.reduce import dense_curves, write_fits
from ...rig.writing.thumbnail import give_picture
from ...state.poll_messages import set_poll_message
from ...state.rig_settings import active_armature
from ...state.session import refresh_variations, rows_of
from ...state.settings import session_of, settings_of
from ..runs.stepwise import Stepwise
from .on_variation import OnVariation

PICTURE_FRAMES = 60
"""Frames of an action to look at for its picture."""


class RIFF_OT_reduce_keys(Stepwise, OnVariation, bpy.types.Operator):
    """Replace keys on every frame by the few Bézier keys that follow the same curves, for editing by hand"""

    bl_idname = "riff.reduce_keys"
    bl_label = "Reduce Keys"
    bl_options = {"REGISTER", "UNDO"}
    changes_action = True
    _job: ReduceJob | None = None

    tolerance: FloatProperty(
        name="Tolerance",
        description="Largest allowed deviation of rotations",
        default=0.0087,
        min=0.0001,
        max=0.5,
        subtype="ANGLE",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        """Fit the curves in a thread, then write them."""
        action = self.find(context)
        self.action = action.name
        job = self._job = ReduceJob(dense_curves(active_armature(context), action, self.tolerance))
        job.start()
        yield from self.wait_for(job, lambda: job.done / max(1, len(job.curves)))
        if job.state is not State.DONE:
            raise RiffError(job.error or f"{self.bl_label} was cancelled")
        action = self.find(context)
        own = is_made_by_riff(action)
        self._counts = write_fits(action, job.curves, job.fits)
        if own:
            mark_made(action)

    def finished(self, context: bpy.types.Context) -> Any:
        before, after = self._counts
        self.report({"INFO"}, f"Reduced {before} keys to {after}")
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        if self._job is not None:
            self._job.cancel()


class RIFF_OT_variation_to_nla(OnVariation, bpy.types.Operator):
    """Put this variation on a new NLA track of the armature, at the current frame"""

    bl_idname = "riff.variation_to_nla"
    bl_label = "Add to NLA"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        ob = active_armature(context)
        slot = slot_for(ob, action)
        if not ob.is_editable:
            self.report({"ERROR"}, f"“{ob.name}” is linked from another file; make an override of it first")
            return {"CANCELLED"}
        if slot is None:
            self.report({"ERROR"}, f"The action “{action.name}” has no slot for an object")
            return {"CANCELLED"}
        data = ob.animation_data or ob.animation_data_create()
        track = data.nla_tracks.new()
        track.name = action.name
        strip = track.strips.new(action.name, context.scene.frame_current, action)
        if strip.action_slot is None:
            strip.action_slot = slot
        return {"FINISHED"}


class _MarkAssets(Stepwise):
    """Mixin of operators that mark actions as assets, in steps, each with a picture."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        return self.begin_modal(context)

    def mark(self, context: bpy.types.Context, action: bpy.types.Action) -> Generator[float, None, None]:
        """Keep an action and mark it as an asset, in steps. Raises RiffError."""
        options = ReadOptions(step=stride(*range_of(action), PICTURE_FRAMES))
        motion = yield from read_steps(active_armature(context), action, scene=context.scene, options=options)
        yield 1.0
        give_picture(action, motion)
        action.asset_mark()
        action.asset_data.description = f"Variation of “{stored_text(action, 'riff_source')}” by Riff"
        action["riff_kept"] = True  # Discard Others must not take an asset away


class RIFF_OT_mark_asset(_MarkAssets, OnVariation, bpy.types.Operator):
    """Keep this variation and mark it as an asset, with a preview picture"""

    bl_idname = "riff.mark_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}
    changes_action = True

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        action = self.find(context)
        self.action = action.name
        yield from self.mark(context, action)

    def finished(self, context: bpy.types.Context) -> Any:
        refresh_variations(session_of(context))
        self.report({"INFO"}, f"“{self.action}” is an asset now")
        return {"FINISHED"}


class RIFF_OT_mark_kept(_MarkAssets, bpy.types.Operator):
    """Mark all kept variations of this armature as assets, each with a preview picture"""

    bl_idname = "riff.mark_kept"
    bl_label = "Mark Kept as Assets"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, "" if _kept_plain(context) else "Keep variations first, by the star in their row")

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        actions = _kept_plain(context)
        self._count = len(actions)
        for number, action in enumerate(actions):
            yield from part_of(self.mark(context, action), number, len(actions))

    def finished(self, context: bpy.types.Context) -> Any:
        refresh_variations(session_of(context))
        self.report({"INFO"}, f"{self._count} variation{'s are assets' if self._count > 1 else ' is an asset'} now")
        return {"FINISHED"}


def _kept_plain(context: bpy.types.Context) -> list[bpy.types.Action]:
    """Return the active armature's kept variations that are no assets yet."""
    rows = rows_of(session_of(context), active_armature(context))
    found = [bpy.data.actions.get(row.name) for row in rows if row.kept]
    return [action for action in found if action is not None and action.asset_data is None and action.library is None]


class RIFF_OT_more_like_this(OnVariation, bpy.types.Operator):
    """Generate variations with the same course as this one but different details"""

    bl_idname = "riff.more_like_this"
    bl_label = "More Like This"

    def act(self, context: bpy.types.Context, action: bpy.types.Action) -> Any:
        session = session_of(context)
        model = stored_text(action, "riff_model")
        index = next((k for k, row in enumerate(session.models) if row.label == model or row.name == model), None)
        if index is None:
            self.report({"ERROR"}, f"The model “{model}” is no longer in the list")
            return {"CANCELLED"}
        session.active_model = index
        mode = "INVOKE_DEFAULT" if context.window and not bpy.app.background else "EXEC_DEFAULT"
        try:
            return bpy.ops.riff.generate(  # type: ignore[attr-defined]
                mode,
                like=action.name,
                frames=stored_whole(action, "riff_frames", 0, 100_000) or 0,
                loop="ON" if stored_flag(action, "riff_loop") else "OFF",
                count=settings_of(context).count,
            )
        except RuntimeError as refusal:  # pass on the other operator's error
            self.report({"ERROR"}, str(refusal).strip().removeprefix("Error: "))
            return {"CANCELLED"}


CLASSES = (RIFF_OT_reduce_keys, RIFF_OT_variation_to_nla, RIFF_OT_mark_asset, RIFF_OT_mark_kept, RIFF_OT_more_like_this)
