"""Takes in which clips of one rig play when they are told to, with a passage from each to the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ClipError, ModelError
from ..generation.generate import MIN_ROWS, Sampler, generate, with_strength
from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import check_size, resample, with_path
from .composition import MIN_REGION_FRAMES
from .passages import MAX_PASSAGE_SECONDS, MIN_PASSAGE_SECONDS, joined

MIN_SPEED, MAX_SPEED = 0.25, 4.0
"""Lowest and highest speed of a span; 1 is the clip's own."""

MAX_BEGIN_ROWS = 600
"""Rows of a clip in which a take may begin at most."""

SEARCH_ROWS = 200
"""Rows by which a take is longer than its span: its first row is chosen among them, to fit the span before."""

CANDIDATES = 3
"""Takes of a span among which the best fitting one is chosen."""

VARIATION = 0.3
"""Default strength of variation: at full strength arms and legs of a span come from different times of its clip, so
that a pose may be nearer to another clip."""


@dataclass(frozen=True)
class ClipSpan:
    """Frames `start` to `end`, both included, in which a clip plays at a speed; 1 is the clip's own."""

    clip: str
    start: int
    end: int
    speed: float = 1.0

    def __str__(self) -> str:
        return f"{self.start}-{self.end} (“{self.clip}”)"


def parse_clip_spans(text: str) -> tuple[ClipSpan, ...]:
    """Parse spans such as “Walk@1-120, Dance@140-260x1.5”. Raises ClipError for anything else."""
    spans = []
    for piece in text.split(","):
        clip, _, frames = piece.strip().rpartition("@")
        frames, _, speed = frames.partition("x")
        start, _, end = frames.rpartition("-")
        try:
            spans.append(ClipSpan(clip.strip(), int(start), int(end), float(speed or 1.0)))
        except ValueError:
            raise ClipError(
                f"“{piece.strip()}” does not say which clip plays when; write it like Walk@1-120, or Walk@1-120x1.5."
            ) from None
    return tuple(spans)


def check_spans(spans: Sequence[ClipSpan], fps: float, clips: Sequence[str]) -> None:
    """Raise ClipError for spans of other clips, too short ones, and those that cannot pass into the next.

    The frames between two spans are their passage; it lasts from MIN_PASSAGE_SECONDS to MAX_PASSAGE_SECONDS.
    """
    if not spans:
        raise ClipError("There is no span; add one for each clip that should play.")
    for span in spans:
        if span.clip not in clips:
            raise ClipError(f"There is no clip “{span.clip}” to play at frame {span.start}; choose another one.")
        if span.end - span.start + 1 < MIN_REGION_FRAMES:
            raise ClipError(f"The span {span} has fewer than {MIN_REGION_FRAMES} frames; make it longer.")
        if not MIN_SPEED <= span.speed <= MAX_SPEED:
            raise ClipError(f"The speed of the span {span} must be from {MIN_SPEED:g} to {MAX_SPEED:g}.")
    least, most = math.ceil(MIN_PASSAGE_SECONDS * fps - 1e-6), math.floor(MAX_PASSAGE_SECONDS * fps + 1e-6)
    for one, other in itertools.pairwise(spans):
        between = other.start - one.end - 1
        if between < 0:
            raise ClipError(f"The spans {one} and {other} overlap or are out of order; move one.")
        if between < least:
            raise ClipError(
                f"Between the spans {one} and {other} there are only {between} frames to pass over; leave {least}."
            )
        if between > most:
            raise ClipError(
                f"Between the spans {one} and {other} there are {between} frames, more than a passage lasts; "
                f"leave at most {most}."
            )


def generate_spans(
    models: Mapping[str, Model],
    spans: Sequence[ClipSpan],
    *,
    fps: float = RATE,
    count: int = 1,
    seed: int = 0,
    variation: float = VARIATION,
    clean: bool = True,
) -> list[Motion]:
    """Generate motions at rate `fps` from the first span's start to the last one's end, each span by its clip's model.

    The models' skeletons are equal. From one span to the next the body passes over in the frames between, by a blend at
    the moment and place of the takes at which poses and velocities fit best; if `clean`, standing feet stay in place.
    `variation`, from 0 to 1, is the strength of variation in a span. Variation k of a seed does not depend on `count`.
    Raises ClipError as `check_spans` does and for no motions,
    ModelError for models of different skeletons.
    """
    check_spans(spans, fps, list(models))
    frames = frames_of(spans)
    takes = lay_out(models, spans, fps=fps, count=count, seed=seed, variation=variation, clean=clean)
    return [resample(take, fps, frames) for take in takes]


