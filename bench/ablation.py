"""Ablation of Roditakis et al. 2024, Table 1, at any scale: eleven recipes, one JSON for each; finished rows are
skipped.

Only row 9 (batch 16, λ_adv 5, 5, 2.5, 1, λ_rec 50, 75, 100, 100, 210 / 210 / 105 / 70 thousand iterations over the
seven stages, transfer) and the baseline (batch 1, 105 thousand, λ_rec 10) were known for certain when this was written;
they are marked `quoted`. The other nine rows are reconstructed: each changes one of the factors that the paper ablates
(batch size, number of iterations, annealing of λ_adv, annealing of λ_rec, transfer), so that together they show the
effect of each factor. They need not be the rows of the same number in the paper.

Iterations are counted as in the paper: samples over all seven stages, so 105 thousand at batch 16 are 15,000 / 16 = 938
joint iterations of a level.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import ClipError, RiffError
from core.model.model_file import save_model
from core.model.recipe import GANIMATOR, PAPER, Recipe
from core.motion.motion import Motion
from core.system.console import format_duration

from .measuring.machine import circumstances
from .measuring.measure import CLEAN, reconstruction_error, sample_rows
from .measuring.table import Row, markdown, write_json, write_whole
from .measuring.training import SAMPLE, clip_name, read_clip, train_model

STAGES = 7
SAMPLE_COUNT = 5
RESULTS = Path("bench/results")
PerLevel = tuple[float, float, float, float]
EQUAL_WEIGHTS: PerLevel = (1.0, 1.0, 1.0, 1.0)
ANNEALED_ADV: PerLevel = (5.0, 5.0, 2.5, 1.0)
ANNEALED_REC: PerLevel = (50.0, 75.0, 100.0, 100.0)
CONSTANT_REC: PerLevel = (50.0, 50.0, 50.0, 50.0)
ITERATIONS_105K: PerLevel = (105.0, 105.0, 105.0, 105.0)
ITERATIONS_210K: PerLevel = (210.0, 210.0, 210.0, 210.0)
ITERATIONS_ANNEALED: PerLevel = (210.0, 210.0, 105.0, 70.0)


@dataclass(frozen=True)
class AblationRow:
    """Row of the table; `quoted` rows have the paper's numbers, the others are reconstructed (see the module)."""

    number: int
    name: str
    quoted: bool
    recipe: Recipe


def joint_iterations(thousands: PerLevel, batch: int) -> tuple[int, ...]:
    """Convert the paper's count of samples, in thousands over the seven stages, to joint iterations of each level."""
    return tuple(int(1000 * count / STAGES / batch + 0.5) for count in thousands)


def _batched(thousands: PerLevel, adversarial: PerLevel, reconstruction: PerLevel, transfer: int = 0) -> Recipe:
    return replace(
        PAPER,
        iterations=joint_iterations(thousands, 16),
        adversarial=adversarial,
        reconstruction=reconstruction,
        transfer=transfer,
    )


def ablation_rows() -> list[AblationRow]:
    """Return the eleven rows; row 9 is the recipe `paper`."""
    rows = [
        ("baseline: GANimator, batch 1, λ_rec 10", True, replace(GANIMATOR, reconstruction=(10.0,) * 4)),
        ("GANimator as its code has it, λ_rec 50", False, GANIMATOR),
        ("batch 16, nothing else changed", False, _batched(ITERATIONS_105K, EQUAL_WEIGHTS, CONSTANT_REC)),
        ("batch 16, twice the samples", False, _batched(ITERATIONS_210K, EQUAL_WEIGHTS, CONSTANT_REC)),
        ("batch 16, λ_adv 5 at every level", False, _batched(ITERATIONS_105K, (5.0,) * 4, CONSTANT_REC)),
        ("batch 16, λ_adv annealed", False, _batched(ITERATIONS_105K, ANNEALED_ADV, CONSTANT_REC)),
        ("batch 16, λ_rec annealed", False, _batched(ITERATIONS_105K, EQUAL_WEIGHTS, ANNEALED_REC)),
        ("row 9 without transfer", False, _batched(ITERATIONS_ANNEALED, ANNEALED_ADV, ANNEALED_REC)),
        ("the paper's recipe: λ_adv and λ_rec annealed, transfer", True, PAPER),
        (
            "row 9 with 105 thousand samples at every level",
            False,
            _batched(ITERATIONS_105K, ANNEALED_ADV, ANNEALED_REC, 2),
        ),
        ("row 9 with all four layers transferred", False, _batched(ITERATIONS_ANNEALED, ANNEALED_ADV, ANNEALED_REC, 4)),
    ]
    return [
        AblationRow(number, name, quoted, replace(recipe, name=f"row{number:02d}"))
        for number, (name, quoted, recipe) in enumerate(rows, start=1)
    ]


