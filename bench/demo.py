"""Demo, `make demo`: from an action to five instant and five trained variations in Blender 4.5, with pictures.

Writes `variations.blend`, `contact-sheet-instant.png`, `contact-sheet.png`, `loss.png`, `report.json` and
`model.safetensors` to the folder `--out`; none of them if a step fails.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

# Blender's user folder for this run alone; bpy looks at it when it is imported.
RESOURCES = tempfile.mkdtemp(prefix="riff-demo-")
os.environ["BLENDER_USER_RESOURCES"] = RESOURCES

import bpy  # noqa: E402

from .measuring.clips import EXTENSION, DemoError, check_clip, core, load_clip, sentence  # noqa: E402
from .pictures.contact_sheet import render_contact_sheet  # noqa: E402
from .pictures.lineup import line_up, room  # noqa: E402
from .pictures.loss_plot import plot_losses  # noqa: E402

VARIATIONS, SEED = 5, 1
QUALITY_SAMPLES = 10
"""Variations, twice as long as the source, for the quality figures."""


class Timing:
    """Seconds of each phase, and their display in the terminal."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str, text: str) -> Iterator[None]:
        print(text, flush=True)
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)


@contextmanager
def quiet_blender() -> Iterator[TextIO]:
    """Suppress Blender's output, such as a line for each picture; yield a stream to the terminal for our lines."""
    sys.stdout.flush()
    terminal = os.dup(1)
    with open(terminal, "w", encoding="utf-8") as stream, open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield stream
        finally:
            os.dup2(terminal, 1)


def render_sheet(armature: bpy.types.Object, actions: list[bpy.types.Action], path: Path) -> None:
    with quiet_blender() as stream, core("system.console").ProgressLine(stream) as line:
        render_contact_sheet(
            bpy.context.scene,
            armature,
            actions,
            path,
            on_progress=lambda fraction, text: line.show(f"{fraction:.0%}, {text}"),
        )


def install(zip_path: Path) -> None:
    """Install and enable the built extension from its file, as a user does."""
    if not zip_path.is_file():
        raise DemoError(f"“{zip_path}” has not been built; run make build.")
    bpy.ops.extensions.package_install_files(
        filepath=str(zip_path), repo="user_default", enable_on_install=True, overwrite=True
    )
    if EXTENSION not in bpy.context.preferences.addons:
        raise DemoError("Blender could not enable the extension; its message is above.")


def prepare(clip: Path | None) -> bpy.types.Object:
    """Return the armature to learn from: that of the clip, or the sample dancer."""
    if clip is not None:
        return load_clip(clip)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


def train(recipe: str, scale: float) -> Any:
    """Train by the operator, with the estimated time first, then progress; return the finished job.

    The first level of `fast` is trained and kept, whatever its figures: the demo shows what networks make.
    """
    jobs = importlib.import_module(f"{EXTENSION}.rig.background.jobs")
    tick = importlib.import_module(f"{EXTENSION}.state.timer").tick
    text = core("system.console")
    if recipe == "fast":
        recipe, bpy.context.scene.riff.last_level = "custom", 1
    bpy.ops.riff.train(recipe=recipe, scale=scale)
    job = jobs.latest_training()
    try:
        while job.expected is None and tick():
            time.sleep(0.1)
        if job.expected is not None:
            print(
                f"Training will take about {text.format_duration(job.expected)} (minutes:seconds) on this machine",
                flush=True,
            )
        with text.ProgressLine(sys.stdout) as line:
            while tick():
                if job.progress is not None:
                    line.show(job.progress.describe())
                time.sleep(0.1)
    finally:
        jobs.stop_all()
    if job.state is not jobs.State.DONE:
        raise DemoError(job.error or "The training was cancelled.")
    return job


def generate() -> list[bpy.types.Action]:
    """Generate from the chosen model, or from an instant one where there is none; return the new actions."""
    rows = bpy.context.window_manager.riff.variations
    before = {row.name for row in rows}
    bpy.ops.riff.generate(count=VARIATIONS, seed=SEED)
    return [bpy.data.actions[row.name] for row in rows if row.name not in before]


def evaluate(model: Any) -> dict[str, float]:
    """Compute the quality figures on samples twice as long as the source, as in the papers."""
    motions = core("generation.generate").generate(
        model, frames=2 * model.source.frames, count=QUALITY_SAMPLES, seed=SEED
    )
    figures = core("evaluation.metrics").evaluate(model.source, motions)
    return {name: round(value, 4) for name, value in figures.items()}


