"""Contact sheet of three variations of a model and their source, rendered by Blender."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bpy

from core.generation.generate import generate
from core.model.model import Model
from core.motion.bvh import write_bvh
from core.motion.motion import Motion
from core.system.console import ProgressLine

from .contact_sheet import render_contact_sheet

COUNT = 3

COLUMNS = 14
"""Pictures of a row of `render_rows`."""


def render_variations(model: Model, path: Path, *, count: int = COUNT, seed: int = 0) -> Path:
    """Render the source and variations of its length with clean feet, one row each, to a PNG."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    scene = bpy.context.scene
    scene.render.fps = round(model.source.fps)
    variations = generate(model, count=count, seed=seed)
    armature, source = import_motion(model.source, model.name or "source")
    actions = [source]
    for number, motion in enumerate(variations, start=1):
        double, action = import_motion(motion, f"{model.name} {number}")
        bpy.data.objects.remove(double)
        actions.append(action)
    with ProgressLine(sys.stderr) as line:
        return render_contact_sheet(
            scene, armature, actions, path, on_progress=lambda part, text: line.show(f"{part:.0%}, {text}")
        )


def render_rows(
    rows: Sequence[Motion],
    name: str,
    path: Path,
    *,
    marks: Sequence[Sequence[tuple[float, float]]] = (),
    labels: Sequence[str] = (),
    tinted: Sequence[str] = (),
) -> Path:
    """Render motions of one skeleton and rate, one row each, to a PNG; see `render_contact_sheet`."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.context.scene.render.fps = round(rows[0].fps)
    armature, actions = None, []
    for number, motion in enumerate(rows):
        double, action = import_motion(motion, f"{name} {number}")
        actions.append(action)
        if armature is None:
            armature = double
        else:
            bpy.data.objects.remove(double)
    return render_contact_sheet(
        bpy.context.scene,
        armature,
        actions,
        path,
        columns=COLUMNS,
        cell_width=130,
        marks=marks,
        tinted=tinted,
        labels=labels,
    )


def import_motion(motion: Motion, name: str) -> tuple[bpy.types.Object, bpy.types.Action]:
    """Import a motion as an armature with an action, by Blender's own BVH importer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.bvh"
        write_bvh(path, motion)
        bpy.ops.import_anim.bvh(filepath=str(path), global_scale=1.0 / motion.skeleton.unit)
    armature = bpy.context.object
    action = armature.animation_data.action
    action.name = name
    action.use_fake_user = True
    return armature, action
