"""One training from its beginning, or from where it was stopped, to the model's file; in a thread or a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .checkpoint import Checkpoint, CheckpointFile, save_checkpoint

Send = Callable[[str, Any], None]


def run_training(
    begun: Checkpoint, path: Path, send: Send, should_stop: Callable[[], bool], *,
    keep: Path | None = None, device: str = "auto", threads: int | None = None, estimate: bool = True,
) -> None:  # fmt: skip
    """Train, measure and save the model as `path`; its state is kept in the file `keep` until it is done.

    Sends (“device”, name) and (“expected”, seconds) where an `estimate` is wanted, (“progress”, Progress) and (“phase”,
    what it does now). Raises TrainingStopped, ModelError where something cannot be saved, ClipError.
    """
    # Loading PyTorch takes seconds, so it happens here rather than when the extension is enabled.
    from .model import save_model
    from .out_of_memory import with_less
    from .train import resume
    from .verdict import with_quality

    file = CheckpointFile(keep, begun.name) if keep else None
    if file and not begun.state:
        save_checkpoint(begun, file.path)
    if estimate:
        tell_time(begun, send, device)
    try:
        model = with_less(
            lambda begun, device: resume(
                begun, lambda progress: send("progress", progress), should_stop, device=device, threads=threads,
                on_snapshot=file.keep if file else None,
            ),
            begun, device, send,
        )  # fmt: skip
        send("phase", "Measuring quality")
        save_model(with_quality(replace(model, name=begun.name, rig=begun.rig), should_stop), path)
    except BaseException:
        if file:
            file.close()
        raise
    if file:
        file.remove()


def tell_time(begun: Checkpoint, send: Send, device: str = "auto") -> None:
    """Send (“device”, name) and (“expected”, seconds) of a training without beginning it."""
    from .device_choice import device_name, pick_device
    from .estimate import expected_seconds

    send("device", device_name(str(pick_device(device))))
    send("expected", (1.0 - begun.fraction) * expected_seconds(begun.motion, begun.recipe, device=device))
