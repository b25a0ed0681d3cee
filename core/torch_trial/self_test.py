"""Self test of PyTorch: a real convolution and its gradient on the device.

`python -m core.torch_trial.self_test` prints the result as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from ..system.convolution import convolution_problem
from ..system.devices import device_name, pick_device, refused_cards


def self_test(device: str = "auto") -> dict[str, Any]:
    """Return the version of PyTorch, the device's name, the seconds taken, and cards that cannot be used as `refused`.

    Raises RuntimeError where a convolution fails on the device.
    """
    started = time.perf_counter()
    # late: PyTorch may be missing, and that is what is tested
    import torch

    chosen = str(pick_device(device))
    problem = convolution_problem(chosen)
    if problem:
        raise RuntimeError(problem)
    report = {"torch": str(torch.__version__), "device": device_name(chosen)}
    refused = refused_cards() if device == "auto" else ""
    if refused:
        report["refused"] = refused
    elif torch.version.cuda and chosen == "cpu" and device == "auto":
        report["refused"] = f"no card that CUDA {torch.version.cuda} can use is found, perhaps for an old driver"
    return {**report, "seconds": round(time.perf_counter() - started, 2)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="core.torch_trial.self_test", description="Find out whether PyTorch works.")
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
