"""Picture of a driver and the take that it drives, at the same times, one below the other."""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
from PIL import Image

from core.motion.motion import RATE, Motion

from ..pictures.contact_sheet import render_contact_sheet
from ..pictures.variation_sheet import import_motion

ROWS = 75
"""Rows at 30 fps that are drawn."""

BEGIN = 60
"""First row that is drawn."""

COLUMNS = 15


def draw_both(driver: Motion, take: Motion, names: tuple[str, str], path: Path) -> Path:
    """Draw poses of both at the same times into a PNG."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    scene = bpy.context.scene
    scene.render.fps = round(RATE)
    sheets = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (motion, name) in enumerate(zip((driver, take), names, strict=True)):
            armature, action = import_motion(motion.slice(BEGIN, BEGIN + ROWS), name)
            file = Path(folder) / f"{number}.png"
            role = ("driver", "driven")[number]
            render_contact_sheet(scene, armature, [action], file, COLUMNS, 120, labels=(role,))
            with Image.open(file) as picture:
                sheets.append(picture.convert("RGB"))
            bpy.data.objects.remove(armature)
    whole = Image.new("RGB", (max(one.width for one in sheets), sum(one.height for one in sheets)), "white")
    top = 0
    for one in sheets:
        whole.paste(one, (0, top))
        top += one.height
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path)
    return path
