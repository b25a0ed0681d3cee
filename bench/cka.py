"""Linear CKA between all layers of all generators of a model (Roditakis et al. 2024, Figure 4).

The paper transfers the first two layers of a generator to the one a level above because only early layers agree across
levels. This measures the same for any model: every generator gets the same motions, resampled to its own length; the
outputs of its layers are resampled to the shortest length and compared. With `--inputs own` each generator gets its
inputs in generation instead: the noise and the output of the stages below. Untrained generators are compared as well,
because layers with the same input agree without any training. Critics are left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from core.errors import RiffError
from core.generation.generate import Sampler
from core.generation.noise import noise_code
from core.generation.torch_backend import load_generators
from core.model.model import Model
from core.model.model_file import load_model
from core.networks.packed_convolution import SLOPE
from core.networks.pyramid import resize
from core.numeric.rotation import Array

from .measuring.machine import circumstances
from .measuring.table import write_json

SAMPLE_COUNT = 4


@dataclass(frozen=True)
class Similarities:
    """Linear CKA between layers, `matrix` (N, N); layer n belongs to `stages[n]` and `levels[n]`, counted from 0."""

    matrix: Array
    stages: list[int]
    levels: list[int]
    layers: list[int]


def linear_cka(a: Array, b: Array) -> float:
    """Return the linear centred kernel alignment of activations (N, P) and (N, Q) on the same N inputs; 1 if equal.

    ‖bᵀa‖² / (‖aᵀa‖ ‖bᵀb‖) with centred columns (Kornblith et al. 2019), invariant to rotation and scaling.
    """
    a, b = a - a.mean(0), b - b.mean(0)
    scale = float(np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))
    return float(np.linalg.norm(b.T @ a) ** 2 / scale) if scale > 0.0 else 0.0


@torch.no_grad()
def layer_outputs(model: Model, stage: int, x: Tensor) -> list[Tensor]:
    """Return the outputs (B, P, T) of each layer of a stage's generator for x (B, C, T), after the LeakyReLU if there
    is one; computed by plain convolutions."""
    outputs = []
    last = len(model.recipe.hidden)
    near = model.channels.near(model.recipe.distance)
    for layer in range(last + 1):
        weight = torch.from_numpy(dense_weight(model.weights[f"stage{stage}.layer{layer}.weight"], near))
        bias = torch.from_numpy(model.weights[f"stage{stage}.layer{layer}.bias"])
        half = weight.shape[-1] // 2
        x = F.conv1d(F.pad(x, (half, half), mode="reflect"), weight, bias)
        x = x if layer == last else F.leaky_relu(x, SLOPE)
        outputs.append(x)
    return outputs


def dense_weight(pairs: NDArray[np.float32], near: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Expand pair weights (P, outside, inside, kernel) to a dense convolution, zero between other groups."""
    groups, (_, outside, inside, kernel) = len(near), pairs.shape
    full = np.zeros((groups, groups, outside, inside, kernel), dtype=np.float32)
    full[near] = pairs
    return full.transpose(0, 2, 1, 3, 4).reshape(groups * outside, groups * inside, kernel)


def same_inputs(model: Model, seed: int) -> list[Tensor]:
    """Return the source and samples of the model, resampled to the length of every stage."""
    sampler = Sampler(model)
    motions = [model.source, *sampler.sample(model.source.frames, SAMPLE_COUNT, seed)]
    rows = torch.from_numpy(np.stack([model.channels.encode(motion.features) for motion in motions]))
    return [resize(rows, length) for length in model.lengths]


@torch.no_grad()
def own_inputs(model: Model, seed: int) -> list[Tensor]:
    """Return the input of each stage in generation: the upsampled output of the stage below plus noise."""
    x = torch.zeros(SAMPLE_COUNT, len(model.channels.columns), model.lengths[0])
    inputs = []
    stages = zip(load_generators(model), model.lengths, model.amplitudes, strict=True)
    for stage, (generator, length, amplitude) in enumerate(stages):
        x = resize(x, length)
        noise = (
            torch.from_numpy(np.stack([noise_code(seed, k, stage, length) for k in range(SAMPLE_COUNT)])) * amplitude
        )
        inputs.append(x + noise)
        x = generator.refine(x, noise)
    return inputs


def untrained(model: Model, seed: int = 0) -> Model:
    """Return the model with random weights of their size before training."""
    random = np.random.default_rng(seed)
    groups = len(model.channels.groups)
    weights = {}
    for name, weight in model.weights.items():
        pairs = model.weights[name.replace(".bias", ".weight")]
        fan_in = len(pairs) / groups * pairs.shape[2] * pairs.shape[3]
        weights[name] = random.uniform(-1.0, 1.0, weight.shape).astype(np.float32) / np.float32(np.sqrt(fan_in))
    return replace(model, weights=weights)


