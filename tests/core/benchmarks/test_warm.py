"""The measurement of warm starts takes its whole path, and does not train twice what it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench import warm
from core.model.model_file import save_model
from core.model.recipe import FAST, RECIPES
from core.motion.bvh import write_bvh
from core.motion.motion import Motion
from core.training.train import train

TINY = replace(FAST, iterations=(8, 8, 8, 8), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)


def test_measures_cold_beside_warm(
    make_walker: Callable[..., Motion], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "fast", TINY)
    clip, start = tmp_path / "walk.bvh", tmp_path / "start.safetensors"
    write_bvh(clip, make_walker(3.0))
    save_model(replace(train(make_walker(3.0, 30.0, 2.0), TINY), name="Other walk"), start)
    common = ["--clip", str(clip), "--start", str(start), "--count", "1", "--out", str(tmp_path)]
    assert warm.main([*common, "--scales", "0.25"]) == 0
    file = tmp_path / "warm-walk-fast.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["trainings"]
    assert [(row["started"], row["iterations"]) for row in rows] == [(warm.COLD, [2] * 4), (warm.WARM, [2] * 4)]
    assert rows[0]["reconstruction_error"] > rows[1]["reconstruction_error"]
    assert warm.main([*common, "--scales", "0.25", "0.125", "--started", warm.WARM]) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["trainings"][:2] == rows
    assert [row["scale"] for row in report["trainings"]] == [0.25, 0.25, 0.125]
    assert (tmp_path / "warm-walk-fast.md").read_text(encoding="utf-8").count(f"| {warm.WARM} |") == 2
