"""Crowds: one click makes a character many, each with a motion of its own; add, re-roll, thin out, remove."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ..core.crowd_place import Spot
from ..core.errors import ModelError, RiffError
from ..core.model import Model, load_model
from ..rig import jobs
from ..rig.crowd import (
    crowd_of,
    keep_settings,
    members_of,
    new_collection,
    next_number,
    remove_crowd,
    remove_members,
    require_crowd,
    settings_of_crowd,
    spot_of,
)
from ..rig.crowd_character import MEMBER, Character
from ..rig.crowd_ground import FULL_TURN
from ..rig.crowd_order import CrowdSettings, Prepared, prepare, settled, why_homeless
from ..rig.crowd_thin import thin_out
from ..rig.crowd_write import CrowdWriter
from . import timer
from .crowd_settings import CrowdChoices
from .poll import answer, model_problem, selection_problem
from .session import refresh_variations
from .settings import chosen_model, session_of, settings_of
from .write_actions import learned_action

SLICE = 0.1
"""Seconds that writing takes at most before the window gets its turn."""


class _CrowdWork:
    """Making members beside Blender, then writing them a few at a time; ESC takes everything back."""

    def execute(self: Any, context: bpy.types.Context) -> Any:
        problem = self._start(context)
        if problem:
            return self._give_up(problem)
        self._prepared.job.join()
        self._prepared.job.tick()
        while self._prepared.job.state is jobs.State.DONE and not self._written(context, 1e9):
            pass
        return self._end(context)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        problem = self._start(context)
        if problem:
            return self._give_up(problem)
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.02, window=context.window)
        manager.modal_handler_add(self)
        manager.progress_begin(0, 2 * self._wanted)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        job = self._prepared.job
        if event.type == "ESC":
            job.cancel()
            return self._end_modal(context, self._give_up("Making the crowd was cancelled", "INFO"))
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            return self._go_on(context, job)
        except RiffError as error:
            problem = str(error)
        except (ReferenceError, LookupError):  # a data-block, or what was to be found by its name, is gone
            problem = "The character, its crowd or its bones were changed meanwhile; nothing more was made"
        return self._end_modal(context, self._give_up(problem))

    def _go_on(self: Any, context: bpy.types.Context, job: jobs.Job) -> Any:
        job.tick()
        context.window_manager.progress_update(len(self._prepared.job.ready) + self._count)
        if job.running or (job.state is jobs.State.DONE and not self._written(context, SLICE)):
            return {"RUNNING_MODAL"}
        return self._end_modal(context, self._end(context))

    def cancel(self: Any, context: bpy.types.Context) -> None:
        """Blender calls it when another file is loaded or the extension is disabled."""
        self._prepared.job.cancel()
        self._clear_away()
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)

    def _start(self: Any, context: bpy.types.Context) -> str:
        """Read what Blender knows and start the job; what is wrong, or nothing."""
        self._count, self._wanted = 0, 0
        self._writer: CrowdWriter | None = None
        self._made: bpy.types.Collection | None = None
        try:
            self._prepared = self._prepare(context)
        except RiffError as error:
            return str(error)
        self._prepared.job.start()
        return ""

    def _written(self: Any, context: bpy.types.Context, seconds: float) -> bool:
        """Write members for so long; whether all are written."""
        if self._writer is None:
            armature: bpy.types.Object | None = context.scene.objects.get(self._settings.armature)
            if armature is None or armature.type != "ARMATURE":
                raise RiffError(f"The character “{self._settings.armature}” was deleted or renamed meanwhile.")
            self._writer = CrowdWriter(context.scene, armature, self._prepared, self._settings)
        until = time.perf_counter() + seconds
        while self._count < len(self._writer) and time.perf_counter() < until:
            self._write(self._count)
            self._count += 1
        return self._count == len(self._writer)

    def _end(self: Any, context: bpy.types.Context) -> Any:
        job = self._prepared.job
        if job.state is not jobs.State.DONE:
            return self._give_up(job.error or "Making the crowd was cancelled")
        self._writer.close()
        if not len(self._writer):
            return self._give_up(why_homeless(self._settings, self._prepared.distance, self._wanted, 0))
        self._settings = settled(self._settings, job)
        collection = self._finish(context)
        self._writer.keep()
        keep_settings(collection, self._settings.to_json())
        refresh_variations(session_of(context))
        self._tell(len(self._writer))
        return {"FINISHED"}

    def _tell(self: Any, made: int) -> None:
        if made < self._wanted:
            self.report({"WARNING"}, why_homeless(self._settings, self._prepared.distance, self._wanted, made))
        else:
            alike = f"; the two most alike differ by {self._settings.smallest:.2f}" if self._settings.smallest else ""
            self.report({"INFO"}, f"{made} member{'s' if made != 1 else ''}{alike}")

    def _give_up(self: Any, problem: str, kind: Literal["ERROR", "INFO"] = "ERROR") -> Any:
        """Leave the file as it was before the operator began."""
        self._clear_away()
        self.report({kind}, problem)
        return {"CANCELLED"}

    def _clear_away(self: Any) -> None:
        if self._writer is not None:
            self._writer.close()
        with suppress(ReferenceError):  # the members are gone already, with an undo or with their file
            if self._writer is not None:
                self._writer.take_back()
            self._take_back()

    def _take_back(self: Any) -> None:
        if self._made is not None:
            remove_crowd(self._made)

    def _end_modal(self: Any, context: bpy.types.Context, result: Any) -> Any:
        context.window_manager.progress_end()
        context.window_manager.event_timer_remove(self._timer)
        timer.redraw()
        screen = context.screen
        if result == {"FINISHED"} and screen is not None and not screen.is_animation_playing:
            bpy.ops.screen.animation_play()
        return result


def model_named(context: bpy.types.Context, name: str) -> Model:
    """The model of this name from the list. Raises ModelError where it is not there any more."""
    for row in session_of(context).models:
        if name in (row.label, row.name):
            return load_model(row.path)
    raise ModelError(f"The model “{name}” is no longer in the list; import it again.")


class RIFF_OT_duplicate_as_crowd(CrowdChoices, _CrowdWork, bpy.types.Operator):
    """Make copies of this character, each with a variation of its own; meshes and materials are shared"""

    bl_idname = "riff.duplicate_as_crowd"
    bl_label = "Duplicate as Crowd"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = context.object
        problem = selection_problem(ob) or model_problem(context)
        if not problem and ob.get(MEMBER) is not None:
            problem = "This is a member of a crowd; select the character that it was made from"
        return answer(cls, problem)

    def _prepare(self, context: bpy.types.Context) -> Prepared:
        ob, panel = context.object, settings_of(context)
        model = load_model(Path(chosen_model(context).path))
        source = learned_action(ob)
        own = {name: getattr(self, name) for name in CrowdChoices.__annotations__ if name != "count"}
        self._settings = CrowdSettings(
            **own, model=model.name, armature=ob.name, source=source.name if source else "",
            frame_start=context.scene.frame_start, clean_feet=panel.clean_feet, coarse=panel.coarse, fine=panel.fine,
        )  # fmt: skip
        self._wanted = self.count
        prepared = prepare(context, ob, model, self._settings, self.count)
        self._character = Character(ob, context.scene)
        return prepared

    def _write(self, index: int) -> None:
        if self._made is None:
            self._made = new_collection(f"{self._settings.armature} Crowd", self._settings.to_json())
        self._writer.add(index, self._character, self._made, index + 1)

    def _finish(self, context: bpy.types.Context) -> bpy.types.Collection:
        context.scene.collection.children.link(self._made)
        if not self._character.meshes:
            name = self._settings.armature
            self.report({"WARNING"}, f"No mesh is bound to “{name}”; parent its meshes to it, then make the crowd anew")
        return self._made


class _OnCrowd:
    """An operator on the crowd of the active object."""

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        found = crowd_of(context.object) is not None
        return answer(cls, "" if found else "Select a member of a crowd, or the character that one was made from")

    def _read(self: Any, context: bpy.types.Context) -> tuple[bpy.types.Collection, bpy.types.Object, Model]:
        """The crowd, its character and its model; sets the settings. Raises RiffError."""
        collection = require_crowd(context.object)
        self._settings = CrowdSettings.from_json(settings_of_crowd(collection))
        armature = context.scene.objects.get(self._settings.armature)
        if armature is None:
            raise ModelError(f"The character “{self._settings.armature}” is no longer in the scene.")
        return collection, armature, model_named(context, self._settings.model)


class RIFF_OT_add_to_crowd(_OnCrowd, _CrowdWork, bpy.types.Operator):
    """Add members to this crowd, different from those that are there, where there is room between and beside them"""

    bl_idname = "riff.add_to_crowd"
    bl_label = "Add to Crowd"
    bl_options = {"REGISTER", "UNDO"}

    count: IntProperty(name="Count", description="How many members to add", default=10, min=1, max=1000)

    def _prepare(self, context: bpy.types.Context) -> Prepared:
        collection, armature, model = self._read(context)
        self._name, self._wanted, self._first = collection.name, self.count, next_number(collection)
        prepared = prepare(
            context, armature, model, self._settings, self.count, present=members_of(collection), crowd=collection,
        )  # fmt: skip
        self._character = Character(armature, context.scene)
        return prepared

    def _write(self, index: int) -> None:
        if self._made is None:
            self._made = new_collection("Riff Crowd", {})
        self._writer.add(index, self._character, self._made, self._first + index)

    def _finish(self, context: bpy.types.Context) -> bpy.types.Collection:
        """Move the new members over, all at once: until now nothing of them was evaluated."""
        collection = bpy.data.collections[self._name]
        for ob in self._made.objects:
            collection.objects.link(ob)
        bpy.data.collections.remove(self._made)
        return collection


class RIFF_OT_reroll_crowd(_OnCrowd, _CrowdWork, bpy.types.Operator):
    """Give members another motion, different from all others, where they stand"""

    bl_idname = "riff.reroll_crowd"
    bl_label = "Re-Roll"
    bl_options = {"REGISTER", "UNDO"}

    which: EnumProperty(
        name="Which", description="Members that get another motion", default="SELECTED",
        items=[
            ("SELECTED", "Selected", "Members of which any object is selected"), ("ALL", "All", "The whole crowd"),
        ],
    )  # fmt: skip

    def _prepare(self, context: bpy.types.Context) -> Prepared:
        collection, armature, model = self._read(context)
        self._name = collection.name
        everyone = members_of(collection)
        chosen = everyone if self.which == "ALL" else _selected(context, everyone)
        if self.which == "ALL":
            self._settings = replace(self._settings, smallest=0.0)
        if not chosen:
            raise RiffError("No member of the crowd is selected.")
        spots = [(member, spot) for member in chosen for spot in [self._spot(member)] if spot is not None]
        if not spots:
            raise RiffError("The members do not know their places any more; remove them and add others.")
        self._wanted = len(chosen)
        self._members = {spot.place: member.name for member, spot in spots}
        rest = [member for member in everyone if member not in chosen]
        return prepare(
            context, armature, model, self._settings, len(spots), present=rest, crowd=collection,
            spots=[spot for _, spot in spots],
        )  # fmt: skip

    def _spot(self, member: bpy.types.Object) -> Spot | None:
        known = spot_of(member)
        if known is None:
            return None
        return Spot(known[0], known[1], FULL_TURN if self._settings.looks == "RANDOM" else self._settings.spread)

    def _write(self, index: int) -> None:
        place = self._prepared.job.ready[index].place
        self._writer.replace(index, bpy.data.objects[self._members[place]])

    def _finish(self, context: bpy.types.Context) -> bpy.types.Collection:
        return bpy.data.collections[self._name]


def _selected(context: bpy.types.Context, members: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """Members that are selected, or of which a mesh is."""
    owners = set()
    for ob in context.selected_objects:
        while ob is not None and ob.get(MEMBER) is None:
            ob = ob.parent
        owners.add(ob)
    return [member for member in members if member in owners]


class RIFF_OT_thin_out_crowd(_OnCrowd, bpy.types.Operator):
    """Remove a part of the members, evenly over the place that the crowd takes up"""

    bl_idname = "riff.thin_out_crowd"
    bl_label = "Thin Out"
    bl_options = {"REGISTER", "UNDO"}

    keep: FloatProperty(
        name="Keep", description="Share of the members that stay", default=0.5, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip

    def execute(self, context: bpy.types.Context) -> Any:
        collection = require_crowd(context.object)
        members = members_of(collection)
        gone = thin_out(members, self.keep)
        if len(gone) == len(members):
            return bpy.ops.riff.remove_crowd()  # type: ignore[attr-defined]
        remove_members(collection, gone)
        refresh_variations(session_of(context))
        self.report({"INFO"}, f"{len(members) - len(gone)} of {len(members)} members are left")
        return {"FINISHED"}


class RIFF_OT_remove_crowd(_OnCrowd, bpy.types.Operator):
    """Remove this crowd with all its members and their actions; the character stays"""

    bl_idname = "riff.remove_crowd"
    bl_label = "Remove Crowd"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Any:
        count = remove_crowd(require_crowd(context.object))
        refresh_variations(session_of(context))
        self.report({"INFO"}, f"Removed {count} members")
        return {"FINISHED"}


CLASSES = (
    RIFF_OT_duplicate_as_crowd, RIFF_OT_add_to_crowd, RIFF_OT_reroll_crowd, RIFF_OT_thin_out_crowd,
    RIFF_OT_remove_crowd,
)  # fmt: skip
