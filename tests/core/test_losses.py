"""Each loss against an independent computation."""

import numpy as np
import torch

from core.channels import Channels
from core.clusters import one_cluster
from core.losses import FootSpeed, contact_loss, critic_loss, penalty_of_gradient
from core.motion import Motion, learned_groups
from core.networks import Critic, Graph


def small_critic() -> Critic:
    near = np.eye(3, dtype=bool) | np.eye(3, k=1, dtype=bool) | np.eye(3, k=-1, dtype=bool)
    return Critic(Graph(near, tuple(one_cluster(near))), (6, 9, 9), 5, torch.Generator().manual_seed(4)).double()


def true_loss(critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, weight: float) -> float:
    """WGAN-GP written out: the gap and the penalty of the input gradient at points in between."""
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between)
    penalty = penalty_of_gradient(gradient)
    return float(critic(fake).mean() - critic(real).mean() + weight * penalty)


def test_critic_gradient_equals_finite_differences_of_the_penalised_loss() -> None:
    critic = small_critic()
    random = torch.Generator().manual_seed(9)
    real, fake = (torch.randn(2, 18, 12, generator=random, dtype=torch.float64) for _ in range(2))
    mix = torch.rand(2, 1, 1, generator=random, dtype=torch.float64)
    loss, gap = critic_loss(critic, real, fake, mix, 3.0)
    loss.backward()
    assert np.isclose(float(gap), float(critic(real).mean() - critic(fake).mean()))
    checked = 0
    for parameter in critic.parameters():
        flat, grad = parameter.data.view(-1), parameter.grad.view(-1)
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


def test_penalty_is_zero_for_unit_gradients() -> None:
    gradient = torch.zeros(2, 5, 7)
    gradient[:, 2] = 1.0
    assert float(penalty_of_gradient(gradient)) == 0.0
    assert float(penalty_of_gradient(gradient * 3)) == 4.0


def test_foot_speed_equals_forward_kinematics(walker: Motion) -> None:
    channels = Channels(walker.skeleton, tuple(learned_groups(walker)), (), walker.features.mean(0), 3.0)
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
