"""One table of a library of models as CSV, and static pages of contact sheets that a browser opens without a server."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import JobError, ModelError, RiffError
from ..evaluation.grade import LIMITS, grade
from ..model.model_file import read_info
from ..model.recipe import RECIPES
from .job import MANIFEST, FarmJob, write_text
from .manifest import prepare_outputs, read_job
from .pose_sheet import write_sheet

CLIPS_PER_PAGE = 200
"""Clips on one page: a browser shows them at once."""

COLUMNS = (
    "clip",
    "state",
    "minutes",
    "verdict",
    *(limit.figure for limit in LIMITS),
    "warnings",
    "error",
    "seconds",
    "joints",
    "recipe",
    "seed",
    "device",
    "rig",
    "source",
    "model",
    "bytes",
)

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1160px;padding:0 1rem;color:#222;
background:#fff}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;
padding:.25rem .6rem;border-bottom:1px solid #ddd}td.n,th.n{text-align:right}
td:first-child{min-width:8rem;overflow-wrap:anywhere}.Good{color:#1c7a3c}.Fair{color:#8a6100}
.Poor,.failed{color:#b3261e}figure{margin:1.5rem 0}figcaption{font-weight:600}img{max-width:100%;height:auto}
nav a{margin-right:.6rem}"""


@dataclass
class Row:
    """Cells of one clip in the table; `sheet` is the path of its picture, empty for none."""

    clip: str
    state: str
    values: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    sheet: Path | None = None


def write_report(folder: Path, sheets: bool = True) -> dict[str, Any]:
    """Write `report/library.csv` and `report/index.html` of a job folder, or of any folder of models.

    With `sheets`, pictures of models that have none yet are drawn. Returns the paths and how many
    clips are done, failed, missing and warned of. Raises JobError, ModelError for a folder with nothing to report.
    """
    rows = _job_rows(read_job(folder)) if (folder / MANIFEST).exists() else _model_rows(folder)
    prepare_outputs(folder, ["report", "sheets"])
    if sheets:
        _draw_missing(folder, rows)
    report = folder / "report"
    write_text(report / "library.csv", _table(rows))
    pages = [rows[start : start + CLIPS_PER_PAGE] for start in range(0, len(rows), CLIPS_PER_PAGE)]
    for number, page in enumerate(pages):
        write_text(report / _page_name(number), _html(folder.resolve().name, rows, page, number, len(pages)))
    counts = {state: sum(row.state == state for row in rows) for state in ("done", "failed", "missing")}
    return {
        "table": str(report / "library.csv"),
        "page": str(report / "index.html"),
        "clips": len(rows),
        **counts,
        "warned": sum(bool(row.warnings) for row in rows),
        "failures": {row.clip: row.error for row in rows if row.state == "failed"},
    }


def _job_rows(job: FarmJob) -> list[Row]:
    rows = []
    for entry in job.entries:
        record = job.record(entry)
        base = {"seconds": entry.seconds, "rig": entry.rig, "source": entry.source}
        if record.get("state") == "failed":
            rows.append(Row(entry.name, "failed", base, error=str(record.get("error", ""))))
        elif job.is_done(entry):
            rows.append(_model_row(entry.name, job.model_path(entry), job.sheet_path(entry), base))
        else:
            rows.append(Row(entry.name, "missing", base))
    return rows


def _model_rows(folder: Path) -> list[Row]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise JobError(f"“{folder}” holds no manifest.json and no models; there is nothing to report.")
    return [_model_row(file.stem, file, folder / "sheets" / f"{file.stem}.svg", {}) for file in files]


def _model_row(name: str, path: Path, sheet: Path, base: dict[str, Any]) -> Row:
    try:
        info = read_info(path)
        quality = {str(key): float(value) for key, value in dict(info.get("quality", {})).items()}
        values = {
            **base,
            **{limit.figure: quality.get(limit.figure) for limit in LIMITS},
            "minutes": float(info["training_seconds"]) / 60.0,
            "verdict": grade(quality),
            "seconds": float(info["duration"]),
            "joints": int(info["joints"]),
            "recipe": str(info["recipe"]),
            "seed": int(info["seed"]),
            "device": str(info["device"]),
            "rig": str(info.get("rig", "")),
            "model": path.name,
            "bytes": path.stat().st_size,
        }
        return Row(name, "done", values, _warnings(info, quality), sheet=sheet)
    except (ModelError, OSError, KeyError, TypeError, ValueError) as error:
        return Row(name, "failed", base, error=str(error))


