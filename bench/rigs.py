"""`make bench-rigs`: every kind of rig read, written, played back by Blender, trained on; and a picture of Rigify's."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np

from tests.blender.walkers import add_control_biped, add_rigify_walker, walk_control_biped
from tests.blender.zoo import (
    IMPORTERS,
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

from .contact_sheet import render_contact_sheet
from .machine import ROOT, circumstances
from .rig_body import add_body, add_control_shapes
from .training import clips_folder

RESULTS = ROOT / "bench" / "results"
TINY = 0.001
"""Share of the fast recipe's steps that show that a rig goes all the way through."""

VARIATIONS = 3


@dataclass(frozen=True)
class Case:
    """A rig with an action, and the feet that a person would name."""

    name: str
    make: Callable[[], Any]
    feet: frozenset[str]


@dataclass(frozen=True)
class Outcome:
    """One line of the table; errors in radians, parts of the body's height and the properties' own units."""

    rig: str
    bones: int
    frames: int
    joints: int
    properties: int
    root: str
    feet: str
    rotation: float
    place: float
    value: float
    trained: bool


@dataclass(frozen=True)
class Speed:
    """Seconds, the best of five: reading 648 frames of 65 bones alone and beside a heavy skinned mesh, writing them."""

    read: float
    beside: float
    write: float


def package() -> ModuleType:
    """The repository under a name of its own, as the extension imports itself."""
    name = "riff_from_source"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__path__ = [str(ROOT)]
        sys.modules[name] = module
    return sys.modules[name]


def part(name: str) -> Any:
    """A module of the repository."""
    return importlib.import_module(f"{package().__name__}.{name}")


def dancer(fingers: bool = False) -> Any:
    bpy.context.scene.render.fps = 30
    found = part("rig.dancer").add_sample_dancer(bpy.context)
    if fingers:
        add_fingers(found)
    return found


def through(way: Way, fingers: bool) -> Any:
    for addon in IMPORTERS:
        importlib.import_module("addon_utils").enable(addon, default_set=True)
    with tempfile.TemporaryDirectory() as folder:
        return imported(dancer(fingers), way, Path(folder) / "clip")


def clip(name: str) -> Any:
    """A real clip by Blender's own importer."""
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
        found.append(Case("elephant (BVH)", lambda: clip("elephant"), frozenset()))
    return [
        *found,
        Case("by hand: IK legs, switches, shape key", by_hand, frozenset({"ik_foot.L", "ik_foot.R"})),
        Case("Rigify human: IK legs, FK arms", add_rigify_walker, frozenset({"foot_ik.L", "foot_ik.R"})),
        Case("quadruped, IK", add_quadruped, paws),
        Case("quadruped, baked", lambda: baked(add_quadruped()), paws),
        Case("crane, three bones", add_crane, frozenset()),
        Case("creature, 150 bones, eight rotation modes", add_creature, frozenset()),
    ]


def _is_there(name: str) -> bool:
    return (clips_folder() / f"{name}.bvh").exists()


def measure(case: Case) -> Outcome:
    """Read, write, play and train on one rig."""
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = case.make()
    source = rig.animation_data.action
    read, write = part("rig.read").read_motion, part("rig.write").write_motion
    motion = read(rig)
    action = write(rig, motion, "Written", source_action=source)
    bones = shown_bones(rig, motion)
    rotation, place = difference(rig, source, action, bones, motion.skeleton.unit * 1.8)
    again = read(rig, action)
    value = np.abs(again.property_values() - motion.property_values()).max(initial=0.0)
    skeleton = motion.skeleton
    feet = {skeleton.names[joint] for joint in skeleton.contacts}
    return Outcome(
        case.name, len(rig.pose.bones), motion.frames, skeleton.joints, len(skeleton.properties), skeleton.names[0],
        _feet_text(feet, case.feet), rotation, place, float(value), goes_through(rig, motion, source),
    )  # fmt: skip


def _feet_text(found: set[str], wanted: frozenset[str]) -> str:
    plain = {name.rpartition(":")[2] for name in found}
    names = ", ".join(sorted(found)) or "none"
    if not wanted:
        return names
    return f"{names} ✓" if plain == wanted else f"{names} (not {', '.join(sorted(wanted))})"


def shown_bones(rig: Any, motion: Any) -> list[int]:
    """What is compared: learned controls and all bones that deform and are longer than a hundredth of the body.

    A lip's bone of two centimetres that points at another one turns by more than 1e-4 if that moves by what single
    precision rounds off ten metres from the origin; a limb's unused IK chain, stretched towards a control that nobody
    keyed, is no figure of the round trip either.
    """
    names, size = set(motion.skeleton.names), 1.8 * motion.skeleton.unit / rig.matrix_world.median_scale
    return [
        k for k, bone in enumerate(rig.pose.bones)
        if bone.name in names or (bone.bone.use_deform and bone.bone.length > 0.01 * size)
    ]  # fmt: skip


def difference(rig: Any, source: Any, action: Any, bones: list[int], height: float) -> tuple[float, float]:
    """Largest difference of rotations and places of bones as Blender plays two actions."""
    first, last = source.frame_range
    frames = range(int(np.ceil(first - 1e-3)), int(np.floor(last + 1e-3)) + 1, 11)
    axes, places = played(rig, source, frames)
    other_axes, other_places = played(rig, action, frames)
    angles = part("core.rotation").angle_between(axes[:, bones], other_axes[:, bones])
    return float(angles.max()), float(np.abs(places - other_places)[:, bones].max() / height)


