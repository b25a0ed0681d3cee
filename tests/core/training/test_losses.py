"""Each loss against an independent computation."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.model.channels import Channels
from core.model.clusters import one_cluster
from core.motion.motion import Motion, learned_groups
from core.networks.networks import Critic, Graph
from core.training.losses import FootSpeed, contact_loss


def small_critic() -> Critic:
    near = np.eye(3, dtype=bool) | np.eye(3, k=1, dtype=bool) | np.eye(3, k=-1, dtype=bool)
    return Critic(Graph(near, tuple(one_cluster(near))), (6, 9, 9), 5, torch.Generator().manual_seed(4)).double()


def penalty_of_gradient(gradient: torch.Tensor) -> torch.Tensor:
    """((‖∇‖ - 1)²) over samples and frames; the norm is over the channels of a frame."""
    return ((gradient.norm(2, dim=1) - 1.0) ** 2).mean()


def plain_scores(critic: Critic, x: torch.Tensor) -> torch.Tensor:
    """The critic by ordinary convolutions, which can be differentiated twice."""
    for number, layer in enumerate(critic.layers):
        half = layer.kernel // 2
        weight = layer.weights[0].detach().permute(1, 2, 0)
        x = F.conv1d(F.pad(x, (half, half), mode="reflect"), weight, layer.bias.detach())
        if number < len(critic.layers) - 1:
            x = F.leaky_relu(x, 0.2)
    return x


def true_loss(critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, weight: float) -> float:
    """WGAN-GP written out: the gap, and the penalty of the input gradient at points in between."""
    count = len(mix)
    between = (mix * real[:count] + (1 - mix) * fake[:count]).requires_grad_(True)
    (gradient,) = torch.autograd.grad(plain_scores(critic, between).sum(), between)
    gap = plain_scores(critic, real).mean() - plain_scores(critic, fake).mean()
    return float(weight * penalty_of_gradient(gradient) - gap)


@pytest.mark.parametrize("judged", [1, 2, 3])
def test_critic_gradient_equals_finite_differences_of_the_penalised_loss(judged: int) -> None:
    critic = small_critic()
    random = torch.Generator().manual_seed(9)
    real, fake = (torch.randn(3, 18, 12, generator=random, dtype=torch.float64) for _ in range(2))
    mix = torch.rand(judged, 1, 1, generator=random, dtype=torch.float64)
    torch.testing.assert_close(critic(real).detach(), plain_scores(critic, real))
    grads, gap = critic.gradients(real, fake, mix, 3.0)
    assert np.isclose(float(gap), float(plain_scores(critic, real).mean() - plain_scores(critic, fake).mean()))
    checked = 0
    for parameter, found in zip(critic.parameters(), grads, strict=True):
        flat, grad = parameter.data.view(-1), found.reshape(-1)
        for index in torch.randperm(len(flat), generator=random)[:6].tolist():
            if flat[index] == 0:
                continue
            old, step = float(flat[index]), 1e-6
            flat[index] = old + step
            up = true_loss(critic, real, fake, mix, 3.0)
            flat[index] = old - step
            down = true_loss(critic, real, fake, mix, 3.0)
            flat[index] = old
            assert np.isclose((up - down) / (2 * step), float(grad[index]), rtol=1e-4, atol=1e-7)
            checked += 1
    assert checked > 15


def test_foot_speed_equals_forward_kinematics(walker: Motion) -> None:
    learned = learned_groups(walker)
    gains = tuple(1.0 + 0.1 * k for k in range(len(learned)))
    channels = Channels(walker.skeleton, tuple(learned), (), walker.features.mean(0), gains)
    speed = FootSpeed(channels, torch.device("cpu"))
    rows = torch.from_numpy(channels.encode(walker.features)[None])
    feet = walker.positions()[:, list(walker.skeleton.contacts)]
    expected = np.linalg.norm(np.diff(feet, axis=0), axis=-1).T * (walker.fps / 30)
    measured = speed(rows, 30 / walker.fps)[0].numpy()
    np.testing.assert_allclose(measured, expected, atol=2e-4)
    np.testing.assert_allclose(speed.contact_labels(rows)[0].numpy(), walker.contact_labels().T, atol=1e-6)


def test_contact_loss_counts_standing_feet_only() -> None:
    speed = torch.full((1, 2, 4), 0.5)
    labels = torch.zeros(1, 2, 5)
    labels[:, 0] = 1.0
    share = 1 / (1 + np.exp(-6.0))
    expected = 0.5 * (share + (1 - share)) / 2
    assert np.isclose(float(contact_loss(speed, labels, squared=False)), expected, atol=1e-6)
    assert np.isclose(float(contact_loss(speed, labels, squared=True)), expected / 2, atol=1e-6)
