"""Clips in files, job folders and reports: what is written can be read, what is wrong is refused and named."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cli.main import main
from core.errors import ClipError, JobError
from core.farm.export import export_job
from core.farm.job import FarmJob, write_job
from core.farm.manifest import chosen_entries, prepare_outputs, read_job
from core.farm.pose_sheet import pose_sheet
from core.farm.report import write_report
from core.files.tensors import read_tensors, write_tensors
from core.model.recipe import FAST, RECIPES
from core.motion.clip_file import CLIP_KEY, Clip, load_clip, read_clip, save_clip
from core.motion.motion import Motion
from tests.support.faults.sound_files import save_old_clip

ROOT = Path(__file__).resolve().parents[3]
TINY = replace(FAST, iterations=(1, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=4)


@pytest.fixture
def job(walker: Motion, tmp_path: Path) -> FarmJob:
    clips = [Clip(name, walker, "Biped", "walks.blend") for name in ("Walk", "Läuft/schnell", "=1+1")]
    return export_job(tmp_path / "job", "Walks", clips, TINY, seed=2)


def test_a_clip_comes_back_as_it_was(walker: Motion, tmp_path: Path) -> None:
    clip = Clip("Gehen „schnell“", walker, "Biped", "walks.blend")
    checksum = save_clip(clip, tmp_path / "a.clip")
    assert save_clip(clip, tmp_path / "b.clip") == checksum
    back = load_clip(tmp_path / "a.clip", checksum)
    assert (back.name, back.rig, back.source) == (clip.name, clip.rig, clip.source)
    np.testing.assert_array_equal(back.motion.features, walker.features)
    np.testing.assert_array_equal(back.motion.origin, walker.origin)
    assert back.motion.fps == walker.fps
    assert back.motion.skeleton.to_json() == walker.skeleton.to_json()
    with pytest.raises(ClipError, match="another file"):
        load_clip(tmp_path / "a.clip", "0" * 64)


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """The clip file again with another description."""
    text, tensors = read_tensors(path, CLIP_KEY, 1 << 30)
    meta = json.loads(text)
    change(meta)
    write_tensors(path, CLIP_KEY, json.dumps(meta), tensors)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m.update(format=3), "newer version"),
        (lambda m: m.pop("fps"), "damaged"),
        (lambda m: m.update(fps=0.0), "“fps” is no number from"),
        (lambda m: m["skeleton"].update(contacts=[99]), "skeleton"),
        (lambda m: m["skeleton"]["offsets"].pop(), "skeleton"),
        (lambda m: m["skeleton"].update(parents=[0] * 15), "tree"),
        (lambda m: m.update(origin=[1, "x"]), "damaged"),
        (lambda m: m.update(skeleton=None), "damaged"),
    ],
)
def test_a_clip_that_does_not_fit_together_is_refused(
    walker: Motion, tmp_path: Path, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    save_clip(Clip("Walk", walker), tmp_path / "a.clip")
    rewritten(tmp_path / "a.clip", change)
    with pytest.raises(ClipError, match=sentence):
        load_clip(tmp_path / "a.clip")


def test_a_clip_with_a_pickle_or_a_false_size_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickle.npz", features=np.array([{}], dtype=object), clip=np.zeros(2, np.uint8))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 6)})
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("features.npy", header.getvalue())
        archive.writestr("clip.npy", header.getvalue())
    (tmp_path / "text.npz").write_text("no clip")
    for name in ("pickle", "huge", "text"):
        with pytest.raises(ClipError, match=f"{name}.npz"):
            read_clip(tmp_path / f"{name}.npz")


def test_a_clip_of_an_earlier_version_is_still_read(walker: Motion, tmp_path: Path) -> None:
    save_old_clip(Clip("Gehen", walker, "Biped", "walks.blend"), tmp_path / "a.npz")
    back = read_clip(tmp_path / "a.npz")
    assert (back.name, back.rig, back.source) == ("Gehen", "Biped", "walks.blend")
    np.testing.assert_array_equal(back.motion.features, walker.features)


@settings(max_examples=300, deadline=None)
@given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8), cut=st.floats(0.2, 1))
def test_a_clip_with_any_bytes_changed_is_read_or_refused(flips: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(_sound_clip())
    for place, value in flips:
        data[min(len(data) - 1, int(place * len(data)))] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.clip"
        path.write_bytes(data[: int(cut * len(data))])
        with suppress(ClipError):  # any other error would be a fault
            assert load_clip(path).motion.frames > 1


def _sound_clip() -> bytes:
    if not _kept:
        from core.motion.motion import from_transforms
        from core.motion.skeleton import build_skeleton

        skeleton = build_skeleton(["a", "b"], [-1, 0], np.array([[0, 0, 0], [0, 0, 1.0]]))
        motion = from_transforms(skeleton, np.broadcast_to(np.eye(3), (5, 2, 3, 3)), np.zeros((5, 3)), 30.0)
        with tempfile.TemporaryDirectory() as folder:
            save_clip(Clip("Still", motion), Path(folder) / "a.clip")
            _kept.append((Path(folder) / "a.clip").read_bytes())
    return _kept[0]


_kept: list[bytes] = []


def test_a_job_comes_back_as_it_was(job: FarmJob) -> None:
    assert read_job(job.folder) == job
    assert [entry.name for entry in chosen_entries(job, "2,0-1")] == ["=1+1", "Walk", "Läuft/schnell"]
    assert {path.name for path in job.folder.iterdir()} == {
        "clips",
        "code",
        "manifest.json",
        "riff_train.js",
        "template.yaml",
    }
    core = ROOT / "core"
    copied = {path.relative_to(job.folder / "code/core") for path in (job.folder / "code").rglob("*.py")}
    assert copied == {path.relative_to(core) for path in core.rglob("*.py")}
    assert len(copied) > 90


def change_manifest(job: FarmJob, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads((job.folder / "manifest.json").read_text(encoding="utf-8"))
    change(data)
    (job.folder / "manifest.json").write_text(json.dumps(data), encoding="utf-8")


def _copy_first(data: dict[str, Any]) -> None:
    data["clips"][2]["name"] = data["clips"][0]["name"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.update(riff_job=2), "newer version of Riff"),
        (lambda d: d["clips"][1].update(file="none.clip"), "Clip 1 of the manifest, “Läuft/schnell”, is missing"),
        (_copy_first, "Clips 0 and 2 have the same name, “Walk”"),
        (lambda d: d["clips"][2].update(file=d["clips"][0]["file"]), "Clips 0 and 2 have the same file"),
        (lambda d: d["clips"][0].update(file="../manifest.clip"), "Clip 0 of the manifest, “Walk”, has no plain file"),
        (lambda d: d["clips"][0].update(file="/etc/x.clip"), "Clip 0 .* no plain file"),
        (lambda d: d["clips"][2].pop("sha256"), "Clip 2 .* checksum"),
        (lambda d: d["clips"][1].update(name=7), r"Clip 1 of the manifest is damaged: “clips\[1\]\.name”"),
        (lambda d: d["clips"][0].update(seconds=-1), r"Clip 0 .* “clips\[0\]\.seconds” is no number"),
        (lambda d: d.update(clips=[]), "lacks clips"),
        (lambda d: d.update(seed="x"), "“seed” is no integer"),
        (lambda d: d["recipe"].update(magic=1), "recipe"),
        (lambda d: d.update(recipe=None), "recipe"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_before_any_work(
    job: FarmJob, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    change_manifest(job, change)
    with pytest.raises(JobError, match=sentence):
        read_job(job.folder)
    before = sorted(job.folder.rglob("*"))
    assert main(["job", str(job.folder)]) == 1
    output = capsys.readouterr()
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert sorted(job.folder.rglob("*")) == before


def test_a_template_for_a_newer_version_is_refused(job: FarmJob, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["job", str(job.folder), "--format", "2"]) == 1
    assert "template was made by a newer version of Riff (format 2)" in capsys.readouterr().err
    assert not (job.folder / "models").exists()


def test_clips_that_are_not_in_the_job_are_refused(job: FarmJob, capsys: pytest.CaptureFixture[str]) -> None:
    for text, sentence in (("3", "clips 0 to 2"), ("2-1", "clips 0 to 2"), ("a", "no list"), ("-1", "no list")):
        assert main(["job", str(job.folder), "--clips", text]) == 1
        assert sentence in capsys.readouterr().err


def test_a_link_in_place_of_a_clip_is_refused(job: FarmJob, tmp_path: Path) -> None:
    path = job.clip_path(job.entries[0])
    shutil.move(path, tmp_path / "elsewhere.clip")
    path.symlink_to(tmp_path / "elsewhere.clip")
    with pytest.raises(JobError, match=r"Clip 0 .* is missing"):
        read_job(job.folder)


def test_an_output_in_whose_place_a_file_is_is_refused(job: FarmJob) -> None:
    (job.folder / "records").write_text("")
    with pytest.raises(JobError, match="records"):
        prepare_outputs(job.folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_read_only_job_is_refused_before_any_work(job: FarmJob) -> None:
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(job.folder, Path(place) / "job")
        os.chmod(place, 0o755)
        start = (
            "import sys, os; from pathlib import Path\n"
            "from core.errors import JobError; from core.farm.task import open_job\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "try: open_job(Path(sys.argv[1]))\n"
            "except JobError as error: print(error)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", start, f"{place}/job"], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout.startswith("Cannot write into “")
        assert not (Path(place) / "job/models").exists()


@pytest.fixture
def read_only(job: FarmJob, tmp_path: Path) -> Iterator[Path]:
    """The job on a disk that takes nothing more, not even from root."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        shutil.copytree(job.folder, place / "job")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield place / "job"
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_read_only_disk_is_refused_before_any_work(read_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = next((read_only / "clips").iterdir())
    for arguments, what in (
        (["job", str(read_only)], f"Cannot write into “{read_only / 'models'}”: Read-only file system."),
        (["report", str(read_only)], f"Cannot write into “{read_only / 'report'}”: Read-only file system."),
        (["train", str(clip), "--out", str(read_only / "m.safetensors")], f"Cannot write into “{read_only}”"),
    ):
        assert main(arguments) == 1
        output = capsys.readouterr()
        assert output.err.startswith(what)
        assert output.err.count("\n") == 1


def test_two_clips_of_one_name_and_no_clip_are_not_exported(walker: Motion, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="Two clips are called “Walk”"):
        write_job(tmp_path / "job", "Walks", [Clip("Walk", walker), Clip("Walk", walker)], TINY)
    assert list((tmp_path / "job").iterdir()) == []
    with pytest.raises(JobError, match="no clip"):
        write_job(tmp_path / "job", "Walks", [], TINY)
    (tmp_path / "job/mine.txt").write_text("mine")
    with pytest.raises(JobError, match="not empty"):
        write_job(tmp_path / "job", "Walks", [Clip("Walk", walker)], TINY)
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["mine.txt"]


def test_a_report_of_what_is_not_done_needs_no_torch(job: FarmJob) -> None:
    prepare_outputs(job.folder)
    job.write_record(job.entries[2], state="failed", error="<b>Nothing</b> moves.")
    told = write_report(job.folder)
    assert (told["clips"], told["done"], told["failed"], told["missing"]) == (3, 0, 1, 2)
    rows = list(csv.DictReader((job.folder / "report/library.csv").open(encoding="utf-8", newline="")))
    assert [row["clip"] for row in rows] == ["Walk", "Läuft/schnell", "'=1+1"], "no formula for a spreadsheet"
    assert [row["state"] for row in rows] == ["missing", "missing", "failed"]
    page = (job.folder / "report/index.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;Nothing&lt;/b&gt; moves." in page
    assert "<b>" not in page


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "@", "+", "-"])
def test_no_name_becomes_a_formula(start: str, walker: Motion, tmp_path: Path) -> None:
    job = write_job(tmp_path / "job", "Walks", [Clip(f"{start}=1+1", walker)], TINY)
    prepare_outputs(job.folder)
    write_report(job.folder)
    with (job.folder / "report/library.csv").open(encoding="utf-8", newline="") as table:
        assert next(csv.DictReader(table))["clip"] == f"'{start.strip() or ' '}=1+1"


