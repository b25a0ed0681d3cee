"""Ownership of data-blocks: which ones are Riff's own and may be deleted; everything else in the file is the user's.

Riff's own is a data-block that Riff wrote, that still has the name under which it was written and, if it is an action,
the very keys, modifiers and markers. A copy inherits every id-property, so no number in the mark could tell it from its
original, and a registry of originals would keep alive what the user deletes. A copy has another name, though; and one
that gets the original's name later either is the same key by key, so that nothing of the user's is lost with it, or
differs in its keys. The mark survives saving, appending and undo. Renaming, editing, a fake user and use by anything
else make a data-block the user's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

MADE_KEY, KEYS_KEY, SHIELD_KEY = "riff_made", "riff_keys", "riff_shield"
"""Id-properties of what Riff made: its name at that time; of an action also the digest of its keys, and whether Riff
itself gave it a fake user.
"""

GHOST_KEY = "riff_ghost"
"""Id-property of the objects of a ghost, a stand-in that shows a variation: the name of its character."""

_HANDLES = ("handle_left", "handle_right")


Written = Mapping[tuple[int, str, int], NDArray[np.float32]]
"""Keys (T, 2) as frame and value, in single precision, of F-curves by slot handle, data path and array index."""


def mark_made(block: bpy.types.ID, written: Written | None = None) -> None:
    """Mark a data-block that Riff has just made or changed, under its present name and with its present keys.

    Keys of an action that were `written` a moment ago need not be read again, which is slow in Blender.
    """
    block[MADE_KEY] = block.name
    if isinstance(block, bpy.types.Action):
        block[KEYS_KEY], block[SHIELD_KEY] = digest_of(block, written), block.use_fake_user


def rename(block: bpy.types.ID, name: str) -> None:
    """Rename a data-block; one that Riff made and nobody renamed before stays Riff's."""
    made = is_made_by_riff(block)
    block.name = name
    if made:
        mark_made(block)


def is_made_by_riff(block: bpy.types.ID) -> bool:
    """Return True for a data-block of this file that Riff made and nobody copied, renamed or edited since."""
    local = block.library is None and block.override_library is None
    if not local or block.get(MADE_KEY) != block.name:
        return False
    if not isinstance(block, bpy.types.Action) or block.get(KEYS_KEY) is None:
        return True
    shielded = block.use_fake_user and not block.get(SHIELD_KEY)
    return not shielded and (block[KEYS_KEY] == digest_of(block) or _is_empty(block))


def is_used_elsewhere(action: bpy.types.Action, players: Collection[bpy.types.ID | None]) -> bool:
    """Return True if anything but `players` and ghosts, as their active action, uses an action: an NLA strip, another
    object.
    """
    spare = action.users - int(action.use_fake_user)
    if spare > 0:
        spare -= sum(_plays(block, action) for block in players)
    if spare > 0:
        known = set(players)
        ghosts = [ob for ob in bpy.data.objects if ob.get(GHOST_KEY) is not None and ob not in known]
        spare -= sum(_plays(ghost, action) and is_made_by_riff(ghost) for ghost in ghosts)
    return spare > 0


def _plays(block: bpy.types.ID | None, action: bpy.types.Action) -> bool:
    data: bpy.types.AnimData | None = getattr(block, "animation_data", None)
    return data is not None and data.action == action


def let_go(action: bpy.types.Action) -> bool:
    """Delete an action that is Riff's own and that nothing uses; return True if it was deleted.

    One of the user's own that has lost its last user gets a fake user, without which Blender would drop it on saving.
    """
    if action.users > int(action.use_fake_user):
        return False
    if is_made_by_riff(action):
        bpy.data.actions.remove(action)
        return True
    if action.library is None:
        action.use_fake_user = True
    return False


@dataclass
class Removal:
    """Outcome of removing objects: the number of deleted ones, and the names of those that stay."""

    removed: int = 0
    stay: list[str] = field(default_factory=list)


def removable(objects: Collection[bpy.types.Object], collection: bpy.types.Collection) -> set[bpy.types.Object]:
    """Return those objects of a collection that Riff made and that nothing else in the file uses.

    Use is: being in another collection, parent, target of a constraint, modifier or driver, camera of a scene. A member
    goes with all that hangs on it or not at all.
    """
    made = {ob for ob in objects if is_made_by_riff(ob)}
    users = bpy.data.user_map(subset=made) if made else {}
    held = _held_by_scenes()
    found = {ob for ob in made if ob not in held and not ob.use_fake_user}
    while True:
        used = {ob for ob in found if any(_is_use(user, found, collection) for user in users.get(ob, ()))}
        # The clothes of a member that stays, stay.
        used |= {ob for stays in made - found for ob in users.get(stays, ()) if ob in found}
        if not used:
            return found
        found -= used


def _is_use(user: bpy.types.ID, going: set[bpy.types.Object], collection: bpy.types.Collection) -> bool:
    """Return whether a data-block that refers to an object would miss it; `_held_by_scenes` looks at scenes."""
    if isinstance(user, (bpy.types.Scene, bpy.types.Screen, bpy.types.WindowManager, bpy.types.WorkSpace)):
        return False
    return user not in going and user != collection


def _held_by_scenes() -> set[bpy.types.ID]:
    """Return what scenes refer to beside the objects that they show through collections."""
    held: set[Any] = set()
    for scene in bpy.data.scenes:
        held.update(scene.collection.objects)
        held.add(scene.camera)
        held.update(marker.camera for marker in scene.timeline_markers)
        held.update(value for value in scene.values() if isinstance(value, bpy.types.Object))
    return held


