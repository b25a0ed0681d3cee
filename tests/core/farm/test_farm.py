"""A job folder run by the real OpenJD runtime, by tasks side by side, equals the same clips trained one by one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.farm.export import export_job
from core.farm.job import FarmJob
from core.farm.manifest import read_job
from core.model.model_file import load_model
from core.model.recipe import FAST
from core.motion.clip_file import Clip, load_clip
from core.motion.motion import Motion
from core.training.train import train

ROOT = Path(__file__).resolve().parents[3]
OPENJD = Path(sys.executable).with_name("openjd")
TINY = replace(FAST, iterations=(2, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=4)

pytestmark = pytest.mark.skipif(not OPENJD.exists(), reason="openjd-cli is not installed: no farm is tested")


@pytest.fixture(scope="module")
def make_job(make_walker: Callable[..., Motion], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., FarmJob]:
    """A job of so many short walks; one of them may be too short to be learned."""

    def make(count: int, bad: int = -1, iterations: tuple[int, ...] = TINY.iterations) -> FarmJob:
        folder = tmp_path_factory.mktemp("farm") / "job"
        clips = (Clip(f"Walk {k}", make_walker(1.0 if k == bad else 2.2, start=0.7 * k), "Biped") for k in range(count))
        return export_job(folder, "Walks: “all”", clips, replace(TINY, iterations=iterations), seed=3)

    return make


def openjd(job: FarmJob, *arguments: str) -> subprocess.Popen[str]:
    command = [
        str(OPENJD),
        "run",
        str(job.folder / "template.yaml"),
        "-p",
        f"Python={sys.executable}",
        "-p",
        "Device=cpu",
        *arguments,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=job.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def ended(*runs: subprocess.Popen[str]) -> list[str]:
    return [run.communicate(timeout=600)[0] for run in runs]


def shell(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def same_models(one: Path, other: Path) -> None:
    """Equal to the bit in all that was learned, and up to rounding in the figures; seconds differ."""
    a, b = load_model(one), load_model(other)
    assert a.weights.keys() == b.weights.keys()
    for name, value in a.weights.items():
        np.testing.assert_array_equal(value, b.weights[name], err_msg=name)
    np.testing.assert_array_equal(a.code, b.code)
    np.testing.assert_array_equal(a.source.features, b.source.features)
    told = ["name", "recipe", "amplitudes", "seed", "device", "rig", "source_fps"]
    assert [getattr(a, name) for name in told] == [getattr(b, name) for name in told]
    assert a.quality == pytest.approx(b.quality, rel=1e-6), (
        "sums differ in their last digits with the number of threads"
    )


def results(job: FarmJob) -> dict[str, tuple[int, float]]:
    return {
        str(path.relative_to(job.folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for name in ("models", "records", "sheets")
        for path in sorted((job.folder / name).iterdir())
    }


def test_the_template_is_valid_and_says_what_it_needs(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(1)
    check = subprocess.run([OPENJD, "check", job.folder / "template.yaml"], capture_output=True, text=True, timeout=120)
    assert check.returncode == 0, check.stdout
    text = (job.folder / "template.yaml").read_text(encoding="utf-8")
    assert "amount.worker.gpu" in text
    assert 'min: "{{Param.Gpus}}"' in text
    assert 'timeout: "{{Param.Timeout}}"' in text
    assert "$" not in text.split("specificationVersion")[1], "a word was not filled in"


def test_eight_clips_in_three_shards_equal_a_sequential_run(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(8)
    shards = [openjd(job, "--step", "Train", "--task-param", f"Clip={span}") for span in ("0-2", "3-5", "6-7")]
    logs = ended(*shards)
    assert [run.returncode for run in shards] == [0, 0, 0], "\n".join(logs)
    for log in logs:
        assert re.search(r"openjd_progress: 100\.0", log)
        assert "openjd_status: “Walk " in log
    sequential = make_job(8)
    run = shell("job", sequential.folder, "--device", "cpu", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["trained"] == [f"Walk {k}" for k in range(8)]
    for entry in job.entries:
        same_models(job.model_path(entry), sequential.model_path(entry))
    plain = train(load_clip(job.clip_path(job.entries[4])).motion, TINY, seed=3, device="cpu")
    for name, value in load_model(job.model_path(job.entries[4])).weights.items():
        np.testing.assert_array_equal(value, plain.weights[name], err_msg=name)
    before = results(job)
    again = openjd(job, "--step", "Report", "--run-dependencies", "-p", "ClipsPerTask=3")
    log = ended(again)[0]
    assert again.returncode == 0, log
    assert results(job) == before, "nothing is done twice"
    assert '"skipped": ["Walk 0", "Walk 1", "Walk 2"]' in log
    table = (job.folder / "report/library.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 9
    assert all(f"Walk {k},done," in table[k + 1] for k in range(8))
    assert "under-trained" in table[1]


def test_a_clip_that_fails_fails_its_task_alone_and_is_named(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(4, bad=1)
    runs = [openjd(job, "--step", "Train", "--task-param", f"Clip={span}") for span in ("0-1", "2-3")]
    logs = ended(*runs)
    assert runs[0].returncode != 0
    assert "“Walk 1” failed: The action lasts 1.0 s" in logs[0]
    assert runs[1].returncode == 0, logs[1]
    assert [job.is_done(entry) for entry in job.entries] == [True, False, True, True]
    assert list((job.folder / "trainings").iterdir()) == []
    assert (job.folder / "report/index.html").exists(), "whoever ended last has written it"
    report = openjd(job, "--step", "Report")
    log = ended(report)[0]
    assert report.returncode == 0, log
    assert '"failures": {"Walk 1": "The action lasts 1.0 s' in log
    page = (job.folder / "report/index.html").read_text(encoding="utf-8")
    assert "The action lasts 1.0 s" in page
    assert page.count("<figure>") == 3


def wait_for_state(job: FarmJob, run: subprocess.Popen[Any], log: Callable[[], str]) -> None:
    """Until the first clip's checkpoint holds steps that were done."""
    from core.training.checkpoint import read_checkpoint_info

    path, until = job.training_path(job.entries[0]), time.monotonic() + 300
    while time.monotonic() < until and run.poll() is None:
        if path.exists() and read_checkpoint_info(path)["step"] > 0:
            return
        time.sleep(0.05)
    pytest.fail(log())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_task_goes_on_where_it_was(
    make_job: Callable[..., FarmJob], tmp_path: Path, number: signal.Signals
) -> None:
    job, whole = (make_job(1, iterations=(150, 60, 1, 1)) for _ in range(2))
    hasten = "import core.training.snapshot as k; assert k.SNAPSHOT_SECONDS; k.SNAPSHOT_SECONDS = 0.2\n"
    start = hasten + "import core.runs.run as r, sys; r.CheckpointFile.__init__.__defaults__ = (0.2,)\n"
    start += "from core.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "job", str(job.folder), "--device", "cpu", "--openjd"]
    with open(tmp_path / "log", "w") as log:
        run = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        wait_for_state(job, run, (tmp_path / "log").read_text)
        run.send_signal(number)
        code = run.wait(timeout=60)
    assert code == (130 if number == signal.SIGTERM else -signal.SIGKILL)
    assert not job.model_path(job.entries[0]).exists()
    resumed = openjd(job, "--step", "Train")
    assert resumed.wait(timeout=600) == 0, ended(resumed)[0]
    assert not job.training_path(job.entries[0]).exists()
    assert shell("job", whole.folder, "--device", "cpu").returncode == 0
    same_models(job.model_path(job.entries[0]), whole.model_path(whole.entries[0]))


def test_a_cancelled_openjd_session_keeps_its_state(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(1, iterations=(100_000, 1, 1, 1))
    run = openjd(job, "--step", "Train")
    wait_for_state(job, run, lambda: "no state")
    run.send_signal(signal.SIGINT)
    log = ended(run)[0]
    assert run.returncode != 0
    assert "Stopped." in log, log
    assert job.training_path(job.entries[0]).exists()
    assert not list((job.folder / "trainings").glob("*.part"))


def test_another_recipe_trains_anew(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(1)
    assert shell("job", job.folder, "--quiet").returncode == 0
    manifest: dict[str, Any] = json.loads((job.folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["seed"] = 4
    (job.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert not read_job(job.folder).is_done(job.entries[0])
    run = shell("job", job.folder, "--json", "--quiet")
    assert json.loads(run.stdout)["trained"] == ["Walk 0"]
    assert load_model(job.model_path(job.entries[0])).seed == 4
