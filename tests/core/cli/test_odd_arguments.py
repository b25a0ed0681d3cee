"""Arguments that nobody means: each ends in a sentence and an exit code, and nothing is written, lost or waited for."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.main import main, print_report
from core.motion.bvh import write_bvh
from core.motion.motion import Motion

DIGITS = "1" + "0" * 400
"""A whole number that no number with a fraction holds."""


@pytest.fixture(scope="module")
def folder(make_walker: Callable[..., Motion], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with walk.bvh and its instant model walk.safetensors."""
    folder = tmp_path_factory.mktemp("odd")
    write_bvh(folder / "walk.bvh", make_walker(4.0))
    assert main(["instant", f"{folder}/walk.bvh", "--out", f"{folder}/walk.safetensors", "--quiet"]) == 0
    return folder


def ended(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "{clip}", "--out", ""], 2, "“” is a folder; it must name the model file to write"),
        (["train", "{clip}", "--out", "."], 2, "“.” is a folder"),
        (["instant", "{clip}", "--out", "/"], 2, "“/” is a folder"),
        (["instant", "{clip}", "--out", "{new}/" + "m" * 300], 1, "File name too long"),
        (["train", "{clip}", "--out", "{new}/" + "m" * 300, "--resume"], 1, "File name too long"),
        (["train", "{clip}", "--out", "{new}/m.safetensors", "--name", "n" * 1025], 2, "more than 1024 characters"),
        (["train", "{clip}", "--out", "{new}/m.safetensors", "--scale", "1e30"], 1, "choose a smaller scale"),
        (["train", "{clip}", "--out", "{new}/m.safetensors", "--scale", "1e308"], 1, "choose a smaller scale"),
        (["train", "{clip}", "--out", "{new}/m.safetensors", "--until", DIGITS], 2, "not a whole number from 1 to"),
        (["generate", "{model}", "--out", "{new}/d", "--count", DIGITS], 2, "not a whole number from 1 to"),
        (["generate", "{model}", "--out", "{new}/d", "--frames", DIGITS], 2, "not a whole number from 1 to"),
        (["generate", "{model}", "--out", "{new}/d", "--frames", "9" * 5000], 2, "not a whole number from 1 to"),
        (["generate", "{model}", "--out", "{new}/d", "--fps", "1e-300"], 2, "not a rate from 1 to 1000 frames"),
        (["generate", "{model}", "--out", "{new}/d", "--fps", "nan"], 2, "not a rate from 1 to 1000 frames"),
        (["generate", "{model}", "--out", "{new}/" + "d" * 300], 1, "File name too long"),
        (["compose", "{model}", "--out", "{new}/d", "--after", DIGITS], 2, "not a whole number from -1000000000 to"),
        (["compose", "{model}", "--out", "{new}/d", "--after", "1000000000"], 1, "too many for"),
        (["compose", "{model}", "--out", "{new}", "--moments", "10-30@1", "--length", "1000000000"], 1, "too many for"),
        (["compose", "{model}", "--out", "{new}/d", "--seed", DIGITS], 2, "not a whole number from 0 to 4294967295"),
        (["evaluate", "{model}", "--frames", DIGITS], 2, "not a whole number from 1 to"),
        (["report", "{new}/" + "d" * 300], 1, "File name too long"),
        (["report", "{new}/none"], 1, "there is nothing to report"),
        (["report", "{new}"], 1, "there is nothing to report"),
        (["job", "{new}/none"], 1, "manifest.json"),
    ],
)
def test_an_odd_argument_is_a_sentence_and_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    places = {"clip": folder / "walk.bvh", "model": folder / "walk.safetensors", "new": tmp_path}
    before = sorted(folder.iterdir())
    assert ended([argument.format(**places) for argument in arguments]) == code
    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.splitlines()[-1]) < 1000
    assert code == 2 or said.err.count("\n") == 1
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []
    assert sorted(folder.iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("verb", ["train", "instant"])
def test_a_pipe_or_a_device_is_not_replaced_by_a_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main([verb, f"{folder}/walk.bvh", "--out", str(pipe), "--overwrite"]) == 1
    assert "is no regular file" in capsys.readouterr().err
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_place_that_cannot_be_looked_at_is_listed_with_its_problem(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "x" * 300, str(folder / "walk.bvh"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [item["kind"] for item in report["items"]] == ["unknown", "clip"]
    assert report["items"][0]["problem"].endswith("File name too long.")


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8")
def test_names_that_the_output_cannot_show_are_escaped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = os.fsdecode(b"n\xff")
    for as_json in (True, False):
        for encoding in ("utf-8", "ascii"):
            shown = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
            monkeypatch.setattr(sys, "stdout", shown)
            more = ["--json"] if as_json else []
            name = f"{odd} é {encoding}{as_json}"
            words = ["generate", f"{folder}/walk.safetensors", "--count", "1", "--out", f"{tmp_path}/{name}"]
            assert main([*words, *more]) == 0
            monkeypatch.undo()
            text = shown.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
            if as_json:
                assert [Path(path).exists() for path in json.loads(text)["files"]] == [True]
            else:
                assert "n\\udcff" in text


def test_what_can_be_shown_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_report({"name": "Tänze"}, as_json=True)
    print_report({"name": "Tänze"}, as_json=False)
    assert capsys.readouterr().out == '{"name": "Tänze"}\nname  Tänze\n'
