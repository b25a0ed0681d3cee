"""Stand-ins for objects that a rig follows and that must not be evaluated at other frames than the user's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from .scene_drivers import reads_scene

_SIMULATIONS = {"CLOTH", "SOFT_BODY", "FLUID", "DYNAMIC_PAINT", "PARTICLE_SYSTEM", "EXPLODE"}
"""Modifiers with a cache that Blender writes whenever the object is evaluated, in any scene."""


class StandIns:
    """Copies of objects that a rig depends on and that simulate or read the user's scene, for one evaluation."""

    def __init__(self) -> None:
        self.copies: list[bpy.types.Object] = []

    def replace_targets(
        self, armature_object: bpy.types.Object, copy: bpy.types.Object, scene: bpy.types.Scene
    ) -> None:
        """Let a copy of the armature follow stand-ins instead of objects that simulate or read the scene.

        Stand-ins have no simulation: its cache belongs to the user's scene. Objects between them and the armature get
        stand-ins, too.
        """
        followed = _followed(armature_object)
        troubled = {ob for ob in followed if _simulates(ob) or reads_scene(ob, scene)}
        if not troubled:
            return
        between = {ob for ob in followed if troubled & {ob, *_all_followed(ob, followed)}}
        replaced = {}
        for ob in between:
            replaced[ob] = stand_in = ob.copy()
            self.copies.append(stand_in)
            for modifier in [one for one in stand_in.modifiers if one.type in _SIMULATIONS]:
                stand_in.modifiers.remove(modifier)
        replaced[armature_object] = copy
        for one in [copy, *self.copies]:
            _redirect(one, replaced)

    def remove(self) -> None:
        for stand_in in self.copies:
            bpy.data.objects.remove(stand_in)
        self.copies.clear()


def _simulates(ob: bpy.types.Object) -> bool:
    return any(modifier.type in _SIMULATIONS for modifier in ob.modifiers)


def _followed(armature_object: bpy.types.Object) -> dict[bpy.types.Object, list[bpy.types.Object]]:
    """Map each object that the armature's pose depends on, directly or not, to the objects that it follows itself."""
    found: dict[bpy.types.Object, list[bpy.types.Object]] = {}
    waiting = _targets(armature_object)
    while waiting:
        ob = waiting.pop()
        if ob not in found and ob != armature_object:
            found[ob] = _targets(ob)
            waiting += found[ob]
    return found


def _all_followed(ob: bpy.types.Object, followed: dict[bpy.types.Object, list[bpy.types.Object]]) -> set[Any]:
    seen: set[Any] = set()
    waiting = list(followed[ob])
    while waiting:
        other = waiting.pop()
        if other in followed and other not in seen:
            seen.add(other)
            waiting += followed[other]
    return seen


def _targets(ob: bpy.types.Object) -> list[Any]:
    found = {getattr(owner, name) for owner, name in _pointers(ob)}
    return [target for target in found if isinstance(target, bpy.types.Object) and target != ob]


def _redirect(ob: bpy.types.Object, replaced: dict[bpy.types.Object, bpy.types.Object]) -> None:
    for owner, name in _pointers(ob):
        target = getattr(owner, name)
        if target in replaced:
            setattr(owner, name, replaced[target])


def _pointers(ob: bpy.types.Object) -> Iterator[tuple[Any, str]]:
    """Iterate over owners and names of the pointers by which an object depends on others."""
    yield ob, "parent"
    owners: list[Any] = [ob, *(ob.pose.bones if ob.pose else ())]
    for constraint in (one for owner in owners for one in owner.constraints):
        yield from ((constraint, name) for name in ("target", "pole_target") if hasattr(constraint, name))
        yield from ((target, "target") for target in getattr(constraint, "targets", ()))
    for modifier in ob.modifiers:
        for name, prop in modifier.bl_rna.properties.items():
            if prop.type == "POINTER" and not prop.is_readonly:
                yield modifier, name
    for curve in ob.animation_data.drivers if ob.animation_data else ():
        for variable in curve.driver.variables:
            yield from ((target, "id") for target in variable.targets)
