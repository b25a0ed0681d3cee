"""Tables of figures, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.files.paths import write_bytes


@dataclass(frozen=True)
class Row:
    """Figures of one way of making motions; `kind` is the kind of measurement, `origin` its source."""

    name: str
    kind: str
    origin: str
    figures: dict[str, float]


@dataclass(frozen=True)
class Column:
    """Figure with its format in the table."""

    key: str
    heading: str
    digits: int = 2


COLUMNS = (
    Column("coverage", "coverage"),
    Column("global_diversity", "global div."),
    Column("local_diversity", "local div."),
    Column("inter_diversity", "inter div."),
    Column("intra_diversity_difference", "intra div. diff."),
    Column("sifid", "SiFID"),
    Column("window_frechet", "window Fréchet"),
    Column("harmonic_mean", "harm. mean"),
    Column("rotation_global_diversity", "global div., rotations only"),
    Column("novelty", "novelty"),
    Column("jitter_share", "jitter share"),
    Column("copied_share", "copied"),
    Column("same_time", "same time"),
    Column("between", "between"),
    Column("seams_per_second", "seams/s"),
    Column("roughness", "roughness"),
    Column("jerk_95_ratio", "jerk, 95 %"),
    Column("foot_skating_ratio", "skating ÷ source's"),
    Column("contact_agreement", "labels true"),
    Column("penetration", "penetration, %", 1),
    Column("floating", "floating, %", 1),
)
"""Columns of the table; penetration and floating are in hundredths of the body height."""

LEGEND = """\
Coverage, global and local diversity are GANimator's figures. “Window Fréchet” is Riff's stand-in for SiFID, whose
trained encoder is not to be had; the two columns cannot be compared, and the harmonic means of published rows hold
SiFID, the others window Fréchet. “Same time” is the share of frames whose nearest source frame lies at the same
time, to a quarter of a second: 1 for a copy. “Between” is how far variations are from each other at the same time,
beside two frames of the source: 0 where all are one. Skating, roughness and jerk are 1 for the source itself;
penetration and floating are hundredths of the body height."""


def markdown(rows: Sequence[Row], columns: Sequence[Column] = COLUMNS) -> str:
    """Format one line for each row; missing figures are empty, columns without any figure are left out."""
    shown = [column for column in columns if any(column.key in row.figures for row in rows)]
    lines = [
        "| " + " | ".join(["", "measured", *(column.heading for column in shown)]) + " |",
        "|" + "---|" * 2 + "---:|" * len(shown),
    ]
    for row in rows:
        cells = [_cell(row.figures, column) for column in shown]
        lines.append("| " + " | ".join([row.name, f"{row.kind}: {row.origin}", *cells]) + " |")
    return "\n".join(lines)


def _cell(figures: dict[str, float], column: Column) -> str:
    if column.key not in figures:
        return ""
    value = figures[column.key] * (100.0 if column.key in ("penetration", "floating") else 1.0)
    return f"{value:.{column.digits}f}"


def rows_to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def write_whole(path: Path, text: str) -> Path:
    """Write a text file atomically, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, text.encode())
    return path


def write_json(path: Path, value: Any) -> Path:
    return write_whole(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def publish(stem: Path, report: Any, text: str) -> None:
    """Write a report as `stem`.json and its page as `stem`.md; print the page and its path."""
    write_json(stem.with_suffix(".json"), report)
    print(text)
    print(f"Written: {write_whole(stem.with_suffix('.md'), text)} and .json beside it")
