"""The page of contact sheets as a person sees it, in a real browser without a window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.farm.export import export_job
from core.farm.job import FarmJob
from core.farm.manifest import prepare_outputs
from core.farm.pose_sheet import pose_sheet
from core.farm.report import write_report
from core.model.model_file import load_model, save_model
from core.model.recipe import FAST
from core.motion.clip_file import Clip
from core.motion.motion import Motion
from core.training.train import train

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VARIATION, FAILED = (0x1D, 0x6F, 0xB8), (0xB3, 0x26, 0x1E)
"""Colours of a variation's lines and of a failed clip's row."""


@pytest.fixture(scope="module")
def job(walker: Motion, tmp_path_factory: pytest.TempPathFactory) -> FarmJob:
    """A job of two clips: one trained for a moment, one that failed."""
    tiny = FAST.scaled(0.0001)
    folder = tmp_path_factory.mktemp("page") / "Tänze & more"
    job = export_job(folder, "page", [Clip("Walk", walker), Clip("<script>", walker)], tiny)
    prepare_outputs(folder)
    save_model(train(walker, tiny, device="cpu"), job.model_path(job.entries[0]))
    job.write_record(job.entries[0], state="done")
    job.write_record(job.entries[1], state="failed", error="Nothing moves.")
    sheet = pose_sheet("Walk", [walker, load_model(job.model_path(job.entries[0])).source], ["source", "variation 1"])
    job.sheet_path(job.entries[0]).write_text(sheet, encoding="utf-8")
    write_report(folder)
    return job


def browse(job: FarmJob, *arguments: str) -> str:
    if BROWSER is None:
        pytest.skip("NO BROWSER: the page was not opened; install chromium to have it looked at")
    page = (job.folder / "report/index.html").resolve().as_uri()
    profile = job.folder.parent / "profile"
    run = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", *arguments, page],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_browser_shows_the_table_and_the_figures(job: FarmJob, tmp_path: Path) -> None:
    from PIL import Image

    browse(job, "--hide-scrollbars", "--window-size=1200,1400", f"--screenshot={tmp_path / 'page.png'}")
    picture = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
    for colour in (VARIATION, FAILED):
        assert (np.abs(picture - colour).max(axis=-1) < 24).sum() > 20, "it is not seen on the page"


def test_a_browser_reads_the_page_as_it_was_meant(job: FarmJob) -> None:
    document = browse(job, "--dump-dom")
    assert document.count("<tr>") == 3
    assert "<td>&lt;script&gt;" in document
    assert "<script" not in document
    assert "2 clips: 1 trained, 1 failed, 0 still to come" in document
    assert document.count("<figure>") == 1
