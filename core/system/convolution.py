"""A real convolution and its gradient on a device of PyTorch, compared with the processor's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

MAX_ERROR = 1e-3
"""Largest absolute difference between a convolution on a device and on the processor, for values of about 1."""


def convolution_problem(device: str) -> str:
    """Return the reason why a device cannot train, as the first line of its error; empty if it can."""
    import torch  # late: PyTorch takes seconds to load

    try:
        results = [_convolve(torch.device(target)) for target in (device, "cpu")]
    except Exception as error:
        # Drivers raise whatever they like; all of it means that nothing can be trained there.
        return f"{type(error).__name__}: {error}".strip().splitlines()[0]
    for ours, right in zip(*results, strict=True):
        if not torch.isfinite(ours).all() or (ours - right).abs().max() > MAX_ERROR:
            return "a convolution came out wrong"
    return ""


def _convolve(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a convolution of fixed random numbers and the gradient of its weights, on the processor."""
    import torch  # late: PyTorch takes seconds to load
    from torch.nn import functional as F

    random = torch.Generator().manual_seed(0)
    clip = torch.randn((2, 12, 96), generator=random)
    weight = (torch.randn((18, 12, 5), generator=random) / 8.0).to(device).requires_grad_()
    output = F.leaky_relu(F.conv1d(clip.to(device), weight, padding=2), 0.2)
    output.square().mean().backward()
    assert weight.grad is not None
    return output.detach().cpu(), weight.grad.cpu()
