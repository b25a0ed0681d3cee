"""Cost of learning from several clips at once compared with one: `python -m bench.mix --clips salsa walk`.

Seconds per iteration of each level, in turn, and of the whole recipe. Writes bench/results/mix-<clips>-<device>.json
and .md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from core.directing.concatenate import mix
from core.errors import RiffError
from core.model.recipe import FAST, RECIPES, Recipe
from core.motion.motion import Motion
from core.system.devices import pick_device
from core.system.threads import usable_cores

from .measuring.levels import Ours, measure_level, whole_seconds
from .measuring.machine import circumstances, repeatable
from .measuring.table import publish
from .measuring.timing import load
from .measuring.training import clip_name, read_clip
from .speed import RESULTS, device_slug, duration

TIMING_ROUNDS = 15


def measure(motions: Mapping[str, Motion], recipe: Recipe, rounds: int, device: str) -> dict[str, Any]:
    """Measure levels and whole recipe for each motion; every value fits JSON."""
    threads = usable_cores()
    ours = {name: Ours(motion, recipe, device, threads) for name, motion in motions.items()}
    try:
        levels = [measure_level(k, ours, None, rounds, device, threads) for k in range(recipe.levels)]
    finally:
        for contender in ours.values():
            contender.close()
    whole = {name: whole_seconds(levels, name, recipe.iterations) for name in ours}
    frames = {name: motion.frames for name, motion in motions.items()}
    return {"frames": frames, "levels": levels, "whole": whole}


def report_markdown(report: dict[str, Any]) -> str:
    """Format the table: a row for each clip and one for the mix."""
    first = next(iter(report["whole"].values()))["processor_seconds"]
    lines = [
        f"Recipe {report['recipe']}, {report['device']}, {report['cores']} cores, {report['date']}; "
        f"load {report['load_before']} before, {report['load_after']} after; `{report['command']}`",
        "",
        "| learned | frames | "
        + " | ".join(f"ms an iteration, level {k + 1}" for k in range(len(report["levels"])))
        + " | whole recipe | processor time ÷ the first clip's |",
        "|---|---:|" + "---:|" * (len(report["levels"]) + 2),
    ]
    for name, whole in report["whole"].items():
        cells = [f"{1e3 * level['iteration'][name]['median']:.0f}" for level in report["levels"]]
        lines.append(
            f"| {name} | {report['frames'][name]} | {' | '.join(cells)} | {duration(whole['seconds'])} | "
            f"{whole['processor_seconds'] / first:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.mix", description="What learning several clips costs.")
    parser.add_argument("--clips", nargs="+", required=True, help="of one rig")
    parser.add_argument("--recipe", choices=list(RECIPES), default=FAST.name)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=TIMING_ROUNDS)
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else list(arguments)
    names = [clip_name(clip) for clip in options.clips]
    try:
        motions = dict(zip(names, map(read_clip, options.clips), strict=True))
        motions[" + ".join(names)] = mix(list(motions.values()))
        device, before = str(pick_device(options.device)), load()
        measured = measure(motions, RECIPES[options.recipe], options.rounds, device)
    except RiffError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    report = {
        "recipe": options.recipe,
        **circumstances(device),
        "command": repeatable("bench.mix", given),
        "load_before": before,
        **measured,
        "load_after": load(),
    }
    publish(RESULTS / f"mix-{'-'.join(names)}-{device_slug(device)}", report, report_markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
