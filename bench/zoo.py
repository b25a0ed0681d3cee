"""Every armature and action in a folder of animation files, read and written again: `make bench-zoo DIR=folder`.

Needs no training. With the tests' own rigs instead of a folder it fills the table in bench/results/zoo.md; of other
people's files only counts are kept.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import bpy

from .measuring.machine import ROOT
from .rig_checks.cases import cases
from .rig_checks.files import SUFFIXES, UNKNOWN, Row, measured, rows_of_file

RESULTS = ROOT / "bench" / "results" / "zoo.md"

MAX_ROTATION, MAX_PLACE = 1e-4, 1e-4
"""Bars of the round trip: radians and body heights."""

COUNTS_MARK = "## Counts of a folder of files\n"
"""Heading in the results below which the counts are kept."""


def table(rows: Sequence[Row]) -> str:
    lines = [
        "| file | action | read | kind | joints | root | feet | parts | cycle | rotation, rad | last bit, rad | "
        "place ÷ height | s | hints |",
        "|---|---|---|---|---:|---|---|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [line(row) for row in rows]
    return "\n".join(lines)


def line(row: Row) -> str:
    action = row.action.replace("|", "\\|")  # Blender's importer of FBX names actions so
    if row.problem:
        return f"| {row.file} | {action} | {row.problem} |" + " |" * 10 + f" {row.hints} |"
    feet, parts = ", ".join(row.feet) or "none", ", ".join(row.parts)
    return (
        f"| {row.file} | {action} | yes | {row.kind} | {row.joints} | {row.root} | {feet} | {parts} | "
        f"{row.cycle} | {row.rotation:.0e} | {row.floor:.0e} | {row.place:.0e} | {row.seconds:.2f} | {row.hints} |"
    )


def counts(rows: Sequence[Row]) -> list[str]:
    """Return sentences with the counts, which hold nothing of the files themselves."""
    read = [row for row in rows if not row.problem]
    legged = [row for row in read if row.legs]
    feet = Counter(len(row.feet) for row in read)
    hints = Counter(kind for row in rows for kind in row.hints.split(", ") if kind not in ("none", UNKNOWN))
    exact = [row for row in read if row.rotation <= MAX_ROTATION and row.place <= MAX_PLACE]
    return [
        f"{len({row.file for row in rows})} files, {len(rows)} armatures with an action: {len(read)} read, "
        f"{len(rows) - len(read)} refused in a sentence.",
        f"{sum(row.learned for row in read)} can be learned by themselves; "
        f"{sum(row.cycle not in (UNKNOWN, 'none') for row in read)} are cycles.",
        f"{len(legged)} have legs, {sum(bool(row.feet) for row in legged)} of these feet; "
        f"{sum(bool(row.feet) for row in read if not row.legs)} have feet without legs.",
        "Feet: " + ", ".join(f"{number} on {count}" for number, count in sorted(feet.items())) + ".",
        f"Round trip within {MAX_ROTATION:.0e} rad and {MAX_PLACE:.0e} of the height: {len(exact)} of {len(read)}; "
        f"largest {max((row.rotation for row in read), default=0.0):.0e} rad and "
        f"{max((row.place for row in read), default=0.0):.0e}; the last bit of each key makes "
        f"{max((row.floor for row in read), default=0.0):.0e} rad.",
        "Hints: " + (", ".join(f"{kind} on {count}" for kind, count in sorted(hints.items())) or "none") + ".",
        f"Read in {sum(row.seconds for row in read):.1f} s, the longest in "
        f"{max((row.seconds for row in read), default=0.0):.2f} s.",
    ]


def rows_of_tests() -> list[Row]:
    """Read the rigs that the tests make; real clips are left to `make bench-rigs`."""
    rows = []
    for case in cases():
        if "(BVH)" not in case.name:
            bpy.ops.wm.read_homefile(use_empty=True)
            rig = case.make()
            rows.append(measured(case.name, rig, rig.animation_data.action))
    return rows


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.casefold() in SUFFIXES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of .bvh .fbx .glb .gltf .blend; none: tests' rigs")
    parser.add_argument("--out", type=Path, help="file to add the counts to (folder), or to write the table to")
    options = parser.parse_args()
    if options.folder is None:
        rows = rows_of_tests()
    else:
        rows = [row for path in files_in(options.folder) for row in rows_of_file(path)]
    print(table(rows), "", *counts(rows), sep="\n", flush=True)
    if options.out:
        write(options.out, rows, of_files=options.folder is not None)


def write(path: Path, rows: Sequence[Row], of_files: bool) -> None:
    """Write the tests' table or the counts of files, and keep the other part as it is."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, _, after = text.partition(COUNTS_MARK)
    stamp = f"Blender {bpy.app.version_string}, {date.today().isoformat()}: "
    if of_files:
        kept = [one for one in after.splitlines() if one and f"Blender {bpy.app.version_string[:3]}" not in one]
        after = "\n" + "\n".join([*kept, "- " + stamp + " ".join(counts(rows))]) + "\n"
    else:
        before = f"# Rigs and files\n\n{HEAD}\n\n{table(rows)}\n\n{stamp}" + " ".join(counts(rows)) + "\n\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + COUNTS_MARK + after, encoding="utf-8")


HEAD = (
    "The tests' own rigs, each read and written again, and compared as Blender plays both: largest difference of any "
    "bone in any frame. “Last bit” is the same where each of the source's keys is changed by the last bit of its "
    "value: the floor of single precision, in which Blender and these formats keep keys. `make bench-zoo` measures "
    "this again; `make bench-zoo DIR=folder` prints the same table for any folder of `.bvh .fbx .glb .gltf .blend`, of "
    "which only counts are kept below."
)
"""Text above the table."""


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # bpy waits for ever at Python's end where something still refers to its data