def compare_layers(model: Model, inputs: Sequence[Tensor]) -> Similarities:
    """Compute linear CKA between all layers of all stages of a model; `inputs` has one tensor for each stage."""
    rows, stages, layers = [], [], []
    for stage, x in enumerate(inputs):
        for layer, output in enumerate(layer_outputs(model, stage, x)):
            short = resize(output, model.lengths[0]).transpose(1, 2)
            rows.append(short.reshape(-1, short.shape[-1]).numpy().astype(np.float64))
            stages.append(stage)
            layers.append(layer)
    matrix = np.array([[linear_cka(a, b) for b in rows] for a in rows])
    return Similarities(matrix, stages, [model.recipe.level_of(stage) for stage in stages], layers)


def agreement(found: Similarities) -> dict[str, list[float]]:
    """Return the mean CKA of each layer between stages of different levels, and between pairs of transfer."""
    stages, levels, layers = (np.array(values) for values in (found.stages, found.levels, found.layers))
    same_layer = layers[:, None] == layers[None]
    across = same_layer & (levels[:, None] < levels[None])
    joined = across & (stages[None] - stages[:, None] == 2)
    each = range(int(layers.max()) + 1)
    return {
        name: [float(found.matrix[chosen & (layers[:, None] == layer)].mean()) for layer in each]
        for name, chosen in (("across_levels", across), ("a_level_apart", joined))
    }


def answer(found: Similarities, blank: Similarities, transfer: int) -> str:
    """Describe whether early layers agree across levels more than late ones; `blank` is from untrained generators."""
    means, before = agreement(found)["across_levels"], agreement(blank)["across_levels"]
    half = len(means) // 2
    early, late = float(np.mean(means[:half])), float(np.mean(means[half:]))
    verdict = (
        "Early layers agree across levels more than late ones"
        if early > late
        else ("Early layers do not agree across levels more than late ones")
    )
    pairs = zip(means, before, strict=True)
    listed = ", ".join(f"layer {number}: {a:.2f}, untrained {b:.2f}" for number, (a, b) in enumerate(pairs, start=1))
    text = f"{verdict}: mean linear CKA {early:.2f} against {late:.2f} ({listed})."
    if transfer:
        text += (
            f" The first {transfer} layers of these generators started from those a level below, so part of their"
            " agreement is given; only a model trained without transfer answers for the data alone."
        )
    return text


def plot_similarities(found: Similarities, path: Path, title: str) -> None:
    """Plot a heat map of all layers against all layers, with stages and levels marked."""
    figure, axis = plt.subplots(figsize=(8.4, 7.4))
    image = axis.imshow(found.matrix, vmin=0.0, vmax=1.0, cmap="magma")
    names = [f"G{stage + 1}·{layer + 1}" for stage, layer in zip(found.stages, found.layers, strict=True)]
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axis.set_yticks(range(len(names)), names, fontsize=7)
    for place in range(1, len(names)):
        if found.stages[place] != found.stages[place - 1]:
            heavy = found.levels[place] != found.levels[place - 1]
            for line in (axis.axhline, axis.axvline):
                line(place - 0.5, color="white", linewidth=1.6 if heavy else 0.5)
    axis.set_title(title, fontsize=10)
    figure.colorbar(image, label="linear CKA (thick lines: levels)", shrink=0.8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cka", description="Compare the layers of a model's stages.")
    parser.add_argument("model", type=Path, metavar="M.safetensors")
    parser.add_argument("--inputs", choices=("same", "own"), default="same", help="what the generators are shown")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder of the results (bench/results)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Compare, write JSON and PNG, and return the contents of the JSON. Raises ModelError."""
    model = load_model(options.model)
    inputs = (own_inputs if options.inputs == "own" else same_inputs)(model, options.seed)
    found, blank = compare_layers(model, inputs), compare_layers(untrained(model, options.seed), inputs)
    said = answer(found, blank, model.recipe.transfer)
    stem = f"cka-{model.name or options.model.stem}-{model.recipe.name}-{options.inputs}"
    options.out.mkdir(parents=True, exist_ok=True)
    plot_similarities(found, options.out / f"{stem}.png", f"{stem}: linear CKA between layers of all generators")
    report = {
        "model": model.info(),
        "transfer": model.recipe.transfer,
        "inputs": options.inputs,
        "answer": said,
        **agreement(found),
        "untrained": agreement(blank),
        "stages": found.stages,
        "levels": found.levels,
        "layers": found.layers,
        "matrix": np.round(found.matrix, 4).tolist(),
        **circumstances(),
    }
    write_json(options.out / f"{stem}.json", report)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        print(run(parse(arguments))["answer"])
    except RiffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
