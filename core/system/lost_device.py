"""Errors of a graphics card that is gone: pulled, reset by its driver, or without its state after the machine slept."""

from __future__ import annotations

import re

LOST = re.compile(
    r"CUDA error|CUDA driver error|HIP error|cuDNN error|CUDNN_STATUS|CUBLAS_STATUS|MIOpen Error|miopenStatus|"
    r"UR error|UR_RESULT_ERROR|Native API failed|DEVICE_LOST|device.{0,20}\blost\b|GPU is lost|command buffer .*fail|"
    r"no CUDA-capable device|No HIP GPUs|No CUDA GPUs|MPS backend.*(fail|abort)|IOGPU|driver shutting down"
)
"""Beginnings of what CUDA, ROCm, Intel's Level Zero and Metal say once a card no longer computes."""

MAX_REASON = 120
"""Characters of the card's error that are shown."""


def lost_device_sentence(error: BaseException) -> str:
    """Return a sentence about an error of a card that computes no more; empty for any other error.

    A full memory is no such error: see `core/system/memory.py: is_out_of_memory`, which comes first.
    """
    message = str(error).strip()
    if type(error).__name__ != "AcceleratorError" and not (isinstance(error, RuntimeError) and LOST.search(message)):
        return ""
    reason = message.splitlines()[0][:MAX_REASON] if message else type(error).__name__
    return (
        f"The graphics card stopped computing ({reason}), as after sleep, a new driver or a pulled cable. The "
        "training's last state is kept: resume it; if that fails, start Blender again, or train on the processor."
    )
