"""Ghosts in the file: made from a character, found again, removed; they never touch its action and keep none alive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
from mathutils import Vector

from ...core.errors import ClipError
from ..compat import assign_action, ensure_pose, slot_for
from ..crowd.character import Character
from ..ownership import GHOST_KEY, Removal, is_made_by_riff, mark_made, remove_collection, remove_objects
from ..stored import MAX_SEED, next_number, stored_text, stored_whole
from .tint import colour_of, remove_unused_materials, tint, tints

COLLECTION_KEY = "riff_ghosts"
"""Id-property of a collection of ghosts."""

NUMBER_KEY, PLACE_KEY, TOP_KEY, IDENTITY_KEY = "riff_ghost_number", "riff_place", "riff_top", "riff_identity"
"""Id-properties. Of every object of a ghost: a number that its parts share. Of its armature: its place beside the
character, 1 for the next; the bone below its name; the number by which variations know the character.
"""

MAX_GHOSTS = 12
"""Most ghosts of a character."""

_COSTLY_MODIFIERS = {
    "CLOTH",
    "COLLISION",
    "DYNAMIC_PAINT",
    "EXPLODE",
    "FLUID",
    "MULTIRES",
    "PARTICLE_INSTANCE",
    "PARTICLE_SYSTEM",
    "SOFT_BODY",
    "SUBSURF",
}
"""Types of modifiers that ghosts do without: subdivisions and simulations."""


@dataclass(frozen=True)
class Arrangement:
    """Arrangement of ghosts: `spacing` as a share of the character's size, beside or behind it, solid or as wires."""

    spacing: float = 1.0
    behind: bool = False
    wire: bool = False


ARRANGEMENT = Arrangement()


def all_ghosts() -> list[bpy.types.Object]:
    """Return the armatures of all ghosts of the file that are Riff's own, in the order of their places."""
    found = [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.get(GHOST_KEY) is not None]
    return sorted((ob for ob in found if is_made_by_riff(ob)), key=place_of)


def has_ghosts() -> bool:
    """Return whether the file has a collection of ghosts; cheap enough for drawing."""
    return any(collection.get(COLLECTION_KEY) is not None for collection in bpy.data.collections)


def ghosts_of(armature_object: bpy.types.Object, identity: str = "") -> list[bpy.types.Object]:
    """Return the ghosts of a character, found by its name; by its `identity` if it was renamed since."""
    return [ghost for ghost in all_ghosts() if _is_of(ghost, armature_object.name, identity)]


def _is_of(ghost: bpy.types.Object, name: str, identity: str) -> bool:
    known = stored_text(ghost, GHOST_KEY)
    renamed = known not in bpy.data.objects and bool(identity)
    return known == name or (renamed and stored_text(ghost, IDENTITY_KEY) == identity)


def abandoned_ghosts() -> list[bpy.types.Object]:
    """Return the ghosts whose character is no longer in the file under its name."""
    return [ghost for ghost in all_ghosts() if stored_text(ghost, GHOST_KEY) not in bpy.data.objects]


def ghosts_playing(action: bpy.types.Action) -> list[bpy.types.Object]:
    """Return the ghosts that play an action."""
    return [ghost for ghost in all_ghosts() if played(ghost) == action]


def played(ghost: bpy.types.Object) -> bpy.types.Action | None:
    """Return the action that a ghost plays."""
    return ghost.animation_data.action if ghost.animation_data else None


def place_of(ghost: bpy.types.Object) -> int:
    """Return a ghost's place, 1 for the one next to the character."""
    return stored_whole(ghost, PLACE_KEY, 1, MAX_SEED) or 1


def character_behind(ob: bpy.types.Object) -> bpy.types.Object | None:
    """Return the character of a ghost, None if it is gone; return any other object itself."""
    if ob.get(GHOST_KEY) is None or not is_made_by_riff(ob):
        return ob
    character = bpy.data.objects.get(stored_text(ob, GHOST_KEY))
    return character if character is not None and character.type == "ARMATURE" else None


def add_ghosts(
    armature_object: bpy.types.Object,
    actions: Sequence[bpy.types.Action],
    scene: bpy.types.Scene,
    arrangement: Arrangement = ARRANGEMENT,
    identity: str = "",
) -> list[bpy.types.Object]:
    """Add a ghost for each action at the next free places; return their armatures.

    Raises ClipError, with nothing added, for more than MAX_GHOSTS and for an action without a slot for an object.
    """
    present = ghosts_of(armature_object, identity)
    _check(armature_object, actions, len(present))
    character = Character(armature_object, scene, _shown(armature_object, scene))
    taken = {place_of(ghost) for ghost in present}
    places = [place for place in range(1, MAX_GHOSTS + 1) if place not in taken]
    collection, made = _collection(scene), list[bpy.types.Object]()
    try:
        for action, place in zip(actions, places, strict=False):
            made.append(_add(character, collection, action, place, arrangement))
            made[-1][IDENTITY_KEY] = identity
    except BaseException:
        remove_ghosts(made)
        raise
    finally:
        _remove_if_empty(collection)
    return made


def replace_ghosts(
    armature_object: bpy.types.Object,
    actions: Sequence[bpy.types.Action],
    scene: bpy.types.Scene,
    arrangement: Arrangement = ARRANGEMENT,
    identity: str = "",
) -> list[bpy.types.Object]:
    """Show these actions as ghosts and no others, like `add_ghosts`."""
    _check(armature_object, actions, 0)
    remove_ghosts(ghosts_of(armature_object, identity))
    return add_ghosts(armature_object, actions, scene, arrangement, identity)


