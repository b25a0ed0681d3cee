"""Rigs for `make bench-rigs`, each with an action and the feet that a person would name on it."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy

from tests.support.rigs.walkers import add_control_biped, add_rigify_quadruped, add_rigify_walker, walk_control_biped
from tests.support.rigs.zoo import (
    ELEPHANT_FEET,
    IMPORTERS,
    RIGIFY_PAWS,
    Way,
    add_crane,
    add_creature,
    add_fingers,
    add_quadruped,
    baked,
    imported,
    through_bvh,
    through_fbx,
    through_gltf,
)

from ..measuring.machine import ROOT
from ..measuring.training import clips_folder


@dataclass(frozen=True)
class Case:
    """Rig with an action, and the feet that a person would name; none for a machine."""

    name: str
    make: Callable[[], Any]
    feet: frozenset[str]


def package() -> ModuleType:
    """Return the repository as a package, with the relative imports of the extension."""
    name = "riff_from_source"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__path__ = [str(ROOT)]
        sys.modules[name] = module
    return sys.modules[name]


def part(name: str) -> Any:
    """Return a module of the repository."""
    return importlib.import_module(f"{package().__name__}.{name}")


def dancer(fingers: bool = False) -> Any:
    bpy.context.scene.render.fps = 30
    found = part("sample.dancer").add_sample_dancer(bpy.context)
    if fingers:
        add_fingers(found)
    return found


def through(way: Way, fingers: bool) -> Any:
    for addon in IMPORTERS:
        importlib.import_module("addon_utils").enable(addon, default_set=True)
    with tempfile.TemporaryDirectory() as folder:
        return imported(dancer(fingers), way, Path(folder) / "clip")


def clip(name: str) -> Any:
    """Import a real clip by Blender's own importer."""
    importlib.import_module("addon_utils").enable("io_anim_bvh", default_set=True)
    path = clips_folder() / f"{name}.bvh"
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True, update_scene_duration=True)
    return bpy.context.object


def by_hand() -> Any:
    biped = add_control_biped()
    walk_control_biped(biped)
    return biped


def cases() -> list[Case]:
    feet = frozenset({"foot.L", "foot.R", "toe.L", "toe.R"})
    paws = frozenset({"front_foot.L", "front_foot.R", "hind_foot.L", "hind_foot.R"})
    mixamo = frozenset({"LeftFoot", "RightFoot", "LeftToeBase", "RightToeBase"})
    found = [Case("sample dancer, FK", dancer, feet), Case("with fingers, FK", lambda: dancer(True), feet)]
    for label, way in (("BVH", through_bvh), ("FBX", through_fbx), ("glTF", through_gltf)):
        for fingers in (False, True):
            name = f"{label} out and in" + (", fingers" if fingers else "")
            found.append(Case(name, partial(through, way, fingers), feet))
    clips = [name for name in ("salsa", "walk") if _is_there(name)]
    found += [Case(f"{name} (BVH)", partial(clip, name), mixamo) for name in clips]
    if _is_there("elephant"):
        found.append(Case("elephant (BVH)", lambda: clip("elephant"), ELEPHANT_FEET))
    return [
        *found,
        Case("by hand: IK legs, switches, shape key", by_hand, frozenset({"ik_foot.L", "ik_foot.R"})),
        Case("Rigify human: IK legs, FK arms", add_rigify_walker, frozenset({"foot_ik.L", "foot_ik.R"})),
        Case("Rigify quadruped: IK legs", add_rigify_quadruped, RIGIFY_PAWS),
        Case("quadruped, IK", add_quadruped, paws),
        Case("quadruped, baked", lambda: baked(add_quadruped()), paws),
        Case("crane, three bones", add_crane, frozenset()),
        Case("creature, 150 bones, eight rotation modes", add_creature, frozenset()),
    ]


def _is_there(name: str) -> bool:
    return (clips_folder() / f"{name}.bvh").exists()
