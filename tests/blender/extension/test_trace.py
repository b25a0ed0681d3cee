"""Trace of a session, seen from outside: no network, no writing but where it may, no process but its own worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

READY = """
import importlib, json, os, sys, time
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, os.environ["RIFF_ROOT"])
import bpy
bpy.ops.extensions.package_install_files(filepath=os.environ["RIFF_ZIP"], repo="user_default", enable_on_install=True)
RIFF = "bl_ext.user_default.riff"
part = lambda name: importlib.import_module(f"{RIFF}.{name}")
preferences = bpy.context.preferences.addons[RIFF].preferences
recipes = part("core.model.recipe").RECIPES
recipes["fast"] = replace(recipes["fast"], iterations=(1, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=4)
chosen = Path(os.environ["CHOSEN"])

def wait():
    while part("state.timer").tick():
        time.sleep(0.02)
    job = part("rig.background.jobs").latest_training()
    assert not job.error, job.error

from tests.support.audit_events import watch
trace = watch()
"""

ALL_OF_IT = """
bpy.ops.riff.add_sample_dancer()
ob = bpy.context.object
for separate in (False, True):
    preferences.separate_process = separate
    bpy.ops.riff.train()
    wait()
bpy.ops.riff.refresh_models()
bpy.ops.riff.generate(count=1, frames=60)
bpy.ops.riff.extend_action("EXEC_DEFAULT", True, after=50)
bpy.ops.riff.export_model(filepath=str(chosen / "out.safetensors"))
bpy.ops.riff.import_model(filepath=str(chosen / "out.safetensors"))
bpy.ops.riff.export_job(directory=str(chosen), which="ACTION")
bpy.ops.riff.copy_report()
bpy.ops.wm.save_as_mainfile(filepath=str(chosen / "dance.blend"))
"""

INSTALL = """
assert not bpy.app.online_access
try:
    bpy.ops.riff.install_torch()
    refused = ""
except RuntimeError as error:
    refused = str(error)
"""

TELL = """
trace.watching = False
print("TRACE " + json.dumps({"network": trace.network, "processes": trace.processes, "unpickled": trace.unpickled,
      "outside": trace.outside(Path(bpy.utils.extension_path_user(RIFF)), Path(bpy.app.tempdir), chosen,
                               Path(os.environ["TMPDIR"])),
      "written": len(trace.written), "refused": globals().get("refused", "")}))
sys.stdout.flush()
os._exit(0)
"""


def traced(script: str, zip_path: Path, folder: Path) -> dict[str, object]:
    """Run a script in a Blender of its own whose home is an empty folder; what was seen."""
    for name in ("home", "chosen", "temporary", "user"):
        (folder / name).mkdir()
    own = {"HOME": "home", "CHOSEN": "chosen", "TMPDIR": "temporary", "BLENDER_USER_RESOURCES": "user"}
    environment = {
        # PyTorch, once in this process, has named the folder that it would compile to.
        **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TORCHINDUCTOR_"))},
        **{name: str(folder / value) for name, value in own.items()},
        # Python's own keeping of compiled code beside the code is no writing of Riff's.
        "PYTHONDONTWRITEBYTECODE": "1",
        "RIFF_ZIP": str(zip_path),
        "RIFF_ROOT": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", READY + script + TELL],
        env=environment,
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=900,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("TRACE ")]
    assert lines, done.stdout[-3000:] + done.stderr[-3000:]
    return dict(json.loads(lines[0][6:]))


def test_nothing_is_fetched_and_nothing_written_elsewhere(riff_zip: Path, tmp_path: Path) -> None:
    seen = traced(ALL_OF_IT, riff_zip, tmp_path)
    assert seen["network"] == []
    assert seen["unpickled"] == []
    assert seen["outside"] == []
    assert seen["written"]
    processes = seen["processes"]
    assert isinstance(processes, list)
    long = [command for command in processes if len(command) > 2]
    trained = [one for one in long if one[1].endswith("child_start.py") and "core.runs.worker" in one[2]]
    assert trained
    # PyTorch's build for CUDA asks the linker, by a process that only reads, where the card's driver is.
    others = [command for command in processes if command not in trained and command != ["/sbin/ldconfig", "-p"]]
    assert others == [["os.posix_spawn"]] * processes.count(["/sbin/ldconfig", "-p"])
    # Blender itself keeps small pictures of files that it saves.
    found = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and "thumbnails" not in path.parts]
    assert found == []


def test_install_pytorch_keeps_off_the_network_where_blender_is_offline(riff_zip: Path, tmp_path: Path) -> None:
    seen = traced(INSTALL, riff_zip, tmp_path)
    assert "Blender may not go online" in str(seen["refused"])
    assert seen["network"] == seen["processes"] == seen["outside"] == []


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_in_a_strangers_job_leads_nowhere(riff_zip: Path, tmp_path: Path) -> None:
    script = """
bpy.ops.riff.add_sample_dancer()
bpy.ops.riff.export_job(directory=str(chosen), which="ACTION")
elsewhere = Path(os.environ["HOME"]) / "elsewhere"
elsewhere.mkdir()
job = next(chosen.rglob("manifest.json")).parent
(job / "models").symlink_to(elsewhere)
trace.written.clear()
refused = str(part("core.cli.main").main(["job", str(job)]))
"""
    seen = traced(script, riff_zip, tmp_path)
    assert seen["refused"] not in ("", "0")
    assert list((tmp_path / "home/elsewhere").iterdir()) == []
    assert seen["outside"] == []
