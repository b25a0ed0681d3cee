"""The icon of the extension's page: one curve of a source, and variations of it that part and meet again.

`python -m bench.pictures.icon` draws docs/icon.png.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

PIXELS, FINER = 256, 4
"""Side of the icon, and how many times finer it is drawn."""

VARIATIONS = (((86, 160, 211), -0.2), ((110, 190, 150), -0.1), ((232, 178, 92), 0.11))
"""Colour of each variation, and how far it parts from the source, in sides."""

SOURCE = (245, 245, 245)


def draw_icon() -> Image.Image:
    """Return the icon, its corners transparent."""
    side = PIXELS * FINER
    icon = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pencil = ImageDraw.Draw(icon)
    pencil.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 6, fill=(38, 42, 50, 255))
    along = np.linspace(0.0, 1.0, 600)
    for colour, apart in (*VARIATIONS, (SOURCE, 0.0)):
        height = 0.5 - 0.2 * np.sin(2.0 * np.pi * along) + apart * np.sin(np.pi * along) ** 2
        # Discs close to each other: Pillow's thick lines have notches at their joints.
        for x, y in zip(side * (0.12 + 0.76 * along), side * height, strict=True):
            pencil.circle((x, y), side * 0.018, fill=(*colour, 255))
    for x in (0.12, 0.88):
        pencil.circle((side * x, side * 0.5), side * 0.045, fill=(*SOURCE, 255))
    return icon.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    draw_icon().save(Path(__file__).resolve().parents[2] / "docs/icon.png", optimize=True)
