"""The static repository that `make build` writes: one address, and Blender installs from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[3]

# In a process of its own: here Riff is enabled already, and two of a kind would take each other's panels.
INSTALL = """
import json, os, sys
import bpy
repos = bpy.context.preferences.extensions.repos
repo = repos.new(name="Riff", module="riff_repository", remote_url=sys.argv[1])
repo.use_remote_url = True
bpy.context.preferences.system.use_online_access = True
bpy.ops.extensions.repo_sync(repo_index=list(repos).index(repo))
bpy.ops.extensions.package_install(repo_index=list(repos).index(repo), pkg_id="riff", enable_on_install=True)
found = {"enabled": "bl_ext.riff_repository.riff" in bpy.context.preferences.addons,
         "panel": hasattr(bpy.types, "RIFF_PT_train"), "torch": "torch" in sys.modules}
print("FOUND", json.dumps(found), flush=True)
os._exit(0)
"""


def test_blender_installs_from_the_repository_without_loading_pytorch(tmp_path: Path) -> None:
    builder = Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core/bl_pkg/cli/blender_ext.py"
    subprocess.run([sys.executable, str(ROOT / "wheels/fetch.py")], check=True)
    pack = [sys.executable, str(ROOT / "wheels/pack.py"), f"--builder={builder}", f"--out={tmp_path}"]
    subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "user")}
    address = (tmp_path / "repository/index.json").as_uri()
    done = subprocess.run(
        [sys.executable, "-c", INSTALL, address], env=environment, capture_output=True, text=True, check=False
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert json.loads(line.removeprefix("FOUND ")) == {"enabled": True, "panel": True, "torch": False}
