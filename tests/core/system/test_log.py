"""The log keeps what went wrong, stays small, survives a full disk; a report of it names nobody and nothing."""

from __future__ import annotations

import getpass
import logging
import os
import platform
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.system.log import MAX_FILE_BYTES, Log, log, set_aside, unforeseen
from core.system.report import report, scrubbed


@pytest.fixture
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """A log of its own in an empty folder, which `unforeseen` and `report` use meanwhile."""
    own = Log()
    own.path = tmp_path / "riff.log"
    for module in ("core.system.log", "core.system.report"):
        monkeypatch.setattr(f"{module}.log", own)
    return own


def fail(name: str) -> None:
    try:
        open(f"/home/jane/secret project/{name}.blend").close()
    except OSError as error:
        raise KeyError(name) from error


def test_an_unforeseen_error_is_kept_with_where_it_came_from(own_log: Log) -> None:
    with pytest.raises(KeyError) as caught:
        fail("Hüfte.L")
    sentence = unforeseen("Training", caught.value)
    assert sentence.startswith("Training failed for a reason that Riff did not foresee (KeyError")
    assert "\n" not in sentence
    lines = own_log.last_lines(50)
    assert "Training: KeyError: 'Hüfte.L'" in lines[0]
    assert any(line.startswith("    at tests/core/system/test_log.py:") and line.endswith(" fail") for line in lines)
    assert any("after FileNotFoundError" in line for line in lines)


def test_the_file_stays_small_and_the_latest_is_kept(own_log: Log) -> None:
    assert own_log.path is not None
    for number in range(600):
        own_log.note(f"entry {number} " + "x" * 1500)
    assert own_log.path.stat().st_size + set_aside(own_log.path).stat().st_size < 2 * MAX_FILE_BYTES + 4096
    assert {path.name for path in own_log.path.parent.iterdir()} == {"riff.log", "riff.log.1"}
    assert [line.split()[3] for line in own_log.last_lines(3)] == ["597", "598", "599"]


def test_the_same_again_is_not_kept_again(own_log: Log) -> None:
    for _ in range(100):
        own_log.note("the timer failed")
    assert len(own_log.last_lines(50)) == 1


def test_many_threads_write_whole_lines(own_log: Log) -> None:
    def write(name: int) -> None:
        for number in range(50):
            own_log.note(f"{name} {number} end")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = own_log.last_lines(1000)
    assert len(lines) == 400
    assert all(line.endswith(" end") for line in lines)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    if os.name != "posix" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_costs_no_entry(own_log: Log, tiny_disk: Path) -> None:
    own_log.path = tiny_disk / "riff.log"
    (tiny_disk / "filler").write_bytes(bytes(12 << 10))
    for number in range(30):
        own_log.note(f"entry {number} " + "x" * 500)
    assert own_log.last_lines(1)[0].split()[3] == "29"
    (tiny_disk / "filler").unlink()
    (tiny_disk / "riff.log").unlink()
    own_log.note("room again")
    assert "room again" in (tiny_disk / "riff.log").read_text()


def test_no_folder_and_no_file_are_survived(own_log: Log, tmp_path: Path) -> None:
    own_log.path = tmp_path / "nowhere" / "riff.log"
    own_log.note("one")
    own_log.path = None
    own_log.note("two")
    assert [line.split()[2] for line in own_log.last_lines(5)] == ["one", "two"]


def test_entries_are_handed_on_where_somebody_listens(own_log: Log, tmp_path: Path) -> None:
    heard: list[str] = []
    own_log.listener = heard.append
    unforeseen("Training", ValueError("odd"))
    assert heard == ["Training: ValueError: odd"]
    assert not (tmp_path / "riff.log").exists()


PLANTED = [
    "Jane Doe",
    "Mixamo:LeftHandThumb3",
    "Walk „schnell“",
    "geheim",
    "My Dance",
    "Ünïcode Bone.L",
    "Secret_Client",
]
SENTENCES = [
    "Training: “Jane Doe” has no bone “Mixamo:LeftHandThumb3”.",
    "Cannot save the model “My Dance.safetensors”: No space left on device.",
    "RuntimeError: Error: Cannot write file /home/Jane Doe/geheim/My Dance.blend: permission denied",
    r"OSError: [WinError 5] Access is denied: 'C:\Users\Jane Doe\geheim\My Dance.blend'",
    "KeyError: 'bpy_prop_collection[key]: key \"Ünïcode Bone.L\" not found'",
    "The action Walk „schnell“ cannot be read",
    "Frame 12 of Secret_Client.001 is odd",
    "write to jane.doe@geheim.example about it",
    "“a name with ” in it: Jane Doe” is damaged",
    "“cut off in the middle of Jane Doe",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_name_is_left_in_a_sentence(sentence: str) -> None:
    left = scrubbed(sentence, PLANTED)
    for name in PLANTED:
        assert name.casefold() not in left.casefold(), left


@pytest.mark.parametrize("sentence", [s for s in SENTENCES if "schnell" not in s and "Secret" not in s])
def test_quoted_names_and_paths_go_even_where_nobody_knows_them(sentence: str) -> None:
    left = scrubbed(sentence)
    for name in ("Jane", "Doe", "geheim", "LeftHand", "Dance", "Bone.L"):
        assert name not in left, left


def test_what_helps_stays() -> None:
    text = "Training: ValueError: shapes (3,4) and (5,6) do not fit\n    at core/training/stage.py:12 iterate"
    assert scrubbed(text) == text


def test_a_report_says_what_helps_and_names_nobody(own_log: Log) -> None:
    with pytest.raises(KeyError) as caught:
        fail("Secret_Client")
    unforeseen("Training", caught.value)
    own_log.note(f"“{getpass.getuser()}” on {platform.node()} has no bone “Spine” in {Path.home()}/x.blend")
    text = report({"Riff": "0.1.0", "Blender": "4.5.15", "Device": "Processor", "Recipe": "fast"}, PLANTED)
    for part in (
        "Riff: 0.1.0",
        "Blender: 4.5.15",
        "Python: 3.",
        "numpy: ",
        "Device: Processor",
        "Recipe: fast",
        "at tests/core/system/test_log.py:",
    ):
        assert part in text, text
    body = text.partition("Last lines of the log:")[2]
    for name in ("jane", "secret", "Secret_Client", "Spine", platform.node(), str(Path.home())):
        assert name not in body, text


def test_warnings_of_every_module_reach_the_report(tmp_path: Path) -> None:
    before = log.path
    log.path = tmp_path / "riff.log"
    try:
        logging.getLogger("riff.training").warning("Riff trains without CUDA graphs: %s", "no memory")
        assert "without CUDA graphs: no memory" in report({"Riff": "0.1.0"}, [])
    finally:
        log.path = before
