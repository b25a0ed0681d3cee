"""Where Blender 4.5 and 5.2 differ, or both need a step that the documentation does not mention."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import bpy
from bpy_extras import anim_utils

from ..core.errors import ClipError

EXTENSION = __package__.rpartition(".")[0]
"""Name of the extension's package, by which Blender finds its preferences and its user folder."""

CUT = "…"
"""Where a name was cut."""


def channelbag_of(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bpy.types.ActionChannelbag | None:
    """The F-curves of one slot, or None where the action keys nothing for it.

    5.0 removed `Action.fcurves`; in 4.5 it still exists but shows the first slot only, so both go through the
    channelbag.
    """
    return anim_utils.action_get_channelbag_for_slot(action, slot)


def new_channelbag(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bpy.types.ActionChannelbag:
    """An empty channelbag for a slot of a new action.

    4.5 and 5.2 make a new action without any layer, and neither has a call that adds layer, strip and channelbag alike:
    4.5 lacks `action_ensure_channelbag_for_slot`.
    """
    strip = cast(bpy.types.ActionKeyframeStrip, action.layers.new("Layer").strips.new(type="KEYFRAME"))
    return strip.channelbag(slot, ensure=True)


def new_channelbags(
    action: bpy.types.Action, name: str, owners: Iterable[str]
) -> dict[str, bpy.types.ActionChannelbag]:
    """Empty channelbags of a new action for an object of this name (“”) and other owners, by type and name (KEY:Key).

    They share the one layer and strip that 4.5 and 5.2 allow.
    """
    first = new_channelbag(action, action.slots.new(id_type="OBJECT", name=name))
    bags, strip = {"": first}, cast(bpy.types.ActionKeyframeStrip, action.layers[0].strips[0])
    for owner in owners:
        if owner not in bags:
            kind, _, block = owner.partition(":")
            bags[owner] = strip.channelbag(action.slots.new(id_type=cast(Any, kind), name=block), ensure=True)
    return bags


def new_fcurve(bag: bpy.types.ActionChannelbag, path: str, index: int, group: str) -> bpy.types.FCurve:
    """A new F-curve in the group of that name (none where it is empty).

    5.x takes `group_name=` and has `fcurves.ensure`; 4.5 has neither and raises TypeError for the keyword, so the group
    is made and set by hand in both.
    """
    curve = bag.fcurves.new(path, index=index)
    if group:
        curve.group = bag.groups.get(group) or bag.groups.new(group)
    return curve


def ensure_pose(armature_object: bpy.types.Object) -> None:
    """Make sure that a new armature object has its pose bones.

    They appear with the first evaluation. Until then `pose` is None, and setting `action_slot` crashes 4.5 and 5.2.
    """
    if armature_object.pose is None:
        for scene in armature_object.users_scene:
            for layer in scene.view_layers:
                layer.update()
    if armature_object.pose is None:
        raise ClipError(f"“{armature_object.name}” is in no scene; link it to one first.")


def assign_action(owner: bpy.types.Object, action: bpy.types.Action, slot: bpy.types.ActionSlot | None = None) -> None:
    """Make an action the object's active one, together with a slot (the one meant for the object unless given).

    On assignment alone, 4.5 and 5.2 pick the slot whose name is the object's and else none, even where there is only
    one: the object would then not move. Raises ClipError where the action has no slot for an object.
    """
    ensure_pose(owner)
    slot = slot or slot_for(owner, action)
    if slot is None:
        raise ClipError(f"The action “{action.name}” has no slot for an object such as “{owner.name}”.")
    data = owner.animation_data or owner.animation_data_create()
    data.action = action
    data.action_slot = slot


def slot_for(owner: bpy.types.Object, action: bpy.types.Action) -> bpy.types.ActionSlot | None:
    """The slot in use, the one with the object's name, the one it last used, or the first that keys anything.

    5.2's importers call their slots “Slot”, 4.5's after the object, so a name alone does not tell.
    """
    data = owner.animation_data
    if data and data.action == action and data.action_slot:
        return data.action_slot
    slots = [slot for slot in action.slots if slot.target_id_type in ("OBJECT", "UNSPECIFIED")]
    for identifier in (f"OB{owner.name}", data.last_slot_identifier if data else ""):
        for slot in slots:
            if slot.identifier == identifier:
                return slot
    filled = [slot for slot in slots if channelbag_of(action, slot)]
    return next(iter(filled or slots), None)


def name_of_two(first: str, last: str) -> str:
    """A name for an action made of two: where both are too long, `first` is cut, as `last` tells it from others.

    4.5 cuts names after 63 bytes, 5.2 after 255. Where there is no room for a number behind them, both tell equal names
    apart by cutting more.
    """
    longest: Any = bpy.types.ID.bl_rna.properties["name"]
    room = longest.length_max - len(f" {last}.00001".encode())
    if len(first.encode()) > room:
        first = first.encode()[: max(0, room - len(CUT.encode()))].decode(errors="ignore") + CUT
    return f"{first} {last}"


def end_of_name(name: str, first: str) -> str:
    """What follows `first` in a name that `name_of_two` has made; the whole name where another hand has."""
    if name.startswith(f"{first} "):
        return name.removeprefix(f"{first} ")
    begin, cut, end = name.partition(f"{CUT} ")
    return end if cut and first.startswith(begin) else name


def is_selected(pose_bone: bpy.types.PoseBone) -> bool:
    """Whether a pose bone is selected: 5.0 moved this from the armature's bone to the pose bone."""
    owner: Any = pose_bone if hasattr(pose_bone, "select") else pose_bone.bone
    return bool(owner.select)
