"""Oracle of the metrics: `python -m bench.oracle.make_metrics_oracle` writes tests/core/evaluation/metrics_oracle.npz.

Coverage, global and local diversity, restated plainly from their definitions in GANimator (Li et al. 2022, section 5)
and in docs/method.md, with loops over rows and channels and without any code of `core`. Of the windows that are counted
GANimator's code leaves out the last one; of those that they are compared with, none. The arrays are channels of the
sample dance, and motions made cheaply from it: pieces in another order, stretched in time, with slow waves added.

`--check FILE` recomputes the figures of such a file instead and fails where they differ. The figures that GANimator's
own evaluation gave for three pairs of arrays (`metrics_oracle.npz` of $RIFF_DATA, not in the repository) were
recomputed so on 2026-11-29: the largest difference of twelve was 4e-9.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ORACLE = Path(__file__).resolve().parents[2] / "tests/core/evaluation/metrics_oracle.npz"

COVERAGE_WINDOW, COVERAGE_THRESHOLD, TIGHT_THRESHOLD = 30, 2.0, 0.9
PIECE, LOCAL_WINDOW = 30, 15
"""Rows of windows and pieces, as GANimator has them."""

MAX_DIFFERENCE = 1e-6
ROWS, EVERY_CHANNEL, STEP = 120, 6, 1e-3
"""Rows of the dance to take, the stride through its channels, and the step to which numbers are rounded."""

Rows = Sequence[Sequence[float]]


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the Euclidean distance of two rows."""
    return math.sqrt(sum((x - y) * (x - y) for x, y in zip(a, b, strict=True)))


def distance_table(a: Rows, b: Rows) -> list[list[float]]:
    """Return the distance of every row of `a` to every row of `b`."""
    return [[distance(row, other) for other in b] for row in a]


def nearest_window(table: list[list[float]], first: int, window: int) -> float:
    """Return the mean row distance of the window of `a` from row `first` on to the nearest window of `b`."""
    best = math.inf
    for start in range(len(table[0]) - window + 1):
        total = 0.0
        for step in range(window):
            total += table[first + step][start + step]
        best = min(best, total / window)
    return best


def coverage(source: Rows, generated: Rows, threshold: float) -> float:
    """Return the share of the source's windows that have a generated window nearer than the threshold."""
    table = distance_table(source, generated)
    windows = range(len(source) - COVERAGE_WINDOW)
    covered = [first for first in windows if nearest_window(table, first, COVERAGE_WINDOW) < threshold]
    return len(covered) / len(windows)


def local_diversity(source: Rows, generated: Rows) -> float:
    """Return the mean distance of the generated windows to the nearest ones of the source."""
    table = distance_table(generated, source)
    windows = range(len(generated) - LOCAL_WINDOW)
    return sum(nearest_window(table, first, LOCAL_WINDOW) for first in windows) / len(windows)


def global_diversity(source: Rows, generated: Rows) -> float:
    """Return the mean row distance of the generated motion to the best patchwork of source pieces of 30 rows or more.

    `best[end]` is the least total of the first `end` rows: over all last pieces, all places in the source for them and
    the best patchwork of what comes before. A piece of 60 rows or more is two pieces, so longer ones are not tried.
    """
    table = distance_table(generated, source)
    best = [0.0] + [math.inf] * len(generated)
    for end in range(PIECE, len(generated) + 1):
        for length in range(PIECE, min(end, len(source), 2 * PIECE - 1) + 1):
            begin = end - length
            if best[begin] == math.inf:
                continue
            for start in range(len(source) - length + 1):
                total = best[begin]
                for step in range(length):
                    total += table[begin + step][start + step]
                    if total >= best[end]:
                        break
                best[end] = min(best[end], total)
    return best[-1] / len(generated)


def figures(source: Rows, generated: Rows) -> dict[str, float]:
    """Return all figures of one pair of arrays, by the names that they have in the file."""
    return {
        "coverage": coverage(source, generated, COVERAGE_THRESHOLD),
        "coverage_tight": coverage(source, generated, TIGHT_THRESHOLD),
        "global_diversity": global_diversity(source, generated),
        "local_diversity": local_diversity(source, generated),
    }


def dance_rows() -> np.ndarray:
    """Return some channels of the sample dance at 30 fps, the root's left out, from its second second on."""
    from bench.measuring.training import sample_dance  # it needs bpy, and so much of Riff as reads the dance

    motion = sample_dance()
    root = motion.skeleton.root_channel
    features = np.delete(motion.features, slice(root, root + 6), axis=1)
    return np.asarray(features[30 : 30 + ROWS, ::EVERY_CHANNEL])


def cheap_motions(source: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return pairs of a source and a motion made from it: reordered, stretched, growing strange."""
    random = np.random.default_rng(0)
    time = np.arange(2 * len(source))[:, None] / 30.0
    waves = np.sin(2 * np.pi * (random.uniform(0.2, 0.8, source.shape[1]) * time + random.random(source.shape[1])))
    reordered = np.concatenate([source[70:], source[10:75], source[:40]])
    where = np.linspace(0, len(source) - 1, round(1.3 * len(source)))
    stretched = np.stack([np.interp(where, np.arange(len(source)), channel) for channel in source.T], axis=1)
    return {
        "reordered": (source, reordered + 0.15 * waves[: len(reordered)]),
        "stretched": (source, stretched + 0.2 * waves[: len(stretched)]),
        "strange": (source, source[10:100] + np.linspace(0.0, 2.0, 90)[:, None] * waves[:90]),
    }


def make_oracle(path: Path) -> None:
    """Write arrays, as whole multiples of STEP, and their figures."""
    contents: dict[str, np.ndarray] = {"step": np.array(STEP)}
    for case, (source, generated) in cheap_motions(dance_rows()).items():
        whole = [np.round(rows / STEP).astype(np.int16) for rows in (source, generated)]
        values = figures(*((STEP * rows).tolist() for rows in whole))
        print(case, values)
        contents[f"{case}_source"], contents[f"{case}_generated"] = whole
        contents |= {f"{case}_{name}": np.array(value) for name, value in values.items()}
    np.savez_compressed(path, **contents)  # type: ignore[arg-type]


def check_oracle(path: Path) -> bool:
    """Return True if the figures of a file are those of its arrays."""
    stored = np.load(path)
    step = float(stored["step"]) if "step" in stored else 1.0
    largest = 0.0
    for case in sorted(name.removesuffix("_source") for name in stored if name.endswith("_source")):
        arrays = [(step * stored[f"{case}_{kind}"].astype(float)).tolist() for kind in ("source", "generated")]
        for name, value in figures(arrays[0], arrays[1]).items():
            difference = abs(value - float(stored[f"{case}_{name}"]))
            print(f"{case:10} {name:17} {value:.9f}  differs by {difference:.1e}")
            largest = max(largest, difference)
    return largest < MAX_DIFFERENCE


def main() -> int:
    name = "python -m bench.oracle.make_metrics_oracle"
    parser = argparse.ArgumentParser(prog=name, description="Expected values of the metrics, restated plainly.")
    parser.add_argument("--check", type=Path, metavar="FILE", help="recompute the figures of a file")
    parser.add_argument("--out", type=Path, default=ORACLE, help="file to write (the one of the tests)")
    options = parser.parse_args()
    if options.check:
        return 0 if check_oracle(options.check) else 1
    make_oracle(options.out)
    return 0 if check_oracle(options.out) else 1


if __name__ == "__main__":
    sys.exit(main())
