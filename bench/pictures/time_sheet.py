"""Contact sheets of takes that are directed in time, without training: `python -m bench.pictures.time_sheet CLIP …`.

Clips in spans that pass over in the framed pictures, a hand that is pinned in them, and amounts of a variation. One
clip alone passes between its halves.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.blending.amount import Amount
from core.directing.compose import compose
from core.directing.concatenate import on_one_skeleton
from core.directing.direction import Direction, direct
from core.directing.timed_clips import ClipSpan, generate_spans
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.motion.motion import RATE, Motion, with_contact_labels
from core.motion.resampling import resample
from core.motion.skeleton import BODY

from ..measuring.machine import ROOT
from ..measuring.training import clip_name, read_clip
from .variation_sheet import render_rows

SPAN_FRAMES, PASSAGE_FRAMES = 60, 20
"""Frames of a span and of the passage to the next."""

PIN_FRAMES, PIN_SHIFT = 30, (0.1, -0.1, 0.15)
"""Frames for which a hand is pinned, and where from its own place, in heights of the body."""

AMOUNTS = (0.0, 0.33, 0.67, 1.0)
"""Amounts of a variation, a row each."""


def spans_sheet(clips: Sequence[tuple[str, Motion]], path: Path, count: int) -> Path:
    """Render takes in which the clips play in turn, and the first once more."""
    motions = on_one_skeleton([motion for _, motion in clips])
    models = {name: instant_model(motion, name) for (name, _), motion in zip(clips, motions, strict=True)}
    starts = itertools.count(1, SPAN_FRAMES + PASSAGE_FRAMES)
    names = [*models, next(iter(models))]
    spans = [ClipSpan(name, at, at + SPAN_FRAMES - 1) for name, at in zip(names, starts, strict=False)]
    takes = generate_spans(models, spans, count=count, seed=1)
    passages = [(one.end + 1.0, other.start - 1.0) for one, other in itertools.pairwise(spans)]
    labels = [", ".join(names)] * count
    return render_rows(takes, "clips in time", path, marks=[passages] * count, labels=labels)


def pins_sheet(motion: Motion, path: Path, count: int) -> Path:
    """Render takes without a pin and with one: a hand is beside its place for a second."""
    model, skeleton = instant_model(motion), motion.skeleton
    hand = next(j for j, name in enumerate(skeleton.names) if "hand" in name.lower())
    start = ((1, tuple(motion.origin * skeleton.unit), None),)  # a take without a pin, which begins where the clip does
    rows, marks, labels = [], [], []
    for seed in range(count):
        plain = compose(model, direct(motion, Direction(waypoints=start)), seed=seed)[0]
        first = plain.frames // 2
        last = first + PIN_FRAMES
        place = plain.positions()[first, hand] + BODY * np.array(PIN_SHIFT)
        pin = (skeleton.names[hand], first + 1, last + 1, tuple(place * skeleton.unit))
        pinned = compose(model, direct(motion, Direction(pins=(pin,))), seed=seed)[0]
        shown = slice(first - PIN_FRAMES, last + PIN_FRAMES)
        rows += [take.slice(shown.start, shown.stop) for take in (plain, pinned)]
        marks += [[], [(PIN_FRAMES + 1.0, 2.0 * PIN_FRAMES + 1.0)]]
        labels += ["without the pin", f"{skeleton.names[hand]} pinned"]
    return render_rows(rows, "pin", path, marks=marks, labels=labels, tinted=[skeleton.names[hand]])


def amounts_sheet(motion: Motion, path: Path) -> Path:
    """Render a source, its variation and two amounts between them."""
    variation = generate(instant_model(motion), seed=1)[0]
    between = Amount.between(motion, variation)
    rows = [between.at(amount) for amount in AMOUNTS]
    return render_rows(rows, "amount", path, labels=[f"{amount:g}" for amount in AMOUNTS])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures.time_sheet", description="Show takes in time.")
    parser.add_argument("clips", nargs="*", default=["sample"], help="BVH files, names in $RIFF_DATA, or sample")
    parser.add_argument("--out", type=Path, default=ROOT / "out/sheets")
    parser.add_argument("--count", type=int, default=2, help="takes of each sheet (default: 2)")
    options = parser.parse_args(arguments)
    clips = [(clip_name(clip), with_contact_labels(resample(read_clip(clip), RATE))) for clip in options.clips]
    name, first = clips[0]
    middle = first.frames // 2
    turns = clips if len(clips) > 1 else [("begin", first.slice(0, middle)), ("end", first.slice(middle, first.frames))]
    options.out.mkdir(parents=True, exist_ok=True)
    sheets = {
        "spans": lambda path: spans_sheet(turns, path, options.count),
        "pins": lambda path: pins_sheet(first, path, options.count),
        "amounts": lambda path: amounts_sheet(first, path),
    }
    for kind, render in sheets.items():
        print(render(options.out / f"time-{name}-{kind}.png"), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