def frames_of(spans: Sequence[ClipSpan]) -> int:
    """Return the frames from the first span's start to the last one's end."""
    return spans[-1].end - spans[0].start + 1


def lay_out(
    models: Mapping[str, Model],
    spans: Sequence[ClipSpan],
    *,
    fps: float,
    count: int,
    seed: int,
    variation: float,
    clean: bool,
) -> Iterator[Motion]:
    """Yield the motions of `generate_spans` at 30 fps, for spans that were checked; `fps` is the rate of these."""
    if count < 1:
        raise ClipError("Ask for at least one motion.")
    if not 0.0 <= variation <= 1.0:
        raise ClipError("The strength of variation must be from 0 to 1.")
    used = {span.clip: with_strength(models[span.clip], variation, variation) for span in spans}
    first = used[spans[0].clip].skeleton
    for name, model in used.items():
        if not model.skeleton.same_structure(first):
            raise ModelError(f"The clip “{name}” is of another skeleton than “{spans[0].clip}”.")
    check_size(frames_of(spans), first.channels, count)
    samplers = {name: Sampler(model, torch=False) for name, model in used.items()}
    whole = rows_of(spans, fps)
    for number in range(count):
        yield _take(samplers, spans, whole, seed, number, clean)


def rows_of(spans: Sequence[ClipSpan], fps: float) -> list[tuple[int, int]]:
    """Return the rows [start, stop) of each span at 30 fps."""
    first, pace = spans[0].start, RATE / fps
    return [(round((span.start - first) * pace), round((span.end - first) * pace) + 1) for span in spans]


def _take(
    samplers: Mapping[str, Sampler],
    spans: Sequence[ClipSpan],
    rows: Sequence[tuple[int, int]],
    seed: int,
    number: int,
    clean: bool,
) -> Motion:
    """Return one motion at 30 fps; `rows` are those of the spans."""
    result: Motion | None = None
    for index, (span, (start, stop)) in enumerate(zip(spans, rows, strict=True)):
        tail = rows[index + 1][0] - stop if index + 1 < len(rows) else 0
        lead = start - rows[index - 1][1] if index else 0
        takes = _candidates(samplers[span.clip], span, lead + stop - start + tail, seed, number, index)
        if result is None:
            result = takes[0].slice(0, stop - start + tail)
            continue
        sources = samplers[spans[index - 1].clip].model.source, samplers[span.clip].model.source
        result = joined(result, takes, lead, lead + stop - start + tail, sources, clean)
    assert result is not None  # there is a span
    return result


def _candidates(sampler: Sampler, span: ClipSpan, rows: int, seed: int, number: int, index: int) -> list[Motion]:
    """Return takes of a span's clip at its speed, SEARCH_ROWS longer than `rows`, from any time of the clip on."""
    wanted = rows + SEARCH_ROWS
    length = max(MIN_ROWS, math.ceil((wanted - 1) * span.speed) + 1)
    random = np.random.default_rng([seed & 0xFFFFFFFF, number, index])
    # with little variation a take keeps the clip's order, from its first row on
    begins = random.integers(min(sampler.model.source.frames, MAX_BEGIN_ROWS), size=CANDIDATES).tolist()
    takes = generate(
        sampler.model,
        frames=max(begins) + length,
        count=CANDIDATES,
        seed=int(random.integers(1 << 31)),
        sampler=sampler,
    )
    pairs = zip(takes, begins, strict=True)
    return [_at_speed(take.slice(begin, begin + length), span.speed, max(wanted, MIN_ROWS)) for take, begin in pairs]


def _at_speed(take: Motion, speed: float, rows: int) -> Motion:
    """Return a motion at 30 fps played faster by `speed`, as `rows` rows."""
    if speed == 1.0:
        return take.slice(0, rows)
    played = with_path(replace(take, fps=RATE * speed), take.root_positions()[:, :2])
    return resample(played, RATE).slice(0, rows)
