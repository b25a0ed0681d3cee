"""One process at a time works on a file; files are written whole; what killed processes left goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.files.file_lock import is_locked, try_lock

ROOT = Path(__file__).resolve().parents[3]
HOLD = (
    "import sys, time; from pathlib import Path; from core.files.file_lock import try_lock; "
    "held = try_lock(Path(sys.argv[1])); "
    "print('held' if held else 'refused', flush=True); time.sleep(float(sys.argv[2]))"
)


def holder(path: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(path), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_file_is_claimed_once(tmp_path: Path) -> None:
    path = tmp_path / "Walk.safetensors"
    assert not is_locked(path)
    held = try_lock(path)
    assert held is not None
    assert try_lock(path) is None
    assert is_locked(path)
    with holder(path, 0.0) as other:
        assert other.communicate()[0].strip() == "refused"
    held.release()
    held.release()
    assert not is_locked(path)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "Walk.safetensors"
    with holder(path, 600.0) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        assert try_lock(path) is None
        other.send_signal(signal.SIGKILL)
    assert not is_locked(path)
    assert list(tmp_path.iterdir()) == [], "the lock's file that was left is gone too"


def test_only_one_of_many_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "Walk.safetensors"
    others = [holder(path, 3.0) for _ in range(4)]
    said = [other.communicate()[0].strip() for other in others]
    assert said.count("held") >= 1
    assert not is_locked(path)


def test_where_nothing_can_be_written_nobody_is_kept_away(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "no such folder" / "Walk.safetensors")
    assert held is not None
    held.release()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no links here")
def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    path, outside = tmp_path / "Walk.safetensors", tmp_path / "outside"
    (tmp_path / "Walk.safetensors.lock").symlink_to(outside)
    held = try_lock(path)
    assert held is not None
    assert not is_locked(path)
    held.release()
    assert not outside.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_the_locks_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "Walk.safetensors"
    os.mkfifo(tmp_path / "Walk.safetensors.lock")
    with holder(path, 0.0) as other:
        assert other.communicate(timeout=20)[0].strip() == "held"
