"""Assignment of an action to an armature and to what else it animates: its data, and shape keys of its meshes."""

from __future__ import annotations

from typing import Any

import bpy

from ...core.errors import ClipError
from ..compat import assign_action, check_not_tweaked
from ..reading.properties import OWN_ACTION_KEY, deformed_meshes


def play(armature_object: bpy.types.Object, action: bpy.types.Action) -> None:
    """Make an action the armature's active one; shape keys and armature data with slots in it play it too.

    Those without a slot get back the action from before a variation. Raises ClipError, with nothing changed, for a
    linked armature, and as `assign_action`.
    """
    if not armature_object.is_editable:
        raise ClipError(f"“{armature_object.name}” is linked from another file; make a library override of it first.")
    for block in players_of(armature_object):
        check_not_tweaked(block)
    assign_action(armature_object, action)
    keys = _shape_keys(armature_object)
    blocks = [(f"KE{block.name}", block) for block in keys]
    if armature_object.data.is_editable:
        blocks.append((f"AR{armature_object.data.name}", armature_object.data))
    for identifier, block in blocks:
        slot = next((slot for slot in action.slots if slot.identifier == identifier), None)
        if slot is not None:
            _give(block, action, slot)
        elif OWN_ACTION_KEY in block:
            _give_back(block)


def players_of(armature_object: bpy.types.Object) -> list[Any]:
    """Return an armature and the data-blocks that play its variations with it: its data, shape keys of its meshes."""
    return [armature_object, armature_object.data, *_shape_keys(armature_object)]


def _shape_keys(armature_object: bpy.types.Object) -> list[Any]:
    return list(dict.fromkeys(ob.data.shape_keys for ob in deformed_meshes(armature_object)))


def _give(block: Any, action: bpy.types.Action, slot: bpy.types.ActionSlot) -> None:
    data = block.animation_data or block.animation_data_create()
    before = data.action
    if before not in (None, action) and OWN_ACTION_KEY not in block and before.get("riff_model") is None:
        block[OWN_ACTION_KEY] = before.name
        before.use_fake_user = True  # it must survive until it is given back, even without another user
    data.action, data.action_slot = action, slot


def _give_back(block: Any) -> None:
    before = bpy.data.actions.get(str(block[OWN_ACTION_KEY]))
    del block[OWN_ACTION_KEY]
    data = block.animation_data
    if before is None or data is None:
        return
    data.action = before
    if data.action_slot is None and len(before.slots):
        data.action_slot = before.slots[0]