def _check(armature_object: bpy.types.Object, actions: Sequence[bpy.types.Action], present: int) -> None:
    if present + len(actions) > MAX_GHOSTS:
        raise ClipError(f"At most {MAX_GHOSTS} ghosts stand beside a character; hide some first.")
    ensure_pose(armature_object)
    for action in actions:
        if slot_for(armature_object, action) is None:
            raise ClipError(f"The action “{action.name}” has no slot for an object such as “{armature_object.name}”.")


def _shown(armature_object: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the armature, its visible meshes, and the objects of the character that these depend on."""
    character = Character(armature_object, scene)
    objects = character.objects
    wanted = {0, *(k for k, ob in enumerate(objects) if ob.type == "MESH" and ob.visible_get())}
    waiting = list(wanted)
    while waiting:
        for other in character.followed(waiting.pop()):
            if other not in wanted:
                wanted.add(other)
                waiting.append(other)
    return [objects[k] for k in sorted(wanted)]


def _add(
    character: Character,
    collection: bpy.types.Collection,
    action: bpy.types.Action,
    place: int,
    arrangement: Arrangement,
) -> bpy.types.Object:
    original, number = character.objects[0], _next_number()
    parts: list[Any] = [*character.duplicate(collection, f"Ghost {place}")]
    ghost = parts[0]
    for ob in parts:
        ob[GHOST_KEY], ob[NUMBER_KEY] = original.name, number
        ob.hide_render = ob.hide_select = True
        ob.color = colour_of(place)
        ob.hide_viewport = ob.type != "MESH" and (ob is not ghost or character.meshes > 0)
        if ob.type == "MESH":
            _lighten(ob, place, arrangement.wire)
    ghost[PLACE_KEY], ghost[TOP_KEY] = place, _top_bone(original)
    assign_action(ghost, action)
    ghost.delta_location = ghost.delta_location + _offset(original, arrangement) * place
    return ghost


def _lighten(mesh: bpy.types.Object, place: int, wire: bool) -> None:
    for modifier in list(mesh.modifiers):
        if modifier.type in _COSTLY_MODIFIERS:
            mesh.modifiers.remove(modifier)
    mesh.display_type = "WIRE" if wire else "TEXTURED"
    if not wire:
        tint(mesh, place)


def _offset(armature_object: bpy.types.Object, arrangement: Arrangement) -> Vector:
    """Return the way to the next place, in the space of the object's location."""
    world = armature_object.matrix_world
    way = world.to_3x3() @ Vector((0.0, 1.0, 0.0) if arrangement.behind else (1.0, 0.0, 0.0))
    way.z = 0.0
    if way.length < 1e-6:  # an object that lies on its side
        way = Vector((0.0, 1.0, 0.0) if arrangement.behind else (1.0, 0.0, 0.0))
    way = way.normalized() * arrangement.spacing * _size(armature_object)
    above = (world @ armature_object.matrix_basis.inverted_safe()).to_3x3()
    return above.inverted_safe() @ way


def _size(armature_object: bpy.types.Object) -> float:
    """Return the largest extent of the armature at rest in the world."""
    world, data = armature_object.matrix_world, armature_object.data
    points = [world @ point for bone in data.bones for point in (bone.head_local, bone.tail_local)]
    spans = [max(p[axis] for p in points) - min(p[axis] for p in points) for axis in range(3)] if points else [1.0]
    return max(*spans, 1e-3)


def _top_bone(armature_object: bpy.types.Object) -> str:
    world = armature_object.matrix_world
    bones = list(armature_object.data.bones)
    return max(bones, key=lambda bone: (world @ bone.tail_local).z).name if bones else ""


def _next_number() -> int:
    return next_number({stored_whole(ob, NUMBER_KEY, 0, MAX_SEED) or 0 for ob in bpy.data.objects})


def _collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """Return the scene's collection of ghosts; create it if there is none."""
    for collection in scene.collection.children:
        if collection.get(COLLECTION_KEY) is not None and is_made_by_riff(collection):
            return collection
    collection = bpy.data.collections.new("Riff Ghosts")
    collection[COLLECTION_KEY], collection.hide_render = True, True
    mark_made(collection)
    scene.collection.children.link(collection)
    return collection


def _remove_if_empty(collection: bpy.types.Collection) -> None:
    if not len(collection.objects) and not len(collection.children):
        remove_collection(collection)


def parts_of(ghost: bpy.types.Object) -> list[bpy.types.Object]:
    """Return all objects of a ghost."""
    number = ghost.get(NUMBER_KEY)
    return [ob for ob in bpy.data.objects if ob.get(GHOST_KEY) is not None and ob.get(NUMBER_KEY) == number]


def _strays(collection: bpy.types.Collection) -> set[bpy.types.Object]:
    """Return the parts of ghosts whose armature was deleted by hand."""
    whole = [ob.get(NUMBER_KEY) for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.get(GHOST_KEY) is not None]
    parts = [ob for ob in collection.objects if ob.get(GHOST_KEY) is not None]
    return {ob for ob in parts if ob.get(NUMBER_KEY) not in whole}


def remove_ghosts(ghosts: Iterable[bpy.types.Object]) -> Removal:
    """Delete ghosts, parts of broken ones, and what only they use, but no action; those that the user's objects depend
    on stay.
    """
    removal, names = Removal(), {ghost.name for ghost in ghosts}
    for collection in [one for one in bpy.data.collections if one.get(COLLECTION_KEY) is not None]:
        chosen = [ob for ob in collection.objects if ob.name in names]
        parts = {part for ghost in chosen for part in parts_of(ghost)} | _strays(collection)
        stay = remove_objects(parts, collection, tints()).stay if parts else []
        left = names.intersection(stay)
        removal.removed += len(chosen) - len(left)
        removal.stay += sorted(left)
        _remove_if_empty(collection)
    remove_unused_materials()
    return removal
