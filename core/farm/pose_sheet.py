"""Motions as rows of stick figures in one small SVG: what a model makes of its clip, at a glance, without Blender."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from ..generation.generate import generate
from ..model.model_file import load_model
from ..motion.motion import Motion
from ..motion.skeleton import BODY
from ..numeric.rotation import Array, axis_rotation
from .job import write_text

POSES_PER_ROW = 12
"""Poses in a row; fewer of a creature that is longer than its cell."""

CELL_PIXELS = (84, 110)
LABEL_PIXELS = 96
SAMPLE_ROWS = 3

_SCALE = 0.72 * CELL_PIXELS[1] / BODY
_STYLE = (
    "<style>text{font:12px sans-serif;fill:#555}.s{stroke:#28323c}.v{stroke:#1d6fb8}"
    "path{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}"
    "line{stroke:#c9c6bf}</style>"
)


def write_sheet(model_path: Path, path: Path) -> None:
    """Draw a model's clip and a few variations of it (seed 1). Raises ModelError, JobError."""
    model = load_model(model_path)
    rows = [model.source, *generate(model, count=SAMPLE_ROWS, seed=1)]
    labels = ["source", *(f"variation {number + 1}" for number in range(SAMPLE_ROWS))]
    write_text(path, pose_sheet(model.name, rows, labels))


def pose_sheet(name: str, motions: Sequence[Motion], labels: Sequence[str]) -> str:
    """An SVG with a row of poses, evenly spaced in time and seen from the front's side, for each motion.

    The ground line is that of the first motion's lowest place, so floating and sinking show.
    """
    width, height = LABEL_PIXELS + POSES_PER_ROW * CELL_PIXELS[0], len(motions) * CELL_PIXELS[1]
    low, high = _reach(motions)
    columns = max(2, min(POSES_PER_ROW, int((width - LABEL_PIXELS) / (1.05 * _SCALE * (high - low)))))
    cell = (width - LABEL_PIXELS) / columns
    ground = float(np.percentile(motions[0].positions()[..., 2].min(axis=1), 5))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{escape(_printable(name))}</title>",
        _STYLE,
        f'<rect width="{width}" height="{height}" fill="#f6f5f2"/>',
    ]
    for row, (motion, label) in enumerate(zip(motions, labels, strict=True)):
        floor = (row + 0.9) * CELL_PIXELS[1]
        parts.append(f'<line x1="{LABEL_PIXELS}" y1="{floor:.0f}" x2="{width}" y2="{floor:.0f}"/>')
        parts.append(f'<text x="8" y="{(row + 0.5) * CELL_PIXELS[1]:.0f}">{escape(label)}</text>')
        parts.append(f'<text x="8" y="{(row + 0.5) * CELL_PIXELS[1] + 16:.0f}">{motion.duration:.1f} s</text>')
        for column, pose in enumerate(_poses(motion, columns)):
            middle = LABEL_PIXELS + (column + 0.5) * cell - _SCALE * (low + high) / 2.0
            path = _path(pose, motion.skeleton.parents, middle, floor, ground)
            parts.append(f'<path class="{"v" if row else "s"}" d="{path}"/>')
    return "\n".join([*parts, "</svg>\n"])


def _printable(text: str) -> str:
    """Return a text without characters that XML refuses: a browser would show nothing of the picture."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _reach(motions: Sequence[Motion]) -> tuple[float, float]:
    """Return the reach of the poses to the left and to the right of the root, without rare extremes, in metres."""
    sides = np.concatenate([_poses(motion, POSES_PER_ROW)[..., 0] for motion in motions])
    return float(np.percentile(sides.min(1), 5)), float(np.percentile(sides.max(1), 95))


def _poses(motion: Motion, columns: int) -> Array:
    """Joint positions (columns, J, 3) at even times, each seen from where the root's path leaves it in the middle."""
    at = np.round((np.arange(columns) + 0.5) / columns * (motion.frames - 1)).astype(int)
    poses = motion.positions()[at]
    poses[..., :2] -= poses[:, :1, :2]
    turned: Array = poses @ axis_rotation(2, np.radians(35.0)).T
    return turned


def _path(pose: Array, parents: Sequence[int], middle: float, floor: float, ground: float) -> str:
    x = middle + _SCALE * pose[:, 0]
    y = floor - _SCALE * (pose[:, 2] - ground)
    bones = [(parent, joint) for joint, parent in enumerate(parents) if parent >= 0]
    return "".join(f"M{x[a]:.1f} {y[a]:.1f}L{x[b]:.1f} {y[b]:.1f}" for a, b in bones)