def played(rig: Any, action: Any, frames: range) -> tuple[np.ndarray, np.ndarray]:
    part("rig.play").play(rig, action)
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([posed.matrix_world @ bone.matrix for bone in posed.pose.bones])
    poses = np.array(found)
    axes = poses[..., :3, :3]
    return axes / np.linalg.norm(axes, axis=-2, keepdims=True), poses[..., :3, 3]


def goes_through(rig: Any, motion: Any, source: Any) -> bool:
    """Whether a model, hardly trained, gives variations that key the source's channels with finite numbers."""
    recipe = part("core.recipe").RECIPES["fast"].scaled(TINY)
    model = part("core.train").train(motion, recipe)
    variation = part("core.motion").resample(part("core.generate").generate(model)[0], model.source_fps)
    action = part("rig.write").write_motion(rig, variation, "Variation", source_action=source)
    bags = [part("rig.compat").channelbag_of(one, one.slots[0]) for one in (source, action)]
    keyed = [{curve.data_path for curve in bag.fcurves} for bag in bags]
    return keyed[1] >= keyed[0] and bool(np.isfinite(variation.features).all())


def table(outcomes: list[Outcome]) -> str:
    lines = [
        "| rig | bones | frames | joints | properties | root | feet found | rotation, rad | place ÷ height | "
        "property | trained |", "|---|---:|---:|---:|---:|---|---|---:|---:|---:|---|",
    ]  # fmt: skip
    for one in outcomes:
        lines.append(
            f"| {one.rig} | {one.bones} | {one.frames} | {one.joints} | {one.properties} | {one.root} | {one.feet} | "
            f"{one.rotation:.0e} | {one.place:.0e} | {one.value:.0e} | "
            f"{'yes' if one.trained else 'no'} |"
        )
    return "\n".join(lines)


def measure_speed() -> Speed:
    """Read and write 648 frames of a dancer with 65 bones."""
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = dancer(True)
    action = rig.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 648
    read, write = part("rig.read").read_motion, part("rig.write").write_motion
    motion = read(rig)
    alone = best(lambda: read(rig))
    writing = best(lambda: write(rig, motion, "Written", source_action=action))
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=400, y_subdivisions=400)
    skin: Any = bpy.context.object
    skin.vertex_groups.new(name="hips").add(range(len(skin.data.vertices)), 1.0, "REPLACE")
    skin.modifiers.new("Armature", "ARMATURE").object = rig
    return Speed(alone, best(lambda: read(rig)), writing)


def best(work: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def report(outcomes: list[Outcome], speed: Speed) -> str:
    found = circumstances()
    return (
        "# Rigs\n\n"
        "Read, written again and compared as Blender plays both: largest difference of any learned control and any "
        "deforming bone longer than a hundredth of the body. “Trained” means that a model of a thousandth of the steps "
        "gave a variation on the same channels. `make bench-rigs` measures this again.\n\n"
        f"{table(outcomes)}\n\n"
        f"648 frames of 65 bones are read in {speed.read:.2f} s, beside a skinned mesh of 160,000 vertices in "
        f"{speed.beside:.2f} s, and written in {speed.write:.2f} s (best of five).\n\n"
        f"{found['date']}, Blender {bpy.app.version_string}, {found['device']}, {found['cores']} cores, "
        "other programs beside.\n"
    )


def render_rigify(path: Path, effort: float, seed: int) -> None:
    """Train on the Rigify human's walk, and show variations with the learned controls drawn."""
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = add_rigify_walker()
    source = rig.animation_data.action
    source.name = "Rigify walk"
    motion = part("rig.read").read_motion(rig)
    recipe = part("core.recipe").RECIPES["fast"]
    model = part("core.train").train(motion, recipe.scaled(effort) if effort != 1.0 else recipe)
    actions = [source]
    for number, made in enumerate(part("core.generate").generate(model, count=VARIATIONS, seed=seed), start=1):
        motion = part("core.motion").resample(made, model.source_fps)
        actions.append(part("rig.write").write_motion(rig, motion, f"Walk {number}", source_action=source))
    names = [name for name in model.skeleton.names if name in rig.pose.bones]
    add_body(rig)
    add_control_shapes(rig, names)
    render_contact_sheet(bpy.context.scene, rig, actions, path, columns=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="rigs whose names hold this")
    parser.add_argument("--sheet", type=Path, help="also train on the Rigify human and render this picture")
    parser.add_argument("--effort", type=float, default=1.0, help="share of the fast recipe for the picture")
    parser.add_argument("--seed", type=int, default=1, help="seed of the picture's variations")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for rigs.md and rigs.json")
    options = parser.parse_args()
    outcomes = []
    for case in cases():
        if options.only in case.name and not (options.sheet and options.only == "none"):
            outcomes.append(measure(case))
            print(table(outcomes[-1:]).splitlines()[-1], flush=True)
    if outcomes:
        options.out.mkdir(parents=True, exist_ok=True)
        speed = measure_speed()
        (options.out / "rigs.md").write_text(report(outcomes, speed), encoding="utf-8")
        lines = {"machine": circumstances(), "speed": asdict(speed), "rigs": [asdict(one) for one in outcomes]}
        (options.out / "rigs.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    if options.sheet:
        render_rigify(options.sheet, options.effort, options.seed)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # bpy waits for ever at Python's end where something still refers to its data
