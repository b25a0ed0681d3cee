"""Files written whole or not at all, wherever somebody has planted a link; names that every file system takes."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.files.fields import FieldError, open_regular
from core.files.paths import STALE_PART_SECONDS, atomic_write, copy_whole, remove_parts, write_bytes
from core.model.model_file import save_model
from core.motion.bvh import write_bvh
from core.motion.clip_file import Clip, save_clip
from core.training.checkpoint import save_checkpoint
from tests.support.faults.sound_files import small_checkpoint, small_model, small_motion


def test_files_are_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target, source = tmp_path / "a.txt", tmp_path / "b.txt"
    target.write_text("old")
    source.write_text("new")

    def break_off() -> None:
        with atomic_write(target) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    with pytest.raises(FileNotFoundError):
        copy_whole(tmp_path / "missing", target)
    assert (target.read_text(), len(list(tmp_path.iterdir()))) == ("old", 2)
    copy_whole(source, target)
    assert (target.read_text(), len(list(tmp_path.iterdir()))) == ("new", 2)


@pytest.mark.skipif(os.name == "nt", reason="the mode of a file is POSIX's")
def test_a_new_file_has_the_usual_rights(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


WRITERS: dict[str, Callable[[Path], object]] = {
    "a model": lambda path: save_model(small_model(), path),
    "a checkpoint": lambda path: save_checkpoint(small_checkpoint(), path),
    "a clip": lambda path: save_clip(Clip("Bow", small_motion()), path),
    "a BVH file": lambda path: write_bvh(path, small_motion()),
    "a copy": lambda path: copy_whole(__file__, path),
}


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_planted_links_are_never_written_through(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links stand under every name that a part could have: the old ones by process number, and the very random one."""
    victim, folder = tmp_path / "victim", tmp_path / "shared"
    victim.write_text("precious")
    folder.mkdir()
    target = folder / "file"
    monkeypatch.setattr(secrets, "token_hex", lambda count: "0" * (2 * count))
    for end in (f"{os.getpid()}.part", f"{'0' * 16}.part"):
        (folder / f"file.{end}").symlink_to(victim)
    with pytest.raises(Exception, match="exists"):
        WRITERS[what](target)
    assert victim.read_text() == "precious"
    monkeypatch.undo()
    WRITERS[what](target)
    assert victim.read_text() == "precious"
    assert target.is_file()
    assert not target.is_symlink()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_in_the_targets_place_is_replaced(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "file"
    victim.write_text("precious")
    target.symlink_to(victim)
    write_bytes(target, b"new")
    assert (victim.read_text(), target.read_text(), target.is_symlink()) == ("precious", "new", False)


def test_old_parts_are_removed(tmp_path: Path) -> None:
    old, fresh = (tmp_path / f"m.safetensors.{number * 16}.part" for number in "ab")
    for path in (old, fresh, tmp_path / "m.safetensors", tmp_path / "notes.part"):
        path.write_text("x")
    past = time.time() - STALE_PART_SECONDS - 10.0
    os.utime(old, (past, past))
    os.utime(tmp_path / "notes.part", (past, past))
    remove_parts(tmp_path)
    remove_parts(tmp_path / "no such folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([fresh.name, "m.safetensors", "notes.part"])


def test_what_a_killed_export_left_goes_with_the_next(tmp_path: Path) -> None:
    left, others = (tmp_path / f"{name}.{'a' * 16}.part" for name in ("walk.bvh", "run.bvh"))
    past = time.time() - STALE_PART_SECONDS - 10.0
    for path in (left, others):
        path.write_text("half")
        os.utime(path, (past, past))
    write_bvh(tmp_path / "walk.bvh", small_motion())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([others.name, "walk.bvh"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_file_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FieldError, match="no regular file"):
        open_regular(tmp_path / "pipe", 100)
    with pytest.raises(FieldError, match="no regular file"):
        open_regular(tmp_path, 100)
