"""Crowds of several sizes: seconds, memory and playback from the click on, compared with plain duplicates.

Each size runs in a new process in Blender 4.5 and prints JSON; `crowd.md` and `crowd.json` go to `--out`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# First: it gives Blender a user folder for this run alone, before bpy is imported.
from .demo import RESOURCES, install, quiet_blender  # isort: skip

import bpy

from .measuring.clips import EXTENSION, load_clip
from .measuring.machine import ROOT, circumstances
from .measuring.table import Column, Row, markdown, publish
from .pictures.skin import add_skin

CROWD_SIZES = (10, 30, 100)
MOTION_FRAMES = 300
PLAYED_FRAMES = 40
"""Frames played for each measurement."""


class Laps:
    """Wall and processor seconds of named steps; processor seconds hardly depend on other load."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        wall, busy = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = {
            "wall": round(time.perf_counter() - wall, 3),
            "processor": round(time.process_time() - busy, 3),
        }

    def around(self, owner: Any, name: str, label: str) -> None:
        """Time every call of a method."""
        call = getattr(owner, name)

        def timed(*values: Any, **named: Any) -> Any:
            with self.lap(label):
                return call(*values, **named)

        setattr(owner, name, timed)


def measure(zip_path: Path, model: Path, clip: Path | None, count: int, light: bool, frames: int) -> dict[str, Any]:
    """Measure one crowd in this process; `clip` is the model's training clip, None for the sample dancer."""
    install(zip_path)
    prepare_scene(model, clip)
    import torch

    laps = Laps()
    laps.around(importlib.import_module(f"{EXTENSION}.rig.crowd.job").CrowdJob, "_work", "job")
    laps.around(
        importlib.import_module(f"{EXTENSION}.core.crowd.crowd").Crowd, "_choose", "generation of the last block"
    )
    with laps.lap("click to written"):
        bpy.ops.riff.duplicate_as_crowd(count=count, frames=frames, light=light)
    scene, crowd = bpy.context.scene, crowd_collection()
    with laps.lap("first frame"):
        scene.frame_set(scene.frame_start)
    actions = {ob.animation_data.action for ob in crowd.objects if ob.animation_data and ob.animation_data.action}
    settings = json.loads(crowd["riff_crowd"])
    figures: dict[str, Any] = {
        "count": len(actions),
        "light": light,
        "frames": frames,
        "torch_threads": torch.get_num_threads(),
        "bones": len(next(ob for ob in crowd.objects if ob.type == "ARMATURE").data.bones),
        "seconds": laps.seconds,
        "vertices": next((len(ob.data.vertices) for ob in crowd.objects if ob.type == "MESH"), 0),
        "keys": sum(keys_of(action) for action in actions),
        "frame_ms": frame_milliseconds(),
        "smallest_distance": settings["smallest"],
        "distance_to_source": settings["from_source"],
    }
    give_one_action(crowd)
    figures["plain_frame_ms"] = frame_milliseconds()
    figures["peak_gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return figures


def prepare_scene(model: Path, clip: Path | None) -> None:
    if clip is not None:
        load_clip(clip)
        add_skin(bpy.context.object)
    else:
        bpy.ops.wm.read_homefile(use_empty=True)
        bpy.ops.riff.add_sample_dancer()
    folder = Path(bpy.utils.extension_path_user(EXTENSION, path="models", create=True))
    shutil.copy(model, folder / "Crowd.safetensors")
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.update()


def crowd_collection() -> bpy.types.Collection:
    return next(collection for collection in bpy.data.collections if collection.get("riff_crowd") is not None)


def curves_of(action: bpy.types.Action) -> Any:
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def keys_of(action: bpy.types.Action) -> int:
    return sum(len(curve.keyframe_points) for curve in curves_of(action))


def give_one_action(crowd: bpy.types.Collection) -> None:
    """Assign copies of one action to all members, as crowd add-ons do; as many F-curves are played as before."""
    members = [ob for ob in crowd.objects if ob.get("riff_member")]
    first = members[0].animation_data.action
    for member in members[1:]:
        copy = first.copy()
        member.animation_data.action = copy
        member.animation_data.action_slot = copy.slots[0]


def frame_milliseconds() -> dict[str, float]:
    """Return the median processor and wall milliseconds of a frame over PLAYED_FRAMES frames."""
    scene, walls, busy = bpy.context.scene, [], []
    for frame in range(scene.frame_start, scene.frame_start + PLAYED_FRAMES):
        wall, processor = time.perf_counter(), time.process_time()
        scene.frame_set(frame)
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - processor)
    return {"wall": 1e3 * statistics.median(walls), "processor": 1e3 * statistics.median(busy)}


