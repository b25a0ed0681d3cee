"""Cost of the matrix products of a training, by several implementations in turn: the measurements behind
`bench/lab.md`.

One middle layer of a human (29 groups, 261 → 261 channels, kernel 5), forward and backward, with one and two threads;
whole critic gradients; the cost of one more cluster. Writes bench/results/kernels-<device>.json and .md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from core.model.channels import choose_channels
from core.model.clusters import Cluster, find_clusters, one_cluster
from core.model.recipe import FAST
from core.motion.motion import RATE, with_contact_labels
from core.motion.resampling import resample
from core.networks.networks import Critic, Graph, GraphConvolution
from core.networks.packed_convolution import back_layers, pack, run_layers

from .measuring.baseline import critic_loss, make_critic
from .measuring.machine import ROOT, circumstances, repeatable
from .measuring.table import publish
from .measuring.timing import Call, in_turn, load, median, spread, with_threads
from .speed import RESULTS, device_slug, find_clip

KERNEL = FAST.kernel
REFERENCE = "conv1d, masked, fp32"
DOUBLE = "double backward by autograd"
SIZES = ((1, 305), (4, 128), (16, 305))
"""Batch size and frames at a middle stage: those of the baseline, the recipe `fast` and the recipe `paper`."""

COSTS = (0.0, 4.0, 12.0, 30.0, 60.0, 120.0, 300.0)
"""Values of CALL_COST that lead to many clusters or few."""


def neighbours(clip: str | None) -> NDArray[np.bool_]:
    """Return the neighbour matrix that a training on the clip would use. Raises ClipError."""
    source = with_contact_labels(resample(find_clip(clip)[1], RATE))
    return choose_channels(source, FAST).near(FAST.distance)


def layer_calls(near: NDArray[np.bool_], batch: int, frames: int) -> dict[str, Call]:
    """Return calls of one middle layer, forward and backward, by name."""
    random = torch.Generator().manual_seed(0)
    width = -(-FAST.hidden[-1] // len(near))
    channels = len(near) * width
    x = torch.randn(batch, channels, frames, generator=random)
    weight = torch.randn(channels, channels, KERNEL, generator=random) / 40
    mask = torch.from_numpy(np.kron(near, np.ones((width, width)))).float()[..., None]
    calls: dict[str, Call] = {
        REFERENCE: convolution(x, weight, mask, F.conv1d),
        "conv1d, masked, bf16": convolution(x.bfloat16(), weight.bfloat16(), mask.bfloat16(), F.conv1d),
    }
    flat = [tensor[:, :, None] for tensor in (x, weight, mask)]
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        image, kernel, zeros = (t.to(kind).contiguous(memory_format=torch.channels_last) for t in flat)
        calls[f"conv2d, channels last, {name}"] = convolution(image, kernel, zeros, F.conv2d)
    calls["packed, one product"] = packed(near, one_cluster(near), width, x)
    calls["packed, clusters"] = packed(near, find_clusters(near), width, x)
    return calls


def convolution(x: Tensor, weight: Tensor, mask: Tensor, function: Callable[..., Tensor]) -> Call:
    """Run a dense convolution, masking its weight each time as the baseline does."""

    def call() -> None:
        own, mine = x.detach().requires_grad_(), weight.detach().requires_grad_()
        function(own, mine * mask).sum().backward()

    return call


def packed(near: NDArray[np.bool_], cut: Sequence[Cluster], width: int, x: Tensor) -> Call:
    """Run the layer on packed rows in clusters; packing is done once for four layers and is not timed."""
    convolved = GraphConvolution(Graph(near, tuple(cut)), width, width, KERNEL, torch.Generator().manual_seed(0))
    layer = convolved.layer()
    rows = pack(x, KERNEL // 2).contiguous()

    def call() -> None:
        values, seen = run_layers(rows, [layer], False)
        back_layers(torch.ones_like(values[-1]), [layer], values, seen, False, True, True)

    return call


def critic_calls(near: NDArray[np.bool_], batch: int, frames: int) -> dict[str, Call]:
    """Return calls of the gradients of the whole critic loss, with the gradient penalty at every sample."""
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(batch, len(near) * 6, frames, generator=random) for _ in range(2))
    mix = torch.rand(batch, 1, 1, generator=random)
    plain = make_critic(near, FAST)
    calls: dict[str, Call] = {DOUBLE: lambda: critic_loss(plain, real, fake, mix, 1.0).backward()}
    for name, cut in (("one product", one_cluster(near)), ("clusters", find_clusters(near))):
        critic = Critic(Graph(near, tuple(cut)), FAST.hidden, KERNEL, random)
        calls[f"Critic.gradients, {name}"] = partial(critic.gradients, real, fake, mix, 1.0)
    calls["Critic.gradients, clusters, sample by sample"] = lambda: [
        critic.gradients(real[k : k + 1], fake[k : k + 1], mix[k : k + 1], 1.0) for k in range(batch)
    ]
    return calls


def cluster_cost(near: NDArray[np.bool_], batch: int, frames: int, rounds: int) -> dict[str, Any]:
    """Fit seconds = a · group pairs + b · clusters over layers with different clusters; CALL_COST should be b / a."""
    width = -(-FAST.hidden[-1] // len(near))
    x = torch.randn(batch, len(near) * width, frames)
    cuts: dict[str, list[Cluster]] = {}
    for cost in COSTS:
        cut = find_clusters(near, cost)
        cuts[str(len(cut))] = cut
    laps = in_turn({name: packed(near, cut, width, x) for name, cut in cuts.items()}, rounds)
    pairs = [sum(len(c.outputs) * len(c.inputs) for c in cut) for cut in cuts.values()]
    seconds = [median(values) for values in laps.values()]
    table = np.stack([np.array(pairs, float), [float(name) for name in cuts]], axis=1)
    (each_pair, each_call), *_ = np.linalg.lstsq(table, np.array(seconds), rcond=None)
    rows = [{"clusters": int(name), "pairs": p, "seconds": s} for name, p, s in zip(cuts, pairs, seconds, strict=True)]
    return {"rows": rows, "cost_in_pairs": float(each_call / each_pair)}


def measure(clip: str | None, rounds: int) -> dict[str, Any]:
    """Measure all but the run in plain Python; every value fits JSON."""
    near = neighbours(clip)
    figures: dict[str, Any] = {"layer": {}, "critic": {}, "clusters": {}}
    for threads in (1, 2):
        for size, (part, make) in itertools.product(SIZES, {"layer": layer_calls, "critic": critic_calls}.items()):
            key = f"{threads} threads, {size[0]} × {size[1]}"
            calls = make(near, *size)
            laps = in_turn({name: with_threads(threads, call) for name, call in calls.items()}, rounds)
            figures[part][key] = {name: spread(values) for name, values in laps.items()}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for batch, frames in ((4, 128), (16, 305)):
        figures["clusters"][f"1 thread, {batch} × {frames}"] = cluster_cost(near, batch, frames, rounds)
    torch.set_num_threads(before)
    return figures


def without_torchscript(arguments: Sequence[str]) -> dict[str, Any]:
    """Run the measurement in a process in which PyTorch leaves the packed functions as plain Python."""
    command = [sys.executable, "-m", "bench.kernels", *arguments, "--print"]
    environment = {**os.environ, "PYTORCH_JIT": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def table(part: dict[str, Any], plain: dict[str, Any]) -> str:
    """Format the milliseconds of each implementation, with its share of the first row in brackets."""
    settings = list(part)
    lines = ["| ms (÷ first row) | " + " | ".join(settings) + " |", "|---|" + "---:|" * len(settings)]
    names = list(part[settings[0]])
    for source, suffix in ((part, ""), (plain, ", plain Python")):
        for name in names:
            if suffix and not name.startswith(("packed", "Critic")):
                continue
            rows = [(source[setting][name]["median"], source[setting][names[0]]["median"]) for setting in settings]
            cells = [f"{1e3 * own:.2f} ({own / first:.2f})" for own, first in rows]
            lines.append(f"| {name}{suffix} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def report_markdown(report: dict[str, Any]) -> str:
    scripted, plain = report["scripted"], report["plain"]
    where = (
        f"{report['device']}, {report['cores']} cores, PyTorch {report['versions']['torch']}, {report['date']}; "
        f"load {report['load_before'][:1]} before, {report['load_after'][:1]} after; `{report['command']}`"
    )
    parts = [
        where,
        "One layer, 261 → 261 channels, forward and backward:",
        table(scripted["layer"], plain["layer"]),
        "Gradients of the whole critic loss:",
        table(scripted["critic"], plain["critic"]),
        "\n".join(cost_line(name, row) for name, row in scripted["clusters"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def cost_line(setting: str, row: dict[str, Any]) -> str:
    cuts = [f"{r['clusters']} clusters, {r['pairs']} pairs: {1e3 * r['seconds']:.2f} ms" for r in row["rows"]]
    return f"- {setting}: one more cluster costs as much as {row['cost_in_pairs']:.0f} group pairs ({', '.join(cuts)})"


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m bench.kernels", description="Time the products of a training.")
    parser.add_argument("--clip", help="BVH file, name of a clip in $RIFF_DATA, or sample (salsa where it is)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results ({RESULTS})")
    parser.add_argument("--print", action="store_true", help="print the figures as JSON and write nothing")
    options = parser.parse_args(given)
    before = load()
    figures = measure(options.clip, options.rounds)
    if options.print:
        print(json.dumps(figures))
        return 0
    command = repeatable("bench.kernels", given)
    report = {
        **circumstances(),
        "command": command,
        "load_before": before,
        "scripted": figures,
        "plain": without_torchscript(given),
        "load_after": load(),
    }
    stem = options.out / f"kernels-{device_slug('cpu')}"
    publish(stem, report, report_markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
