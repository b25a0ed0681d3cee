"""Operators for crowds: duplicate a character, each copy with its own motion; add, re-roll, thin out, remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from ..core.crowd.placement import Spot
from ..core.errors import ModelError, RiffError
from ..core.model.model import Model
from ..core.model.model_file import load_model
from ..rig.compat import check_not_tweaked
from ..rig.crowd.character import MEMBER_KEY, Character
from ..rig.crowd.crowd import (
    crowd_of,
    members_of,
    new_collection,
    next_number,
    remove_crowd,
    remove_members,
    require_crowd,
    settings_of_crowd,
    spot_of,
)
from ..rig.crowd.ground import ANY_HEADING
from ..rig.crowd.request import PreparedJob, prepare
from ..rig.crowd.settings import MIN_FRAMES, CrowdSettings
from ..rig.crowd.thin import thin_out
from ..rig.ownership import Removal, remove_collection
from ..rig.parents import object_and_above
from ..state.crowd_settings import SCENE_RANGE, CrowdChoices
from ..state.poll_messages import model_problem, selection_problem, set_poll_message
from ..state.rig_settings import active_armature
from ..state.session import refresh_variations
from ..state.settings import chosen_model, session_of, settings_of
from ..state.source import learned_action
from .runs.crowd_run import CrowdRun


def model_named(context: bpy.types.Context, name: str) -> Model:
    """Return the model of this name from the list. Raises ModelError if it is no longer there."""
    for row in session_of(context).models:
        if name in (row.label, row.name):
            return load_model(row.path)
    raise ModelError(f"The model “{name}” is no longer in the list; import it again.")


class RIFF_OT_duplicate_as_crowd(CrowdChoices, CrowdRun, bpy.types.Operator):
    """Make copies of this character, each with a variation of its own; meshes and materials are shared"""

    bl_idname = "riff.duplicate_as_crowd"
    bl_label = "Duplicate as Crowd"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = selection_problem(ob) or model_problem(context)
        if not problem and ob.get(MEMBER_KEY) is not None:
            problem = "This is a member of a crowd; select the original character"
        return set_poll_message(cls, problem)

    scene_range: BoolProperty(**SCENE_RANGE, default=False, options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if not self.properties.is_property_set("scene_range"):
            self.scene_range = True  # from a menu or the search, which say nothing
        return self.begin_modal(context)

    def prepare_job(self, context: bpy.types.Context) -> PreparedJob:
        ob, panel, scene = active_armature(context), settings_of(context), context.scene
        if self.scene_range:
            self.frames = max(MIN_FRAMES, scene.frame_end - scene.frame_start + 1)
        model = load_model(Path(chosen_model(context).path))
        source = learned_action(ob)
        own = {name: getattr(self, name) for name in CrowdChoices.__annotations__ if name != "count"}
        self._settings = CrowdSettings(
            **own,
            model=model.name,
            armature=ob.name,
            source=source.name if source else "",
            frame_start=context.scene.frame_start,
            clean_feet=panel.clean_feet,
            coarse=panel.coarse,
            fine=panel.fine,
        )
        self._wanted = self.count
        prepared = prepare(context, ob, model, self._settings, self.count)
        self._character = Character(ob, context.scene)
        return prepared

    def write_member(self, index: int) -> None:
        if self._made is None:
            self._made = new_collection(f"{self._settings.armature} Crowd", self._settings.to_json())
        self._writer.add(index, self._character, self._made, index + 1)

    def finished_crowd(self, context: bpy.types.Context) -> bpy.types.Collection:
        context.scene.collection.children.link(self._made)
        return self._made

    def _tell(self, made: int) -> None:
        if self._character.meshes:
            super()._tell(made)
            return
        name = self._settings.armature  # alone: the status bar shows one report
        self.report(
            {"WARNING"},
            f"{made} members without a body: no mesh is bound to “{name}”. Parent its meshes to it and try again",
        )


class _OnCrowd:
    """Mixin of operators on the crowd of the active object."""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        found = crowd_of(active_armature(context) or context.object) is not None
        return set_poll_message(
            cls, "" if found else "Select a member of a crowd, or the character that it was made from"
        )

    def _read(self: Any, context: bpy.types.Context) -> tuple[bpy.types.Collection, bpy.types.Object, Model]:
        """Return the crowd, its character and its model; set `_settings`. Raises RiffError."""
        collection = require_crowd(active_armature(context) or context.object)
        self._settings = CrowdSettings.from_json(settings_of_crowd(collection))
        armature = context.scene.objects.get(self._settings.armature)
        if armature is None:
            raise ModelError(f"The character “{self._settings.armature}” is no longer in the scene.")
        return collection, armature, model_named(context, self._settings.model)


class RIFF_OT_add_to_crowd(_OnCrowd, CrowdRun, bpy.types.Operator):
    """Add members that differ from the existing ones, wherever there is room between or beside them"""

    bl_idname = "riff.add_to_crowd"
    bl_label = "Add to Crowd"
    bl_options = {"REGISTER", "UNDO"}

    count: IntProperty(name="Count", description="Number of members to add", default=10, min=1, max=1000)

    def prepare_job(self, context: bpy.types.Context) -> PreparedJob:
        collection, armature, model = self._read(context)
        self._name, self._wanted, self._first = collection.name, self.count, next_number(collection)
        prepared = prepare(
            context, armature, model, self._settings, self.count, present=members_of(collection), crowd=collection
        )
        self._character = Character(armature, context.scene)
        return prepared

    def write_member(self, index: int) -> None:
        if self._made is None:
            self._made = new_collection("Riff Crowd", {})
        self._writer.add(index, self._character, self._made, self._first + index)

    def finished_crowd(self, context: bpy.types.Context) -> bpy.types.Collection:
        """Move all new members to the crowd at once: until then Blender evaluates none of them."""
        collection = bpy.data.collections[self._name]
        for ob in self._made.objects:
            collection.objects.link(ob)
        remove_collection(self._made)
        return collection


class RIFF_OT_reroll_crowd(_OnCrowd, CrowdRun, bpy.types.Operator):
    """Give members new motions, different from all others, at their places"""

    bl_idname = "riff.reroll_crowd"
    bl_label = "Re-Roll"
    bl_options = {"REGISTER", "UNDO"}

    which: EnumProperty(
        name="Which",
        description="Members that get a new motion",
        default="SELECTED",
        items=[("SELECTED", "Selected", "Members with a selected object"), ("ALL", "All", "The whole crowd")],
    )

    def prepare_job(self, context: bpy.types.Context) -> PreparedJob:
        collection, armature, model = self._read(context)
        self._name = collection.name
        everyone = members_of(collection)
        chosen = everyone if self.which == "ALL" else _selected(context, everyone)
        if self.which == "ALL":
            self._settings = replace(self._settings, smallest=0.0)
        if not chosen:
            raise RiffError("No member of the crowd is selected; select some.")
        spots = [(member, spot) for member in chosen for spot in [self._spot(member)] if spot is not None]
        if not spots:
            raise RiffError("The members have lost their places; remove them and add new ones.")
        for member in chosen:
            check_not_tweaked(member)
        self._wanted = len(chosen)
        self._members = {spot.place: member.name for member, spot in spots}
        rest = [member for member in everyone if member not in chosen]
        return prepare(
            context,
            armature,
            model,
            self._settings,
            len(spots),
            present=rest,
            crowd=collection,
            spots=[spot for _, spot in spots],
        )

    def _spot(self, member: bpy.types.Object) -> Spot | None:
        known = spot_of(member)
        if known is None:
            return None
        return Spot(known[0], known[1], ANY_HEADING if self._settings.looks == "RANDOM" else self._settings.spread)

    def write_member(self, index: int) -> None:
        place = self._prepared.job.ready[index].place
        self._writer.replace(index, bpy.data.objects[self._members[place]])

    def finished_crowd(self, context: bpy.types.Context) -> bpy.types.Collection:
        return bpy.data.collections[self._name]


def _selected(context: bpy.types.Context, members: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """Return the members with a selected object."""
    owners = set()
    for ob in context.selected_objects:
        owners.add(next((one for one in object_and_above(ob) if one.get(MEMBER_KEY) is not None), None))
    return [member for member in members if member in owners]


class RIFF_OT_thin_out_crowd(_OnCrowd, bpy.types.Operator):
    """Remove some of the members, evenly over the area of the crowd"""

    bl_idname = "riff.thin_out_crowd"
    bl_label = "Thin Out"
    bl_options = {"REGISTER", "UNDO"}

    keep: FloatProperty(
        name="Keep", description="Fraction of the members to keep", default=0.5, min=0.0, max=1.0, subtype="FACTOR"
    )

    def execute(self, context: bpy.types.Context) -> Any:
        try:
            collection = require_crowd(active_armature(context) or context.object)
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        members = members_of(collection)
        gone = thin_out(members, self.keep)
        if len(gone) == len(members):
            return bpy.ops.riff.remove_crowd()  # type: ignore[attr-defined]
        removal = remove_members(collection, gone)
        refresh_variations(session_of(context))
        left = len(members) - removal.removed
        self.report({"INFO"}, f"{left} of {len(members)} members remain{_those_that_stay(removal)}")
        return {"FINISHED"}


class RIFF_OT_remove_crowd(_OnCrowd, bpy.types.Operator):
    """Remove this crowd with all its members and their actions; the character is kept"""

    bl_idname = "riff.remove_crowd"
    bl_label = "Remove Crowd"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Any:
        try:
            removal = remove_crowd(require_crowd(active_armature(context) or context.object))
        except RiffError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        refresh_variations(session_of(context))
        self.report({"INFO"}, f"Removed {removal.removed} members{_those_that_stay(removal)}")
        return {"FINISHED"}


def _those_that_stay(removal: Removal) -> str:
    """Return the end of a sentence on the members that were not removed; empty if there are none."""
    count = len(removal.stay)
    if not count:
        return ""
    which = "is copied, renamed or used elsewhere stays" if count == 1 else "are copied, renamed or used elsewhere stay"
    return f"; {count} that {which}"


CLASSES = (
    RIFF_OT_duplicate_as_crowd,
    RIFF_OT_add_to_crowd,
    RIFF_OT_reroll_crowd,
    RIFF_OT_thin_out_crowd,
    RIFF_OT_remove_crowd,
)
