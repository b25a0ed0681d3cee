"""The ten lines of the documentation, run as they stand there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import bpy

from tests.support.rigs.walkers import add_control_biped, walk_control_biped

DOCS = Path(__file__).resolve().parents[3] / "docs/rigs.md"


def test_the_lines_of_the_documentation(riff: ModuleType, tmp_path: Path) -> None:
    biped = add_control_biped()
    walk_control_biped(biped)
    text = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert text is not None
    lines = text[1]
    assert len([line for line in lines.splitlines() if line.strip()]) == 10
    # a thousandth of the steps, and a folder of the test's own
    lines = lines.replace("effort=1.0", "effort=0.001").replace("/tmp", str(tmp_path))
    assert "0.001" in lines
    found: dict[str, object] = {}
    exec(compile(lines, str(DOCS), "exec"), found)
    written = [action.name for action in bpy.data.actions if action.name.startswith("Walk")]
    assert len(written) == 4
    assert (tmp_path / "walk.safetensors").exists()
    assert biped.animation_data.action.name == "Walk with the same feet"


def test_what_a_rig_is_told_as(riff: ModuleType) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    biped = add_control_biped()
    walk_control_biped(biped)
    told = api.describe(api.read(biped))
    assert (told["root"], sorted(told["feet"])) == ("body", ["ik_foot.L", "ik_foot.R"])
    assert told["pairs"] == {"ik_foot.L": "ik_foot.R", "ik_foot.R": "ik_foot.L"}
    assert told["joints"]["ik_foot.L"] == "body"
    assert told["properties"]['pose.bones["body"]["armed"]'] == (0.0, 1.0)
    assert set(told["moved"]) == {"body", "ik_foot.L", "ik_foot.R"}


def test_every_name_is_there(riff: ModuleType) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    for name in api.__all__:
        assert getattr(api, name).__doc__, name
