"""Animated GIF of the README: the sample dance and variations of it side by side.

`python -m bench.pictures.moving_picture --zip dist/riff.zip --model M.safetensors`; the model is the sample dance's.
"""

from __future__ import annotations

import argparse
import importlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "bl_ext.user_default.riff"
MAX_GIF_BYTES = 3_000_000
SPACING_METRES = 1.9
COLOURS = ((0.30, 0.32, 0.36, 1.0), (0.80, 0.32, 0.16, 1.0), (0.12, 0.42, 0.62, 1.0), (0.20, 0.52, 0.30, 1.0))
"""Colours of the source (grey) and of the variations."""


def build_scene(zip_path: Path, model: Path, variations: int) -> Any:
    """Build a row of dancers, each with its action; return bpy."""
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="riff-picture-")
    import bpy

    bpy.ops.extensions.package_install_files(filepath=str(zip_path), repo="user_default", enable_on_install=True)
    bpy.ops.wm.read_homefile(use_empty=True)
    operators: Any = bpy.ops
    operators.riff.add_sample_dancer()
    dancer: Any = bpy.context.object
    models = importlib.import_module(f"{EXTENSION}.rig.library.models").models_folder()
    (models / "sample.safetensors").write_bytes(model.read_bytes())
    operators.riff.refresh_models()
    operators.riff.generate(count=variations, seed=3, as_asset=False)
    timer = importlib.import_module(f"{EXTENSION}.state.timer")
    while timer.tick():
        pass
    made = sorted((action for action in bpy.data.actions if action.get("riff_model")), key=lambda action: action.name)
    meshes = [ob for ob in bpy.data.objects if ob.type == "MESH" and dancer in (ob.parent, ob.find_armature())]
    for number, action in enumerate([None, *made]):
        own = dancer if action is None else dancer.copy()
        place(bpy, own, number, action)
        for mesh in meshes:
            dress(bpy, mesh if action is None else mesh.copy(), own, number)
    return bpy


def place(bpy: Any, dancer: Any, number: int, action: Any) -> None:
    """Place a dancer in the row below an empty, so that its own root stays free."""
    if action is not None:
        bpy.context.collection.objects.link(dancer)
        dancer.animation_data.action = action
        dancer.animation_data.action_slot = action.slots[0]
    empty = bpy.data.objects.new(f"Place {number}", None)
    empty.location.x = SPACING_METRES * number
    bpy.context.collection.objects.link(empty)
    dancer.parent = empty


def dress(bpy: Any, mesh: Any, dancer: Any, number: int) -> None:
    """Create a dancer's mesh in its colour."""
    if not mesh.users_collection:
        bpy.context.collection.objects.link(mesh)
    mesh.parent = dancer
    for modifier in mesh.modifiers:
        if modifier.type == "ARMATURE":
            modifier.object = dancer
    mesh.color = COLOURS[number % len(COLOURS)]


def render(bpy: Any, folder: Path, count: int, first: int, frames: range, size: tuple[int, int]) -> list[Path]:
    """Render one picture for each frame."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.data.type, camera.data.ortho_scale = "ORTHO", SPACING_METRES * (count + 0.5)
    camera.location, camera.rotation_euler = (SPACING_METRES * (count - 1) / 2, -12.0, 2.6), (1.44, 0.0, 0.0)
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = size
    shading = scene.display.shading
    shading.light, shading.color_type, shading.show_shadows = "STUDIO", "OBJECT", True
    scene.world = bpy.data.worlds.new("Paper")
    scene.world.color = (0.85, 0.84, 0.81)
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    made = []
    for frame in frames:
        scene.frame_set(first + frame)
        scene.render.filepath = str(folder / f"{frame:04d}.png")
        bpy.ops.render.render(write_still=True)
        made.append(Path(scene.render.filepath))
    return made


def animate(pictures: Sequence[Path], path: Path, milliseconds: int) -> None:
    """Write the GIF. Raises ValueError if it is too large for a README."""
    from PIL import Image

    images = [Image.open(picture).convert("RGB").quantize(64, dither=Image.Dither.NONE) for picture in pictures]
    images[0].save(path, save_all=True, append_images=images[1:], duration=milliseconds, loop=0, optimize=True)
    if path.stat().st_size > MAX_GIF_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size / 1e6:.1f} MB; render fewer frames or smaller ones")


def main(arguments: Sequence[str] | None = None) -> int:
    name = "python -m bench.pictures.moving_picture"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.splitlines()[0])
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--variations", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--first", type=int, default=30, help="frame to begin with")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/variations.gif")
    options = parser.parse_args(arguments)
    bpy = build_scene(options.zip.resolve(), options.model, options.variations)
    with tempfile.TemporaryDirectory() as folder:
        frames = range(0, round(options.seconds * 30), 2)
        pictures = render(bpy, Path(folder), options.variations + 1, options.first, frames, (760, 230))
        animate(pictures, options.out, 67)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB, {len(frames)} pictures")
    os._exit(0)  # bpy waits for ever at Python's end where something still refers to its data


if __name__ == "__main__":
    main()
