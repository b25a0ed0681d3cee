"""Installation of PyTorch into Riff's private folder: download, unpack, test.

Each step can be cancelled; a later installation continues the downloads.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..torch_trial.trial import TrialError, try_python
from .folder import InstallError, TorchFolder, explained
from .pip_process import run_pip
from .plan import TorchRelease
from .unpack import unpack_wheels

ProgressCallback = Callable[[str, float], None]
"""Callback with the current step and the finished share (0 to 1) of the whole."""

FETCHED_SHARE, UNPACKED_SHARE = 0.7, 0.95
"""Shares of the whole after downloading and after unpacking."""

MEGABYTE = 1_000_000
"""Bytes of a megabyte."""


def install(
    plan: TorchRelease, folder: TorchFolder, tell: ProgressCallback, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Install a pinned release; return the results of the self-test. Raises InstallError, Cancelled."""
    if not all("--hash=sha256:" in group for group in plan.groups()):
        raise InstallError(without_hashes(plan))
    with folder.claimed():
        begin(folder, plan.download + plan.disk)
        fetch(plan, folder.downloads, lambda share: tell("Fetching", FETCHED_SHARE * share), should_stop)
        return finish(folder, {"fingerprint": plan.fingerprint}, tell, should_stop)


def without_hashes(plan: TorchRelease) -> str:
    """Return the message for a release without hashes of all files, which is not downloaded."""
    return (
        f"The hashes of PyTorch for {plan.title} are not known, and Riff fetches nothing that it cannot check; get its "
        "wheels yourself, then use From a Folder of Wheels, or choose the processor."
    )


def install_from_wheels(
    wheels: Path, folder: TorchFolder, tell: ProgressCallback, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Install PyTorch from a folder of wheels, without network. Raises InstallError, Cancelled."""
    check_wheels(wheels)
    with folder.claimed():
        size = sum(path.stat().st_size for path in wheels.glob("*.whl")) // MEGABYTE
        begin(folder, 5 * size)
        tell("Choosing wheels", 0.0)
        _copy_wheels(wheels, folder, should_stop)
        return finish(folder, {"fingerprint": ""}, tell, should_stop)


def _copy_wheels(wheels: Path, folder: TorchFolder, should_stop: Callable[[], bool]) -> None:
    """Let pip choose the wheels of PyTorch and of what it needs from a folder. Raises InstallError, Cancelled."""
    shutil.rmtree(folder.downloads, ignore_errors=True)
    try:
        run_pip(
            [
                "download",
                "--no-index",
                f"--find-links={wheels}",
                "--only-binary=:all:",
                f"--dest={folder.downloads}",
                "torch",
            ],
            folder.root / "scratch",
            lambda *_: None,
            should_stop,
            offline=True,
        )
        _check_origin(folder.downloads, wheels)
    except OSError as error:
        raise explained(error, folder.root) from error
    except InstallError as error:
        missing = re.search(r"no file of ([\w.-]+)", str(error))
        if missing:
            raise InstallError(
                f"The folder lacks {missing[1]}, which PyTorch needs, for Python {_version()}. {_how_to_fill()}"
            ) from error
        raise
    finally:
        shutil.rmtree(folder.root / "scratch", ignore_errors=True)


def _check_origin(downloads: Path, wheels: Path) -> None:
    """Raise InstallError unless every downloaded file is one of the folder's, byte for byte."""
    for path in downloads.glob("*"):
        original = wheels / path.name
        if not original.is_file() or _hash_of(original) != _hash_of(path):
            raise InstallError(
                f"A wheel in the folder asks for {path.name} from another place; Riff takes nothing from there. "
                f"{_how_to_fill()}"
            )


def begin(folder: TorchFolder, megabytes: int) -> None:
    """Check the free space and empty the folder. Raises InstallError for too little space or a disk error."""
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.root).free // MEGABYTE
    except OSError as error:
        raise explained(error, folder.root) from error
    if free < megabytes:
        raise InstallError(
            f"PyTorch needs {in_gigabytes(megabytes)} in “{folder.root}” while it is installed, and "
            f"{in_gigabytes(free)} are free; free some space, then install again."
        )
    folder.begin()


