"""Contact sheets of compositions, generated frames framed or tinted green.

`python -m bench.pictures.compose_sheet MODEL` makes them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.directing.compose import compose
from core.directing.composition import (
    Composition,
    close_loop,
    extend,
    fill_regions,
    keep_keys,
    keep_parts,
    overlay,
    place_moments,
    restyle,
)
from core.generation.generate import Sampler
from core.model.model import Model
from core.model.model_file import load_model
from core.motion.body_parts import body_halves
from core.motion.motion import Motion

from ..measuring.machine import ROOT
from .variation_sheet import render_rows


@dataclass(frozen=True)
class Scene:
    """Sheet: a composition with its generated spans of rows and generated joints."""

    name: str
    composition: Composition
    spans: tuple[tuple[int, int], ...] = ()
    joints: tuple[int, ...] = ()


def scenes(source: Motion) -> list[Scene]:
    """Return the scenes of the sheets, for a source at 30 fps."""
    frames, halves = source.frames, body_halves(source.skeleton)
    middle, end = int(0.4 * frames), int(0.4 * frames) + 75
    third = min(60, frames // 4)
    moments = [(int(0.5 * frames), int(0.5 * frames) + third, at) for at in (30, 150)]
    region = overlay(fill_regions(source, [(middle, end)]), keep_parts(source, halves["Lower Body"]))
    return [
        Scene("upper", keep_parts(source, halves["Lower Body"]), joints=halves["Upper Body"]),
        Scene("lower", keep_parts(source, halves["Upper Body"]), joints=halves["Lower Body"]),
        Scene("region", fill_regions(source, [(middle, end)]), ((middle, end),)),
        Scene("region-upper", region, ((middle, end),), halves["Upper Body"]),
        Scene("moments", place_moments(source, moments, 240), ((0, 30), (30 + third, 150), (150 + third, 240))),
        Scene("extend", extend(source, 0, 150), ((frames, frames + 150),)),
        Scene("loop", close_loop(source, 45), ((frames - 46, frames - 1),)),
        Scene("keys", keep_keys(source, range(0, frames, 45))),
        Scene("restyle", restyle(source)),
    ]


def render_scene(model: Model, sampler: Sampler, scene: Scene, path: Path, alternatives: int) -> Path:
    """Render the target and its results, one row each, over the generated span and a second around it."""
    outcomes = compose(model, scene.composition, count=alternatives, seed=1, sampler=sampler)
    first, last = 0, outcomes[0].frames
    if scene.spans and scene.name not in ("moments", "loop"):
        first = max(0, min(start for start, _ in scene.spans) - 30)
        last = min(last, max(stop for _, stop in scene.spans) + 30)
    rows = [outcome.slice(first, last) for outcome in outcomes]
    target = scene.composition.target
    known = (scene.composition.entering > 0).any(1)[first:last].all()
    if known or scene.name in ("region", "upper", "lower", "region-upper", "keys"):
        rows.insert(0, target.slice(first, last))
    marks = [[(start - first + 1, stop - first) for start, stop in scene.spans]] * len(rows)
    if len(rows) > len(outcomes):
        marks[0] = []
    names = [f"new {k + 1}" for k in range(len(outcomes))]
    labels = ["source", *names] if len(rows) > len(outcomes) else names
    tinted = [model.skeleton.names[joint] for joint in scene.joints]
    return render_rows(rows, f"{model.name} {scene.name}", path, marks=marks, labels=labels, tinted=tinted)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures.compose_sheet", description="Show compositions.")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=ROOT / "out/sheets")
    parser.add_argument("--only", nargs="+", help="names of the sheets to render")
    parser.add_argument("--count", type=int, default=2, help="alternatives, a row each (default: 2)")
    options = parser.parse_args(arguments)
    for file in options.models:
        model = load_model(file)
        sampler = Sampler(model)
        for scene in scenes(model.source):
            if not options.only or scene.name in options.only:
                path = options.out / f"compose-{file.stem}-{scene.name}.png"
                print(render_scene(model, sampler, scene, path, options.count), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