def report_on(model: Any, job: Any, timing: Timing, figures: dict[str, float], clip: Path | None) -> dict[str, Any]:
    import numpy
    import torch

    extension = Path(importlib.import_module(EXTENSION).__file__).parent
    manifest = tomllib.loads((extension / "blender_manifest.toml").read_text(encoding="utf-8"))
    return {
        "clip": clip.name if clip else "Sample Dance",
        "frames": model.source.frames,
        "seconds_of_clip": round(model.source.duration, 2),
        "figures": figures,
        "figures_measured_on": f"{QUALITY_SAMPLES} samples twice as long as the source, seed {SEED}",
        "seconds": timing.seconds,
        "expected_training_seconds": round(job.expected, 1),
        "recipe": model.recipe.to_json(),
        "seed": model.seed,
        "device": model.device,
        "cores": os.cpu_count(),
        "versions": {
            "riff": manifest["version"],
            "blender": bpy.app.version_string,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": numpy.__version__,
        },
    }


def run(options: argparse.Namespace, folder: Path) -> None:
    """Run the demo; all results go to `folder`. Raises DemoError and RuntimeError."""
    timing = Timing()
    with timing.phase("install", "Installing the extension in Blender " + bpy.app.version_string):
        install(options.zip)
    try:
        run_installed(options, folder, timing)
    except core("errors").RiffError as error:
        raise DemoError(str(error)) from error


def run_installed(options: argparse.Namespace, folder: Path, timing: Timing) -> None:
    with timing.phase("scene", f"Importing {options.clip.name}" if options.clip else "Adding the sample dancer"):
        armature = prepare(options.clip)
        source = armature.animation_data.action
    with timing.phase("instant", f"Making an instant model and {VARIATIONS} variations of it"):
        instant = generate()
    with timing.phase("training", f"Training on “{source.name}” with the recipe {options.recipe}"):
        job = train(options.recipe, options.scale)
    with timing.phase("generating", f"Generating {VARIATIONS} variations"):
        variations = generate()
    with timing.phase("figures", "Measuring quality"):
        model = core("model.model_file").load_model(job.path)
        figures = evaluate(model)
    with timing.phase("contact_sheet", "Rendering the contact sheets"):
        render_sheet(armature, [source, *instant], folder / "contact-sheet-instant.png")
        render_sheet(armature, [source, *variations], folder / "contact-sheet.png")
    with timing.phase("scene_file", "Saving the scene, the losses and the report"):
        plot_losses(model.history, folder / "loss.png")
        line_up(armature, variations, *room(model.source.positions(), model.skeleton.unit))
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "variations.blend"), compress=True, check_existing=False)
        shutil.copy(job.path, folder / "model.safetensors")
    report = report_on(model, job, timing, figures, options.clip)
    (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def publish(folder: Path, out: Path) -> None:
    """Replace the folder of the last run by the finished one."""
    shutil.rmtree(out, ignore_errors=True)
    os.replace(folder, out)
    print(f"Done: see {out}")
    for path in sorted(out.iterdir()):
        print(f"  {path.name:20} {path.stat().st_size / 1e6:6.2f} MB")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="From one action to five variations in Blender.")
    parser.add_argument("--zip", type=Path, required=True, help="the built extension")
    parser.add_argument("--clip", type=Path, help="a .bvh, .fbx, .glb, .gltf or .blend to learn instead of the sample")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder for the results (out/demo)")
    parser.add_argument("--recipe", default="fast", choices=("fast", "paper", "ganimator"))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the recipe's steps, to try things out")
    return parser.parse_args()


def main() -> int:
    options = parse()
    folder = None
    try:
        if options.clip:
            check_clip(options.clip)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".demo-", dir=options.out.parent)).resolve()
        folder.chmod(0o755)
        run(options, folder)
        publish(folder, options.out)
    except KeyboardInterrupt:
        print("\nStopped; nothing was written.", file=sys.stderr)
        return 130
    except (DemoError, RuntimeError, OSError, ValueError) as error:
        print(f"The demo failed: {sentence(error)}", file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(RESOURCES, ignore_errors=True)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Where an exception has referred to Blender's data, bpy 4.5 waits for ever at Python's ordinary end.
    os._exit(code)
