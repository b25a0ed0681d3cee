"""Motions as numbered BVH files in a folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import ClipError
from .motion.bvh import write_bvh
from .motion.motion import Motion
from .system.console import ProgressLine


def write_motions(folder: Path, name: str, seed: int, motions: Sequence[Motion]) -> list[str]:
    """Write motions as NAME-seedS-NN.bvh into a folder, made where it is missing; their paths. Raises ClipError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClipError(f"Cannot make the folder “{folder}”: {error.strerror or error}.") from error
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._") or "variation"
    files = []
    with ProgressLine(sys.stderr) as line:
        for number, motion in enumerate(motions, start=1):
            line.show(f"Writing motion {number} of {len(motions)}")
            path = folder / f"{stem}-seed{seed}-{number:02d}.bvh"
            write_bvh(path, motion)
            files.append(str(path))
    return files