def test_a_folder_without_models_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="nothing to report"):
        write_report(tmp_path)


def test_a_sheet_is_a_picture_of_every_motion(walker: Motion) -> None:
    from xml.etree import ElementTree

    sheet = ElementTree.fromstring(pose_sheet("A & <B>", [walker, walker.slice(0, 60)], ["source", "variation 1"]))
    paths = [element.get("d", "") for element in sheet.iter("{http://www.w3.org/2000/svg}path")]
    assert len(paths) == 24
    assert all(path.count("M") == walker.skeleton.joints - 1 for path in paths)


def test_list_names_what_is_there(job: FarmJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.safetensors").write_text("no model")
    clip = job.clip_path(job.entries[0])
    assert main(["list", str(job.folder), str(clip), str(tmp_path), "--json"]) == 0
    items = json.loads(capsys.readouterr().out)["items"]
    assert [item["kind"] for item in items] == ["job", "clip", "unknown"]
    assert (items[0]["clips"], items[0]["done"]) == (3, 0)
    assert items[1]["name"] == "Walk"
    assert "broken.safetensors" in items[2]["problem"]


def test_train_from_a_clip_file_can_be_resumed_and_is_not_done_twice(
    job: FarmJob, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "fast", TINY)
    clip, model = str(job.clip_path(job.entries[0])), tmp_path / "m.safetensors"
    assert main(["train", clip, "--out", str(model), "--seed", "2", "--json", "--quiet"]) == 0
    output = capsys.readouterr()
    assert (json.loads(output.out)["trained"], output.err) == (True, "")
    before = model.stat().st_mtime_ns
    assert main(["train", clip, "--out", str(model), "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trained"] is False
    assert model.stat().st_mtime_ns == before
    (tmp_path / "m.training").write_bytes(b"half")
    for more, sentence in ((["--overwrite", "--resume"], ""), ([], "exists already"), (["--resume"], "damaged")):
        if sentence:
            assert main(["train", clip, "--out", str(model), *more]) == 1
            assert sentence in capsys.readouterr().err
        else:
            with pytest.raises(SystemExit):
                main(["train", clip, "--out", str(model), *more])
    assert main(["train", clip, "--out", str(model), "--overwrite", "--quiet"]) == 0
    assert not (tmp_path / "m.training").exists()


def test_what_others_put_into_a_job_that_ends_early_stays(walker: Motion, tmp_path: Path) -> None:
    folder = tmp_path / "job"

    def clips() -> Iterator[Clip]:
        yield Clip("Walk", walker)
        (folder / "clips" / "mine.txt").write_text("mine")
        (folder / "manifest.json").write_text("mine")
        yield Clip("Walk", walker)

    with pytest.raises(JobError, match="Two clips"):
        write_job(folder, "Walks", clips(), TINY)
    assert [path.name for path in (folder / "clips").iterdir()] == ["mine.txt"]
    assert (folder / "manifest.json").read_text() == "mine"


def test_clips_of_a_job_that_became_a_link_are_left(walker: Motion, tmp_path: Path) -> None:
    folder, mine = tmp_path / "job", tmp_path / "mine"

    def clips() -> Iterator[Clip]:
        yield Clip("Walk", walker)
        (folder / "clips").rename(mine)
        (folder / "clips").symlink_to(mine)
        yield Clip("Walk", walker)

    with pytest.raises(JobError, match="Two clips"):
        write_job(folder, "Walks", clips(), TINY)
    assert len(list(mine.iterdir())) == 1