def in_fresh_process(options: argparse.Namespace, count: int, light: bool) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "bench.crowd",
        "--zip",
        str(options.zip),
        "--model",
        str(options.model),
        "--one",
        str(count),
        "--frames",
        str(options.frames),
    ]
    command += ["--clip", str(options.clip)] if options.clip else []
    command += ["--light"] if light else []
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def row(figures: dict[str, Any]) -> str:
    seconds = figures["seconds"]
    total = {kind: seconds["click to written"][kind] + seconds["first frame"][kind] for kind in ("wall", "processor")}
    kind = "light" if figures["light"] else "full"
    return (
        f"{figures['count']:6} {kind:>6} {total['wall']:9.1f} {total['processor']:9.1f} "
        f"{1e3 * total['processor'] / figures['count']:9.0f} {figures['frame_ms']['processor']:9.1f} "
        f"{figures['plain_frame_ms']['processor']:9.1f} {figures['peak_gigabytes']:8.2f} "
        f"{figures['smallest_distance']:9.2f} {figures['distance_to_source']:9.2f}"
    )


HEAD = (
    " count   kind   seconds processor ms/member  ms/frame     plain       GB   closest    source\n"
    "              (click to first frame)          (playing, processor)"
)


COLUMNS = (
    Column("seconds", "seconds, click to first frame", 1),
    Column("generating", "of which generating 100", 1),
    Column("member", "ms a member, processor", 0),
    Column("playing", "playback, ms a frame", 1),
    Column("plain", "plain duplicates", 1),
    Column("gigabytes", "GB", 1),
    Column("closest", "most alike"),
    Column("source", "source"),
)
LEGEND = """\
“Generating” is choosing and finishing the last hundred, or all of fewer. Playback is processor time, also of
duplicates that play copies of one action with as many F-curves. “Most alike” is how far the two closest members are
apart, “source” how far the one that is furthest from the source is from that, by local diversity."""


def page(result: dict[str, Any]) -> str:
    """Format the rows as a Markdown table."""
    first, where = result["rows"][0], result["circumstances"]
    what = f"{first['bones']} bones, {first['vertices']} vertices, {first['frames']} frames"
    head = f"# Crowds of “{result['model']}”\n\n{what}; {where['device']}, {where['cores']} cores, {where['date']}."
    return "\n\n".join([head, markdown([_table_row(figures) for figures in result["rows"]], COLUMNS), LEGEND]) + "\n"


def _table_row(figures: dict[str, Any]) -> Row:
    seconds = figures["seconds"]
    busy, wall = (seconds["click to written"][kind] + seconds["first frame"][kind] for kind in ("processor", "wall"))
    name = f"{figures['count']}{', light' if figures['light'] else ''}"
    return Row(
        name,
        "measured",
        "Riff",
        {
            "seconds": wall,
            "generating": seconds["generation of the last block"]["wall"],
            "member": 1e3 * busy / figures["count"],
            "playing": figures["frame_ms"]["processor"],
            "plain": figures["plain_frame_ms"]["processor"],
            "gigabytes": figures["peak_gigabytes"],
            "closest": figures["smallest_distance"],
            "source": figures["distance_to_source"],
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__.splitlines()[0])
    parser.add_argument("--zip", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "out/demo/model.safetensors")
    parser.add_argument("--clip", type=Path, help="clip of the model (default: the sample dancer's)")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(CROWD_SIZES))
    parser.add_argument("--light-sizes", type=int, nargs="*", default=[100])
    parser.add_argument("--frames", type=int, default=MOTION_FRAMES)
    parser.add_argument("--out", type=Path, default=ROOT / "out/bench")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--light", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not options.model.is_file():
        parser.error(f"there is no model “{options.model}”; run make demo, or name one by --model")
    if options.one:
        with quiet_blender() as stream:
            figures = measure(options.zip, options.model, options.clip, options.one, options.light, options.frames)
            stream.write(json.dumps(figures) + "\n")
        return 0
    print(HEAD, flush=True)
    sizes = [(count, False) for count in options.sizes] + [(count, True) for count in options.light_sizes]
    rows = []
    for count, light in sizes:
        rows.append(in_fresh_process(options, count, light))
        print(row(rows[-1]), flush=True)
    result = {"circumstances": circumstances(), "model": options.model.name, "rows": rows}
    publish(options.out / "crowd", result, page(result))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(RESOURCES, ignore_errors=True)
