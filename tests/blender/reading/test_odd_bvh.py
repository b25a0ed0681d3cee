"""BVH files of unusual spelling, as Blender's own importer reads them and as Riff does without Blender."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

ODD = {
    "as it is": lambda text: text,
    "small letters": lambda text: re.sub(
        r"HIERARCHY|ROOT|JOINT|OFFSET|CHANNELS|MOTION|End Site|[XYZ](?:position|rotation)",
        lambda found: found[0].lower(),
        text,
    ),
    "capitals": lambda text: re.sub(r"[XYZ](?:position|rotation)", lambda found: found[0].upper(), text),
    "XRotation": lambda text: text.replace("rotation", "Rotation").replace("position", "Position"),
    "tabs": lambda text: text.replace(" ", "\t"),
    "spaces": lambda text: text.replace(" ", "   "),
    "no colon behind Frames": lambda text: text.replace("Frames:", "Frames"),
    "named ends": lambda text: text.replace("End Site", "End Site foot_tip"),
    "empty lines": lambda text: text.replace("MOTION", "\nMOTION\n") + "\n\n  \n",
    "more rows than promised": lambda text: re.sub(r"Frames: \d+", "Frames: 3", text),
    "Windows": lambda text: text.replace("\n", "\r\n"),
}


@pytest.fixture
def door(riff: ModuleType) -> SimpleNamespace:
    core = f"{riff.__name__}.core"
    return SimpleNamespace(
        bvh=importlib.import_module(f"{core}.motion.bvh"),
        read_motion=importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion,
        angle_between=importlib.import_module(f"{core}.numeric.rotation").angle_between,
        error=importlib.import_module(f"{core}.errors").ClipError,
    )


def imported(path: Path, **options: Any) -> Any:
    before = set(bpy.data.objects)
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True, update_scene_duration=True, **options)
    return next(ob for ob in bpy.data.objects if ob not in before)


def dancer_bvh(door: SimpleNamespace, folder: Path) -> Path:
    """The first frames of the sample dance, as a BVH file with Y up."""
    bpy.ops.riff.add_sample_dancer()
    path = folder / "dance.bvh"
    door.bvh.write_bvh(path, door.read_motion(bpy.context.object).slice(0, 40))
    bpy.ops.wm.read_homefile(use_empty=True)
    return path


def assert_same(door: SimpleNamespace, ours: Any, blenders: Any) -> None:
    assert ours.frames == blenders.frames
    assert blenders.skeleton.names == ours.skeleton.names
    assert door.angle_between(ours.rotations(), blenders.rotations()).max() < 1e-3
    places = [motion.positions() * motion.skeleton.unit for motion in (ours, blenders)]
    assert np.abs(places[0] - places[1]).max() < 1e-3 * 1.8


def uprightness(motion: Any) -> float:
    """Share of the way from a foot to the head that goes up, in the middle of all frames."""
    names, positions = motion.skeleton.names, motion.positions()
    way = positions[:, names.index("head")] - positions[:, names.index("foot.L")]
    return float(np.median(way[:, 2] / np.linalg.norm(way, axis=1)))


@pytest.mark.parametrize("odd", ODD)
def test_read_as_blender_reads_it(door: SimpleNamespace, tmp_path: Path, odd: str) -> None:
    path = dancer_bvh(door, tmp_path)
    path.write_bytes(ODD[odd](path.read_text()).encode())
    blenders = door.read_motion(imported(path))
    assert_same(door, door.bvh.read_bvh(path), blenders)


def test_what_blender_exports_has_z_up(door: SimpleNamespace, tmp_path: Path) -> None:
    """Blender's exporter writes its own axes; such a file lay on its side."""
    bpy.ops.riff.add_sample_dancer()
    dancer = bpy.context.object
    motion = door.read_motion(dancer)
    path = tmp_path / "exported.bvh"
    bpy.ops.export_anim.bvh(filepath=str(path), frame_start=1, frame_end=60)
    ours = door.bvh.read_bvh(path)
    heights = [np.ptp(one.positions()[:60, :, 2] * one.skeleton.unit) for one in (ours, motion)]
    assert heights[0] == pytest.approx(heights[1], rel=0.02)
    assert uprightness(ours) > 0.8
    assert uprightness(door.bvh.read_bvh(path, up="y")) < 0.3
    again = door.read_motion(imported(path, axis_forward="Y", axis_up="Z"))
    assert_same(door, ours, again)


def test_two_roots_are_told(door: SimpleNamespace, tmp_path: Path) -> None:
    path = dancer_bvh(door, tmp_path)
    sword = "ROOT Sword\n{\n OFFSET 0 0 0\n CHANNELS 0\n End Site\n {\n OFFSET 0 1 0\n }\n}\n"
    path.write_text(path.read_text().replace("MOTION", f"{sword}MOTION"))
    with pytest.raises(door.error, match=r"more than one ROOT.*“Sword”; Riff learns one character at a time"):
        door.bvh.read_bvh(path)
