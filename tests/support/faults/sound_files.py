"""A sound file of each kind that Riff reads, small, made without training: what the mutations begin with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.farm.job import write_job
from core.model.channels import choose_channels
from core.model.model import Model
from core.model.model_file import critic_shapes, generator_shapes, save_model
from core.model.recipe import FAST
from core.motion.bvh import write_bvh
from core.motion.clip_file import Clip, save_clip
from core.motion.contacts import with_found_contacts
from core.motion.motion import Motion, from_transforms
from core.motion.properties import AnimatedProperty
from core.motion.skeleton import build_skeleton
from core.numeric.rotation import axis_rotation
from core.training.checkpoint import Checkpoint, begin, save_checkpoint

RECIPE = replace(FAST, iterations=(1, 1, 1, 1), hidden=(8, 8, 8), batch=(1, 1, 1, 1), bank=1)
FRAMES = 70

_JOINTS = {
    "Hips": (-1, (0.0, 0.0, 0.9)),
    "Spine": (0, (0.0, 0.0, 1.3)),
    "Head": (1, (0.0, 0.0, 1.7)),
    "Leg.L": (0, (0.1, 0.0, 0.5)),
    "Foot.L": (3, (0.1, 0.0, 0.05)),
    "Toe.L": (4, (0.1, 0.15, 0.0)),
}


def small_motion() -> Motion:
    """A figure of six joints that bows, steps on the spot and wanders for a little over two seconds."""
    time = np.arange(FRAMES) / 30.0
    rest = np.array([place for _, place in _JOINTS.values()])
    skeleton = build_skeleton(list(_JOINTS), [parent for parent, _ in _JOINTS.values()], rest)
    rotations = np.broadcast_to(np.eye(3), (FRAMES, len(_JOINTS), 3, 3)).copy()
    for joint in range(len(_JOINTS)):
        rotations[:, joint] = axis_rotation(joint % 3, 0.3 * np.sin((1.0 + joint) * time))
    root = np.stack([np.sin(time), 0.1 * time, np.full(FRAMES, 0.9)], axis=1) / skeleton.unit
    return with_found_contacts(from_transforms(skeleton, rotations, root, 30.0))


def small_model() -> Model:
    """A model of this motion whose weights are random."""
    motion, random = small_motion(), np.random.default_rng(0)
    channels = choose_channels(motion, RECIPE)

    def arrays(shapes: dict[str, tuple[int, ...]], kind: str) -> dict[str, np.ndarray]:
        return {name: (0.1 * random.standard_normal(shape)).astype(kind) for name, shape in shapes.items()}

    code = arrays({"code": (1, len(channels.columns), RECIPE.lengths(FRAMES)[0])}, "f4")["code"]
    return Model(
        "Bow",
        channels,
        RECIPE,
        motion,
        24.0,
        (0.5,) * RECIPE.stage_count,
        code,
        arrays(generator_shapes(channels, RECIPE), "f4"),
        3,
        1.5,
        "cpu",
        [{"step": 1, "level": 1, "critic": 0.5}],
        {"coverage": 0.9, "roughness": 1.1},
        "Figure",
        arrays(critic_shapes(channels, RECIPE), "f2"),
    )


def small_checkpoint() -> Checkpoint:
    """A training of this motion that began from that model, with a state as it is kept, of made-up numbers."""
    random = np.random.default_rng(1)
    state = {"level": 1, "stages": [{"steps": 3, "losses": {"critic": 0.1}}] * 2, "draws": [3, 3]}
    arrays: dict[str, np.ndarray] = {
        "random": random.integers(0, 255, 64, dtype=np.uint8),
        "bank": random.random((1, 6, 9), dtype=np.float32),
        "stage0.generator0": random.random((5, 6), dtype=np.float32),
    }
    begun = begin(small_motion(), RECIPE, 7, small_model())
    return replace(
        begun,
        name="Bow",
        step=2,
        fraction=0.4,
        seconds=9.0,
        rig="Figure",
        history=[{"step": 1}],
        state=state,
        arrays=arrays,
    )


def motion_with_properties() -> Motion:
    """The motion again, of a skeleton with a keyed property, a switched one, a pair and a named part."""
    motion = small_motion()
    properties = (
        AnimatedProperty(1, 'pose.bones["Spine"].constraints["IK"].influence', 0, 0.0, 1.0),
        AnimatedProperty(0, 'pose.bones["Hips"]["switch \\"a\\""]', 0, 0.0, 2.0, (0.0, 1.0, 2.0), "ARMATURE:Figure"),
    )
    skeleton = replace(motion.skeleton, properties=properties, pairs=((3, 4),), part_names=((1, "Torso"),))
    features = np.zeros((motion.frames, skeleton.channels))
    features[:, : motion.features.shape[1]] = motion.features
    return replace(motion, features=features, skeleton=skeleton)


def save_old_clip(clip: Clip, path: Path, **changes: Any) -> None:
    """A clip as earlier versions wrote it, as .npz, with changes of its description."""
    motion = clip.motion
    meta = {
        "format": 1,
        "name": clip.name,
        "rig": clip.rig,
        "source": clip.source,
        "fps": motion.fps,
        "origin": motion.origin.tolist(),
        "skeleton": motion.skeleton.to_json(),
        **changes,
    }
    description = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    np.savez_compressed(path, features=motion.features, clip=description)


def make_files(folder: Path) -> None:
    """model.safetensors, training.safetensors, clip.clip, old.npz, clip.bvh and the job folder job/ in a folder."""
    save_model(small_model(), folder / "model.safetensors")
    save_checkpoint(small_checkpoint(), folder / "training.safetensors")
    save_clip(Clip("Bow", motion_with_properties(), "Figure", "bows.blend"), folder / "clip.clip")
    save_old_clip(Clip("Bow", motion_with_properties(), "Figure", "bows.blend"), folder / "old.npz")
    write_bvh(folder / "clip.bvh", small_motion())
    write_job(folder / "job", "Bows", [Clip(name, small_motion()) for name in ("Bow", "Nod")], RECIPE)
