"""Self test of PyTorch: a real convolution and its gradient on the device.

`python -m core.torch_install.self_test` prints the result as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from ..system.devices import device_name, pick_device

MAX_ERROR = 1e-3
"""Largest absolute difference between a convolution on the device and on the processor, for values of about 1."""


def self_test(device: str = "auto") -> dict[str, Any]:
    """Return the version of PyTorch, the device's name and the seconds taken. Raises RuntimeError for wrong results."""
    started = time.perf_counter()
    # late: PyTorch may be missing, and that is what is tested
    import torch
    from torch.nn import functional as F

    chosen = pick_device(device)
    random = torch.Generator().manual_seed(0)
    clip = torch.randn((2, 12, 96), generator=random)
    kernel = torch.randn((18, 12, 5), generator=random) / 8.0
    results = []
    for target in (chosen, torch.device("cpu")):
        weight = kernel.to(target).requires_grad_()
        output = F.leaky_relu(F.conv1d(clip.to(target), weight, padding=2), 0.2)
        output.square().mean().backward()
        assert weight.grad is not None
        results.append((output.detach().cpu(), weight.grad.cpu()))
    for one, other in zip(*results, strict=True):
        if not torch.isfinite(one).all() or (one - other).abs().max() > MAX_ERROR:
            raise RuntimeError("a convolution came out wrong")
    name = device_name(str(chosen))
    return {"torch": str(torch.__version__), "device": name, "seconds": round(time.perf_counter() - started, 2)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="core.torch_install.self_test", description="Find out whether PyTorch works.")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    try:
        report = self_test(options.device)
    except Exception as error:
        # Any error is reported to the user.
        report = {"problem": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(report), flush=True)
    return "problem" in report


if __name__ == "__main__":
    sys.exit(main())
