"""Takes with timed clips, measured: `python -m bench.measuring.timed_transitions NAME=CLIP NAME=CLIP …`.

The clips, BVH files or actions of one glTF file, play in turn; writes a row of bench/results/timed-transitions.md for
each seed. With `--model M.safetensors` those are the clips that a model learned together; writes a row for each
`--level` at which they enter it, the worst of all seeds.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.directing.concatenate import on_one_skeleton
from core.directing.model_spans import clip_names, generate_model_spans
from core.directing.passages import paces
from core.directing.timed_clips import ClipSpan, generate_spans
from core.generation.generate import Sampler
from core.matching.instant import instant_model
from core.model.model_file import load_model
from core.motion.clip_file import read_clip
from core.motion.motion import RATE, Motion
from core.numeric.distances import frame_distances
from core.numeric.rotation import Array, axis_rotation, yaw_of

RESULTS = Path(__file__).resolve().parents[1] / "results"

SEEDS = 5

PERCENTILE = 99


def spans_in_turn(names: Sequence[str], frames: int, passages: Sequence[int]) -> list[ClipSpan]:
    """Return spans of `frames` frames, one for each clip and the first clip once more."""
    spans, at = [], 1
    for number, name in enumerate([*names, names[0]]):
        spans.append(ClipSpan(name, at, at + frames - 1))
        at += frames + passages[number % len(passages)]
    return spans


def measure(sources: Mapping[str, Motion], take: Motion, spans: Sequence[ClipSpan]) -> dict[str, float]:
    """Return the least share of a span's frames nearest to its clip, the furthest early or late change in frames, and
    the largest speed and acceleration of passages as ratios to the clips' 99th percentiles."""
    poses = _poses(take)
    distances = np.stack([frame_distances(poses, _poses(source)).min(1) for source in sources.values()])
    nearest = np.array(list(sources))[distances.argmin(0)]
    first = spans[0].start
    own = [float((nearest[s.start - first : s.end - first + 1] == s.clip).mean()) for s in spans]
    late = []
    for one, other in itertools.pairwise(spans):
        after = np.flatnonzero(nearest[one.end - first + 1 :] == other.clip)
        rows = other.start - one.end - 1
        late.append(max(0, int(after[0]) - rows) if len(after) else take.frames)
    speeds = [paces(one) for one in sources.values()]
    limits = [max(np.percentile(one[order], PERCENTILE) for one in speeds) for order in (0, 1)]
    made = paces(take)
    rows = np.concatenate([np.arange(o.end - first - 1, n.start - first + 2) for o, n in itertools.pairwise(spans)])
    return {
        "own": min(own),
        "late": max(late),
        "speed": float(made[0][rows].max() / limits[0]),
        "acceleration": float(made[1][rows].max() / limits[1]),
        "slide": slide(take, rows) / max(max(slide(s, np.arange(1, s.frames)) for s in sources.values()), 1e-9),
    }


def slide(motion: Motion, rows: Array) -> float:
    """Return the mean speed of standing feet in some rows, in core units a frame."""
    feet = motion.positions()[:, list(motion.skeleton.contacts)]
    speed = np.linalg.norm(np.diff(feet, axis=0, prepend=feet[:1])[..., :2], axis=2)[rows]
    standing = motion.contact_labels()[rows] > 0.5
    return float(speed[standing].mean()) if standing.any() else 0.0


