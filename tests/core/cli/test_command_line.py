"""`python -m core`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from core.cli.main import main
from core.errors import Cancelled
from core.generation.generate import generate
from core.model.model_file import load_model
from core.motion.bvh import read_bvh, write_bvh
from core.motion.motion import Motion
from core.system.console import ProgressLine, format_duration
from core.training.progress import Progress

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder(walker: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with walker.bvh and walker.safetensors, trained for a few steps from the shell."""
    folder = tmp_path_factory.mktemp("shell")
    write_bvh(folder / "walker.bvh", walker)
    run = shell("train", folder / "walker.bvh", "--out", folder / "walker.safetensors", "--scale", "0.002", "--json")
    assert run.returncode == 0, run.stderr
    assert re.search(r"Level [1-4] of 4, 100%", run.stderr), "it ends after a level that adds too little"
    report = json.loads(run.stdout)
    assert report["model"] == str(folder / "walker.safetensors")
    assert report["name"] == "walker"
    return folder


def shell(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_trained_model_can_be_loaded(folder: Path, walker: Motion) -> None:
    model = load_model(folder / "walker.safetensors")
    assert model.name == "walker"
    assert model.source.skeleton.same_structure(walker.skeleton)
    assert sorted(path.name for path in folder.iterdir()) == ["walker.bvh", "walker.safetensors"]


def test_instant_makes_a_model_without_pytorch(
    make_walker: Callable[..., Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bvh(tmp_path / "walk.bvh", make_walker(6.0))
    code = "import runpy, sys; sys.modules['torch'] = None; runpy.run_module('core', run_name='__main__')"
    options = ["instant", str(tmp_path / "walk.bvh"), "--out", str(tmp_path / "walk.safetensors"), "--json"]
    run = subprocess.run([sys.executable, "-c", code, *options], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["recipe"] == "instant"
    assert report["quality"]["coverage"] > 0.9
    assert len(generate(load_model(tmp_path / "walk.safetensors"), count=2)) == 2
    assert main(options) == 1, "a model that is there is replaced unasked"
    assert "add --overwrite" in capsys.readouterr().err
    write_bvh(tmp_path / "short.bvh", make_walker(1.0))
    assert main(["instant", str(tmp_path / "short.bvh"), "--out", str(tmp_path / "short.safetensors")]) == 1
    assert "at least 2 s" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["short.bvh", "walk.bvh", "walk.safetensors"]


def test_clips_play_in_spans(
    make_walker: Callable[..., Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "walk.bvh", tmp_path / "later.bvh"]
    for path, start in zip(paths, (0.0, 20.0), strict=True):
        write_bvh(path, make_walker(4.0, start=start))
    words = ["spans", *map(str, paths), "--out", str(tmp_path / "takes"), "--json", "--spans"]
    assert main([*words, "walk@1-60, later@71-130x1.2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["count"], report["frames"]) == (1, 130)
    assert read_bvh(Path(report["files"][0])).frames == 130
    assert main([*words, "walk@1-60, run@71-130"]) == 1
    assert "no clip “run” to play at frame 71" in capsys.readouterr().err
    assert len(list((tmp_path / "takes").iterdir())) == 1


def test_clips_of_a_model_play_in_spans(
    make_walker: Callable[..., Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, start in (("walk", 0.0), ("later", 20.0)):
        write_bvh(tmp_path / f"{name}.bvh", make_walker(4.0, start=start))
    model = str(tmp_path / "both.safetensors")
    words = [str(tmp_path / "walk.bvh"), "--also", str(tmp_path / "later.bvh"), "--out", model, "--json", "--quiet"]
    assert main(["train", *words, "--scale", "0.002", "--device", "cpu"]) == 0
    assert json.loads(capsys.readouterr().out)["clips"] == ["walk", "later"]
    words = ["spans", "--model", model, "--out", str(tmp_path / "takes"), "--json", "--spans"]
    assert main([*words, "walk@1-120, later@141-260x1.2", "--fps", "60", "--count", "2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["count"], report["frames"], report["fps"]) == (2, 260, 60.0)
    assert [read_bvh(Path(path)).frames for path in report["files"]] == [260, 260]
    assert main([*words, "walk@1-60, run@71-130"]) == 1
    assert "was not trained on “run”, which plays at frame 71; it knows “walk”, “later”" in capsys.readouterr().err
    assert main([*words, "walk@1-60", str(tmp_path / "walk.bvh")]) == 1
    assert "leave out either the files or --model" in capsys.readouterr().err
    assert main(["spans", "--out", str(tmp_path / "none"), "--spans", "walk@1-60"]) == 1
    assert "Name the clips that play" in capsys.readouterr().err
    assert len(list((tmp_path / "takes").iterdir())) == 2
    assert not (tmp_path / "none").exists()


def test_another_body_drives_a_model(
    folder: Path, make_walker: Callable[..., Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bvh(tmp_path / "guide.bvh", make_walker(4.0, start=30.0))
    words = ["drive", str(folder / "walker.safetensors"), "--by", str(tmp_path / "guide.bvh"), "--json"]
    assert main([*words, "--out", str(tmp_path / "takes"), "--count", "2", "--variation", "0.5"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["count"], report["frames"], report["pairs"]["LeftFoot"]) == (2, 121, "LeftFoot")
    assert [read_bvh(name).frames for name in report["files"]] == [121, 121]
    assert main([*words, "--out", str(tmp_path / "none"), "--pairs", "Hips=Hips, Head=Horn"]) == 1
    assert "no bone “Horn”" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_generate_writes_files_that_can_be_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], walker: Motion
) -> None:
    model = str(folder / "walker.safetensors")
    options = ["--count", "3", "--frames", "64", "--seed", "5", "--fps", "60", "--out", str(tmp_path / "new"), "--json"]
    assert main(["generate", model, *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["count"] == len(report["files"]) == 3
    assert (report["frames"], report["fps"], report["seed"]) == (64, 60.0, 5)
    for name in report["files"]:
        motion = read_bvh(name)
        assert motion.skeleton.names == walker.skeleton.names
        assert motion.fps == 60.0
        assert motion.frames == 64


@pytest.mark.parametrize(("frames", "fps", "least"), [("29", "30", 30), ("15", "60", 59), ("100", "120", 117)])
def test_less_than_a_second_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], frames: str, fps: str, least: int
) -> None:
    model = str(folder / "walker.safetensors")
    assert main(["generate", model, "--frames", frames, "--fps", fps, "--out", str(tmp_path / "new")]) == 1
    said = capsys.readouterr().err
    assert said == f"{frames} frames at {fps} fps last under a second; ask for at least {least} frames.\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("device", ["cuda", "mps", "xpu"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], device: str
) -> None:
    arguments = ["train", f"{folder}/walker.bvh", "--out", str(tmp_path / "m.safetensors"), "--device", device]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.splitlines() == [
        f"PyTorch finds no “{device}” device on this machine; choose another one, such as “cpu”."
    ]


@pytest.mark.parametrize(
    ("verb", "less"), [("train", "use a shorter clip"), ("evaluate", "fewer or shorter variations")]
)
def test_out_of_memory_says_what_helps(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    less: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(f"core.cli.verbs.{verb}_verb", out_of_memory)
    arguments = {"train": ["x.bvh", "--out", str(tmp_path / "m")], "evaluate": ["m"]}[verb]
    assert main([verb, *arguments]) == 1
    assert less in capsys.readouterr().err


def test_generate_is_the_same_for_the_same_seed(folder: Path, tmp_path: Path) -> None:
    model = str(folder / "walker.safetensors")
    for name, seed, count in (("a", "1", "1"), ("b", "1", "2"), ("c", "2", "1")):
        assert main(["generate", model, "--seed", seed, "--count", count, "--out", str(tmp_path / name)]) == 0
    first, again, other = (sorted((tmp_path / name).iterdir())[0].read_text() for name in "abc")
    assert first == again
    assert first != other
    assert read_bvh(next((tmp_path / "a").iterdir())).frames == 91, "as long as the clip and at its rate"


def test_evaluate_reports_every_figure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(folder / "walker.safetensors")
    assert main(["evaluate", model, "--count", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["samples"] == 2
    assert report["frames"] == 182, "twice as long as the clip"
    for name in ("coverage", "global_diversity", "local_diversity", "inter_diversity", "foot_skating", "novelty"):
        assert isinstance(report["figures"][name], float)
    assert main(["evaluate", model, "--count", "1", "--frames", "60"]) == 0
    text = capsys.readouterr().out
    assert "global diversity" in text
    assert "inter diversity" not in text


def test_an_existing_model_is_kept_unless_told_otherwise(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = folder / "walker.safetensors"
    before = model.read_bytes()
    assert main(["train", str(folder / "walker.bvh"), "--out", str(model)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert model.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "none.bvh", "--out", "{new}/m.safetensors"], "Cannot read “none.bvh”"),
        (["train", "{old}/walker.safetensors", "--out", "{new}/m.safetensors"], "not a BVH file"),
        (["train", "{old}/walker.bvh", "--out", "{new}/none/m.safetensors"], "Cannot write into"),
        (["train", "{old}/walker.bvh", "--out", "{new}"], "is a folder"),
        (["generate", "none.safetensors", "--out", "{new}"], "none.safetensors"),
        (["generate", "{old}/walker.bvh", "--out", "{new}"], "walker.bvh"),
        (["generate", "{old}/walker.safetensors", "--out", "{old}/walker.bvh"], "Cannot make the folder"),
        (["evaluate", "{old}"], "."),
    ],
)
def test_what_cannot_be_done_ends_with_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    before = sorted(folder.iterdir())
    assert main([argument.format(old=folder, new=tmp_path) for argument in arguments]) == 1
    output = capsys.readouterr()
    assert sentence in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert list(tmp_path.iterdir()) == []
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["train", "x.bvh"],
        ["train", "x.bvh", "--out", "m", "--recipe", "slow"],
        ["train", "x.bvh", "--out", "m", "--threads", "0"],
        ["train", "x.bvh", "--out", "m", "--scale", "nan"],
        ["train", "x.bvh", "--out", "m", "--device", "toaster"],
        ["generate", "m", "--out", "d", "--count", "-1"],
        ["generate", "m", "--out", "d", "--frames", "0"],
        ["generate", "m", "--out", "d", "--seed", "-1"],
        ["generate", "m", "--out", "d", "--seed", str(2**32)],
        ["generate", "m", "--out", "d", "--fps", "1001"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_tells_the_exit_codes_and_loads_nothing_heavy() -> None:
    watch = (
        "import sys, core.cli.main as shell\n"
        "try: shell.main(['train', '--help'])\n"
        "except SystemExit as end: sys.exit(9 if {'torch', 'numpy'} & set(sys.modules) else end.code)\n"
    )
    run = subprocess.run([sys.executable, "-c", watch], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    for code in ("130", "interrupted", "one sentence"):
        assert code in run.stdout


@pytest.fixture
def long_training(folder: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A training that would take minutes, after its first progress message; its model would be in tmp_path."""
    command = [sys.executable, "-m", "core", "train", f"{folder}/walker.bvh", "--out", f"{tmp_path}/m.safetensors"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Level 1 of 4, ")
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_training_cleanly(
    long_training: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    long_training.send_signal(number)
    output, errors = long_training.communicate(timeout=60)
    assert long_training.returncode == 130
    assert errors.endswith("Stopped.\n")
    assert "Traceback" not in errors
    assert output == ""
    assert [path.name for path in tmp_path.iterdir()] == ["m.training"], "its state, to go on with"


def test_a_stopped_training_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_: object) -> None:
        raise Cancelled("Stopped.")

    monkeypatch.setattr("core.cli.verbs.evaluate_verb", stopped)
    assert main(["evaluate", "m"]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


def test_output_into_a_closed_pipe_makes_no_traceback(folder: Path, tmp_path: Path) -> None:
    arguments = ["generate", f"{folder}/walker.safetensors", "--count", "1", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "core", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    assert process.wait(timeout=60) == 1
    assert "Traceback" not in errors
    assert "Exception" not in errors


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_rewrites_one_line() -> None:
    stream = Terminal()
    with ProgressLine(stream) as line:
        line.show("one")
        line.show("two")
        line.show("three")
    assert stream.getvalue() == "\rone\x1b[K\rthree\x1b[K\n", "two came too soon, the last is always shown"


def test_progress_in_a_log_is_a_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = StringIO()
    with ProgressLine(stream) as line:
        for second in range(12):
            now[0] = 100.0 + second
            line.show(f"second {second}")
    assert stream.getvalue() == "second 0\nsecond 5\nsecond 10\nsecond 11\n"


def test_what_the_line_says() -> None:
    progress = Progress(2, 4, 30, 90, 0.371, 60.0, 3725.4, 14.04, {})
    assert progress.describe() == "Level 2 of 4, 37%, 1:02:05 left, 14 steps/s"
    assert [format_duration(seconds) for seconds in (0, 59.6, 185, -3)] == ["0:00", "1:00", "3:05", "0:00"]
