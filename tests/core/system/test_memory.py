"""Threads that share one arena, counted by glibc itself."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import ctypes, sys, threading
from core.system.memory import limit_malloc_arenas
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
if sys.argv[2] == "shared":
    limit_malloc_arenas()
together = threading.Barrier(4)

def use():
    libc.malloc(ctypes.c_size_t(1000))
    together.wait()

threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


GLIBC = sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "malloc_info")


@pytest.mark.skipif(not GLIBC, reason="glibc alone has arenas")
def test_threads_share_one_arena(tmp_path: Path) -> None:
    heaps = {}
    for how in ("shared", "apart"):
        told = tmp_path / how
        subprocess.run([sys.executable, "-c", SCRIPT, str(told), how], check=True, cwd=Path(__file__).parents[3])
        heaps[how] = told.read_text().count("<heap nr=")
    assert heaps["shared"] == 1
    assert heaps["apart"] > 1