def finish(
    folder: TorchFolder, facts: dict[str, Any], tell: ProgressCallback, should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Unpack the downloaded wheels, run the self-test and record its results. Raises InstallError, Cancelled."""
    wheels = sorted(folder.downloads.glob("*.whl"))

    def unpacked(done: int, total: int) -> None:
        tell("Unpacking", FETCHED_SHARE + (UNPACKED_SHARE - FETCHED_SHARE) * done / max(total, 1))

    unpack_wheels(wheels, folder.packages, unpacked, should_stop)
    tell("Trying a convolution", UNPACKED_SHARE)
    facts = {**facts, **try_folder(folder, should_stop)}
    folder.finish(facts)
    return facts


def fetch(plan: TorchRelease, target: Path, on_share: Callable[[float], None], should_stop: Callable[[], bool]) -> None:
    """Download the wheels of a release, except those that are in `target` already with the right hash."""
    scratch = target / "scratch"
    whole = plan.download * MEGABYTE

    def tell(received: int, _: int) -> None:
        on_share(min(1.0, (_size_of(target) + received) / whole))

    try:
        for group in plan.groups():
            hashes = set(re.findall(r"--hash=sha256:(\w+)", group))
            if hashes and any(_hash_of(path) in hashes for path in _named(group, target)):
                continue
            scratch.mkdir(parents=True, exist_ok=True)
            requirements = scratch / "requirements.txt"
            requirements.write_text(group, encoding="utf-8")
            hash_options = ["--no-deps", "--require-hashes"] if hashes else []
            run_pip(
                ["download", *hash_options, "--only-binary=:all:", f"--dest={target}", f"--requirement={requirements}"],
                scratch,
                tell,
                should_stop,
            )
    except OSError as error:
        raise explained(error, target) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _named(group: str, target: Path) -> Iterator[Path]:
    """Yield the wheels in `target` of the package that a requirement names."""
    pin = re.search(r"(?m)^([\w.-]+)==([\w.+!]+)", group)
    if pin:
        stem = re.sub(r"[-_.]+", "_", pin[1]).lower()
        found = (path for path in target.glob("*.whl") if path.name.lower().startswith(f"{stem}-{pin[2]}"))
        yield from (path for path in found if path.is_file())


def _hash_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.whl"))


def try_folder(folder: TorchFolder, should_stop: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Run the self-test with a folder's packages in a separate process. Raises InstallError, Cancelled."""
    try:
        return try_python(Path(sys.executable), should_stop, torch=folder.packages)
    except TrialError as error:
        raise InstallError(folder.what_is_gone() or str(error)) from error


def check_wheels(wheels: Path) -> None:
    """Raise InstallError unless a folder holds a wheel of PyTorch for this Python."""
    if not wheels.is_dir():
        raise InstallError(f"“{wheels}” is no folder.")
    names = [path.name for path in wheels.glob("torch-*.whl")]
    if not names:
        raise InstallError(f"“{wheels}” holds no wheel of PyTorch (torch-….whl). {_how_to_fill()}")
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if not any(f"-{tag}-" in name for name in names):
        version = re.search(r"-cp(\d)(\d+)-", names[0])
        other = f"Python {version[1]}.{version[2]}" if version else "another Python"
        raise InstallError(f"The wheels are for {other}; this Blender has Python {_version()}. {_how_to_fill()}")


def _version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _how_to_fill() -> str:
    return f"Fill it by “python{_version()} -m pip download torch” on a machine like this one."


def in_gigabytes(megabytes: float) -> str:
    """Format a size, such as 202 MB or 2.7 GB."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
