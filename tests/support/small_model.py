"""A model of the sample dance, hardly trained."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import bpy


def save_small_model(riff: ModuleType, path: Path) -> None:
    """Train it in an empty file and save it as “Dance”."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.riff.add_sample_dancer()
    core, rig = f"{riff.__name__}.core", f"{riff.__name__}.rig"
    recipe = importlib.import_module(f"{core}.model.recipe").RECIPES["fast"].scaled(0.0001)
    motion = importlib.import_module(f"{rig}.reading.read").read_motion(bpy.context.object)
    model = importlib.import_module(f"{core}.training.train").train(motion, recipe)
    model.name = "Dance"
    importlib.import_module(f"{core}.model.model_file").save_model(model, path)
