"""Disks that are full at every write of Riff: one sentence, the old file whole, nothing half-written left."""

from __future__ import annotations

import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from core.errors import Cancelled, RiffError
from core.farm.job import write_text
from core.files.paths import copy_whole
from core.model.model import Model
from core.model.model_file import load_model, save_model
from core.model.recipe import FAST
from core.motion.bvh import read_bvh, write_bvh
from core.motion.clip_file import Clip, load_clip, save_clip
from core.runs.run import run_training
from core.training.checkpoint import Checkpoint, CheckpointFile, load_checkpoint, save_checkpoint
from tests.support.faults.blender import PYTHON_311, PYTHON_313, run_blender
from tests.support.faults.fault import Fault, Lost, NotHere, patience
from tests.support.motions import walking_motion

SCALE = 0.0001


class Disk:
    """A small file system, mounted at `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def resize(self, kilobytes: int) -> bool:
        """Give it another size; false where that is less than it holds."""
        mount = ["mount", "-o", f"remount,size={kilobytes}k", str(self.place)]
        return not subprocess.run(mount, capture_output=True, check=False).returncode

    def fill_up(self, spare: int) -> None:
        """Leave so many kilobytes of room, whatever is being written just now."""
        for _ in range(1000):
            about = os.statvfs(self.place)
            held = (about.f_blocks - about.f_bfree) * about.f_frsize // 1024
            if self.resize(max(4, held + spare)):  # 0 would be no limit
                return
        raise AssertionError("the disk could not be made small")


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Disk]:
    """A file system of that size at `place`. Raises NotHere."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise NotHere("small file systems cannot be mounted (this needs Linux and root)")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@lru_cache(maxsize=1)
def model() -> Model:
    from core.training.train import train

    return train(walking_motion(), FAST.scaled(SCALE), seed=1)


def writers(folder: Path) -> dict[str, tuple[str, Callable[[Path], object], Callable[[Path], object]]]:
    """Every kind of file that Riff writes: its name, how it is written, how it is read."""
    motion = walking_motion()
    save_model(model(), folder / "original.safetensors")
    return {
        "model": ("m.safetensors", partial(save_model, model()), load_model),
        "copy": ("m.safetensors", partial(copy_whole, folder / "original.safetensors"), load_model),
        "checkpoint": ("c.safetensors", partial(save_checkpoint, Checkpoint(motion, FAST, 1, "Walk")), load_checkpoint),
        "motion": ("m.bvh", lambda path: write_bvh(path, motion), read_bvh),
        "clip": ("c.clip", partial(save_clip, Clip("Walk", motion, "Biped", "walk.blend")), load_clip),
        "text": ("index.html", lambda path: write_text(path, "Lauf schön " * 20_000), Path.read_text),
    }


