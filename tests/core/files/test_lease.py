"""Two processes never work on one clip at once, and what a dead one leaves behind keeps nobody waiting."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main
from core.errors import JobError, ModelError
from core.farm.job import FarmJob, write_job
from core.files.lease import STALE_SECONDS, acquire_lease, hold_lease, lease_path, read_holder
from core.model.model_file import read_info
from core.model.recipe import FAST
from core.motion.clip_file import Clip, save_clip
from core.motion.motion import Motion

ROOT = Path(__file__).resolve().parents[3]
TINY = replace(FAST, iterations=(2, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=4)

HOLDER = """
import core.files.lease, sys, time
from pathlib import Path
{before}
lease = core.files.lease.acquire_lease(Path(sys.argv[1]))
print("held" if lease else "refused", flush=True)
sys.stdin.read()
if lease: lease.release()
"""


def start(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_one_of_two_processes_has_it_until_it_lets_go(tmp_path: Path) -> None:
    one = start(HOLDER.format(before=""), tmp_path / "a")
    assert said(one) == "held"
    assert acquire_lease(tmp_path / "a") is None
    assert f"process {one.pid} on" in read_holder(lease_path(tmp_path / "a")).who
    with pytest.raises(ModelError, match=f"“a” is being trained by process {one.pid}"), hold_lease(tmp_path / "a"):
        pass
    one.communicate("")
    with hold_lease(tmp_path / "a"):
        assert acquire_lease(tmp_path / "a") is None, "nor does one's own process get it twice"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a dead process's lease is left to grow old")
def test_that_of_a_killed_process_of_this_machine_is_taken_at_once(tmp_path: Path) -> None:
    one = start(HOLDER.format(before=""), tmp_path / "a")
    assert said(one) == "held"
    one.kill()
    one.communicate()
    lease = acquire_lease(tmp_path / "a")
    assert lease is not None
    lease.release()
    assert list(tmp_path.iterdir()) == []


def test_that_of_another_machine_is_taken_when_it_has_grown_old(tmp_path: Path) -> None:
    elsewhere = 'core.files.lease._machine = lambda: "another machine"; core.files.lease.TOUCH_SECONDS = 0.05'
    one = start(HOLDER.format(before=elsewhere), tmp_path / "a")
    assert said(one) == "held"
    path, long_ago = lease_path(tmp_path / "a"), time.time() - STALE_SECONDS - 5.0
    os.utime(path, (long_ago, long_ago))
    until = time.monotonic() + 60
    while path.stat().st_mtime < long_ago + STALE_SECONDS and time.monotonic() < until:
        time.sleep(0.05)
    assert acquire_lease(tmp_path / "a") is None, "its holder touches it"
    one.kill()
    one.communicate()
    assert acquire_lease(tmp_path / "a") is None, "that the process is gone cannot be known from here"
    os.utime(path, (long_ago, long_ago))
    lease = acquire_lease(tmp_path / "a")
    assert lease is not None
    lease.release()


def test_a_holder_that_was_held_up_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.files.lease.TOUCH_SECONDS", 0.05)
    first = acquire_lease(tmp_path / "a")
    assert first is not None
    monkeypatch.setattr("core.files.lease.STALE_SECONDS", -1.0)
    second = acquire_lease(tmp_path / "a")
    assert second is not None
    assert first.lost.wait(60)
    first.release()
    assert read_holder(second.path).token == second.token, "and does not take away what is another's now"
    second.release()
    assert not second.lost.is_set()
    assert list(tmp_path.iterdir()) == []


RACE = """
import sys, time
from pathlib import Path
from core.files.lease import acquire_lease
print("ready", flush=True)
sys.stdin.readline()
leases = [acquire_lease(Path(sys.argv[1]) / str(k)) for k in range(30)]
print(*[k for k, lease in enumerate(leases) if lease], flush=True)
sys.stdin.read()
for lease in leases:
    lease and lease.release()
