"""Quality of a model, `make bench-quality`: one table with its source, the cheats and other methods.

Trains on a clip, or takes a trained model; measures samples twice as long as the source; writes
`quality-CLIP-RECIPE.json` and `.md` to the folder `--out`, with command, device, date and versions.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.errors import ClipError, RiffError
from core.model.model import Model
from core.model.model_file import load_model, save_model
from core.model.recipe import RECIPES, Recipe
from core.motion.motion import Motion
from core.system.console import format_duration

from .measuring.bar import Check, bar_markdown, check_bar
from .measuring.machine import circumstances
from .measuring.measure import (
    CLEAN,
    RAW,
    Reduce,
    cheat_rows,
    generation_milliseconds,
    reconstruction_error,
    sample_rows,
    unreduced,
)
from .measuring.published import PUBLISHED, TIMES
from .measuring.reduced import on_papers_joints
from .measuring.table import LEGEND, Row, markdown, rows_to_json, write_json, write_whole
from .measuring.training import SAMPLE, clip_name, read_clip, train_model

SAMPLE_COUNT = 20
RESULTS = Path("bench/results")


def obtain_model(clip: str | None, recipe: Recipe, seed: int, device: str, model: Path | None) -> Model:
    """Load the model from the file `model`, or train one on `clip`, named after the clip. Raises RiffError."""
    if model is not None:
        loaded = load_model(model)
        return replace(loaded, name=clip_name(clip) if clip else loaded.name or model.stem)
    clip = clip or SAMPLE
    return train_model(read_clip(clip), recipe, clip_name(clip), seed=seed, device=device)


def quality_report(model: Model, count: int, seed: int, reduce: Reduce = unreduced) -> dict[str, Any]:
    """Measure a model completely; every value fits JSON. Raises ClipError."""
    source = reduce(model.source)
    ours = sample_rows(model, count, seed, f"{count} samples", reduce)
    cheats = cheat_rows(source)
    by_name = {row.name: row.figures for row in [*ours, *cheats]}
    noise = next(figures for name, figures in by_name.items() if "smooth noise" in name)
    return {
        "clip": _clip_facts(model.source, source, model.name),
        "model": model.info(),
        "recipe": model.recipe.to_json(),
        "samples": count,
        "sample_frames": 2 * source.frames,
        "seed": seed,
        "reconstruction_error": reconstruction_error(model),
        "milliseconds": generation_milliseconds(model),
        "rows": rows_to_json([*ours, *cheats, *PUBLISHED]),
        "bar": [asdict(check) for check in check_bar(by_name[RAW], by_name[CLEAN], noise)],
        **circumstances(model.device),
    }


def _clip_facts(whole: Motion, measured: Motion, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "frames": whole.frames,
        "seconds": whole.duration,
        "joints": whole.skeleton.joints,
        "joints_measured": measured.skeleton.joints,
    }


def report_markdown(report: dict[str, Any]) -> str:
    """Format the report as a page: circumstances, table, bar, times."""
    clip, model, versions = report["clip"], report["model"], report["versions"]
    rows = [Row(**row) for row in report["rows"]]
    milliseconds = report["milliseconds"]
    return f"""# Quality: {clip["name"]}, recipe {model["recipe"]}

`{report["command"]}`

{report["date"]}, {report["device"]} ({report["cores"]} cores), Riff {versions["riff"]}, Python {versions["python"]}, \
PyTorch {versions["torch"]}, NumPy {versions["numpy"]}.
Trained for {format_duration(model["training_seconds"])} (minutes:seconds) with {model["iterations"]} joint \
iterations on {clip["frames"]} frames ({clip["seconds"]:.1f} s) of {clip["joints"]} joints.
Figures on {clip["joints_measured"]} joints, {report["samples"]} samples of {report["sample_frames"]} frames.
Reconstruction error {report["reconstruction_error"]:.4f}; one variation of {clip["frames"]} frames takes \
{milliseconds["sample"]:.0f} ms, cleaning its feet {milliseconds["clean_feet"]:.0f} ms.

{markdown(rows)}

{LEGEND}

{bar_markdown([Check(**check) for check in report["bar"]])}

{TIMES}
"""


def report_stem(model: Model, reduced: bool) -> str:
    return f"quality-{model.name}-{model.recipe.name}" + ("-24-joints" if reduced else "")


def command_line(options: argparse.Namespace) -> str:
    """The command as anyone can repeat it: files by their names, not by where they lie on this machine."""
    parts = ["python", "-m", "bench.quality", "--count", str(options.count), "--seed", str(options.seed)]
    parts += ["--clip", clip_name(options.clip)] if options.clip else []
    if options.model:
        parts += ["--model", options.model.name]
    else:
        parts += ["--recipe", options.recipe, "--scale", f"{options.scale:g}"]
    parts += ["--joints", options.joints] if options.joints != "all" else []
    return shlex.join(parts)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description="Measure the quality of a model.")
    parser.add_argument("--clip", help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--scale", type=float, default=1.0, help="this many times the recipe's iterations")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"samples to measure ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, default=0, help="seed of training and samples")
    parser.add_argument("--device", default="auto", help="where to train: auto, cpu, cuda, mps")
    parser.add_argument("--model", type=Path, help="a trained model to measure instead of training one")
    parser.add_argument("--keep", type=Path, metavar="M.safetensors", help="where to keep the trained model")
    parser.add_argument("--joints", choices=("all", "papers"), default="all", help="measure on the papers' 24 joints")
    parser.add_argument("--sheet", action="store_true", help="also render three variations; needs bpy")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Path:
    """Train or load, measure, write; return the Markdown file. Raises RiffError."""
    recipe = RECIPES[options.recipe]
    recipe = recipe if options.scale == 1.0 else recipe.scaled(options.scale)
    model = obtain_model(options.clip, recipe, options.seed, options.device, options.model)
    if options.keep:
        save_model(model, options.keep)
    reduced = options.joints == "papers"
    report = {
        "command": command_line(options),
        **quality_report(model, options.count, options.seed, on_papers_joints if reduced else unreduced),
    }
    stem = report_stem(model, reduced)
    write_json(options.out / f"{stem}.json", report)
    page = write_whole(options.out / f"{stem}.md", report_markdown(report))
    if options.sheet:
        from .pictures.variation_sheet import render_variations

        render_variations(model, options.out / f"{stem}.png", seed=options.seed)
    return page


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        if options.count < 1 or options.scale <= 0:
            raise ClipError("Measure at least one sample, and train with a scale above 0.")
        page = run(options)
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    print(page.read_text(encoding="utf-8"))
    print(f"Written: {page} and {page.with_suffix('.json')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
