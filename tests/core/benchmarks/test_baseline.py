"""The baseline learns, wastes what it is said to waste, and its critic agrees with core's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bench.measuring.baseline import Baseline, MaskedConvolution, Pool, critic_loss, make_critic
from core.model.clusters import find_clusters
from core.model.recipe import GANIMATOR
from core.motion.motion import Motion
from core.networks.networks import Critic, Graph, GraphConvolution

SMALL = replace(GANIMATOR, hidden=(32, 32, 32), generator_rate=1e-3, critic_rate=1e-3)


def dense(layer: GraphConvolution) -> torch.Tensor:
    """A layer's weight as one dense convolution's (outputs, inputs, kernel)."""
    near = layer.graph.near
    full = np.zeros((*near.shape, layer.outside, layer.inside, layer.kernel), dtype=np.float32)
    full[near] = layer.pairs()
    groups = len(near)
    full = full.transpose(0, 2, 1, 3, 4)
    return torch.from_numpy(full.reshape(groups * layer.outside, groups * layer.inside, layer.kernel))


def same_critic(critic: Critic, near: np.ndarray) -> nn.Sequential:
    """The baseline's critic with the weights of core's."""
    plain = make_critic(near, GANIMATOR)
    convolutions = [module for module in plain if isinstance(module, MaskedConvolution | nn.Conv1d)]
    for layer, convolution in zip(critic.layers, convolutions, strict=True):
        assert convolution.bias is not None
        convolution.weight.data.copy_(dense(layer))
        convolution.bias.data.copy_(layer.bias.data)
    return plain


def test_critic_gradient_equals_that_of_core() -> None:
    random = torch.Generator().manual_seed(4)
    distance = np.abs(np.subtract.outer(np.arange(11), np.arange(11)))
    near = distance <= 2
    critic = Critic(Graph(near, tuple(find_clusters(near))), GANIMATOR.hidden, GANIMATOR.kernel, random)
    real, fake = (torch.randn(1, 66, 40, generator=random) for _ in range(2))
    mix = torch.rand(1, 1, 1, generator=random)
    ours, gap = critic.gradients(real, fake, mix, 1.5)
    plain = same_critic(critic, near)
    critic_loss(plain, real, fake, mix, 1.5).backward()
    assert float(gap) == pytest.approx(float((plain(real).mean() - plain(fake).mean()).detach()), abs=1e-5)
    own = iter(ours)
    convolutions = [module for module in plain if isinstance(module, MaskedConvolution | nn.Conv1d)]
    for layer, convolution in zip(critic.layers, convolutions, strict=True):
        pieces = [next(own) for _ in layer.weights]
        for cluster, rows, piece in zip(layer.graph.clusters, layer.rows, pieces, strict=True):
            columns = [group * layer.inside + k for group in cluster.inputs for k in range(layer.inside)]
            near_ones = torch.from_numpy(
                np.kron(
                    layer.graph.near[np.ix_(cluster.outputs, cluster.inputs)], np.ones((layer.outside, layer.inside))
                )
            ).float()
            assert convolution.weight.grad is not None
            expected = convolution.weight.grad[rows][:, columns].permute(2, 0, 1)
            torch.testing.assert_close(piece * near_ones, expected, atol=1e-5, rtol=1e-3)
        assert convolution.bias is not None
        assert convolution.bias.grad is not None
        torch.testing.assert_close(next(own), convolution.bias.grad, atol=1e-5, rtol=1e-3)


def test_losses_fall(walker: Motion) -> None:
    """The reconstruction's in a training, the critic's while the generator stands still."""
    for name, recipe in (("reconstruction", SMALL), ("critic", replace(SMALL, generator_rate=0.0, critic_steps=1))):
        baseline = Baseline(walker, recipe, seed=1)
        baseline.start_level(0)
        losses = [baseline.iterate()[name] for _ in range(30)]
        early, late = np.mean(losses[:5]), np.mean(losses[-5:])
        assert late < early - 0.2 * abs(early), name


def test_graph_goes_through_frozen_stages_which_stay_as_they_are(walker: Motion) -> None:
    baseline = Baseline(walker, SMALL)
    baseline.start_level(1)
    frozen = list(baseline.generators[0].parameters())
    before = [parameter.detach().clone() for parameter in frozen]
    baseline.iterate()
    assert all(parameter.grad is not None and parameter.grad.abs().max() > 0 for parameter in frozen)
    assert all(torch.equal(a, b) for a, b in zip(before, frozen, strict=True))
    moved = [parameter for parameter in baseline.generators[baseline.first].parameters() if parameter.grad is not None]
    assert len(moved) == 8


def test_masked_weights_have_no_gradient() -> None:
    near = np.eye(3, dtype=bool)
    layer = MaskedConvolution(near, 2, 4, 5)
    layer(torch.randn(1, 6, 12)).square().sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad != 0, layer.get_buffer("mask").bool().expand(-1, -1, 5))


def test_pool_shows_past_fakes() -> None:
    pool = Pool(3, 0)
    shown = [float(pool.swap(torch.tensor(float(number)))) for number in range(40)]
    assert shown[:3] == [0.0, 1.0, 2.0]
    assert len(pool.past) == 3
    swapped = [value for number, value in enumerate(shown) if value != number]
    assert 10 < len(swapped) < 30