"""


def test_of_many_who_find_a_dead_one_s_lease_one_takes_it(tmp_path: Path) -> None:
    old = time.time() - STALE_SECONDS - 5.0
    for k in range(30):
        path = lease_path(tmp_path / str(k))
        path.write_text(json.dumps({"token": "d" * 32, "who": "nobody", "machine": "gone", "process": "1 1"}))
        os.utime(path, (old, old))
    many = [start(RACE, tmp_path) for _ in range(4)]
    assert [said(process) for process in many] == ["ready"] * 4
    for process in many:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    taken = [int(word) for process in many for word in said(process).split()]
    assert sorted(taken) == list(range(30)), "each by one of them"
    for process in many:
        process.communicate("")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("token", ["../../../elsewhere", "", "x\ny"])
def test_what_is_written_into_a_lease_leads_nowhere(tmp_path: Path, token: str) -> None:
    (tmp_path / "job").mkdir()
    path = lease_path(tmp_path / "job/a")
    path.write_text(json.dumps({"token": token, "who": "\x1b[2J", "machine": "", "process": ""}))
    assert read_holder(path).who == "another process"
    assert acquire_lease(tmp_path / "job/a") is None
    old = time.time() - STALE_SECONDS - 5.0
    os.utime(path, (old, old))
    with hold_lease(tmp_path / "job/a"):
        assert [item.name for item in tmp_path.iterdir()] == ["job"]
    assert list((tmp_path / "job").iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"Cannot write “.*a\.lease”"):
        acquire_lease(tmp_path / "none" / "a")


@pytest.fixture
def make_job(make_walker: Callable[..., Motion], tmp_path: Path) -> Callable[..., FarmJob]:
    def make(count: int, iterations: tuple[int, ...] = TINY.iterations) -> FarmJob:
        clips = [Clip(f"Walk {k}", make_walker(2.2, start=0.7 * k)) for k in range(count)]
        return write_job(tmp_path / "job", "Walks", clips, replace(TINY, iterations=iterations))

    return make


RUN = "import sys; from core.cli.main import main; sys.exit(main(['job', *sys.argv[1:]]))"


def test_two_workers_on_one_job_train_each_clip_once(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(4)
    workers = [start(RUN, job.folder, "--device", "cpu", "--json") for _ in range(2)]
    told = [worker.communicate(timeout=600) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], told
    reports = [json.loads(out) for out, _ in told]
    names = [entry.name for entry in job.entries]
    assert sorted(reports[0]["trained"] + reports[1]["trained"]) == names, "each by one of them"
    assert all(sorted(report["trained"] + report["skipped"]) == names for report in reports)
    assert all(job.is_done(entry) for entry in job.entries)
    assert list((job.folder / "trainings").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_worker_waits_for_another_and_goes_on_when_that_is_killed(make_job: Callable[..., FarmJob]) -> None:
    job = make_job(1, iterations=(400, 1, 1, 1))
    hasten = "import core.training.snapshot as k; k.SNAPSHOT_SECONDS = 0.2\nimport core.runs.run as r\n"
    hasten += "r.CheckpointFile.__init__.__defaults__ = (0.2,)\n"
    first = start(hasten + RUN, job.folder, "--device", "cpu", "--quiet")
    wait_for(job.training_path(job.entries[0]), first)
    second = start("import core.farm.task as t; t.LOOK_AGAIN = 0.1\n" + RUN, job.folder, "--device", "cpu", "--json")
    assert second.stderr is not None
    line = second.stderr.readline()
    assert f"“Walk 0”: waits for process {first.pid} on" in line, line
    first.send_signal(signal.SIGKILL)
    first.communicate()
    out, err = second.communicate(timeout=600)
    assert second.returncode == 0, err
    assert json.loads(out)["trained"] == ["Walk 0"]
    assert "Level 1 of 4, 0%" not in err, "it goes on where the other one was"


def wait_for(state: Path, process: subprocess.Popen[str]) -> None:
    """Until the checkpoint holds steps that were done."""
    from core.training.checkpoint import read_checkpoint_info

    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        if state.exists() and read_checkpoint_info(state)["step"] > 20:
            return
        time.sleep(0.05)
    pytest.fail(str(process.communicate()))


def test_a_second_training_of_one_model_is_refused(
    walker: Motion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_clip(Clip("Walk", walker), tmp_path / "walk.clip")
    one = start(HOLDER.format(before=""), tmp_path / "m.training")
    assert said(one) == "held"
    train = ["train", str(tmp_path / "walk.clip"), "--out", str(tmp_path / "m.safetensors"), "--scale", "0.0001"]
    assert main([*train, "--device", "cpu"]) == 1
    assert f"“m.training” is being trained by process {one.pid}" in capsys.readouterr().err
    one.communicate("")
    assert main([*train, "--device", "cpu", "--quiet"]) == 0
    assert read_info(tmp_path / "m.safetensors")["name"] == "Walk"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.safetensors", "walk.clip"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("age", [0.0, STALE_SECONDS + 10.0])
def test_a_pipe_in_the_leases_place_keeps_nobody_waiting(tmp_path: Path, age: float) -> None:
    """A fresh one counts as a lease that is being made; an old one is taken over."""
    target = lease_path(tmp_path / "a")
    os.mkfifo(target)
    os.utime(target, (time.time() - age,) * 2)
    one = start(HOLDER.format(before=""), tmp_path / "a")
    out, _ = one.communicate("", timeout=20)
    assert out.strip() == ("held" if age else "refused")


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no links here")
def test_a_lease_that_is_a_link_is_no_lease(tmp_path: Path) -> None:
    """Neither is the file read that it leads to, nor is it touched."""
    target, elsewhere = lease_path(tmp_path / "a"), tmp_path / "elsewhere"
    lease = acquire_lease(tmp_path / "b")
    assert lease is not None
    with lease:
        elsewhere.write_bytes(lease_path(tmp_path / "b").read_bytes())
    target.symlink_to(elsewhere)
    assert read_holder(elsewhere).token == lease.token
    assert read_holder(target).token == ""
    with pytest.raises(ModelError, match="another process"), hold_lease(tmp_path / "a"):
        pass
    os.utime(target, (0.0, 0.0), follow_symlinks=False)
    before = elsewhere.stat().st_mtime
    with hold_lease(tmp_path / "a"):
        assert not target.is_symlink()
    assert elsewhere.stat().st_mtime == before
