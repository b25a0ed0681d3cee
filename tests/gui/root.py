"""A Debian with Blender, a virtual screen and an X pointer in a folder of its own, built or reused.

RIFF_GUI_ROOT names a root that was built before (or where to build one). Needs root's rights and debootstrap.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = (
    "blender",
    "python3-cattr",
    "xvfb",
    "xauth",
    "xdotool",
    "imagemagick",
    "procps",
    "libgl1",
    "libegl1",
    "libglx-mesa0",
    "libgl1-mesa-dri",
    "python3-numpy",
    "python3-torch",
    "libopenblas0-pthread",
)
"""python3-cattr: without it the extension system of Debian's Blender fails at start-up. libopenblas0: PyTorch
multiplies ten times faster with it."""

PATIENCE = 1200.0
"""Seconds that each of the two downloads may take."""

BOUND = ("dev", "dev/pts", "dev/shm")


class Unavailable(Exception):
    """No root can be had here; says why."""


def find_root() -> Path:
    """The root, built where it is missing. Raises Unavailable with the reason where that cannot be done."""
    wanted = Path(os.environ.get("RIFF_GUI_ROOT") or "/var/tmp/riff-gui-root")
    if os.geteuid() != 0:
        raise Unavailable("a Debian root needs root's rights")
    if (wanted / "usr/bin/blender").exists():
        return wanted
    if shutil.which("debootstrap") is None:
        raise Unavailable("debootstrap is not installed")
    part = wanted.with_name(f"{wanted.name}.part")
    if _is_in_use(part):
        raise Unavailable(f"“{part}” is still in use by another run")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _build(part)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"the root could not be built: {' '.join(map(str, error.cmd))} failed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the root was not built within {error.timeout:.0f} s") from error
    shutil.rmtree(wanted, ignore_errors=True)
    part.rename(wanted)
    return wanted


def _is_in_use(root: Path) -> bool:
    """Tell if anything is mounted in the folder, the machine's own devices perhaps: it must not be deleted then."""
    return any(line.split()[1].startswith(f"{root}/") for line in Path("/proc/self/mounts").read_text().splitlines())


def _build(root: Path) -> None:
    """About 90 s and 2.2 GB. sid, since Blender in Debian's stable is older than 4.5."""
    root.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", "sid", str(root)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    # A mirror's index of sid may be older than its own expiry date; signatures are still checked.
    (root / "etc/apt/apt.conf.d/91stale").write_text('Acquire::Check-Valid-Until "false";\n')
    with mounted(root):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
        ):
            chrooted = ["chroot", str(root), *command]
            subprocess.run(chrooted, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=PATIENCE)


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """Mount the parts of a running system that programs in the root expect; only missing ones are taken away again."""
    added: list[Path] = []
    try:
        for kind in ("proc", "sys"):
            if not os.path.ismount(root / kind):
                made = (
                    subprocess.run(
                        ["mount", "-t", f"{kind}fs" if kind == "sys" else kind, kind, str(root / kind)],
                        capture_output=True,
                    ).returncode
                    == 0
                )
                if not made:
                    subprocess.run(["mount", "--rbind", f"/{kind}", str(root / kind)], check=True)
                added.append(root / kind)
        for name in BOUND:
            (root / name).mkdir(exist_ok=True)
            if not os.path.ismount(root / name):
                subprocess.run(["mount", "--bind", f"/{name}", str(root / name)], check=True)
                added.append(root / name)
        mtab = root / "etc/mtab"
        mtab.unlink(missing_ok=True)
        mtab.symlink_to("/proc/self/mounts")
        yield
    finally:
        for path in reversed(added):
            subprocess.run(["umount", "--lazy", str(path)], check=False)
