"""Fetch what the zip bundles into this folder: the wheels that blender_manifest.toml lists, and pip.

pip checks each against the hashes in safetensors.txt, openblas.txt and pip.txt; wheels that are here already are not
fetched again. pip is not unpacked by Blender: Riff runs it out of its wheel to install PyTorch
(`core/torch_install/pip_process.py`).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = (HERE / "safetensors.txt", HERE / "openblas.txt")
PIP = HERE / "pip.txt"

PLATFORMS = (
    "macosx_10_9_x86_64",
    "macosx_10_12_x86_64",
    "macosx_11_0_arm64",
    "manylinux2014_x86_64",
    "manylinux_2_28_x86_64",
    "win_amd64",
    "win_arm64",
)
"""pip's names of the platforms; the wheels' names end in them."""


def listed_wheels() -> list[str]:
    """File names of the wheels in the manifest."""
    manifest = tomllib.loads((HERE.parent / "blender_manifest.toml").read_text(encoding="utf-8"))
    return [Path(wheel).name for wheel in manifest["wheels"]]


def pip_wheel() -> str:
    """File name of pip's wheel, from the version in pip.txt."""
    pin = next(line for line in PIP.read_text(encoding="utf-8").splitlines() if line.startswith("pip=="))
    return f"pip-{pin.removeprefix('pip==').split()[0]}-py3-none-any.whl"


def fetch_pip() -> None:
    """Download pip; raises CalledProcessError where it cannot be had or its hash differs."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--require-hashes", f"--dest={HERE}", f"--requirement={PIP}"], check=True)


def fetch(wheel: str) -> None:
    """Download one wheel; raises CalledProcessError where pip cannot get it or its hash differs."""
    platform = next(name for name in PLATFORMS if wheel.endswith(f"{name}.whl"))
    with tempfile.TemporaryDirectory() as own:
        wish = Path(own) / "wish.txt"
        wish.write_text(pin_of(wheel), encoding="utf-8")
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--require-hashes",
                "--implementation=cp",
                "--abi=abi3",
                "--python-version=3.11",
                f"--platform={platform}",
                f"--dest={HERE}",
                f"--requirement={wish}",
            ],
            check=True,
        )


def pin_of(wheel: str) -> str:
    """Return the requirement, with its hashes, of a wheel's package and version. Raises LookupError without one."""
    name, version = wheel.split("-")[:2]
    pins = "\n".join(path.read_text(encoding="utf-8") for path in REQUIREMENTS)
    for pin in re.findall(r"(?m)^[\w.-]+==(?:.*\\\n)*.*$", pins):
        if pin.startswith(f"{name.replace('_', '-')}=={version} "):
            return str(pin)
    raise LookupError(f"{wheel} is not pinned in wheels/*.txt.")


def main() -> int:
    wanted = [*listed_wheels(), pip_wheel()]
    for stale in {path.name for path in HERE.glob("*.whl")} - set(wanted):
        (HERE / stale).unlink()
    for wheel in wanted:
        if not (HERE / wheel).exists():
            print(f"Fetching {wheel}", flush=True)
            fetch_pip() if wheel == pip_wheel() else fetch(wheel)
    missing = [wheel for wheel in wanted if not (HERE / wheel).exists()]
    if missing:
        print(f"Not what the manifest lists: {', '.join(missing)} did not come.", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
