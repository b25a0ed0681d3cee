"""Rigs of every kind read, written, played back by Blender and trained on, `make bench-rigs`; and a picture of
Rigify's."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy

from tests.support.rigs.walkers import add_rigify_walker

from .measuring.machine import ROOT, circumstances
from .pictures.contact_sheet import render_contact_sheet
from .rig_checks.body import add_body, add_control_shapes
from .rig_checks.cases import cases, dancer, part
from .rig_checks.round_trip import Outcome, measure

RESULTS = ROOT / "bench" / "results"
VARIATIONS = 3


@dataclass(frozen=True)
class Speed:
    """Best seconds of five: reading 648 frames of 65 bones alone and beside a heavy skinned mesh, and writing them."""

    read: float
    beside: float
    write: float


def table(outcomes: list[Outcome]) -> str:
    lines = [
        "| rig | bones | frames | joints | properties | root | feet found | rotation, rad | place ÷ height | "
        "property | alone, rad | last bit, rad | trained |",
        "|---|---:|---:|---:|---:|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for one in outcomes:
        lines.append(
            f"| {one.rig} | {one.bones} | {one.frames} | {one.joints} | {one.properties} | {one.root} | {one.feet} | "
            f"{one.rotation:.0e} | {one.place:.0e} | {one.value:.0e} | {one.alone:.0e} | {one.last_bit:.0e} | "
            f"{'yes' if one.trained else 'no'} |"
        )
    return "\n".join(lines)


def measure_speed() -> Speed:
    """Measure reading and writing 648 frames of a dancer with 65 bones."""
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = dancer(True)
    action = rig.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 648
    read, write = part("rig.reading.read").read_motion, part("rig.writing.write").write_motion
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
        "Read, written again and compared as Blender plays both: largest difference of any bone, deforming or not, in "
        "any frame. “Alone” is that of deforming bones where the motion is written without its source beside it, and "
        "so without the numbers that the animator keyed; “last bit” is how far they turn where each of the source's "
        "keys is changed by the last bit of its value, which is what single precision allows. ✓ are the feet that a "
        "person names. “Trained” means that a model of a thousandth of the steps gave a variation on the same "
        "channels. `make bench-rigs` measures this again.\n\n"
        f"{table(outcomes)}\n\n"
        f"648 frames of 65 bones are read in {speed.read:.2f} s, beside a skinned mesh of 160,000 vertices in "
        f"{speed.beside:.2f} s, and written in {speed.write:.2f} s (best of five).\n\n"
        f"{found['date']}, Blender {bpy.app.version_string}, {found['device']}, {found['cores']} cores, "
        "other programs beside.\n"
    )


def render_rigify(path: Path, effort: float, seed: int) -> None:
    """Train on the walk of the Rigify human, and render variations with the learned controls."""
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = add_rigify_walker()
    source = rig.animation_data.action
    source.name = "Rigify walk"
    motion = part("rig.reading.read").read_motion(rig)
    recipe = part("core.model.recipe").RECIPES["fast"]
    model = part("core.training.train").train(motion, recipe.scaled(effort) if effort != 1.0 else recipe)
    actions = [source]
    for number, made in enumerate(
        part("core.generation.generate").generate(model, count=VARIATIONS, seed=seed), start=1
    ):
        motion = part("core.motion.resampling").resample(made, model.source_fps)
        actions.append(part("rig.writing.write").write_motion(rig, motion, f"Walk {number}", source_action=source))
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
