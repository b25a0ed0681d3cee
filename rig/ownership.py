"""Ownership of data-blocks: which ones Riff made and may delete; everything else in the file is the user's."""

from __future__ import annotations

import bpy

MADE_KEY = "riff_made"
"""Id-property of what Riff made: its name at that time. A copy or a renamed data-block has another name: it is the
user's from then on."""


def mark_made(block: bpy.types.ID) -> None:
    """Mark a data-block that Riff has just made and named."""
    block[MADE_KEY] = block.name


def rename(block: bpy.types.ID, name: str) -> None:
    """Rename a data-block; one that Riff made and nobody renamed before stays Riff's."""
    made = is_made_by_riff(block)
    block.name = name
    if made:
        mark_made(block)


def is_made_by_riff(block: bpy.types.ID) -> bool:
    """Return True for a data-block of this file that Riff made and nobody copied or renamed since."""
    local = block.library is None and block.override_library is None
    return local and str(block.get(MADE_KEY, "")) == block.name


def is_used_elsewhere(action: bpy.types.Action, ob: bpy.types.Object | None) -> bool:
    """Return True if anything but `ob` as its active action uses the action: an NLA strip, another object."""
    data = ob.animation_data if ob is not None else None
    by_ob = int(data is not None and data.action == action)
    return action.users > int(action.use_fake_user) + by_ob


def remove_if_unused(action: bpy.types.Action) -> bool:
    """Delete an action if Riff made it and nothing uses it; return True if it was deleted."""
    if not is_made_by_riff(action) or action.users > int(action.use_fake_user):
        return False
    bpy.data.actions.remove(action)
    return True


def remove_objects(objects: set[bpy.types.Object], collection: bpy.types.Collection) -> int:
    """Delete those objects of a collection that Riff made and no other collection holds; unlink the others from it.

    An object that would be in no collection any more goes to a scene that showed the collection. Children that stay
    keep their place in the world. Return the number of deleted objects.
    """
    scenes = scenes_showing(collection)
    gone = {ob for ob in objects if is_made_by_riff(ob) and set(ob.users_collection) <= {collection}}
    for ob in objects - gone:
        keep_outside(ob, collection, scenes)
    for child in bpy.data.objects:  # `Object.children` would look through all objects for each of them
        if child.parent in gone and child not in gone:
            world = child.matrix_world.copy()
            child.parent = None
            child.matrix_world = world
    bpy.data.batch_remove([*gone])
    return len(gone)


def scenes_showing(collection: bpy.types.Collection) -> list[bpy.types.Scene]:
    """Scenes in which a collection is, directly or within others; the current scene if there is none."""
    found = [scene for scene in bpy.data.scenes if collection in scene.collection.children_recursive]
    return found or [bpy.context.scene]


def keep_outside(ob: bpy.types.Object, collection: bpy.types.Collection, scenes: list[bpy.types.Scene]) -> None:
    """Unlink an object from a collection; link it to the first scene if it is in no other collection."""
    if ob.name not in collection.objects:
        return
    if set(ob.users_collection) <= {collection}:
        scenes[0].collection.objects.link(ob)
    collection.objects.unlink(ob)
