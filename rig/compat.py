"""Differences between Blender 4.5 and 5.2, and steps that both need and their documentation leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import bpy
from bpy_extras import anim_utils

from ..core.errors import ClipError

EXTENSION = __package__.rpartition(".")[0]
"""Package name of the extension; Blender finds its preferences and its user folder by it."""

MAX_FRAME = 1_048_574
"""Last frame that Blender knows."""

ELLIPSIS = "…"
"""Text in place of the end of a name that was cut."""


def channelbag_of(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bpy.types.ActionChannelbag | None:
    """Return the channelbag (F-curves) of one slot; None if the action keys nothing for it.

    5.0 removed `Action.fcurves`. 4.5 still has it, but for the first slot only, so both versions use the channelbag.
    """
    return anim_utils.action_get_channelbag_for_slot(action, slot)


def new_channelbag(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bpy.types.ActionChannelbag:
    """Create layer, strip and an empty channelbag for a slot of a new action.

    A new action has no layer in 4.5 and 5.2. No single call creates all three in both: 4.5 lacks
    `action_ensure_channelbag_for_slot`.
    """
    strip = cast(bpy.types.ActionKeyframeStrip, action.layers.new("Layer").strips.new(type="KEYFRAME"))
    return strip.channelbag(slot, ensure=True)


def new_channelbags(
    action: bpy.types.Action, name: str, owners: Iterable[str]
) -> dict[str, bpy.types.ActionChannelbag]:
    """Create empty channelbags in a new action, by owner: “” is the object called `name`, others are KEY:Name or the
    like.

    All share the one layer and strip that 4.5 and 5.2 allow.
    """
    first = new_channelbag(action, action.slots.new(id_type="OBJECT", name=name))
    bags, strip = {"": first}, cast(bpy.types.ActionKeyframeStrip, action.layers[0].strips[0])
    for owner in owners:
        if owner not in bags:
            kind, _, block = owner.partition(":")
            bags[owner] = strip.channelbag(action.slots.new(id_type=cast(Any, kind), name=block), ensure=True)
    return bags


def new_fcurve(bag: bpy.types.ActionChannelbag, path: str, index: int, group: str) -> bpy.types.FCurve:
    """Create an F-curve in the group of that name; in no group if the name is empty.

    5.x takes `group_name=` and has `fcurves.ensure`. 4.5 has neither and raises TypeError for the keyword, so both
    create the group and assign it.
    """
    curve = bag.fcurves.new(path, index=index)
    if group:
        curve.group = bag.groups.get(group) or bag.groups.new(group)
    return curve


def ensure_pose(armature_object: bpy.types.Object) -> None:
    """Ensure that a new armature object has its pose bones. Raises ClipError for an object in no scene.

    Pose bones appear with the first evaluation. Until then `pose` is None, and setting `action_slot` crashes 4.5 and
    5.2.
    """
    if armature_object.pose is None:
        for scene in armature_object.users_scene:
            for layer in scene.view_layers:
                layer.update()
    if armature_object.pose is None:
        raise ClipError(f"“{armature_object.name}” is in no scene; link it to one first.")


def assign_action(owner: bpy.types.Object, action: bpy.types.Action, slot: bpy.types.ActionSlot | None = None) -> None:
    """Assign an action to an object together with a slot: the one given, else `slot_for`.

    On assignment alone, 4.5 and 5.2 pick the slot with the object's name and otherwise none, even if there is only one;
    the object would not move. Raises ClipError if the action has no slot for an object, and in the NLA's Tweak Mode.
    """
    ensure_pose(owner)
    check_not_tweaked(owner)
    slot = slot or slot_for(owner, action)
    if slot is None:
        raise ClipError(f"The action “{action.name}” has no slot for an object such as “{owner.name}”.")
    data = owner.animation_data or owner.animation_data_create()
    data.action = action
    data.action_slot = slot


def check_not_tweaked(owner: bpy.types.ID) -> None:
    """Raise ClipError for a data-block in the NLA's Tweak Mode, in which Blender lets nobody change its action."""
    data: bpy.types.AnimData | None = getattr(owner, "animation_data", None)
    if data is not None and data.use_tweak_mode:
        raise ClipError(f"“{owner.name}” is in Tweak Mode; leave it in the NLA editor first.")


def hold_by_driver(owner: bpy.types.Object, path: str, index: int, value: float) -> None:
    """Hold a number at a value by a driver, which overrules keys; it has no expression that Blender could block.

    4.5 gives a new driver a Generator modifier, 5.2 none. The driver is a sum of no variables, so that the modifier's
    first coefficient alone counts.
    """
    curve: Any = owner.driver_add(path, index)
    curve.driver.type = "SUM"
    generator = curve.modifiers[0] if len(curve.modifiers) else curve.modifiers.new("GENERATOR")
    generator.coefficients = (value, 0.0)


def slot_for(owner: bpy.types.Object, action: bpy.types.Action) -> bpy.types.ActionSlot | None:
    """Return the slot in use, else the one with the object's name, the one last used, or the first with keys.

    The name alone is no guide: 5.2's importers call their slots “Slot”, 4.5's use the object's name.
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
    """Join two names into an action's name; if it is too long, cut `first`, since `last` tells actions apart.

    4.5 cuts names after 63 bytes, 5.2 after 255. Room is left for the number that Blender adds to equal names; without
    it, Blender would cut further.
    """
    longest: Any = bpy.types.ID.bl_rna.properties["name"]
    room = longest.length_max - len(f" {last}.00001".encode())
    if len(first.encode()) > room:
        first = first.encode()[: max(0, room - len(ELLIPSIS.encode()))].decode(errors="ignore") + ELLIPSIS
    return f"{first} {last}"


def end_of_name(name: str, first: str) -> str:
    """Return the part after `first` of a name made by `name_of_two`; return any other name whole."""
    if name.startswith(f"{first} "):
        return name.removeprefix(f"{first} ")
    begin, cut, end = name.partition(f"{ELLIPSIS} ")
    return end if cut and first.startswith(begin) else name


def use_nodes(material: bpy.types.Material) -> None:
    """Give a new material its nodes; from 5.0 on it has them, and asking for them is deprecated."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True


def is_selected(pose_bone: bpy.types.PoseBone) -> bool:
    """Return True if a pose bone is selected; 5.0 moved the flag from the armature's bone to the pose bone."""
    owner: Any = pose_bone if hasattr(pose_bone, "select") else pose_bone.bone
    return bool(owner.select)
