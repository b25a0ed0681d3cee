"""The measurement for CUDA devices takes its whole path on the CPU; its count of operations is what is really done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.cuda import iteration_operations, measure, report_markdown
from bench.measuring.levels import BASELINE
from bench.measuring.measure import CLEAN
from core.model.clusters import one_cluster
from core.model.recipe import FAST, PAPER
from core.motion.motion import Motion
from core.networks.networks import Graph
from core.training.checkpoint import Checkpoint
from core.training.cuda_graphs import ALLOWED
from core.training.session import open_session
from core.training.train import iterate_stage, start_level

TINY_FAST = replace(FAST, iterations=(1, 1, 1, 1), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
TINY_PAPER = replace(PAPER, iterations=(1, 1, 1, 1), hidden=(32, 32, 32), batch=(2, 2, 2, 2), pool=2)


class Products(TorchDispatchMode):
    """Counts the floating-point operations of matrix products."""

    operations = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(function)
        if name.startswith(("aten.mm", "aten.addmm")):
            a, b = args[:2] if name.startswith("aten.mm") else args[1:3]
            self.operations += 2 * a.shape[0] * a.shape[1] * b.shape[1]
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("recipe", [TINY_FAST, TINY_PAPER], ids=lambda r: r.name)
def test_counts_the_operations_of_an_iteration(walker: Motion, recipe: Any) -> None:
    plain = replace(recipe, stages=(1, 1, 1, 1), batch=(4, 4, 4, 4), reconstruct_every=1)
    with open_session(Checkpoint(walker, plain), torch.device("cpu"), 1, lambda: False) as opened:
        whole = Graph(opened.graph.near, tuple(one_cluster(opened.graph.near)))
        session = replace(opened, graph=whole)
        run = start_level(session, [], 0)
        inputs = run.frozen.draw(plain.critic_steps + 1)
        with Products() as products:
            iterate_stage(run.stages[0], inputs, lambda tasks: [task() for task in tasks])
    counted = iteration_operations(plain, walker.frames, len(session.channels.groups), 0)
    # Rows are packed with margins, on 18 frames two at either end.
    assert 1.0 < products.operations / counted < 22 / 18


def test_measures_on_the_cpu(walker: Motion) -> None:
    report = measure(walker, (TINY_FAST,), "cpu", rounds=1, size=64, repeats=1, compared=(), samples=1)
    assert json.loads(json.dumps(report)) == report
    assert [(run["graphs"], run["tf32"]) for run in report["training"]] == [(False, False), (False, True), (True, True)]
    assert (ALLOWED.graphs, ALLOWED.tf32) == (True, True)
    assert report["whole"][0]["figures"][CLEAN]["coverage"] >= 0.0
    for run in report["training"]:
        assert set(run["whole"]) == {"fast", BASELINE}
        for level in run["levels"]:
            assert all(row["median"] > 0 for row in level["iteration"].values())
            assert level["iteration"]["fast"]["share_of_peak"] > 0
        assert run["whole"][BASELINE]["seconds"] > run["whole"]["fast"]["seconds"]
    assert [row["cuda_peak_mb"] for row in report["whole"]] == [None]
    assert report["difference_of_repeats"] == {"fast": 0.0}
    assert [(row["graphs"], row["count"]) for row in report["generation"]] == [
        (False, 1),
        (False, 100),
        (True, 1),
        (True, 100),
    ]
    text = report_markdown({"clip": "walker", "command": "test", **report})
    assert text.count("| fast |") == text.count("| baseline |") == 3
    assert "records nothing" in text