def _warnings(info: dict[str, Any], quality: dict[str, float]) -> list[str]:
    """Return sentences about a model that a person should check before using it."""
    found = []
    recipe = RECIPES.get(str(info["recipe"]))
    done = sum(info["iterations"]) / sum(recipe.iterations) if recipe else 1.0
    if done < 0.3:  # a training that starts from a model does 0.4 of them
        found.append(f"under-trained: {done:.1%} of the recipe's iterations")
    if not quality:
        found.append("not measured")
    if quality.get("foot_skating_ratio", 0.0) > _limit("foot_skating_ratio")[1]:
        found.append(f"bad feet: they slide {quality['foot_skating_ratio']:.1f} times as fast as the source's")
    if quality.get("roughness", 0.0) > _limit("roughness")[1]:
        found.append(f"rough: {quality['roughness']:.1f} times the source's accelerations")
    if quality.get("coverage", 1.0) < _limit("coverage")[0]:
        found.append(f"moves are lost: {quality['coverage']:.0%} of the source's appear")
    if quality.get("global_diversity", 1.0) < _limit("global_diversity")[0]:
        found.append("hardly differs from the source")
    return found


def _limit(figure: str) -> tuple[float, float]:
    return next(limit.good for limit in LIMITS if limit.figure == figure)


def _draw_missing(folder: Path, rows: Sequence[Row]) -> None:
    job = read_job(folder) if (folder / MANIFEST).exists() else None
    models = {entry.name: job.model_path(entry) for entry in job.entries} if job else {}
    for row in rows:
        if row.state == "done" and row.sheet and not row.sheet.exists():
            try:
                write_sheet(models.get(row.clip, folder / f"{row.clip}.safetensors"), row.sheet)
            except RiffError as error:  # one model that cannot be read whole must not cost the table of all
                row.warnings.append(f"no picture: {str(error).rstrip('.')}")


def _table(rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        told = {"clip": row.clip, "state": row.state, "warnings": "; ".join(row.warnings), "error": row.error}
        table.writerow([_cell({**row.values, **told}.get(column)) for column in COLUMNS])
    return stream.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = " ".join(("" if value is None else str(value)).splitlines()).replace("\t", " ")
    # A name such as “=1+1” must stay a name when a spreadsheet opens the table, which passes over spaces before it.
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") else text


def _page_name(number: int) -> str:
    return f"page-{number + 1}.html" if number else "index.html"


def _html(title: str, rows: Sequence[Row], page: Sequence[Row], number: int, pages: int) -> str:
    done = sum(row.state == "done" for row in rows)
    failed = sum(row.state == "failed" for row in rows)
    links = "".join(f'<a href="{_page_name(k)}">{k + 1}</a>' for k in range(pages)) if pages > 1 else ""
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}: models</title>',
            f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
            f"<p>{len(rows)} clips: {done} trained, {failed} failed, {len(rows) - done - failed} still to come. "
            f'All figures are in <a href="library.csv">library.csv</a>.</p><nav>{links}</nav>',
            "<table><thead><tr><th>Clip<th>Result<th class=n>Minutes<th class=n>Coverage<th class=n>Diversity"
            "<th class=n>Roughness<th class=n>Foot sliding<th>To look at</thead><tbody>",
            *(_html_row(row) for row in page),
            "</tbody></table>",
            *_figures(page),
            "</html>\n",
        ]
    )


def _html_row(row: Row) -> str:
    word = str(row.values.get("verdict") or row.state)
    numbers = "".join(
        f"<td class=n>{_cell(row.values.get(name))}" for name in ("minutes", *(limit.figure for limit in LIMITS))
    )
    notes = escape(row.error or "; ".join(row.warnings))
    return f'<tr><td>{escape(row.clip)}<td class="{escape(word)}">{escape(word)}{numbers}<td>{notes}</tr>'


def _figures(page: Sequence[Row]) -> Iterator[str]:
    for row in page:
        if row.state == "done" and row.sheet and row.sheet.exists():
            source = escape(f"../sheets/{quote(os.fsencode(row.sheet.name))}")
            name = escape(row.clip)
            yield f'<figure><figcaption>{name}</figcaption><img loading="lazy" src="{source}" alt="{name}"></figure>'
