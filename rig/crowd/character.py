"""A character: an armature with all objects that depend on it, and copies that share its data but not its motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..compat import name_of_two
from ..ownership import GHOST_KEY, mark_made

MEMBER_KEY = "riff_member"
"""Id-property of an armature object that is a member of a crowd: its number."""

_CARRYING_CONSTRAINTS = {"CHILD_OF", "COPY_TRANSFORMS", "COPY_LOCATION", "ARMATURE"}
"""Types of constraints by which an object travels with the object that it is tied to."""


@dataclass(frozen=True)
class Site:
    """A pointer from one object of a character to another.

    `steps` are the attributes and indices that lead to its owner, `name` is the pointer property, `target` the index of
    the object that it points to.
    """

    steps: tuple[str | int, ...]
    name: str
    target: int

    def point(self, owner: bpy.types.Object, target: bpy.types.Object) -> None:
        """Let the same property of a copy of the object point to `target`."""
        place: Any = owner
        for step in self.steps:
            place = place[step] if isinstance(step, int) else getattr(place, step)
        if self.name.startswith("["):
            place[self.name[2:-2]] = target
        else:
            setattr(place, self.name, target)


class Character:
    """The objects of a character, armature first, ready to be copied often."""

    def __init__(
        self, armature: bpy.types.Object, scene: bpy.types.Scene, objects: Sequence[bpy.types.Object] = ()
    ) -> None:
        """Prepare all objects of the armature, or those in `objects`, armature first."""
        self.objects = list(objects) or objects_of(armature, scene)
        self._world = armature.matrix_world.copy()
        index = {ob: k for k, ob in enumerate(self.objects)}
        self._parents = [index.get(ob.parent, -1) if k else -1 for k, ob in enumerate(self.objects)]
        self._sites = [list(_sites(ob, index)) for ob in self.objects]

    def followed(self, index: int) -> set[int]:
        """Return the indices of the objects that an object depends on."""
        return {self._parents[index], *(site.target for site in self._sites[index])} - {-1}

    @property
    def meshes(self) -> int:
        return sum(ob.type == "MESH" for ob in self.objects)

    def copy(self, collection: bpy.types.Collection, number: int) -> bpy.types.Object:
        """Copy the character as a member of a crowd with this number, see `duplicate`; return the armature."""
        armature = self.duplicate(collection, f"{number:03}")[0]
        armature.parent = None
        armature[MEMBER_KEY] = number
        return armature

    def duplicate(self, collection: bpy.types.Collection, ending: str) -> list[bpy.types.Object]:
        """Copy the objects into a collection, the armature without an action; meshes, materials and armature data are
        shared. The copies have the names of the originals with an `ending`.
        """
        copies = [_local(ob.copy()) for ob in self.objects]
        for ob, copy in zip(self.objects, copies, strict=True):
            copy.name = name_of_two(ob.name, ending)
            collection.objects.link(copy)
            mark_made(copy)
        for copy, parent in zip(copies[1:], self._parents[1:], strict=True):
            self._hang(copy, copies, parent)
        for copy, sites in zip(copies, self._sites, strict=True):
            for site in sites:
                site.point(copy, copies[site.target])
        settings: Any = getattr(copies[0], "riff", None)
        if settings is not None:
            settings.runs.clear()  # the history is the original's, and may be long
        data = copies[0].animation_data or copies[0].animation_data_create()
        data.use_tweak_mode = False  # in it, the action cannot be changed
        data.action = None
        for track in list(data.nla_tracks):
            data.nla_tracks.remove(track)
        return copies

    def _hang(self, copy: bpy.types.Object, copies: list[bpy.types.Object], parent: int) -> None:
        """Give a copy its parent; an object that only a modifier or constraint binds becomes a
        child of the armature.
        """
        if parent >= 0:
            copy.parent = copies[parent]
        elif not any(
            c.type in _CARRYING_CONSTRAINTS and getattr(c, "target", None) == self.objects[0] for c in copy.constraints
        ):
            world = copy.matrix_world.copy()
            copy.parent, copy.parent_type = copies[0], "OBJECT"
            copy.matrix_parent_inverse = self._world.inverted()
            copy.matrix_basis = world


def _local(ob: bpy.types.Object) -> bpy.types.Object:
    """Make the copy of a library override an object of this file."""
    if ob.override_library is None:
        return ob
    local: bpy.types.Object = ob.make_local(clear_liboverride=True)
    return local


def objects_of(armature: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the armature and all objects parented, bound by a modifier or tied by a constraint to it, directly or not.

    Cameras, members of crowds and ghosts are left out.
    """
    copied = (MEMBER_KEY, GHOST_KEY)
    candidates = [ob for ob in scene.objects if ob.type != "CAMERA" and all(ob.get(key) is None for key in copied)]
    chosen = [armature]
    known = {armature}
    for ob in chosen:  # the list grows during the loop
        for other in candidates:
            if other not in known and (other.parent == ob or _is_tied(other, ob)):
                known.add(other)
                chosen.append(other)
    return chosen


def _is_tied(ob: bpy.types.Object, to: bpy.types.Object) -> bool:
    if to.type != "ARMATURE" or ob.type == "ARMATURE":
        return False
    modifiers: Iterable[Any] = ob.modifiers
    constraints: Iterable[Any] = ob.constraints
    if any(modifier.type == "ARMATURE" and modifier.object == to for modifier in modifiers):
        return True
    for constraint in constraints:
        if constraint.type == "ARMATURE" and any(target.target == to for target in constraint.targets):
            return True
        if constraint.type in _CARRYING_CONSTRAINTS and getattr(constraint, "target", None) == to:
            return True
    return False


def _sites(ob: bpy.types.Object, index: dict[bpy.types.Object, int]) -> Iterator[Site]:
    """Iterate over all pointers of an object to objects of the character, except parents."""
    yield from _in_items(ob.modifiers, ("modifiers",), index)
    yield from _in_items(ob.constraints, ("constraints",), index)
    for number, bone in enumerate(ob.pose.bones if ob.pose else ()):
        yield from _in_items(bone.constraints, ("pose", "bones", number, "constraints"), index)
    for number, driver in enumerate(ob.animation_data.drivers if ob.animation_data else ()):
        for at, variable in enumerate(driver.driver.variables):
            steps = ("animation_data", "drivers", number, "driver", "variables", at)
            yield from _in_items(variable.targets, (*steps, "targets"), index)


def _in_items(items: Iterable[Any], steps: tuple[str | int, ...], index: dict[bpy.types.Object, int]) -> Iterator[Site]:
    for number, item in enumerate(items):
        path = (*steps, number)
        for name, prop in item.bl_rna.properties.items():
            if prop.type == "POINTER" and not prop.is_readonly:
                found = getattr(item, name)
                if isinstance(found, bpy.types.Object) and found in index:
                    yield Site(path, name, index[found])
        if hasattr(item, "targets"):  # an Armature constraint's, or those of a driver's variable
            yield from _in_items(item.targets, (*path, "targets"), index)
        if getattr(item, "type", "") == "NODES":
            yield from _in_inputs(item, path, index)


def _in_inputs(modifier: Any, steps: tuple[str | int, ...], index: dict[bpy.types.Object, int]) -> Iterator[Site]:
    """Iterate over the object inputs of a Geometry Nodes modifier, which are id-properties named by their socket."""
    for key in list(modifier.keys()):
        found = modifier[key]
        if isinstance(found, bpy.types.Object) and found in index:
            yield Site(steps, f'["{key}"]', index[found])