@contextmanager
def keeping_orphans(own: Collection[bpy.types.ID]) -> Iterator[None]:
    """Give a fake user to each data-block that loses its last user meanwhile, except those of `own`."""
    orphans = set(_without_users())
    yield
    for block in _without_users():
        if block not in orphans and block not in own:
            block.use_fake_user = True


def _without_users() -> Iterator[bpy.types.ID]:
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION" and prop.identifier not in ("objects", "scenes", "screens", "window_managers"):
            blocks: Iterable[bpy.types.ID] = getattr(bpy.data, prop.identifier)
            yield from (block for block in blocks if block.users == 0 and block.library is None)


def remove_objects(
    objects: Collection[bpy.types.Object],
    collection: bpy.types.Collection,
    going_along: Collection[bpy.types.ID] | None = None,
) -> Removal:
    """Delete those objects of a collection that are `removable`; the others stay in it.

    Data-blocks in `going_along`, unless given the actions that Riff made for them, are deleted where nothing uses them.
    """
    gone = removable(objects, collection)
    removal = Removal(len(gone), sorted(ob.name for ob in objects if ob not in gone))
    if going_along is None:
        going_along = {action for ob in gone for action in _played(ob) if is_made_by_riff(action)}
    with keeping_orphans(going_along):
        bpy.data.batch_remove([*gone])
    bpy.data.batch_remove([block for block in going_along if block.users <= int(_has_own_shield(block))])
    return removal


def _has_own_shield(block: bpy.types.ID) -> bool:
    """Return whether a data-block has a fake user that Riff gave it; it gives one to actions alone."""
    return block.use_fake_user and isinstance(block, bpy.types.Action)


def _played(ob: bpy.types.Object) -> Iterator[bpy.types.Action]:
    """Iterate over the actions that an object plays, directly or in its NLA."""
    data = ob.animation_data
    if data is None:
        return
    strips = [strip.action for track in data.nla_tracks for strip in track.strips]
    yield from {action for action in (data.action, *strips) if action is not None}


def remove_collection(collection: bpy.types.Collection) -> bool:
    """Delete a collection of Riff's own; its objects and collections move to a scene that showed it.

    Return False, and leave it as it is, if the user made, renamed or copied it, or if anything but scenes and
    collections uses it.
    """
    users = bpy.data.user_map(subset=[collection]).get(collection, set())
    places = (bpy.types.Scene, bpy.types.Collection, bpy.types.Screen, bpy.types.WindowManager, bpy.types.WorkSpace)
    if not is_made_by_riff(collection) or collection.use_fake_user or any(not isinstance(u, places) for u in users):
        return False
    scenes = scenes_showing(collection)
    for ob in [*collection.objects]:
        if set(ob.users_collection) <= {collection}:
            scenes[0].collection.objects.link(ob)
    for child in [*collection.children]:
        if not any(child.name in one.children for one in (*_collections(), scenes[0].collection) if one != collection):
            scenes[0].collection.children.link(child)
    bpy.data.collections.remove(collection)
    return True


def _collections() -> Iterator[bpy.types.Collection]:
    yield from bpy.data.collections
    yield from (scene.collection for scene in bpy.data.scenes)


def scenes_showing(collection: bpy.types.Collection) -> list[bpy.types.Scene]:
    """Scenes in which a collection is, directly or within others; the current scene if there is none."""
    found = [scene for scene in bpy.data.scenes if collection in scene.collection.children_recursive]
    return [scene for scene in found if scene.library is None] or [bpy.context.scene]


def _bags(action: bpy.types.Action) -> list[Any]:
    strips: list[Any] = [strip for layer in action.layers for strip in layer.strips]
    return [bag for strip in strips for bag in strip.channelbags]


def _is_empty(action: bpy.types.Action) -> bool:
    """Return True for an action in which nothing of the user's can be: no F-curves, no markers."""
    return not len(action.pose_markers) and not any(len(bag.fcurves) for bag in _bags(action))


def digest_of(action: bpy.types.Action, written: Written | None = None) -> str:
    """Return a digest of an action's keys, F-curve modifiers and pose markers; keys that were `written` are known."""
    digest, known = hashlib.blake2b(digest_size=16), written or {}

    def say(*what: object) -> None:
        digest.update(repr(what).encode())

    for marker in action.pose_markers:
        say(marker.name, marker.frame)
    for bag in _bags(action):
        say(bag.slot_handle)
        for curve in bag.fcurves:
            points = curve.keyframe_points
            kinds = _numbers(points, "interpolation", 1, np.uint8)
            say(curve.data_path, curve.array_index, curve.mute, [one.type for one in curve.modifiers], len(points))
            digest.update(kinds.tobytes())
            places = known.get((bag.slot_handle, curve.data_path, curve.array_index))
            digest.update((_numbers(points, "co", 2, np.float32) if places is None else places).tobytes())
            if (kinds == _BEZIER).any():
                handles = [_numbers(points, f"{side}_type", 1, np.uint8) for side in _HANDLES]
                say(curve.auto_smoothing, *(one.tobytes() for one in handles))
                if np.isin(handles, _PLACED).any():  # others follow from the keys, and are slow to read
                    digest.update(b"".join(_numbers(points, side, 2, np.float32).tobytes() for side in _HANDLES))
    return digest.hexdigest()


def _numbers(points: Any, name: str, width: int, dtype: type[np.generic]) -> NDArray[Any]:
    values = np.empty(width * len(points), dtype=dtype)
    points.foreach_get(name, values)
    return values


_BEZIER = 2
"""Value of the enum Keyframe.interpolation in 4.5 and 5.2."""

_PLACED = (0, 3, 5)
"""Values of the enum Keyframe.handle_left_type in 4.5 and 5.2 of handles that are placed by hand."""
