"""Run every check of Riff and say at the end how each went: `python tests/suite.py --zip dist/riff.zip`.

Parts: build, ruff, blender-4.5, blender-5.2, core, mypy (once against each Blender's interface), and numpy-1.26 and
numpy-2 with the tests of numbers on a numpy without BLAS. Ends with 0 only where all passed. Without Python 3.13 the
part for Blender 5.2 is left out, loudly; with CI=true that is a failure. Where a numpy cannot be built the part says so
with the reason.

Parts that need nothing from one another run side by side, one for each core; each one's output comes in one piece.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON_311 = ROOT / ".venv311/bin/python"
PYTHON_313 = ROOT / ".venv313/bin/python"
PACKAGE_PARTS = ("__init__.py", "api.py", "core", "rig", "sample", "state", "operators", "panels", "shell")
SLOWEST = "--durations=20"
"""Option of pytest that lists the slowest tests at the end."""

WITHOUT_BLAS_CORE = (
    "tests/core/numeric/test_blending.py",
    "tests/core/numeric/test_matrix_product.py",
    "tests/core/matching",
    "tests/core/generation",
)
WITHOUT_BLAS_BLENDER = ("tests/blender/generating/test_instant.py", "tests/blender/extension/test_openblas.py")
"""Tests that run on a numpy without BLAS, too: those whose numbers come out of matrix products, and one of Blender."""

HAS_BLAS = """
import sys, numpy
found = numpy.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
print("numpy", numpy.__version__, "at", numpy.__file__, "with BLAS" if found.get("found") else "without BLAS")
sys.exit(bool(found.get("found")))
"""
"""Program that fails where numpy has a BLAS."""

NOT_RUN = "NOT RUN"
"""First words of the closing line of a part that was left out."""

PARTS = ("build", "ruff", "blender-4.5", "blender-5.2", "core", "mypy", "numpy-1.26", "numpy-2")


@dataclass
class Outcome:
    part: str
    passed: bool
    seconds: float
    closing: str


class Screen:
    """Output of the parts: at once where one is alone, else in one piece when it ends."""

    def __init__(self) -> None:
        self.shared = False
        self._mine = threading.local()
        self._printing = threading.Lock()

    def say(self, text: str) -> None:
        if self.shared:
            self._mine.lines = [*getattr(self._mine, "lines", []), text]
        else:
            print(text, end="", flush=True)

    def end_part(self) -> None:
        with self._printing:
            print("".join(getattr(self._mine, "lines", [])), end="", flush=True)
        self._mine.lines = []


SCREEN = Screen()


def run(command: list[str], **environment: str) -> tuple[bool, str]:
    """Run a command in the root of the repository, its output shown and its last line kept."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    closing = ""
    for line in process.stdout:
        SCREEN.say(line)
        closing = line.strip() or closing
    return process.wait() == 0, closing.strip("= ")


def check_ruff(zip_path: Path) -> tuple[bool, str]:
    """Lint and formatting by ruff, and the rule of docstrings, which ruff does not know."""
    outcomes = [run([str(PYTHON_311), "-m", "ruff", *check, "."]) for check in (["check"], ["format", "--check"])]
    outcomes.append(run([str(PYTHON_311), "tests/docstrings.py"]))
    failed = [closing for passed, closing in outcomes if not passed]
    return not failed, failed[0] if failed else outcomes[0][1]


def check_types(zip_path: Path) -> tuple[bool, str]:
    """Check the extension as the package `riff`, whatever the checkout is called, then what stands beside it."""
    package = ROOT / "build/types/riff"
    package.mkdir(parents=True, exist_ok=True)
    for name in PACKAGE_PARTS:
        link = package / name
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / name)
    beside = [name for name in ("bench", "tests", "wheels") if any((ROOT / name).rglob("*.py"))]
    outcomes = []
    for version in ("4.5", "5.2"):
        stubs = ROOT / ".venv311/stubs" / version / "bin/python"
        mypy = [str(PYTHON_311), "-m", "mypy", f"--python-executable={stubs}", f"--cache-dir=.mypy_cache/{version}"]
        SCREEN.say(f"mypy with the interface of Blender {version}\n")
        outcomes.append(run([*mypy, "-p", "riff"], MYPYPATH=str(package.parent)))
        outcomes.append(run([*mypy, *beside], MYPYPATH=str(ROOT)))
    failed = [closing for passed, closing in outcomes if not passed]
    return not failed, failed[0] if failed else "no issues with either interface"