def run_row(row: AblationRow, clip: str, motion: Motion, scale: float, count: int, folder: Path, seed: int) -> bool:
    """Train and measure one row unless its file exists; return true if it ran. Raises ClipError."""
    target = folder / f"row{row.number:02d}.json"
    if target.exists():
        return False
    recipe = row.recipe.scaled(scale)
    model = train_model(motion, recipe, clip_name(clip), seed=seed)
    figures = {row.name: row.figures for row in sample_rows(model, count, seed, f"{count} samples")}
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    save_model(model, models / f"row{row.number:02d}.safetensors")
    write_json(
        target,
        {
            "row": row.number,
            "name": row.name,
            "quoted": row.quoted,
            "clip": clip_name(clip),
            "scale": scale,
            "seed": seed,
            "samples": count,
            "training_seconds": model.seconds,
            "reconstruction_error": reconstruction_error(model),
            "recipe": recipe.to_json(),
            "figures": figures,
            **circumstances(model.device),
        },
    )
    return True


def summary(folder: Path) -> str:
    """Format all finished rows as Markdown, with clean feet."""
    done: list[dict[str, Any]] = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("row*.json"))]
    rows = [
        Row(
            f"{one['row']}. {one['name']}",
            "quoted" if one["quoted"] else "reconstructed",
            f"{format_duration(one['training_seconds'])} of training, "
            f"reconstruction error {one['reconstruction_error']:.4f}",
            one["figures"][CLEAN],
        )
        for one in done
    ]
    head = f"# Ablation: {done[0]['clip']}, {done[0]['scale']:g} times the iterations\n\n" if done else "# Ablation\n\n"
    said = "Rows marked quoted have the paper's own numbers; the others are reconstructed, see `bench/ablation.py`.\n"
    return f"{head}{said}\n{markdown(rows)}\n"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ablation", description="Run the rows of the ablation.")
    parser.add_argument("--clip", default=SAMPLE, help="BVH file, name of a clip in $RIFF_DATA, or sample (default)")
    parser.add_argument("--scale", type=float, default=1.0, help="this many times the rows' iterations")
    parser.add_argument("--row", type=int, action="append", help="run this row only; may be given several times")
    parser.add_argument("--count", type=int, default=SAMPLE_COUNT, help=f"samples to measure ({SAMPLE_COUNT})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder of the rows (bench/results/ablation-CLIP-SCALE)")
    parser.add_argument("--list", action="store_true", help="only show the rows")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Path:
    """Run the requested rows that are not finished; return the summary's path. Raises ClipError."""
    rows = ablation_rows()
    wanted = set(options.row or [row.number for row in rows])
    if not wanted <= {row.number for row in rows}:
        raise ClipError(f"The rows are 1 to {len(rows)}.")
    folder = options.out or RESULTS / f"ablation-{clip_name(options.clip)}-{options.scale:g}"
    motion = read_clip(options.clip)
    for row in rows:
        if row.number in wanted:
            ran = run_row(row, options.clip, motion, options.scale, options.count, folder, options.seed)
            print(f"Row {row.number}, {row.name}: {'done' if ran else 'was done before'}", flush=True)
    return write_whole(folder / "summary.md", summary(folder))


def show_rows() -> None:
    for row in ablation_rows():
        recipe = row.recipe
        said = "quoted" if row.quoted else "reconstructed"
        print(
            f"{row.number:2} {said:13} {row.name}: batch {recipe.batch[0]}, "
            f"iterations {recipe.iterations}, λ_adv {recipe.adversarial}, λ_rec {recipe.reconstruction}, "
            f"transfer {recipe.transfer}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.list:
        show_rows()
        return 0
    try:
        print(run(options).read_text(encoding="utf-8"))
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
