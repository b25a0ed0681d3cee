"""Plot of a training's losses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

NAMES = {
    "critic": "Critic (gap: mean score of real minus fake)",
    "adversarial": "Generator (adversarial)",
    "reconstruction": "Reconstruction (L1)",
    "contact": "Contact",
}


def plot_losses(history: Sequence[dict[str, float]], path: Path) -> None:
    """Plot each loss over the training's steps in a row, with levels marked; `history` is that of a model."""
    names = [name for name in NAMES if any(name in row for row in history)]
    figure, axes = plt.subplots(len(names), 1, figsize=(9, 2.1 * len(names)), sharex=True, squeeze=False)
    borders = [b["step"] for a, b in pairwise(history) if b["level"] != a["level"]]
    for axis, name in zip(axes[:, 0], names, strict=True):
        rows = [row for row in history if name in row]
        axis.plot([row["step"] for row in rows], [row[name] for row in rows], linewidth=0.9)
        axis.set_title(NAMES[name], loc="left", fontsize=9)
        axis.grid(alpha=0.3)
        if name == "reconstruction":
            axis.set_yscale("log")
        for border in borders:
            axis.axvline(border, color="0.6", linewidth=0.8, linestyle="--")
    axes[-1, 0].set_xlabel("Step (dashed lines: next level)")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