def _poses(motion: Motion) -> Array:
    """Return joint positions (T, J × 3) seen from the root's place and yaw."""
    positions = motion.positions()
    positions[..., :2] -= motion.root_positions()[:, None, :2]
    spin = axis_rotation(2, -yaw_of(motion.rotations()[:, 0]))
    return np.einsum("tij,tkj->tki", spin, positions).reshape(motion.frames, -1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.measuring.timed_transitions")
    parser.add_argument("clips", nargs="*", metavar="NAME=CLIP.bvh")
    parser.add_argument("--model", type=Path, help="trained on several clips, which are measured instead of files")
    parser.add_argument("--level", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="0: the clips as laid out")
    parser.add_argument("--file", type=Path, help="glTF file whose actions the clips are, NAME=ACTION")
    parser.add_argument("--frames", type=int, default=120, help="of each span at 30 fps")
    parser.add_argument("--passages", type=int, nargs="+", default=[15, 30])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    if options.model is not None:
        lines = measure_model(options.model, options.level, options.frames, options.passages)
        if options.write:
            _append(lines, MODEL_HEAD)
        return 0
    if not options.clips:
        parser.error("name clips, or a --model")
    pairs = [text.partition("=")[::2] for text in options.clips]
    if options.file is not None:
        from .blender_clip import read_actions  # late: Blender's start-up time

        read = read_actions(options.file, [action for _, action in pairs])
    else:
        read = [read_clip(Path(path)).motion for _, path in pairs]
    motions = on_one_skeleton(read)
    models = {name: instant_model(motion) for (name, _), motion in zip(pairs, motions, strict=True)}
    sources = {name: model.source for name, model in models.items()}
    spans = spans_in_turn(list(models), options.frames, options.passages)
    lines = []
    for seed in range(1, SEEDS + 1):
        begun = time.perf_counter()
        take = generate_spans(models, spans, fps=RATE, seed=seed)[0]
        seconds = time.perf_counter() - begun
        found = measure(sources, take, spans)
        lines.append(
            f"| {' + '.join(models)} | {seed} | {found['own']:.1%} | {found['late']} | {found['speed']:.2f} | "
            f"{found['acceleration']:.2f} | {found['slide']:.2f} | {seconds:.1f} |"
        )
        print(lines[-1], flush=True)
    if options.write:
        _append(lines, HEAD)
    return 0


def measure_model(path: Path, levels: Sequence[int], frames: int, passages: Sequence[int]) -> list[str]:
    """Return a row of the table for each level at which the clips of a model enter it."""
    model = load_model(path)
    sampler, spans = Sampler(model, torch=False), spans_in_turn(clip_names(model), frames, passages)
    sources = {clip.name: model.source.slice(clip.start, clip.stop) for clip in model.clips}
    lines = []
    for level in levels:
        found, begun = [], time.perf_counter()
        for seed in range(1, SEEDS + 1):
            found.append(measure(sources, generate_model_spans(sampler, spans, seed=seed, entry=level)[0], spans))
        seconds = (time.perf_counter() - begun) / SEEDS
        worst = {name: max(one[name] for one in found) for name in found[0]} | {"own": min(one["own"] for one in found)}
        mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        lines.append(
            f"| {model.name}, {model.trained_levels} levels trained | {level or 'none'} | {worst['own']:.1%} | "
            f"{worst['late']} | "
            + " | ".join(f"{mean[name]:.2f}, {worst[name]:.2f}" for name in ("speed", "acceleration", "slide"))
            + f" | {seconds:.1f} |"
        )
        print(lines[-1], flush=True)
    return lines


MODEL_HEAD = (
    "\nThe clips of a trained model, laid out and refined by it from a level on, mean and worst of seeds 1 to 5; "
    "`python -m bench.measuring.timed_transitions --model M.safetensors --write`.\n\n"
    "| model | enter at level | least share of a span's frames nearest to its clip | frames late | speed | "
    "acceleration | feet | seconds |\n|---|---:|---:|---:|---:|---:|---:|---:|\n"
)
HEAD = (
    "Spans of 120 frames at 30 fps, passages of 15 and 30 frames in turn, instant models; "
    "`python -m bench.measuring.timed_transitions NAME=CLIP.bvh … --write`.\n\n"
    "Speed and acceleration: the largest root mean square over the joints in a frame of a passage, ÷ the clips' "
    "99th percentile. Feet: the mean speed of standing feet in passages, ÷ that in the clips.\n\n"
    "| clips | seed | least share of a span's frames nearest to its clip | frames late | speed | acceleration | "
    "feet | seconds |\n|---|---:|---:|---:|---:|---:|---:|---:|\n"
)


def _append(lines: Sequence[str], head: str) -> None:
    """Append rows to the results, below their table's head, which is written where it is missing."""
    path = RESULTS / "timed-transitions.md"
    text = path.read_text() if path.exists() else ""
    text += "" if head in text else head
    path.write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
