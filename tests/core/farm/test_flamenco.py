"""The Flamenco job type, compiled by a JavaScript engine with stand-ins for the Manager's calls, and what it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.farm.export import export_job
from core.farm.job import FarmJob
from core.model.recipe import FAST
from core.motion.clip_file import Clip
from core.motion.motion import Motion

NODE = shutil.which("node") or shutil.which("nodejs")
TINY = replace(FAST, iterations=(1, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=4)

MANAGER = """
const [script, settings] = process.argv.slice(1);
const tasks = [];
const author = {
  Task: (name, type) => ({ name, type, commands: [], after: [],
    addCommand(command) { this.commands.push(command); }, addDependency(task) { this.after.push(task.name); } }),
  Command: (name, parameters) => ({ name, parameters }),
};
function frameChunker(text, size) {
  const numbers = text.split(",").flatMap((part) => {
    const [first, last] = part.split("-").map(Number);
    return Array.from({ length: (last ?? first) - first + 1 }, (_, k) => first + k);
  });
  const chunks = [];
  for (let k = 0; k < numbers.length; k += size) {
    const part = numbers.slice(k, k + size);
    chunks.push(part.length > 1 ? `${part[0]}-${part.at(-1)}` : `${part[0]}`);
  }
  return chunks;
}
const context = require("vm").createContext({ author, frameChunker });
const source = require("fs").readFileSync(script, "utf8") + "; [JOB_TYPE, compileJob]";
const [type, compile] = require("vm").runInContext(source, context, { filename: script });
const defaults = Object.fromEntries(type.settings.map((one) => [one.key, one.default]));
compile({ settings: { ...defaults, ...JSON.parse(settings) }, addTask: (task) => tasks.push(task) });
console.log(JSON.stringify({ type, tasks }));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="NO NODE: the Flamenco job type was not even compiled")


@pytest.fixture
def job(make_walker: Callable[..., Motion], tmp_path: Path) -> FarmJob:
    clips = [Clip(f"Walk {k}", make_walker(2.2, start=0.7 * k)) for k in range(3)]
    return export_job(tmp_path / "Tänze & more", "Walks", clips, TINY)


def compiled(job: FarmJob, **settings: object) -> dict[str, Any]:
    script = job.folder / "riff_train.js"
    given = json.dumps({"job_folder": str(job.folder), "python": sys.executable, **settings})
    run = subprocess.run([str(NODE), "-e", MANAGER, str(script), given], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def test_every_setting_is_described_and_every_clip_is_in_one_task(job: FarmJob) -> None:
    told = compiled(job, clips="0-2", clips_per_task=2)
    assert {setting["key"] for setting in told["type"]["settings"]} == {
        "job_folder",
        "clips",
        "clips_per_task",
        "device",
        "python",
    }
    assert all(setting["description"] for setting in told["type"]["settings"])
    assert [task["name"] for task in told["tasks"]] == ["train-0-1", "train-2", "report"]
    assert told["tasks"][-1]["after"] == ["train-0-1", "train-2"]


def test_the_commands_of_its_tasks_do_the_whole_job(job: FarmJob) -> None:
    """Run as a worker would: each command in a folder of the worker's own, no environment but the machine's."""
    for task in compiled(job, clips="0-2", clips_per_task=2, device="cpu")["tasks"]:
        (command,) = task["commands"]
        assert command["name"] == "exec"
        words = [command["parameters"]["exe"], *command["parameters"]["args"]]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        run = subprocess.run(words, cwd=job.folder.parent, env=environment, capture_output=True, text=True, timeout=600)
        assert run.returncode == 0, run.stderr
    assert all(job.is_done(entry) for entry in job.entries)
    table = (job.folder / "report/library.csv").read_text(encoding="utf-8")
    assert table.count(",done,") == 3
