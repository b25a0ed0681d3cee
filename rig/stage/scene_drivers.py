"""Drivers that read the user's scene: in Riff's own scene they read that one, and see its frames."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import bpy

from ...core.errors import ClipError
from ..bone_paths import bone_of_path

_SCENE_IN_PYTHON = re.compile(r"\b(bpy\.context|C)\.scene\b")
"""The user's scene in a driver's expression."""

_DATA_IN_PYTHON = re.compile(r"\b(bpy\.data|D)\.\w+")
"""Data in a driver's expression, which Blender reads as it is at the user's frame."""

_OWN_PATHS = ("frame_", "render.fps")
"""Beginnings of the paths that every scene has values of its own for."""


def reads_scene(block: bpy.types.ID, scene: bpy.types.Scene) -> bool:
    """Return true if a driver of a data-block reads the scene, by a variable or in its expression."""
    for driver in _drivers(block):
        if _SCENE_IN_PYTHON.search(driver.expression) and driver.type == "SCRIPTED":
            return True
        if any(target.id == scene for _, target in _targets(driver)):
            return True
    return False


def follow_own_scene(blocks: Sequence[bpy.types.ID], scene: bpy.types.Scene, own: bpy.types.Scene) -> None:
    """Let the drivers of copied data-blocks read `own` instead of the user's scene, with the same values and keys.

    Raises ClipError, naming driver and bone, for one that reads something that cannot be given to another scene.
    """
    found = [(block, curve) for block in blocks for curve in _curves(block)]
    reading = [(block, curve) for block, curve in found if _reads_any_scene(curve.driver, scene)]
    for block, curve in found:
        _check_expression(block, curve)
    if not reading:
        return
    _copy_values(scene, own)
    for block, curve in reading:
        _redirect(curve.driver, scene, own)
        for path in _scene_paths(curve.driver, own):
            if not path.startswith(_OWN_PATHS) and not _give(path, scene, own):
                raise ClipError(
                    f"{_name(block, curve)} reads “{path}” of the scene, which Riff cannot follow; let it read that "
                    "object itself."
                )


def _drivers(block: Any) -> Iterator[Any]:
    return (curve.driver for curve in _curves(block))


def _curves(block: Any) -> list[Any]:
    return list(block.animation_data.drivers) if block.animation_data else []


def _targets(driver: Any) -> Iterator[tuple[Any, Any]]:
    return ((variable, target) for variable in driver.variables for target in variable.targets)


def _reads_any_scene(driver: Any, scene: bpy.types.Scene) -> bool:
    if driver.type == "SCRIPTED" and _SCENE_IN_PYTHON.search(driver.expression):
        return True
    return any(target.id == scene or variable.type == "CONTEXT_PROP" for variable, target in _targets(driver))


def redirect(block: bpy.types.ID, before: bpy.types.ID, after: bpy.types.ID) -> None:
    """Let the variables of a data-block's drivers read one data-block instead of another."""
    for driver in _drivers(block):
        _redirect_variables(driver, before, after)


def _redirect_variables(driver: Any, before: bpy.types.ID, after: bpy.types.ID) -> None:
    for _, target in _targets(driver):
        if target.id == before:
            target.id = after


def _redirect(driver: Any, scene: bpy.types.Scene, own: bpy.types.Scene) -> None:
    _redirect_variables(driver, scene, own)
    if driver.type == "SCRIPTED" and _SCENE_IN_PYTHON.search(driver.expression):
        driver.expression = _SCENE_IN_PYTHON.sub(f'bpy.data.scenes["{own.name}"]', driver.expression)


def _scene_paths(driver: Any, own: bpy.types.Scene) -> list[str]:
    return [
        target.data_path
        for variable, target in _targets(driver)
        if target.data_path and (target.id == own or variable.type == "CONTEXT_PROP")
    ]


def _check_expression(block: bpy.types.ID, curve: Any) -> None:
    """Raise ClipError for an expression that reads Blender's data, which stands still while Riff reads."""
    driver = curve.driver
    found = _DATA_IN_PYTHON.search(driver.expression) if driver.type == "SCRIPTED" else None
    if found and curve.is_valid and not curve.mute:
        raise ClipError(
            f"{_name(block, curve)} reads “{found[0]}” in its expression, which stands still while Riff reads; use a "
            "variable of the driver instead."
        )


def _name(block: bpy.types.ID, curve: Any) -> str:
    bone = bone_of_path(curve.data_path)
    path = curve.data_path.rpartition(".")[2] if bone else curve.data_path
    return f"The driver of “{path}” of “{bone or block.name}”"


def _copy_values(scene: bpy.types.Scene, own: bpy.types.Scene) -> None:
    """Copy the scene's custom properties, and what animates them."""
    for key, value in scene.items():
        if isinstance(value, (bool, int, float, str)) or hasattr(value, "to_list"):
            own[key] = value.to_list() if hasattr(value, "to_list") else value
    data = scene.animation_data
    if data is None:
        return
    animation = own.animation_data_create()
    if data.action is not None:
        animation.action = data.action
        animation.action_slot = data.action_slot
    for curve in data.drivers:
        _redirect(animation.drivers.from_existing(src_driver=curve).driver, scene, own)


def _give(path: str, scene: Any, own: Any) -> bool:
    """Give `own` the value that a path of the scene leads to; return true if it leads to the same value then."""
    try:
        value = scene.path_resolve(path)
        if not path.startswith("["):  # custom properties have been copied
            _set(path, scene, own)
        return bool(own.path_resolve(path) == value)
    except (ValueError, TypeError, AttributeError):
        return False


def _set(path: str, scene: Any, own: Any) -> None:
    """Set the first part of a path: a number, a vector, or a pointer to another data-block."""
    name, _, rest = path.partition(".")
    name = name.partition("[")[0]
    value = getattr(scene, name)
    if rest and not isinstance(value, bpy.types.ID):
        _set(rest, value, getattr(own, name))
    else:
        setattr(own, name, value)
