"""Build the pip package of `core`, with the command `riff`: `python wheels/pip_package.py`, or `make wheel`.

The wheel holds the folder `core` of this checkout as `riff.core`, and the farm's templates; nothing is written twice
and nothing is changed. The same commit gives the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEVER = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a wheel, which cannot go without one."""

PARTS = (("core", "*.py"), ("farm", "*.yaml"), ("farm", "*.js"))
"""Folders of the wheel and the files that it takes of them."""

METADATA = """\
Metadata-Version: 2.1
Name: riff-motion
Version: {version}
Summary: {tagline}, without Blender
License: GPL-3.0-or-later
Requires-Python: >=3.11,<3.15
Requires-Dist: numpy>=1.26,<3
Requires-Dist: safetensors>=0.4
Requires-Dist: scipy-openblas32>=0.3.30; extra == "openblas"
Requires-Dist: torch>=2.8; extra == "train"
Provides-Extra: openblas
Provides-Extra: train
Description-Content-Type: text/markdown

{readme}"""

README = """\
The method of Riff, a Blender extension, without Blender. The command `riff` has the verbs `train`, `instant`,
`generate`, `compose`, `evaluate`, `list`, `job` and `report`.
Training needs PyTorch: `pip install "riff-motion[train]"`. `riff --help` has examples.
"""

TAGS = "Wheel-Version: 1.0\nGenerator: wheels/pip_package.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ENTRY_POINTS = "[console_scripts]\nriff = riff.core.cli.main:riff_command\n"
PACKAGE = '"""Riff without Blender: `riff.core`, the method, and the command `riff`."""\n'


def build(out: Path, root: Path = ROOT) -> Path:
    """Write the wheel of a checkout into a folder, and return its path."""
    manifest = tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))
    version = str(manifest["version"])
    about = f"riff_motion-{version}.dist-info"
    files = {
        f"riff/{path.relative_to(root).as_posix()}": path.read_bytes()
        for folder, pattern in PARTS
        for path in (root / folder).rglob(pattern)
    }
    metadata = METADATA.format(version=version, tagline=manifest["tagline"], readme=README)
    files["riff/__init__.py"] = PACKAGE.encode()
    files["riff/__main__.py"] = b"from .core.cli.main import riff_command\n\nraise SystemExit(riff_command())\n"
    files[f"{about}/METADATA"] = metadata.encode()
    files[f"{about}/WHEEL"] = TAGS.encode()
    files[f"{about}/entry_points.txt"] = ENTRY_POINTS.encode()
    files[f"{about}/licenses/LICENSE"] = (root / "LICENSE").read_bytes()
    rows = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(files.items())]
    files[f"{about}/RECORD"] = ("\n".join([*rows, f"{about}/RECORD,,"]) + "\n").encode()
    out.mkdir(parents=True, exist_ok=True)
    made = out / f"riff_motion-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name, NEVER)
            info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return made


def _digest(data: bytes) -> str:
    """Return a hash as a wheel's list of files has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the pip package of Riff's method.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    made = build(parser.parse_args().out)
    print(f"{made.stat().st_size / 1e6:8.2f} MB  {made.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
