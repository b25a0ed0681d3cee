"""The optimiser of a network: Adam on any device, its rate, and a step on gradients that parts of a batch found."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.networks import mask_gradients


def adam(module: torch.nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    """Adam in one kernel for all weights."""
    device = next(iter(module.parameters())).device
    if device.type != "cuda":
        return torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)
    # A recorded step reads its rate and counts its steps on the device.
    learning = torch.tensor(rate, device=device)
    return torch.optim.Adam(module.parameters(), lr=learning, betas=betas, fused=True, capturable=True)


def set_rate(optimiser: torch.optim.Adam, rate: float) -> None:
    """Change the learning rate, on the device where it is kept there."""
    (group,) = optimiser.param_groups
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def step(module: torch.nn.Module, optimiser: torch.optim.Adam, parts: list[list[Tensor]]) -> None:
    """Add up the gradients of the parts, in a fixed order, and take one optimiser step."""
    for parameter, *grads in zip(module.parameters(), *parts, strict=True):
        known = [grad for grad in grads if grad is not None]
        parameter.grad = sum(known[1:], start=known[0]) if known else None
    mask_gradients(module)
    optimiser.step()
