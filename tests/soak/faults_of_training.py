"""What goes wrong while a training runs and after it: what it has kept is damaged."""

from __future__ import annotations

import random
from pathlib import Path

from core.checkpoint import Checkpoint, load_checkpoint, read_checkpoint_info, save_checkpoint
from core.errors import ModelError
from core.recipe import FAST
from tests.core.conftest import walking_motion
from tests.soak.fault import Fault


def damaged_checkpoint(seed: int, folder: Path) -> None:
    """A checkpoint cut short, or with a byte that is another: it is read as it was, or refused in a sentence."""
    path, chance = folder / "Walk.safetensors", random.Random(seed)
    save_checkpoint(Checkpoint(walking_motion(), FAST, seed, "Walk"), path)
    data = bytearray(path.read_bytes())
    if seed % 2:
        data = data[: chance.randrange(len(data))]
    else:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    for read in (load_checkpoint, read_checkpoint_info):
        try:
            read(path)
        except ModelError as sentence:
            if path.name not in str(sentence):
                raise


FAULTS = (Fault("checkpoint cut short or a bit flipped", damaged_checkpoint, 200),)
