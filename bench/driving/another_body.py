"""Takes with the timing and the course of another body, measured: `python -m bench.driving.another_body DIR`.

DIR has the clips of CLIPS. Beside each take stands a plain retarget: rotations of paired bones and the scaled path are
copied, the rest holds the first pose of the clip. With `--sheets`, driver and take are drawn one below the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.cycles.unroll import learnable
from core.driving.drive import drive, leg_length
from core.driving.facing import Course, steadied
from core.driving.roles import pair_by_role
from core.evaluation.artefacts import foot_figures, roughness_figures
from core.matching.instant import instant_model
from core.model.model import Model
from core.model.model_file import load_model
from core.motion.bvh import read_bvh
from core.motion.feet_cleanup import belt_of, seen_from_belt
from core.motion.motion import RATE, Motion, forward_kinematics, from_transforms, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import BODY
from core.numeric.distances import frame_distances
from core.numeric.rotation import Array, axis_rotation, wrapped
from core.numeric.smoothing import path_deviation, runs_of, smooth

from ..measuring.machine import ROOT, circumstances, repeatable
from ..measuring.table import publish

RESULTS = Path(__file__).resolve().parents[1] / "results"
PICTURES = Path("out")
"""Folder of the pictures, which show others' clips and stay out of the repository."""

CLIPS = {
    "walk": ("walk.bvh", ""),
    "salsa": ("salsa.bvh", ""),
    "Mixamo's walk": ("zoo/mixamo_walking.fbx", ""),
    "the Fox's walk": ("zoo/khronos_Fox.glb", "Walk"),
    "KayKit's walk": ("zoo/kaykit_movement_basic.glb", "Rig_Medium|Walking_A"),
}
"""File and action of each clip."""

TRAINED = "the sample dance, trained"
"""Clip of the model that Riff ships."""

CASES = (
    ("walk", "salsa"),
    ("salsa", "walk"),
    ("the Fox's walk", "Mixamo's walk"),
    ("the Fox's walk", "walk"),
    ("walk", "the Fox's walk"),
    ("KayKit's walk", "walk"),
    ("walk", "KayKit's walk"),
    (TRAINED, "salsa"),
    (TRAINED, "the Fox's walk"),
)
"""Clip that is learned, and driver."""

SHEETS = (("the Fox's walk", "walk"), ("walk", "the Fox's walk"))
"""Cases that are drawn."""

SEEDS = 3

MET_ROWS = 3
"""Rows at 30 fps by which a step may be early or late."""

STANDING_SHARE = 0.4
"""Share of a foot's speed in its swing below which it stands; labels of contact flicker where a foot rolls."""

MIN_STAND_ROWS = 4


@dataclass(frozen=True, eq=False)
class Case:
    """A model, its driver on ground that stands, and the pairs of four bones: hips, head, two feet."""

    model: Model
    driver: Motion
    pairs: list[tuple[str, str]]

    @property
    def clip(self) -> Motion:
        return self.model.source

    def feet(self, side: int) -> list[str]:
        """Return the paired feet of the clip (0) or of the driver (1)."""
        return [pair[side] for pair in self.pairs[2:]]


@cache
def read(folder: Path, name: str) -> Motion:
    """Return a clip at 30 fps; a short cycle is repeated."""
    from ..measuring.blender_clip import read_actions, read_with_blender  # late: Blender's start-up time

    file, action = CLIPS[name]
    path = folder / file
    if path.suffix == ".bvh":
        motion = read_bvh(path)
    else:
        motion = read_actions(path, [action])[0] if action else read_with_blender(path, 0.5)
    return resample(learnable(motion), RATE)


@cache
def model_of(folder: Path, name: str) -> Model:
    return load_model(ROOT / "sample" / "dancer.safetensors") if name == TRAINED else instant_model(read(folder, name))


def on_ground(motion: Motion) -> Motion:
    return seen_from_belt(motion, belt_of(motion))


def case_of(folder: Path, clip: str, driver: str) -> Case:
    model, other = model_of(folder, clip), read(folder, driver)
    one = model.source
    pairs = pair_by_role(one.skeleton, other.skeleton)
    feet = [pair for pair in pairs[2:] if one.skeleton.names.index(pair[0]) in one.skeleton.contacts]
    return Case(model, on_ground(other), [*pairs[:2], *feet[-2:]] if len(feet) >= 2 else pairs[:4])


