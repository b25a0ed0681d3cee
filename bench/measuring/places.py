"""Accuracy of pins and waypoints on clips of any kind: `python -m bench.measuring.places CLIP …`.

Each clip gets an instant model. A pin holds a joint away from where an unpinned take has it; the waypoints are that
take's own way, turned and shortened. Every figure is the worst of the seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.cycles.unroll import learnable
from core.directing.compose import compose
from core.directing.direction import Direction, direct
from core.errors import ClipError
from core.evaluation.artefacts import foot_figures, roughness_figures
from core.generation.generate import Sampler
from core.matching.instant import instant_model
from core.motion.bvh import read_bvh
from core.motion.motion import Motion
from core.motion.skeleton import BODY
from core.numeric.rotation import Array
from core.placing.body_ik import LIMB_SHARE, carried_shares

from .blender_clip import read_with_blender
from .machine import circumstances, repeatable
from .table import publish

RESULTS = Path(__file__).resolve().parents[1] / "results"

SHIFT = np.array([0.05, 0.05, -0.03]) * BODY
"""Way in core units from where a joint is to where it is pinned."""

TURN, SHORTER = np.radians(40.0), 0.8
"""Turn and scale of a take's own way, which make its waypoints."""

LEAST_SECONDS = 0.5
"""Shortest cycle in seconds that is read; it is repeated to learn from."""

HELD_SECONDS = (0.5, 1.0)
"""Times for which ranges hold a joint."""

WORDS = {"hand": ("hand",), "head": ("head",), "foot": ()}
"""Words in the names of the joints that are pinned; the foot is the first contact, the hips are the root."""