def full_while_writing(kind: str, seed: int, folder: Path) -> None:
    """The disk holds the old file, and only a random part of the new one."""
    name, write, read = writers(folder)[kind]
    write(folder / name)
    size = (folder / name).stat().st_size
    with small_disk(folder / "disk", 4 * size // 1024 + 64) as disk:
        target = folder / "disk" / name
        write(target)
        old = target.read_bytes()
        disk.fill_up(random.Random(seed).randrange(size) // 1024)
        try:
            write(target)
        except (RiffError, OSError) as error:
            sentence = getattr(error, "strerror", None) or str(error)
            assert "No space left" in sentence, sentence
        if [path.name for path in target.parent.iterdir()] != [name]:
            raise Lost("something half-written was left, or the old file went")
        if target.read_bytes() != old:
            raise Lost("the old file is not what it was")
        read(target)


def full_at_the_end(seed: int, folder: Path) -> None:
    """A training comes to its end on a disk that filled up: its model waits until there is room."""
    chance, told = random.Random(seed), list[tuple[str, object]]()
    saved = folder / "disk/m.safetensors"
    state = folder / ("disk/t.safetensors" if seed % 2 else "t.safetensors")
    with small_disk(folder / "disk", 64 << 10) as disk:
        begun = Checkpoint(walking_motion(), FAST.scaled(SCALE), seed, "Walk")
        filled, waits = threading.Event(), threading.Event()

        def hear(kind: str, value: object) -> None:
            told.append((kind, value))
            if kind == "progress" and not filled.is_set():
                disk.fill_up(chance.randrange(9))
                filled.set()
            if kind == "problem" and value and "trained model" in str(value):
                waits.set()

        training = threading.Thread(
            target=run_training, args=(begun, saved, hear, lambda: False), kwargs={"keep": state, "estimate": False}
        )
        training.start()
        assert waits.wait(600.0 * patience()), f"nobody was told: {told[-3:]}"
        assert not saved.exists()
        disk.resize(64 << 10)
        training.join(300.0 * patience())
        assert not training.is_alive(), "the training does not end"
        assert "No space left" in str(next(value for kind, value in told if kind == "problem"))
        if not saved.exists():
            raise Lost("the trained model")
        assert [path.name for path in (folder / "disk").iterdir()] == [saved.name]
        assert not state.exists()
        assert load_model(saved).seed == seed


def full_for_states(seed: int, folder: Path) -> None:
    """The disk fills up while states are written: the training goes on, and its state is kept when there is room."""
    from core.training import snapshot
    from core.training.train import train

    snapshot.SNAPSHOT_SECONDS = 0.0
    recipe, told, taken = FAST.scaled(0.003), list[str](), list[Checkpoint]()
    with small_disk(folder / "disk", 64 << 10) as disk:
        file = CheckpointFile(folder / "disk/t.safetensors", "Walk", every=0.0)
        file.tell = told.append

        def keep(checkpoint: Checkpoint) -> None:
            taken.append(checkpoint)
            file.keep(checkpoint)
            if checkpoint.step == 2:
                disk.fill_up(seed % 9)

        try:
            train(walking_motion(), recipe, None, lambda: len(taken) > 5, seed=seed, on_snapshot=keep)
        except Cancelled:
            disk.resize(64 << 10)
            file.close()
        kept = load_checkpoint(folder / "disk/t.safetensors")
        if kept.step != taken[-1].step:
            raise Lost(f"the states after step {kept.step} of {taken[-1].step}")
        for name, array in taken[-1].arrays.items():
            np.testing.assert_array_equal(kept.arrays[name], array)


IN_BLENDER = """
import subprocess
way, room = sys.argv[2:4]
models = part("rig.library.models").models_folder()
preset = Path(bpy.utils.user_resource("SCRIPTS", path="presets/riff/training", create=True))
bpy.ops.riff.add_sample_dancer()
bpy.context.preferences.addons[riff.__name__].preferences.separate_process = False
bpy.ops.riff.train(scale=0.0001)
jobs = part("rig.background.jobs")
tick_until(lambda: not jobs.latest_training().running)
whole = (models / "Sample Dance.safetensors").read_bytes()
place = preset if way == "preset" else models if way == "import" else Path(sys.argv[1]) / "export"
place.mkdir(exist_ok=True)
outside = Path(sys.argv[1]) / "Outside.safetensors"
outside.write_bytes(whole)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(place)], check=True)
try:
    if way == "preset":
        (place / "fill").write_bytes(bytes(os.statvfs(place).f_bavail * 4096))
        bpy.ops.riff.add_training_preset(name="Mine")
    elif way == "import":
        bpy.ops.riff.import_model(filepath=str(outside))
    else:
        bpy.ops.riff.export_model(filepath=str(place / "Sent.safetensors"))
    said = "nothing"
except RuntimeError as error:
    said = str(error)
finally:
    left = [path.name for path in place.iterdir() if path.name != "fill"]
    subprocess.run(["umount", "-l", str(place)], check=True)
assert "No space left" in said, said
assert "Traceback" not in said, said
assert left == [], left
if way != "preset":
    assert (models / "Sample Dance.safetensors").read_bytes() == whole
"""


def full_in_blender(seed: int, folder: Path) -> None:
    """Presets, imported and exported models in Blender, on a disk without room for them."""
    with small_disk(folder / "probe", 64):
        pass  # raises NotHere where that cannot be done
    python = PYTHON_313 if seed % 2 and PYTHON_313.exists() else PYTHON_311
    way = ("preset", "import", "export")[seed % 3]
    run_blender(IN_BLENDER, folder / "user", way, 4096 if way == "preset" else 64 << 10, python=python)


KINDS = ("model", "copy", "checkpoint", "motion", "clip", "text")

FAULTS = (
    *(Fault(f"disk full while a {kind} is written", partial(full_while_writing, kind), 50) for kind in KINDS),
    Fault("disk full when a training ends", full_at_the_end, 10, limit=900.0),
    Fault("disk full for the states of a training", full_for_states, 10),
    Fault("disk full for presets, import and export in Blender", full_in_blender, 6),
)