def copied_rotations(case: Case) -> Motion:
    """Return the plain retarget: world rotations of paired bones are copied, turned by where the bodies face."""
    clip, driver = case.clip, case.driver
    skeleton, other = clip.skeleton, driver.skeleton
    course, own = Course.of(driver), Course.of(clip)
    _, theirs = forward_kinematics(other, driver.rotations(), driver.root_positions(), driver.local_offsets())
    level = axis_rotation(2, -course.heading)
    held = axis_rotation(2, -own.heading[:1])[0]
    local = np.broadcast_to(clip.rotations()[0], (driver.frames, skeleton.joints, 3, 3)).copy()
    local[:, 0] = axis_rotation(2, course.heading) @ held @ clip.rotations()[0, 0]
    world = np.empty_like(local)
    paired = {skeleton.names.index(ours): other.names.index(name) for ours, name in case.pairs}
    _, first = forward_kinematics(skeleton, clip.rotations()[0], clip.root_positions()[0], clip.local_offsets()[0])
    for joint, parent in enumerate(skeleton.parents):
        world[:, joint] = world[:, parent] @ local[:, joint] if parent >= 0 else local[:, joint]
        if joint in paired:
            seen = level @ theirs[:, paired[joint]]
            change = seen @ seen[0].T
            world[:, joint] = axis_rotation(2, course.heading) @ change @ held @ first[joint]
            if parent >= 0:
                local[:, joint] = world[:, parent].swapaxes(-1, -2) @ world[:, joint]
            else:
                local[:, joint] = world[:, joint]
    root = driver.root_positions() * (leg_length(clip) / leg_length(driver))
    root[:, 2] += clip.root_positions()[:, 2].mean() - root[:, 2].mean()
    offsets = np.broadcast_to(clip.local_offsets()[0], (driver.frames, skeleton.joints, 3))
    return with_contact_labels(from_transforms(skeleton, local, root, RATE, offsets))


def steps_of(motion: Motion, foot: str) -> tuple[Array, Array]:
    """Return the rows in which a foot comes to stand, and how far it is ahead (T,), by its own spread."""
    skeleton, positions, course = motion.skeleton, motion.positions(), Course.of(motion)
    joint = skeleton.names.index(foot)
    ends = [one for one in skeleton.contacts if one in (joint, *skeleton.subtree(joint))] or [joint]
    speed = np.linalg.norm(np.gradient(positions[:, ends], axis=0), axis=2).min(1)
    speed = smooth(speed[:, None], 1.0, "repeat")[:, 0]
    stands = speed < STANDING_SHARE * np.percentile(speed, 95)
    for value in (False, True):
        for start, stop in runs_of(stands == value):
            if stop - start < MIN_STAND_ROWS and start > 0 and stop < len(stands):
                stands[start:stop] = not value
    way = positions[:, joint, :2] - course.plane
    ahead = way[:, 0] * np.cos(course.heading) + way[:, 1] * np.sin(course.heading)
    landings = np.array([start for start, _ in runs_of(stands) if start > 0], dtype=float)
    return landings, (ahead - ahead.mean()) / max(float(ahead.std()), 1e-9)


def measure(case: Case, take: Motion) -> dict[str, float]:
    """Return the figures of a take at 30 fps that goes over ground that stands."""
    met: list[float] = []
    alike = []
    made = 0
    for own, other in zip(case.feet(0), case.feet(1), strict=True):
        (ours, ahead), (theirs, wanted) = steps_of(take, own), steps_of(case.driver, other)
        met += [float(np.abs(ours - row).min()) if len(ours) else np.inf for row in theirs]
        made += len(ours)
        alike.append(float(np.mean(ahead * wanted)))
    course, wanted_course, ground = Course.of(take), Course.of(case.driver), on_ground(case.clip)
    # what is left after smoothing twice: the take's course is smoothed once more where it is measured
    deviation = path_deviation(RATE, take.frames)
    way = steadied(wanted_course.plane, deviation)
    way -= way[0]
    heading = steadied(wanted_course.heading[:, None], deviation)[:, 0]
    ours = course.plane - course.plane[0]
    scale = float((ours * way).sum() / max((way**2).sum(), 1e-9))
    poses, own_poses = _poses(take), _poses(ground)
    spread = float(np.sqrt(2.0 * own_poses.var(0).sum()))
    figures = {
        "steps": len(met),
        "made": made,
        "met": float((np.array(met) <= MET_ROWS).mean()) if met else np.nan,
        "late": float(np.median(met)) if met else np.nan,
        "alike": float(np.mean(alike)),
        "scale": scale * leg_length(case.driver) / leg_length(case.clip),
        "course": 100.0 * float(np.linalg.norm(ours - scale * way, axis=1).max()) / BODY,
        "heading": float(np.degrees(np.abs(wrapped(course.heading - heading)).max())),
        "near": float(np.median(frame_distances(poses, own_poses).min(1))) / spread,
        "roughness": roughness_figures(ground, take)["roughness"],
    }
    if take.skeleton.contacts:
        figures["skating"] = foot_figures(ground, take)["foot_skating_ratio"]
    return figures


