"""Children that hang, flood, hold on to pipes or bring modules along: none keeps Riff waiting or fills memory."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.system import child_process
from core.system.child_process import ChildProcess, Ended, Flooded, python_command, python_environment

FLOOD = "import sys\nwhile True: sys.{0}.buffer.write(b'x' * 65536{1})"
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def child_of(code: str, *, keep_stdin: bool = False) -> ChildProcess:
    return ChildProcess([sys.executable, "-c", code], python_environment(), keep_stdin=keep_stdin)


def lines_of(child: ChildProcess, seconds: float = 20.0) -> Iterator[str]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            line = child.line()
        except Ended:
            return
        if line is not None:
            yield line
    raise AssertionError("it did not end")


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def test_what_it_says_comes_in_order_and_its_code_is_told() -> None:
    child = child_of("import sys; print('a'); print('ü'); print('oh', file=sys.stderr); sys.exit(3)")
    assert [line.strip() for line in lines_of(child)] == ["a", "ü"]
    assert child.end(5.0) == 3
    assert child.last_complaint() == "oh"


@pytest.mark.parametrize(("pipe", "end"), [("stdout", ""), ("stdout", " + b'\\n'"), ("stderr", "")])
def test_a_flood_fills_no_memory_and_is_told(pipe: str, end: str) -> None:
    before = memory()
    child = child_of(FLOOD.format(pipe, end))
    try:
        if pipe == "stdout":
            with pytest.raises(Flooded):
                list(lines_of(child))
        else:
            time.sleep(1.0)
            assert child.line() is None
    finally:
        started = time.monotonic()
        child.end()
    assert time.monotonic() - started < 1.0
    assert memory() - before < 100, "megabytes"


@posix
@pytest.mark.parametrize("how", ["stopped", "deaf", "grandchild"])
def test_it_is_ended_at_once(how: str) -> None:
    code = {
        "stopped": "import time; print('here', flush=True); time.sleep(99)",
        "deaf": "import signal, time; signal.signal(15, 1); print('here', flush=True); time.sleep(99)",
        "grandchild": "import subprocess, sys\nsubprocess.Popen(['sleep', '30'])\nprint('here', flush=True)",
    }[how]
    child = child_of(code, keep_stdin=True)
    assert next(lines_of(child)).strip() == "here"
    if how == "stopped":
        child.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    if how == "grandchild":
        assert list(lines_of(child, 3.0)) == []
    child.end(0.3)
    assert time.monotonic() - started < 2.0
    assert child.process.poll() is not None


def test_a_module_in_a_folder_of_packages_shadows_nothing(tmp_path: Path) -> None:
    """Neither one of the standard library nor one of the interpreter's; only PyTorch comes from there."""
    for name in ("json", "sympy", "core", "torch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"import sys; sys.stderr.write('{name} of the folder\\n')")
    last, torch = [str(tmp_path)], str(tmp_path)
    command = python_command(Path(sys.executable), "core.torch_trial.self_test", last=last, torch=torch)
    done = subprocess.run(command, env=python_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[0] == "torch of the folder"
    assert "json of" not in done.stderr
    assert "core of" not in done.stderr
    assert "problem" in json.loads(done.stdout)


@pytest.mark.parametrize("name", [f"a{os.pathsep}b", "ü 100% #1", "plain"])
def test_a_folder_of_any_name_is_looked_into(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    (folder / "torch").mkdir(parents=True)
    (folder / "torch/__init__.py").write_text("raise RuntimeError('this very one')")
    command = python_command(Path(sys.executable), "core.torch_trial.self_test", last=[str(folder)], torch=str(folder))
    done = subprocess.run(command, env=python_environment(), capture_output=True, timeout=60, check=False)
    assert "this very one" in json.loads(done.stdout)["problem"]


def test_a_folder_without_pytorch_is_not_made_up_for_by_another_one(tmp_path: Path) -> None:
    command = python_command(Path(sys.executable), "core.torch_trial.self_test", torch=str(tmp_path))
    done = subprocess.run(command, env=python_environment(), capture_output=True, timeout=60, check=False)
    assert "No module named 'torch'" in json.loads(done.stdout)["problem"]


def test_a_long_line_is_cut_off() -> None:
    child = child_of(f"print('x' * {3 * child_process.MAX_LINE_BYTES}); print('end')")
    try:
        found = list(lines_of(child))
    finally:
        child.end(1.0)
    assert [len(found[0]), found[1].strip()] == [child_process.MAX_LINE_BYTES, "end"]
