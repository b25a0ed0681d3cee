"""The edition for Blender's extension platform, installed with every socket blocked: all but the installer works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[3]

# In a process of its own: here the full edition is enabled already, and both have one name.
USE = """
import importlib, json, os, sys, time
from pathlib import Path
blocked, started = [], []
def watch(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        blocked.append(event)
        raise PermissionError(f"{event} is blocked")
    if event == "subprocess.Popen":
        started.append([str(word) for word in arguments[1]])
import bpy
sys.addaudithook(watch)
zip_path, python = sys.argv[1:3]
bpy.ops.extensions.package_install_files(filepath=zip_path, repo="user_default", enable_on_install=True)
name = "bl_ext.user_default.riff"
riff = importlib.import_module(name)
tick = importlib.import_module(f"{name}.state.timer").tick
trial = importlib.import_module(f"{name}.state.pytorch.trial")
def wait():
    until = time.monotonic() + 240
    while tick():
        assert time.monotonic() < until
        time.sleep(0.05)
preferences = bpy.context.preferences.addons[name].preferences
found = {"operators": sorted(word for word in dir(bpy.types) if word.startswith("RIFF_OT")),
         "preferences": sorted(preferences.bl_rna.properties.keys())}
bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.riff.add_sample_dancer()
action = bpy.context.object.animation_data.action
action.use_frame_range, action.frame_start, action.frame_end = True, 1, 180
bpy.ops.riff.generate(count=2)
bpy.ops.riff.vary_parts(parts="Upper Body", count=1)
bpy.ops.riff.duplicate_as_crowd(count=3)
found["made"] = sorted(action.name for action in bpy.data.actions if action.get("riff_model"))
found["crowd"] = sum(ob.type == "ARMATURE" for ob in bpy.data.objects)
found["torch of Blender"] = trial.trial_state.importable
nobody = str(Path(python).with_name("no-python"))
preferences.python = nobody
wait()
found["wrong python"] = trial.trial_state.problem
preferences.python = python
wait()
found["right python"] = [trial.trial_state.problem, trial.trial_state.facts.get("device", "")]
jobs = importlib.import_module(f"{name}.rig.background.jobs")
bpy.ops.riff.train(scale=0.0001)
wait()
job = jobs.latest_training()
found["training"] = [job.state.value, job.error, job.path.is_file()]
found["started"] = sorted({command[0] for command in started})
found["pip"] = [command for command in started if any("pip" in word for word in command[:4])]
found["blocked"] = blocked
print("FOUND", json.dumps(found), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def used(riff: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Facts about the installed edition after a person has generated, composed, made a crowd and trained."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("platform")
    builder = Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core/bl_pkg/cli/blender_ext.py"
    subprocess.run([sys.executable, str(ROOT / "wheels/fetch.py")], check=True)
    pack = [sys.executable, str(ROOT / "wheels/pack.py"), f"--builder={builder}", f"--out={folder}"]
    subprocess.run([*pack, "--edition=platform", "--zip-only"], check=True, stdout=subprocess.DEVNULL)
    (made,) = (folder / "platform").glob("*.zip")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user"), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, "-c", USE, str(made), str(python)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    return {**json.loads(lines[0].removeprefix("FOUND ")), "python": str(python)}


@pytest.mark.skipif(os.name == "nt", reason="the named Python is a shell script")
class TestPlatformEdition:
    def test_no_operator_and_no_preference_of_the_installation_is_registered(self, used: dict[str, Any]) -> None:
        names = " ".join(used["operators"])
        assert "RIFF_OT_generate" in names
        assert "RIFF_OT_try_torch" in names
        for word in ("install", "remove_torch"):
            assert word not in names
        assert "python" in used["preferences"]
        assert "backend" not in used["preferences"]

    def test_generating_composing_and_crowds_are_complete(self, used: dict[str, Any]) -> None:
        assert len(used["made"]) >= 3
        assert any("Parts" in name for name in used["made"])
        assert used["crowd"] == 4, "the dancer and three of the crowd"

    def test_a_wrong_python_is_named(self, used: dict[str, Any]) -> None:
        assert "no-python” cannot be started" in used["wrong python"]

    def test_the_named_python_is_tried_and_trains(self, used: dict[str, Any]) -> None:
        assert used["right python"][0] == ""
        assert used["right python"][1] != ""
        assert used["training"] == ["done", "", True]
        assert used["python"] in used["started"]

    def test_nothing_asked_a_network_or_pip(self, used: dict[str, Any]) -> None:
        assert used["blocked"] == []
        assert used["pip"] == []
