"""One thread for a product while Riff works with numpy, and as many as before afterwards."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

import pytest

from core.system.threads import on_all_cores, one_thread, openblas

threads = openblas()
pytestmark = pytest.mark.skipif(threads is None, reason="this numpy multiplies without OpenBLAS")


def test_numpys_library_is_found_and_held_at_one_thread() -> None:
    assert threads is not None
    threads.set(2)
    with one_thread():
        assert threads.get() == 1
        with one_thread():
            assert threads.get() == 1
        assert threads.get() == 1, "somebody is still inside"
    assert threads.get() == 2


def test_every_core_works_with_one_thread_and_a_failure_gives_them_back() -> None:
    assert threads is not None
    threads.set(2)
    assert on_all_cores(lambda _: threads.get(), range(8)) == [1] * 8
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda number: 1 // number, range(3))
    assert threads.get() == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows names that are no text")
def test_a_folder_whose_name_is_no_text_is_no_hindrance(tmp_path: Path) -> None:
    maps = Path("/proc/self/maps").read_bytes().splitlines()
    library = next(line.split(maxsplit=5)[5] for line in maps if b"openblas" in line)
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    copy = folder + b"/" + os.path.basename(library)
    shutil.copyfile(library, copy)
    ctypes.CDLL(os.fsdecode(copy))
    openblas.cache_clear()
    assert openblas() is not None