def build_zip(zip_path: Path) -> tuple[bool, str]:
    return run(["make", "--no-print-directory", "build"])


def check_core(zip_path: Path) -> tuple[bool, str]:
    return run([str(PYTHON_311), "-m", "pytest", SLOWEST, "tests/core"])


def check_blender(python: Path, zip_path: Path) -> tuple[bool, str]:
    if not python.exists():
        SCREEN.say("*** Python 3.13 was not found: nothing is tested with Blender 5.2. ***\n")
        return os.environ.get("CI") != "true", f"{NOT_RUN}: Python 3.13 was not found"
    return run([str(python), "-m", "pytest", SLOWEST, "tests/blender"], RIFF_ZIP=str(zip_path))


def check_without_blas(python: Path, zip_path: Path) -> tuple[bool, str]:
    """Run the tests of numbers and one of Blender with a numpy that has no BLAS, which is built where it is missing."""
    number = python.parts[-3].removeprefix(".venv")
    place = ROOT / "build/without-blas" / number
    said = ""
    if python.exists() and not (place / "ready").exists():
        _, said = run(["make", "--no-print-directory", f"{place.relative_to(ROOT)}/ready"])
    packages = next(place.glob("lib/python*/site-packages"), place)
    if not (place / "ready").exists():
        reason = "Python 3.13 was not found" if not python.exists() else f"numpy could not be built ({said[:100]})"
        SCREEN.say(f"*** {reason}: nothing is tested with a numpy without BLAS on Python {number}. ***\n")
        return True, f"{NOT_RUN}: {reason}"
    passed, closing = run([str(python), "-c", HAS_BLAS], PYTHONPATH=str(packages))
    outcomes = [
        run([str(python), "-m", "pytest", *paths], PYTHONPATH=str(packages), RIFF_ZIP=str(zip_path))
        for paths in (WITHOUT_BLAS_CORE, WITHOUT_BLAS_BLENDER)
        if passed
    ]
    failed = [words for right, words in outcomes if not right]
    return passed and not failed, failed[0] if failed else ", ".join(words for _, words in outcomes) or closing


CHECKS: dict[str, Callable[[Path], tuple[bool, str]]] = {
    "ruff": check_ruff,
    "mypy": check_types,
    "build": build_zip,
    "core": check_core,
    "blender-4.5": lambda zip_path: check_blender(PYTHON_311, zip_path),
    "blender-5.2": lambda zip_path: check_blender(PYTHON_313, zip_path),
    "numpy-1.26": lambda zip_path: check_without_blas(PYTHON_311, zip_path),
    "numpy-2": lambda zip_path: check_without_blas(PYTHON_313, zip_path),
}


def perform(part: str, zip_path: Path) -> Outcome:
    SCREEN.say(f"\n──── {part} ────\n")
    start = time.monotonic()
    passed, closing = CHECKS[part](zip_path)
    SCREEN.end_part()
    return Outcome(part, passed, time.monotonic() - start, closing)


def perform_all(parts: list[str], zip_path: Path) -> list[Outcome]:
    """The zip first, since Blender's parts install it; the rest side by side, in the order of PARTS."""
    outcomes = {part: perform(part, zip_path) for part in parts if part == "build"}
    rest = [part for part in parts if part not in outcomes]
    lanes = max(1, min(len(rest), len(os.sched_getaffinity(0))))
    SCREEN.shared = lanes > 1
    if SCREEN.shared:
        print(f"\n{', '.join(rest)}: {lanes} at a time, each shown when it has ended", flush=True)
    with ThreadPoolExecutor(lanes) as pool:
        outcomes |= zip(rest, pool.map(lambda part: perform(part, zip_path), rest), strict=True)
    return [outcomes[part] for part in parts]


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the checks of Riff.")
    parser.add_argument("--zip", type=Path, default=ROOT / "dist/riff.zip", help="the built extension")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run (all)")
    options = parser.parse_args()
    outcomes = perform_all([part for part in PARTS if part in options.only], options.zip.resolve())
    print("\n──── all parts ────")
    for outcome in outcomes:
        left_out = outcome.passed and outcome.closing.startswith(NOT_RUN)
        word = "******" if left_out else "passed" if outcome.passed else "FAILED"
        closing = re.sub(r" in [\d.]+s.*", "", outcome.closing)
        print(f"{word}  {outcome.part:12} {outcome.seconds:5.0f} s  {closing}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