def _poses(motion: Motion) -> Array:
    """Return joint positions (T, J × 3) seen from the root's place and the heading."""
    positions = motion.positions()
    positions[..., :2] -= motion.root_positions()[:, None, :2]
    spin = axis_rotation(2, -Course.of(motion).heading)
    return np.asarray(np.einsum("tij,tkj->tki", spin, positions).reshape(motion.frames, -1))


def measured(folder: Path, clip: str, driver: str) -> dict[str, Any]:
    """Measure the takes of a case, mean over the seeds, and its plain retarget."""
    case = case_of(folder, clip, driver)
    begun = time.perf_counter()
    takes = [drive(case.model, case.driver, case.pairs, seed=seed)[0] for seed in range(1, SEEDS + 1)]
    seconds = (time.perf_counter() - begun) / SEEDS
    figures = [measure(case, take) for take in takes]
    mean = {key: float(np.mean([one[key] for one in figures])) for key in figures[0]}
    return {"take": {**mean, "seconds": seconds}, "retarget": measure(case, copied_rotations(case))}


COLUMNS = {
    "steps": ("driver's steps", ".0f"),
    "made": ("steps made", ".0f"),
    "met": ("met within 3 frames", ".0%"),
    "late": ("median frames off", ".1f"),
    "alike": ("correlation of feet", ".2f"),
    "course": ("course off, % of the height", ".1f"),
    "heading": ("heading off, degrees", ".1f"),
    "scale": ("course ÷ that by legs", ".2f"),
    "near": ("distance to the clip's poses", ".2f"),
    "roughness": ("roughness ÷ clip's", ".2f"),
    "skating": ("skating ÷ clip's", ".2f"),
    "seconds": ("seconds", ".1f"),
}
"""Heading and format of each figure."""

LEGEND = """\
The clip of the first name follows the driver of the second by four pairs of bones, hips, head and two feet, found by
name. A step is a landing of a paired foot. *Correlation of feet* is that of how far the paired feet are ahead of the
body. *Course off* and *heading off* are the most over all frames, from the driver's course at the take's size, both
smoothed. *Distance to the clip's poses* is the median over the frames, beside two poses of the clip at random: 1.
Roughness and skating are beside the clip's own, which plays at its own tempo. *Plain* copies the rotations of the
paired bones and the path; its other bones hold the clip's first pose. KayKit's feet come down only when they are
under the body, so its landings are late."""


def page(report: dict[str, Any]) -> str:
    """Format a row for each take and each plain retarget."""
    lines = [
        f"Instant models but for the sample dance, mean of {report['seeds']} seeds; "
        f"{report['date']}, {report['cores']} cores; "
        f"`{report['command']}`",
        "",
        LEGEND,
        "",
        "| | " + " | ".join(heading for heading, _ in COLUMNS.values()) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for name, of_case in report["cases"].items():
        for kind, figures in of_case.items():
            cells = [
                format(figures[key], form) if np.isfinite(figures.get(key, np.nan)) else ""
                for key, (_, form) in COLUMNS.items()
            ]
            lines.append(f"| {name}{', plain' if kind == 'retarget' else ''} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _sheet(clip: str, driver: str) -> Path:
    words = (name.replace("the ", "").partition("'")[0].lower() for name in (clip, driver))
    return PICTURES / f"another-body-{'-'.join(words)}.png"


def draw(folder: Path, clip: str, driver: str) -> Path:
    """Draw the driver and a take, one below the other, into a PNG."""
    from .sheet import draw_both  # late: Blender's start-up time

    case = case_of(folder, clip, driver)
    take = drive(case.model, case.driver, case.pairs, seed=1)[0]
    PICTURES.mkdir(exist_ok=True)
    return draw_both(case.driver, take, (driver, clip), _sheet(clip, driver))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.driving.another_body", description="Another body's timing.")
    parser.add_argument("folder", type=Path, help="folder with the clips")
    parser.add_argument("--sheets", action="store_true", help="draw the cases of SHEETS, measure nothing")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else list(arguments)
    if options.sheets:
        for clip, driver in SHEETS:
            print(draw(options.folder, clip, driver))
        return 0
    cases = {}
    for clip, driver in CASES:
        print(f"{clip} ← {driver} …", file=sys.stderr)
        cases[f"{clip} ← {driver}"] = measured(options.folder, clip, driver)
    report = {**circumstances(), "command": repeatable("bench.driving.another_body", given), "seeds": SEEDS}
    report["cases"] = cases
    publish(RESULTS / "another-body", report, page(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
