"""The process that trains, watched from inside: no network, no process, no file but the state and the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from core.model.model_file import load_model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.checkpoint import Checkpoint, save_checkpoint

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import json, sys
from pathlib import Path
from core.runs.worker import main
from tests.support.audit_events import watch
trace = watch()
code = main([sys.argv[1], sys.argv[2]])
trace.watching = False
print(json.dumps(["trace", [code, trace.network, trace.processes, trace.unpickled, trace.outside(Path(sys.argv[3]))]]))
"""


def test_a_worker_keeps_to_its_two_files(walker: Motion, tmp_path: Path) -> None:
    own, home = tmp_path / "own", tmp_path / "home"
    own.mkdir()
    home.mkdir()
    recipe = replace(FAST, iterations=(1, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=2)
    save_checkpoint(Checkpoint(walker, recipe, 1, "Walk"), own / "state.safetensors")
    environment = {
        # PyTorch, once in this process, has named the folder that it would compile to.
        **{name: value for name, value in os.environ.items() if not name.startswith("TORCHINDUCTOR_")},
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "TMPDIR": str(own),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", SCRIPT, str(own / "state.safetensors"), str(own / "model.safetensors"), str(own)]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.PIPE,
    ) as worker:
        assert worker.stdout is not None
        messages = [json.loads(line) for line in worker.stdout if line.startswith("[")]
    assert messages[-1] == ["trace", [0, [], [], [], []]]
    assert load_model(own / "model.safetensors").recipe.iterations == recipe.iterations
    # PyTorch leaves an empty folder where temporary files go.
    assert {path.name for path in own.rglob("*") if path.is_file()} <= {"state.safetensors", "model.safetensors"}
    assert list(home.iterdir()) == []
