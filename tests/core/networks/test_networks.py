"""Packed, clustered convolutions against plain ones; sparsity; what is frozen."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.model.clusters import cluster_order, find_clusters, one_cluster
from core.networks.networks import Critic, Generator, Graph, GraphConvolution, LayerStack

GROUPS = 14


def ring_graph(whole: bool) -> Graph:
    """Groups in a ring, each seeing one neighbour on either side."""
    distance = np.abs(np.subtract.outer(np.arange(GROUPS), np.arange(GROUPS)))
    near = np.minimum(distance, GROUPS - distance) <= 1
    clusters = one_cluster(near) if whole else find_clusters(near, call_cost=4.0)
    return Graph(near, tuple(clusters))


def plain(layer: GraphConvolution, x: torch.Tensor) -> torch.Tensor:
    """The layer as one dense convolution with zeros where groups are no neighbours."""
    near = layer.graph.near
    full = np.zeros((GROUPS, GROUPS, layer.outside, layer.inside, layer.kernel), dtype=np.float32)
    full[near] = layer.pairs()
    shape = (GROUPS * layer.outside, GROUPS * layer.inside, layer.kernel)
    weight = torch.from_numpy(full.transpose(0, 2, 1, 3, 4).reshape(shape))
    half = layer.kernel // 2
    return F.conv1d(F.pad(x, (half, half), mode="reflect"), weight, layer.bias)


@pytest.fixture(params=["one cluster", "several clusters"])
def graph(request: pytest.FixtureRequest) -> Graph:
    return ring_graph(request.param == "one cluster")


def test_small_call_cost_gives_several_clusters() -> None:
    clusters = ring_graph(False).clusters
    assert len(clusters) > 2
    assert [group for cluster in clusters for group in cluster.outputs] == list(range(GROUPS))


def test_generator_equals_plain_convolutions(graph: Graph) -> None:
    random = torch.Generator().manual_seed(3)
    generator = Generator(graph, (40, 60, 60), 5, random)
    x = torch.randn(3, GROUPS * 6, 21, generator=random)
    expected = x
    *hidden, last = generator.layers
    for layer in hidden:
        expected = F.leaky_relu(plain(layer, expected), 0.2)
    torch.testing.assert_close(generator(x), plain(last, expected), atol=1e-5, rtol=1e-5)


def test_refines_the_same_with_and_without_gradients(graph: Graph) -> None:
    random = torch.Generator().manual_seed(4)
    generator = Generator(graph, (40, 60, 60), 5, random)
    base = torch.randn(3, GROUPS * 6, 21, generator=random)
    noise = torch.randn(3, 1, 21, generator=random)
    with torch.no_grad():
        quick = generator.refine(base, noise)
    torch.testing.assert_close(quick, generator.refine(base, noise).detach(), atol=1e-6, rtol=1e-6)


def test_gradients_equal_those_of_plain_convolutions(graph: Graph) -> None:
    random = torch.Generator().manual_seed(5)
    layer = Generator(graph, (28,), 5, random).layers[0]
    x = torch.randn(2, GROUPS * 6, 15, generator=random)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    (out,) = torch.autograd.grad(LayerStack([layer])(ours).square().sum(), ours)
    (reference,) = torch.autograd.grad(plain(layer, theirs).square().sum(), theirs)
    torch.testing.assert_close(out, reference, atol=1e-4, rtol=1e-4)


def test_gradcheck_of_a_whole_generator(graph: Graph) -> None:
    random = torch.Generator().manual_seed(7)
    generator = Generator(graph, (14, 28), 5, random).double()
    x = torch.randn(2, GROUPS * 6, 6, generator=random, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: generator(x)[:, ::9], (x,), fast_mode=True)
    for parameter in generator.parameters():
        loss = generator(x.detach()).square().sum()
        (grad,) = torch.autograd.grad(loss, parameter)
        place = int(grad.abs().argmax())
        flat, step = parameter.data.view(-1), 1e-6
        flat[place] += step
        up = generator(x.detach()).square().sum()
        assert float((up - loss).detach() / step) == pytest.approx(float(grad.view(-1)[place]), rel=1e-3)
        flat[place] -= step


def test_weights_between_strangers_stay_zero(graph: Graph) -> None:
    from core.networks.networks import mask_gradients

    random = torch.Generator().manual_seed(1)
    critic = Critic(graph, (28, 28, 28), 5, random)
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(3):
        critic(torch.randn(2, GROUPS * 6, 20, generator=random)).mean().backward()
        mask_gradients(critic)
        optimiser.step()
    strangers = 0
    for layer in critic.layers:
        for weight, mask in zip(layer.weights, layer.masks(), strict=True):
            strangers += int((mask == 0).sum())
            assert not weight.detach()[:, mask == 0].any()
            assert weight.detach()[:, mask == 1].abs().min() > 0
    assert strangers > 0


def test_pairs_go_back_into_any_clusters() -> None:
    random = torch.Generator().manual_seed(2)
    near = ring_graph(True).near
    order = cluster_order(near)
    assert sorted(order) == list(range(GROUPS))
    one = GraphConvolution(Graph(near, tuple(one_cluster(near))), 3, 4, 5, random)
    many = GraphConvolution(ring_graph(False), 3, 4, 5, random)
    many.load_pairs(one.pairs())
    np.testing.assert_array_equal(many.pairs(), one.pairs())
    assert one.pairs().shape == (near.sum(), 4, 3, 5)


def test_frozen_critic_passes_gradients_to_its_input_only(graph: Graph) -> None:
    critic = Critic(graph, (28, 28, 28), 5, torch.Generator().manual_seed(0))
    x = torch.randn(1, GROUPS * 6, 20, requires_grad=True)
    critic(x, frozen=True).mean().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())