class Bench:
    """Takes of one clip, with an unpinned one of every seed beside them."""

    def __init__(self, motion: Motion, seeds: int) -> None:
        self.source = motion
        model = instant_model(motion)
        self.model, self.sampler = model, Sampler(model)
        start = ((1, tuple(motion.origin * motion.skeleton.unit), None),)
        self.plain = [self.take(seed, waypoints=start) for seed in range(seeds)]

    def take(self, seed: int, **asked: Any) -> Motion:
        composition = direct(self.source, Direction(**asked))
        return compose(self.model, composition, seed=seed, sampler=self.sampler)[0]

    def joints(self) -> dict[str, int]:
        """Return the joints to pin by what they are."""
        skeleton = self.source.skeleton
        found = {"hips": 0}
        for kind, words in WORDS.items():
            named = [j for j, name in enumerate(skeleton.names) if any(word in name.lower() for word in words)]
            if named:
                found[kind] = named[0]
        if skeleton.contacts:
            found["foot"] = skeleton.contacts[0]
        return found

    def pins(self, joint: int, held: float) -> dict[str, Any]:
        """Measure a pin of a joint in the middle of every take."""
        skeleton = self.source.skeleton
        figures: list[dict[str, Any]] = []
        for seed, plain in enumerate(self.plain):
            row = plain.frames // 2
            last = row + round(held * plain.fps)
            at = plain.positions()[row, joint] + SHIFT
            began = time.perf_counter()
            try:
                pin = (skeleton.names[joint], row + 1, last + 1, tuple(at * skeleton.unit))
                take = self.take(seed, pins=(pin,))
            except ClipError as refused:
                figures.append({"refused": str(refused)})
                continue
            seconds = time.perf_counter() - began
            error = float(np.linalg.norm(take.positions()[row : last + 1, joint] - at, axis=1).max())
            figures.append({"error": 100.0 * error / BODY, **self._quality(take, plain), "seconds": seconds})
        return _worst(figures)

    def waypoints(self) -> dict[str, Any]:
        """Measure waypoints at thirds of every take."""
        unit = self.source.skeleton.unit
        figures: list[dict[str, Any]] = []
        spin = np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])
        for seed, plain in enumerate(self.plain):
            path = plain.root_positions()[:, :2]
            rows = [plain.frames // 3, 2 * plain.frames // 3, plain.frames - 1]
            places = [path[0] + SHORTER * spin @ (path[row] - path[0]) for row in rows]
            began = time.perf_counter()
            try:
                asked = tuple((row + 1, tuple(at * unit), None) for row, at in zip(rows, places, strict=True))
                take = self.take(seed, waypoints=asked)
            except ClipError as refused:
                figures.append({"refused": str(refused)})
                continue
            seconds = time.perf_counter() - began
            error = float(np.linalg.norm(take.root_positions()[rows, :2] - np.array(places), axis=1).max())
            figures.append({"error": 100.0 * error / BODY, **self._quality(take, plain), "seconds": seconds})
        return _worst(figures)

    def _quality(self, take: Motion, plain: Motion) -> dict[str, float]:
        figures = {"roughness": roughness_figures(plain, take)["roughness"], "lean": lean(take, self.source)}
        if self.source.skeleton.contacts:
            ours, theirs = foot_figures(self.source, take), foot_figures(self.source, plain)
            figures["skating"] = ours["foot_skating_ratio"]
            figures["unpinned_skating"] = theirs["foot_skating_ratio"]
        return figures


def lean(take: Motion, source: Motion) -> float:
    """Return how far, in degrees, the trunk of a take leans or rises beyond what it does in the source."""
    ours, theirs = trunk_elevation(take), trunk_elevation(source)
    return float(np.degrees(max(ours.max() - theirs.max(), theirs.min() - ours.min(), 0.0)))


def trunk_elevation(motion: Motion) -> Array:
    """Return the angle (T,) in radians over the ground of the way from the root to the last joint of the trunk.

    That is the one furthest from the root that carries more than a limb's joints do.
    """
    skeleton, shares = motion.skeleton, carried_shares(motion.skeleton)
    trunk = max((j for j in range(skeleton.joints) if shares[j] > LIMB_SHARE), key=lambda j: len(skeleton.ancestors(j)))
    way = motion.positions()[:, trunk] - motion.root_positions()
    return np.asarray(np.arctan2(way[:, 2], np.linalg.norm(way[:, :2], axis=1)))


def _worst(figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the worst of each figure, and the sentences of takes that were refused."""
    made = [one for one in figures if "refused" not in one]
    worst: dict[str, Any] = {key: max(one[key] for one in made) for key in (made[0] if made else {})}
    refused = [one["refused"] for one in figures if "refused" in one]
    return {**worst, "made": len(made), "asked": len(figures), **({"refused": refused} if refused else {})}


def measure(motion: Motion, seeds: int) -> dict[str, Any]:
    """Measure all pins and the waypoints of one clip."""
    bench = Bench(motion, seeds)
    rows = {}
    for kind, joint in bench.joints().items():
        rows[f"{kind} at a frame"] = bench.pins(joint, held=0.0)
        for seconds in HELD_SECONDS:
            rows[f"{kind} for {seconds:g} s"] = bench.pins(joint, held=seconds)
    return {**rows, "three waypoints": bench.waypoints()}


def _read(path: Path) -> Motion:
    """Read a clip; BVH files, whose up axis Riff's own reader finds, without Blender."""
    return read_bvh(path) if path.suffix == ".bvh" else read_with_blender(path, LEAST_SECONDS)


def page(report: dict[str, Any]) -> str:
    """Format a row for each clip and kind of place."""
    lines = [
        f"Instant models, {report['seeds']} seeds, the worst of each; {report['date']}, {report['cores']} cores; "
        f"`{report['command']}`",
        "",
        "| clip | place | made | off by, % of the height | roughness ÷ unpinned | skating ÷ source's | "
        "of the unpinned take | lean beyond the clip's, ° | seconds |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    said = []
    for clip, rows in report["clips"].items():
        for kind, row in rows.items():
            keys = ("error", "roughness", "skating", "unpinned_skating", "lean", "seconds")
            cells = [f"{row[key]:.2f}" if key in row else "" for key in keys]
            lines.append(f"| {clip} | {kind} | {row['made']} of {row['asked']} | {' | '.join(cells)} |")
            said += [f"- {clip}, {kind}: {text}" for text in row.get("refused", ())]
    return "\n".join([*lines, "", *(["Refused, in Riff's words:", "", *said] if said else [])]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.measuring.places", description="Pins and waypoints.")
    parser.add_argument("clips", type=Path, nargs="+", help="BVH files, or files that Blender imports")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else list(arguments)
    clips = {}
    for path in options.clips:
        print(f"{path.stem} …", file=sys.stderr)
        clips[path.stem] = measure(learnable(_read(path)), options.seeds)
    report = {**circumstances(), "command": repeatable("bench.measuring.places", given), "seeds": options.seeds}
    report["clips"] = clips
    publish(RESULTS / "pins-waypoints", report, page(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
