"""Riff for scripts: read an action, train on it, generate or compose, and write new actions.

This interface stays the same between versions; `docs/rigs.md` shows it in ten lines. Motions and models are plain data
that need no Blender: a motion has `features`, `skeleton` and `fps`, see `core/motion/motion.py`. Every function raises
`RiffError` with one sentence that explains the problem, and then leaves the file as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from .core.blending.amount import Amount, amounts_of_parts
from .core.cycles.unroll import learnable
from .core.directing import compose as composing
from .core.directing import timed_clips
from .core.directing.concatenate import mix_named
from .core.directing.direction import Direction, direct
from .core.directing.model_spans import generate_model_spans
from .core.directing.span_models import span_models
from .core.directing.takes import generate_takes
from .core.driving import drive as driving
from .core.driving.roles import pair_by_role
from .core.errors import RiffError
from .core.generation.generate import Sampler
from .core.matching.instant import instant_model
from .core.model.model import Model
from .core.model.model_file import load_model, save_model
from .core.model.recipe import RECIPES
from .core.motion.body_parts import find_parts
from .core.motion.motion import Motion
from .core.motion.symmetry import find_partners
from .core.training.checkpoint import begin
from .core.training.progress import Progress
from .rig.ghosts import ghosts
from .rig.reading.read import ReadOptions, read_motion
from .rig.writing.play import play
from .rig.writing.write import write_motion
from .state.variations import history as runs

__all__ = [
    "Model",
    "Motion",
    "Progress",
    "RiffError",
    "blend",
    "compose",
    "describe",
    "drive",
    "generate",
    "generate_spans",
    "hide_ghosts",
    "history",
    "instant",
    "load",
    "make_again",
    "pair_bones",
    "play",
    "read",
    "save",
    "show_ghosts",
    "train",
    "write",
]


def read(
    armature: bpy.types.Object,
    action: bpy.types.Action | None = None,
    *,
    scene: bpy.types.Scene | None = None,
    root: str = "",
    feet: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    nla: bool = False,
    pairs: Mapping[str, str] | None = None,
    parts: Mapping[str, str] | None = None,
) -> Motion:
    """Read the armature's action (the active one unless given) as a motion at the scene's rate, one row a frame.

    `root` and `feet` name bones; Riff finds those that are not given. Bones in `ignore` are not learned. `nla` reads
    the combined result of all NLA strips and the active action. `pairs` (bone to bone on the other side) and `parts`
    (bone to body part) override Riff's own findings.
    """
    # mypy reads `rig` without None in its types
    options = ReadOptions(root, feet, ignore, pairs or {}, parts or {}, nla)  # type: ignore[arg-type]
    return read_motion(armature, action, scene=scene, options=options)


def describe(motion: Motion) -> dict[str, Any]:
    """Describe the rig of a motion as plain data.

    Keys: root, feet, joints with their parents, moved joints, pairs on both sides, body parts, properties, frames, fps.
    """
    skeleton = motion.skeleton
    partners = find_partners(skeleton)
    names, parents = skeleton.names, skeleton.parents
    return {
        "root": names[0],
        "feet": [names[joint] for joint in skeleton.contacts],
        "joints": {name: names[above] if above >= 0 else "" for name, above in zip(names, parents, strict=True)},
        "moved": [names[0], *(names[joint] for joint in skeleton.translated)],
        "pairs": {names[joint]: names[other] for joint, other in enumerate(partners) if other != joint},
        "parts": {part.name: [names[joint] for joint in part.joints] for part in find_parts(skeleton)},
        "properties": {one.path: (one.low, one.high) for one in skeleton.properties},
        "frames": motion.frames,
        "fps": motion.fps,
    }


def train(
    motion: Motion | Mapping[str, Motion],
    recipe: str = "fast",
    *,
    effort: float = 1.0,
    seed: int = 0,
    device: str = "auto",
    name: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Model:
    """Train a model on a motion, or on several of one rig by name; needs PyTorch and takes minutes.

    `recipe` is one of fast, paper and ganimator; `effort` is the fraction of its steps to do. The same seed gives the
    same model on the same machine. Raises Cancelled after `should_stop` returned True.
    """
    from .core.training.train import resume  # late: PyTorch takes seconds to load

    if recipe not in RECIPES:
        raise RiffError(f"There is no recipe “{recipe}”; choose one of {', '.join(RECIPES)}.")
    chosen = RECIPES[recipe].scaled(effort) if effort != 1.0 else RECIPES[recipe]
    if isinstance(motion, Mapping):
        whole, clips = mix_named(list(motion), list(motion.values()))
    else:
        whole, clips = motion, ()
    begun = replace(begin(whole, chosen, seed), clips=clips)
    model = resume(begun, on_progress, should_stop, device=device)
    model.name = name or model.name
    return model


def instant(motion: Motion, *, name: str = "") -> Model:
    """Make a model of a motion at once, without training and without PyTorch: it recombines patches of the motion.

    A short cycle is repeated. Raises ClipError for any other motion under two seconds, and for one in which no joint
    turns.
    """
    return instant_model(learnable(motion), name)


def save(model: Model, path: str | Path) -> None:
    """Write a model as one .safetensors file, completely or not at all."""
    save_model(model, Path(path))


def load(path: str | Path) -> Model:
    """Read a saved model."""
    return load_model(Path(path))


def generate(
    model: Model,
    count: int = 1,
    *,
    seed: int = 0,
    seconds: float = 0.0,
    clean_feet: bool = True,
    root: str = "auto",
    loop: bool = False,
) -> list[Motion]:
    """Generate variations at the rate of the learned action; as long as it unless `seconds` are given.

    `root` is the path of the root on the ground: “auto” ends where it starts if the action does, “free” goes anywhere,
    “place” stays above its start, “source” follows the action's path. With `loop`, the last frame leads on to the
    first. Variation k of a seed does not depend on `count`.
    """
    frames = round(seconds * model.source_fps) + 1 if seconds else None
    fps = model.source_fps
    return generate_takes(model, root=root, loop=loop, frames=frames, fps=fps, count=count, seed=seed, clean=clean_feet)


def blend(source: Motion, variation: Motion, amount: float, *, parts: Mapping[str, float] | None = None) -> Motion:
    """Blend a variation with its source in pose, course and timing: 0 is the source, 1 the variation, up to 2 more.

    `parts` gives body parts other amounts by name, see `describe`. Standing feet are kept in place.
    """
    of_joints = amounts_of_parts(source.skeleton, parts or {})
    return Amount.between(source, variation).at(amount, of_joints)


def compose(
    model: Model, source: Motion, count: int = 1, *, seed: int = 0, clean_feet: bool = True, **direction: Any
) -> list[Motion]:
    """Compose new motions around the kept parts of a source, at its rate.

    `direction` has the fields of `core.directing.direction.Direction`: keep=("Lower Body",), regions=((40, 90),),
    loop=True and so on. Frames count from `first`, 1 unless given.
    """
    return composing.compose(model, direct(source, Direction(**direction)), count=count, seed=seed, clean=clean_feet)


def generate_spans(
    motions: Mapping[str, Motion] | Model,
    spans: Sequence[tuple[str, int, int] | tuple[str, int, int, float]],
    count: int = 1,
    *,
    fps: float = 0.0,
    seed: int = 0,
    variation: float = timed_clips.VARIATION,
    clean_feet: bool = True,
) -> list[Motion]:
    """Generate motions in which clips of one rig play when they are told to.

    `motions` are the clips by name, from which instant models are made, or a model that was trained on several. A span
    is a name, a first and a last frame, and a speed if it is not 1; frames are those of `fps`, the first clip's rate or
    the model's if it is 0. In the frames between two spans, from 0.2 to 2 seconds, the body passes over. `variation`,
    from 0 to 1, is its strength in the spans.
    """
    timed = [timed_clips.ClipSpan(*span) for span in spans]
    if isinstance(motions, Model):
        rate = fps or motions.source_fps
        sampler = Sampler(motions, torch=False)
        return generate_model_spans(
            sampler, timed, fps=rate, count=count, seed=seed, variation=variation, clean=clean_feet
        )
    fps = fps or next((motion.fps for motion in motions.values()), 30.0)
    timed_clips.check_spans(timed, fps, list(motions))
    models = span_models(motions, timed)
    return timed_clips.generate_spans(
        models, timed, fps=fps, count=count, seed=seed, variation=variation, clean=clean_feet
    )


def pair_bones(model: Model, driver: Motion) -> dict[str, str]:
    """Return the driver's bone for each bone of the model that has the same role: hips, head, feet, hands.

    The feet of a biped are the hind feet of a quadruped.
    """
    return dict(pair_by_role(model.skeleton, driver.skeleton))


def drive(
    model: Model,
    driver: Motion,
    count: int = 1,
    *,
    pairs: Mapping[str, str] | None = None,
    seed: int = 0,
    variation: float = driving.VARIATION,
    scale: float = 0.0,
    frames: int = 0,
    clean_feet: bool = True,
) -> list[Motion]:
    """Generate motions with the timing and the course of a driver, the motion of any other body, at its rate.

    `pairs` has the driver's bone for each bone of the model that is paired, four at least; None pairs them by
    `pair_bones`. `variation`, from 0 to 1, is how far poses depart from the model's clip. The course is scaled by the
    length of the legs, and down to what the clip's steps can go; `scale` replaces this by a share of that by legs.
    `frames` repeat a cycle for as long.
    """
    chosen = pair_by_role(model.skeleton, driver.skeleton) if pairs is None else list(pairs.items())
    return driving.drive(
        model, driver, chosen, frames=frames, count=count, seed=seed, variation=variation, scale=scale, clean=clean_feet
    )


def write(
    armature: bpy.types.Object,
    motion: Motion,
    name: str,
    source: bpy.types.Action | None = None,
    *,
    frame_start: int | None = None,
) -> bpy.types.Action:
    """Write a motion as a new action with keys on what `source` (the active action unless given) keys; nothing plays it
    yet.

    The motion must be at the scene's rate, as those from `read`, `generate` and `compose` are.
    """
    data = armature.animation_data
    source = source or (data.action if data else None)  # without one, a motion of the NLA keys everything
    return write_motion(armature, motion, name, source_action=source, frame_start=frame_start)


def show_ghosts(
    armature: bpy.types.Object,
    actions: Sequence[bpy.types.Action],
    *,
    scene: bpy.types.Scene | None = None,
    spacing: float = 1.0,
    behind: bool = False,
    wire: bool = False,
) -> list[bpy.types.Object]:
    """Show actions as ghosts beside an armature in place of those that it had, at most 12; return their armatures.

    `spacing` is a multiple of the armature's size. Ghosts share its meshes; its own action stays as it is.
    """
    stage: Any = scene or bpy.context.scene
    return ghosts.replace_ghosts(armature, actions, stage, ghosts.Arrangement(spacing, behind, wire))


def hide_ghosts(armature: bpy.types.Object) -> list[str]:
    """Remove the ghosts of an armature; return the names of those that the user's objects depend on."""
    return ghosts.remove_ghosts(ghosts.ghosts_of(armature)).stay


def history(armature: bpy.types.Object) -> list[dict[str, Any]]:
    """Return what Riff's operators generated for an armature as plain data, the newest first.

    Keys: number, operator, label, names (without the model's), model, source, seed, arguments and settings. Entries
    that cannot be read are left out.
    """
    return runs.described(armature)


def make_again(armature: bpy.types.Object, number: int, *, variation: int = 0) -> list[bpy.types.Action]:
    """Make the actions of an entry of `history` again, key by key; return them.

    `variation` counts from 1; 0 makes all that are no longer in the file as they were made. The model must be in the
    list of models.
    """
    before = {action.session_uid for action in bpy.data.actions}
    make: Any = bpy.ops.riff.make_again  # type: ignore[attr-defined]
    context: Any = bpy.context
    try:
        with context.temp_override(object=armature, active_object=armature):
            make(run=number, variation=variation)
    except RuntimeError as refusal:
        raise RiffError(str(refusal).strip().removeprefix("Error: ")) from refusal
    return [action for action in bpy.data.actions if action.session_uid not in before]
