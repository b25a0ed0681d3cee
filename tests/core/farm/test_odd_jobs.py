"""Jobs and reports with names that are no UTF-8 or far too long, and with models that cannot be read whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from core.cli.main import main
from core.errors import JobError
from core.farm.export import export_job
from core.farm.job import FarmJob
from core.farm.manifest import MAX_STEM_BYTES, prepare_outputs, read_job
from core.farm.pose_sheet import pose_sheet, write_sheet
from core.farm.report import write_report
from core.model.model_file import save_model
from core.motion.clip_file import Clip
from tests.support.faults.sound_files import RECIPE, small_model, small_motion

ODD = "n\udcff \x08 x"
"""Name as Blender gives one that is no UTF-8, with a character that XML refuses."""


def done(job: FarmJob, number: int) -> Path:
    """Put a model into a job's folder as if it had been trained; return its path."""
    entry = job.entries[number]
    save_model(replace(small_model(), name=entry.name), job.model_path(entry))
    job.write_record(entry, state="done", seconds=1.0)
    return job.model_path(entry)


@pytest.fixture
def job(tmp_path: Path) -> FarmJob:
    clips = [Clip(name, small_motion(), ODD, ODD) for name in (ODD, "Walk")]
    job = export_job(tmp_path / "job", ODD, clips, RECIPE)
    prepare_outputs(job.folder)
    return job


def test_names_that_are_no_utf8_go_all_the_way(job: FarmJob) -> None:
    assert read_job(job.folder) == job
    model = done(job, 0)
    write_sheet(model, job.sheet_path(job.entries[0]))
    told = write_report(job.folder)
    assert (told["done"], told["missing"]) == (1, 1)
    with (job.folder / "report/library.csv").open(encoding="utf-8", newline="") as table:
        assert next(csv.DictReader(table))["clip"].startswith("n\\udcff")
    (job.folder / "report/index.html").read_text(encoding="utf-8")


def test_a_picture_with_such_a_name_is_one() -> None:
    motion = small_motion()
    title = ElementTree.fromstring(pose_sheet(ODD, [motion], ["source"])).find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "n    x"


def test_a_folder_of_models_with_odd_file_names_has_a_report(tmp_path: Path) -> None:
    save_model(small_model(), tmp_path / "n\udcff.safetensors")
    told = write_report(tmp_path)
    assert told["done"] == 1
    assert "../sheets/n%FF.svg" in (tmp_path / "report/index.html").read_text(encoding="utf-8")


def test_a_model_that_cannot_be_drawn_costs_the_report_nothing(job: FarmJob) -> None:
    whole, cut = done(job, 1), done(job, 0)
    tensors = bytearray(cut.read_bytes())
    tensors[-4000:] = b"\xff" * 4000  # NaN: its description can be read, its weights cannot be used
    cut.write_bytes(tensors)
    told = write_report(job.folder)
    assert (told["done"], told["warned"]) == (2, 2), "both have hardly been trained"
    with (job.folder / "report/library.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert "no picture: " in rows[0]["warnings"]
    assert "no picture: " not in rows[1]["warnings"]
    assert [path.stem for path in (job.folder / "sheets").iterdir()] == [whole.stem]


def renamed(job: FarmJob, stem: str) -> None:
    """Rename the file of a job's second clip, in the folder and in the manifest."""
    entry = job.entries[1]
    job.clip_path(entry).rename(job.folder / "clips" / f"{stem}.clip")
    data: dict[str, Any] = json.loads((job.folder / "manifest.json").read_text(encoding="utf-8"))
    data["clips"][1]["file"] = f"{stem}.clip"
    (job.folder / "manifest.json").write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("verb", ["list", "job", "report"])
def test_a_file_name_that_leaves_no_room_for_the_models_is_refused(
    job: FarmJob, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    renamed(job, "n" * 245)
    with pytest.raises(JobError, match="Clip 1 of the manifest, “Walk”, has a file name that is too long"):
        read_job(job.folder)
    assert main([verb, str(job.folder)]) == (0 if verb == "list" else 1)
    said = capsys.readouterr()
    assert "has a file name that is too long" in said.out + said.err


def test_the_longest_file_name_leaves_room(job: FarmJob) -> None:
    renamed(job, "ß" * (MAX_STEM_BYTES // 2))
    job = read_job(job.folder)
    model = done(job, 1)
    lease = model.with_name(f"{model.name}.lease.{'0' * 32}")
    lease.write_text("")
    assert job.is_done(job.entries[1])
    assert write_report(job.folder)["done"] == 1


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_a_folder_in_a_models_place_is_said_before_the_training(
    job: FarmJob, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    job.model_path(job.entries[1]).mkdir()
    assert main(["job", str(job.folder), "--clips", "1", "--device", "cpu", *more]) == 1
    said = capsys.readouterr().err
    assert f"“Walk” failed: “{job.model_path(job.entries[1])}” is a folder; remove it." in said
    assert "Traceback" not in said
    assert job.model_path(job.entries[1]).is_dir()


def test_a_folder_in_a_pictures_place_is_a_sentence(job: FarmJob, capsys: pytest.CaptureFixture[str]) -> None:
    job.sheet_path(job.entries[1]).mkdir()
    assert main(["job", str(job.folder), "--clips", "1", "--device", "cpu", "--overwrite"]) == 1
    said = capsys.readouterr().err
    assert f"“Walk” failed: Cannot use “{job.sheet_path(job.entries[1])}”" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["code", "riff_train.js", "template.yaml"])
def test_of_a_job_that_cannot_be_completed_nothing_is_left(tmp_path: Path, name: str) -> None:
    """But what others have put there, here in the way of what is to be written."""
    folder = tmp_path / "job"

    def clips() -> Iterator[Clip]:
        yield Clip("Walk", small_motion())
        if name == "code":
            (folder / name).write_text("mine")
        else:
            (folder / name).mkdir()

    with pytest.raises(JobError):
        export_job(folder, "Walks", clips(), RECIPE)
    assert [path.name for path in folder.rglob("*")] == [name]
    assert name != "code" or (folder / name).read_text() == "mine"
