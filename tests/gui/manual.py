"""Cut the manual's pictures of the panel from the screenshots of `make gui`: `python tests/gui/manual.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
COLOURS = 256

CUTS = {
    "first-variation": ("7-playing", (0, 28, 1150, 870)),
    "panel-train": ("3-training", (864, 82, 1122, 670)),
    "panel-live": ("9-live", (330, 82, 1122, 780)),
    "panel-region": ("10-region", (250, 604, 1150, 938)),
    "install-panel": ("newcomer/without-pytorch", (864, 82, 1122, 830)),
    "install-preferences": ("newcomer/preferences", (104, 28, 978, 594)),
}
"""Picture of the manual, screenshot, and what of it is shown: left, top, right, bottom in pixels."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Cut the manual's pictures from screenshots.")
    parser.add_argument("--screenshots", type=Path, default=ROOT / "out/gui", help="folder with the screenshots")
    options = parser.parse_args()
    for name, (screenshot, box) in CUTS.items():
        picture = Image.open(options.screenshots / f"{screenshot}.png").convert("RGB").crop(box)
        path = ROOT / "docs" / f"{name}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path.stat().st_size / 1000:7.0f} kB  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
