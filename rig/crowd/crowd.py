"""A crowd in the file: a collection of members, each an armature with its own action, and the crowd's settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...core.errors import ClipError
from ...core.files.fields import parse_json
from ...core.numeric.rotation import Array
from ..compat import assign_action, check_not_tweaked
from ..ownership import Removal, let_go, mark_made, remove_collection, remove_objects
from ..parents import objects_below
from ..stored import MAX_SEED, stored_numbers, stored_whole
from .character import MEMBER_KEY

MAX_NUMBER = MAX_SEED // 2
"""Largest accepted number of a member: the numbers of those that are added later must be stored, too."""

MAX_PATH_NUMBERS = 1 << 16
"""Largest accepted number of numbers in the path of a member."""

CROWD_KEY, PATH_KEY, SPOT_KEY = "riff_crowd", "riff_path", "riff_spot"
"""Id-properties. Of a collection: the crowd's settings. Of a member, in its own space: the path of its root; its spot
(the position and direction that it was given).
"""


def crowds() -> list[bpy.types.Collection]:
    return [collection for collection in bpy.data.collections if collection.get(CROWD_KEY) is not None]


def crowd_of(ob: bpy.types.Object | None) -> bpy.types.Collection | None:
    """Return the crowd that an object belongs to; else, of those made from it, the latest; else None."""
    if ob is None:
        return None
    for collection in ob.users_collection:
        if collection.get(CROWD_KEY) is not None:
            return collection
    made = [collection for collection in crowds() if settings_of_crowd(collection).get("armature") == ob.name]
    return made[-1] if made else None


def settings_of_crowd(collection: bpy.types.Collection) -> dict[str, Any]:
    """Return a crowd's settings; empty if they cannot be read."""
    try:
        settings = parse_json(str(collection[CROWD_KEY]))
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}


def keep_settings(collection: bpy.types.Collection, settings: dict[str, Any]) -> None:
    collection[CROWD_KEY] = json.dumps(settings)


def new_collection(name: str, settings: dict[str, Any]) -> bpy.types.Collection:
    """Create a collection for a crowd, linked to no scene yet: Blender evaluates nothing in it while it is filled."""
    collection = bpy.data.collections.new(name)
    keep_settings(collection, settings)
    mark_made(collection)
    return collection


