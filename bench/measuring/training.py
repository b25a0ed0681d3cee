"""Training for the benchmarks: clips by name or path, models with a line of progress."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from core.errors import ClipError
from core.model.model import Model
from core.model.recipe import Recipe
from core.motion.bvh import read_bvh
from core.motion.motion import Motion
from core.system.console import ProgressLine
from core.training.train import train

from .machine import ROOT

SAMPLE = "sample"


def clips_folder() -> Path:
    """Return the folder of clips by name: $RIFF_DATA, or shared/data beside the repository."""
    return Path(os.environ.get("RIFF_DATA") or ROOT.parent / "shared" / "data")


def read_clip(clip: str) -> Motion:
    """Read a clip by its path, by its name in the folder of clips, or “sample”: the sample dancer, which needs bpy.
    Raises ClipError where there is none."""
    if clip == SAMPLE:
        return sample_dance()
    for path in (Path(clip), clips_folder() / f"{clip}.bvh"):
        if path.is_file():
            return read_bvh(path)
    raise ClipError(f"There is no clip “{clip}”; give a BVH file, a name from $RIFF_DATA, or “{SAMPLE}”.")


def clip_name(clip: str) -> str:
    """Return a clip's name for tables and file names."""
    return Path(clip).stem


def sample_dance() -> Motion:
    """Return the dance of the sample dancer at 30 fps, read from Blender's scene by the extension's reader."""
    package, motion = read_dancer()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.bvh"
        importlib.import_module(f"{package}.core.motion.bvh").write_bvh(path, motion)
        return read_bvh(path)


def read_dancer() -> tuple[str, Any]:
    """Return the package that the repository is inside the extension, and the sample dance as a motion of it."""
    bpy: Any = importlib.import_module("bpy")
    # Inside the extension everything is imported relatively; under this name the repository is such a package.
    package = ModuleType("riff_from_source")
    package.__path__ = [str(ROOT)]
    sys.modules[package.__name__] = package
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.0
    dancer = importlib.import_module(f"{package.__name__}.sample.dancer").add_sample_dancer(bpy.context)
    motion = importlib.import_module(f"{package.__name__}.rig.reading.read").read_motion(dancer)
    return package.__name__, motion


def train_model(
    motion: Motion,
    recipe: Recipe,
    name: str,
    *,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    start: Model | None = None,
) -> Model:
    """Train, with or without a warm start, with a line of progress on stderr. Raises ClipError, ModelError."""
    with ProgressLine(sys.stderr) as line:
        model = train(
            motion,
            recipe,
            lambda progress: line.show(f"{name}, {recipe.name}: {progress.describe()}"),
            seed=seed,
            device=device,
            threads=threads,
            start_from=start,
        )
    return replace(model, name=name)
