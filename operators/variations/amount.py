"""Operator Amount of Variation: from the source to the full variation and beyond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bpy
from bpy.props import CollectionProperty, FloatProperty

from ...core.errors import RiffError
from ...core.motion.body_parts import find_parts
from ...core.motion.motion import Motion
from ...rig.background.amount_job import AmountJob
from ...rig.compat import assign_action, end_of_name
from ...rig.ghosts.ghosts import ghosts_playing
from ...rig.ownership import is_made_by_riff, is_used_elsewhere
from ...rig.reading.actions import range_of
from ...rig.steps import part_of
from ...rig.stored import MAX_SEED, stored_flag, stored_number, stored_text
from ...rig.writing.play import players_of
from ...state.preferences import shows_results
from ...state.rig_settings import active_armature
from ...state.session import refresh_variations
from ...state.settings import session_of
from ...state.shown.part_amounts import RiffPartAmount, fill_parts
from ...state.source import active_action, source_steps
from ...state.variations.recording import Order
from ...state.variations.show import show_action
from ..runs.write_actions import ActionWriter
from .on_variation import OnVariation

MAX_AMOUNT = 2.0
"""Largest amount; above 1, what differs from the source is exaggerated."""


def shares_of(motion: Motion, factors: Mapping[str, float]) -> dict[int, float]:
    """Return the share of each joint of a body part that has not all. Raises RiffError for an unknown part."""
    known, shares = {part.name: part.joints for part in find_parts(motion.skeleton)}, {}
    for name, factor in factors.items():
        if name not in known:
            raise RiffError(f"This armature has no body part “{name}”")
        shares.update(dict.fromkeys(known[name], factor))
    return {joint: factor for joint, factor in shares.items() if factor < 1.0}


class RIFF_OT_set_amount(ActionWriter, OnVariation, bpy.types.Operator):
    """Make an action between the source and this variation in pose, course and timing; it can be changed again"""

    bl_idname = "riff.set_amount"
    bl_label = "Amount of Variation"
    bl_options = {"REGISTER", "UNDO"}
    doing, done = "Blending", "Made"
    count = 1

    amount: FloatProperty(
        name="Amount",
        description="From the source at 0 to the variation at 1; more exaggerates it",
        default=0.5,
        min=0.0,
        max=MAX_AMOUNT,
        soft_max=1.0,
        subtype="FACTOR",
    )
    parts: CollectionProperty(
        name="Body Parts",
        description="Body parts and the share of the amount that each has",
        type=RiffPartAmount,
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        shown = self.variation(context)
        if shown is None:
            return {"CANCELLED"}
        self.action = shown.name
        known = stored_number(shown, "riff_amount", 0, MAX_AMOUNT)
        if known is not None and not self.properties.is_property_set("amount"):
            self.amount = known
        fill_parts(self.parts, active_armature(context), context.scene)
        return context.window_manager.invoke_props_dialog(self, width=300)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.label(text=self.action, icon="ACTION", translate=False)
        layout.prop(self, "amount", slider=True)
        column = layout.column(align=True)
        for row in self.parts:
            column.prop(row, "factor", text=row.name, slider=True, translate=False)

    def execute(self, context: bpy.types.Context) -> Any:
        return self.begin_confirmed(context)

    def begin(self, context: bpy.types.Context) -> Iterator[float]:
        ob, shown = active_armature(context), self.find(context)
        self._replaced = shown.name if stored_text(shown, "riff_full") else ""
        full = bpy.data.actions.get(stored_text(shown, "riff_full")) or shown
        source = bpy.data.actions.get(stored_text(full, "riff_source"))
        if source is None:
            raise RiffError(f"The source of “{full.name}” is no longer in the file, so there is nothing between them")
        self._full, self._model = full.name, stored_text(full, "riff_model")
        self._start = range_of(full)[0]
        known = {name: stored_number(full, name, 0, MAX_SEED) for name in ("riff_seed", "riff_index", "riff_frames")}
        self._stored = {name: number for name, number in known.items() if number is not None}
        one = yield from part_of(source_steps(ob, context.scene, source), 0, 4)
        other = yield from part_of(source_steps(ob, context.scene, full), 1, 4)
        self._source = source.name
        self._job = AmountJob(one, other, self.amount, shares_of(one, self._factors()), self._model)
        self._job.start()

    def _factors(self) -> dict[str, float]:
        return {row.name: row.factor for row in self.parts}

    def action_name(self, index: int) -> str:
        return f"{end_of_name(self._full, self._model)} {self.amount:.0%}"

    def action_properties(self, motion: Motion) -> dict[str, Any]:
        return {**self._stored, "riff_amount": self.amount, "riff_full": self._full}

    def frame_start(self) -> int | None:
        return self._start

    def order(self, ob: bpy.types.Object) -> Order:
        arguments = {
            "amount": self.amount,
            "factors": self._factors(),
            "source": self._source,
            "full": self._full,
            "model": self._model,
        }
        keyed = self.source_action(ob)
        return Order("amount", arguments, {}, [keyed.name if keyed else "", self._source, self._full])

    @property
    def seed(self) -> Any:
        return self._stored.get("riff_seed", 0)

    def _move_on(self, context: bpy.types.Context) -> None:
        """Show the new action, in a window or in place of the one that it replaces, and delete that."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        made, replaced = bpy.data.actions.get(self._names[0]), bpy.data.actions.get(self._replaced)
        if ob is None or made is None:
            return
        goes = replaced is not None and is_made_by_riff(replaced) and not stored_flag(replaced, "riff_kept")
        goes = goes and not is_used_elsewhere(replaced, players_of(ob))
        if (self._beside_window and shows_results()) or (goes and active_action(ob) == replaced):
            show_action(context, ob, made)
        if goes:
            for ghost in ghosts_playing(replaced):
                assign_action(ghost, made)
            bpy.data.actions.remove(replaced)
            refresh_variations(session_of(context))


CLASSES = (RIFF_OT_set_amount,)