def members_of(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    """Return the armatures of a crowd, sorted by their numbers."""
    return sorted((ob for ob in collection.objects if ob.get(MEMBER_KEY) is not None), key=number_of)


def number_of(member: bpy.types.Object) -> int:
    """Return a member's number; 0 for one that is stored as something else."""
    return stored_whole(member, MEMBER_KEY, 0, MAX_NUMBER) or 0


def others_in(scene: bpy.types.Scene, crowd: bpy.types.Collection | None) -> list[bpy.types.Object]:
    """Return the members of other crowds that are visible in a scene."""
    found = [collection for collection in crowds() if collection != crowd]
    return [
        ob for collection in found for ob in members_of(collection) if ob.name in scene.objects and ob.visible_get()
    ]


def action_of(member: bpy.types.Object) -> bpy.types.Action | None:
    """Return the action that a member plays, directly or in its NLA."""
    data = member.animation_data
    if data is None:
        return None
    strips = [strip.action for track in data.nla_tracks for strip in track.strips]
    return data.action or next((action for action in strips if action is not None), None)


def key_of(member: bpy.types.Object) -> tuple[int, int] | None:
    """Return the seed and number of a member's motion; None if its action has been replaced."""
    action = action_of(member)
    if action is None:
        return None
    seed, index = (stored_whole(action, key, 0, MAX_SEED) for key in ("riff_seed", "riff_index"))
    return None if seed is None or index is None else (seed, index)


def world_path(member: bpy.types.Object) -> Array | None:
    """Return the path (R, 2) of a member's root in the world, wherever the member was moved to;
    None if it is unknown.
    """
    path = stored_points(member, PATH_KEY)
    if path is None:
        return None
    world = np.array(member.matrix_world)
    return (path @ world[:3, :3].T + world[:3, 3])[:, :2]


def stored_points(member: bpy.types.Object, key: str) -> Array | None:
    """Return the points (R, 3) that are stored with a member; None for anything else."""
    numbers = stored_numbers(member, key, MAX_PATH_NUMBERS)
    return np.array(numbers).reshape(-1, 3) if numbers and len(numbers) % 3 == 0 else None


@dataclass(frozen=True, eq=False)
class MemberState:
    """State of a member before it gets another motion and place: names and plain values, to be restored later.

    `uid` tells the member from one of the same name in a file opened later.
    """

    member: str
    uid: int
    world: Array
    path: Array
    spot: Array
    action: str
    nla: bool
    repeat: float

    @staticmethod
    def of(member: bpy.types.Object) -> MemberState | None:
        """Capture a member's state; None if it had no motion or place."""
        action, path, spot = action_of(member), stored_points(member, PATH_KEY), stored_points(member, SPOT_KEY)
        if action is None or path is None or spot is None:
            return None
        track = own_track(member) if member.animation_data.action is None else None
        return MemberState(
            member.name,
            member.session_uid,
            np.array(member.matrix_world),
            path,
            spot,
            action.name,
            track is not None,
            track.strips[0].repeat if track is not None else 1.0,
        )

    def give_back(self) -> None:
        """Restore the member and remove the motion that it has now, if that is Riff's own and nothing else uses it."""
        member, action = bpy.data.objects.get(self.member), bpy.data.actions.get(self.action)
        if member is None or action is None or member.session_uid != self.uid:
            return
        meanwhile = action_of(member)
        place_member(member, self.world, self.path, self.spot)
        data: Any = member.animation_data
        data.use_tweak_mode = False  # in it, the action cannot be changed
        track = own_track(member)
        if not self.nla and track is not None and track.strips[0].action == meanwhile:
            data.nla_tracks.remove(track)
        give_action(member, action, nla=self.nla, repeat=self.repeat)
        if meanwhile is not None and meanwhile != action:
            let_go(meanwhile)


def own_track(member: bpy.types.Object) -> Any:
    """Return the NLA track on which Riff lets a member play: one strip alone, of a motion by whose name it is called.

    All others are the user's. None without one.
    """
    data = member.animation_data
    for track in data.nla_tracks if data is not None else ():
        action = track.strips[0].action if len(track.strips) == 1 else None
        if action is not None and action.name == track.name and action.get("riff_model") is not None:
            return track
    return None


def give_action(member: bpy.types.Object, action: bpy.types.Action, *, nla: bool, repeat: float = 1.0) -> None:
    """Let a member play an action, directly or on an NLA track, where it is repeated; tracks of the user stay.

    Raises ClipError in the NLA's Tweak Mode.
    """
    check_not_tweaked(member)
    data = member.animation_data or member.animation_data_create()
    if nla:
        data.action = None
        before = own_track(member)
        track = data.nla_tracks.new(prev=before)  # in its place: layers above it stay above
        if before is not None:
            data.nla_tracks.remove(before)
        track.name = action.name
        strip = track.strips.new(action.name, int(action.frame_range[0]), action)
        if strip.action_slot is None:
            strip.action_slot = action.slots[0]
        strip.repeat = max(1.0, repeat)
    else:
        assign_action(member, action, action.slots[0])


def place_member(member: bpy.types.Object, world: Array, path: Array, spot: Array) -> None:
    """Place a member and store its path (R, 3) and spot (2, 3) in its own space, so that they follow it when it is
    moved.
    """
    member.matrix_world = Matrix(world.tolist())
    member[PATH_KEY] = [float(value) for value in path.ravel()]
    member[SPOT_KEY] = [float(value) for value in spot.ravel()]


def spot_of(member: bpy.types.Object) -> tuple[tuple[float, float, float], float] | None:
    """Return the position and heading that a member was given, moved along with it since; None if unknown."""
    spot = stored_points(member, SPOT_KEY)
    if spot is None or len(spot) != 2:
        return None
    world = np.array(member.matrix_world)
    x, y, z = (float(value) for value in world[:3, :3] @ spot[0] + world[:3, 3])
    way = world[:3, :3] @ spot[1]
    return (x, y, z), float(np.arctan2(way[1], way[0]))


def remove_members(collection: bpy.types.Collection, members: Sequence[bpy.types.Object]) -> Removal:
    """Remove members that are Riff's own, with the copies that hang on them and their actions; count the members.

    Those that were copied, renamed or are used by anything of the user's stay as they are; see `rig.ownership`.
    """
    below = objects_below(members)  # children of children, too
    chosen = {*members, *(ob for ob in below if ob.name in collection.objects)}
    return _counted(collection, chosen, members)


def remove_crowd(collection: bpy.types.Collection) -> Removal:
    """Remove a crowd, its actions and its collection; count the members.

    Objects that are not Riff's own or that the user's use stay in the scene, and so do collections within it. A
    collection that was renamed or copied, or that is instanced, stays without being a crowd.
    """
    removal = _counted(collection, set(collection.objects), members_of(collection))
    if not remove_collection(collection):
        del collection[CROWD_KEY]
    return removal


def _counted(
    collection: bpy.types.Collection, objects: set[bpy.types.Object], members: Sequence[bpy.types.Object]
) -> Removal:
    names = {ob.name for ob in members}
    stay = names.intersection(remove_objects(objects, collection).stay)
    return Removal(len(names) - len(stay), sorted(stay))


def next_number(collection: bpy.types.Collection) -> int:
    return max(map(number_of, members_of(collection)), default=0) + 1


def require_crowd(ob: bpy.types.Object | None) -> bpy.types.Collection:
    """Return the object's crowd. Raises ClipError if it has none, or one that this file only links or overrides."""
    collection = crowd_of(ob)
    if collection is None:
        raise ClipError("Select a member of a crowd, or the character that it was made from.")
    if collection.library is not None or collection.override_library is not None:
        raise ClipError(f"The crowd “{collection.name}” is linked from another file; change it there.")
    return collection
