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
from ..motion.feet_cleanup import belt_of
from ..motion.headings import turn_between, turn_motion
from ..motion.motion import RATE, Motion
from ..motion.resampling import check_size, resample, with_path
from ..motion.skeleton import GROUP
from ..numeric.blending import ease
from ..numeric.distances import frame_distances
from ..numeric.rotation import Array, axis_rotation, interpolate_six, yaw_of
from .composition import MIN_REGION_FRAMES, Composition
from .finalise import blend_kept

MIN_PASSAGE_SECONDS, MAX_PASSAGE_SECONDS = 0.2, 2.0
"""Shortest and longest passage from one span to the next."""

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

VELOCITY_ROWS = 5.0
"""Rows over which velocities are extrapolated where they are compared with poses."""

CONTACT_COST = 1.0
"""Cost of a foot that stands in one take and not in the other, as a share of the median cost of two poses."""

BLEND_SHARES = (1.0, 0.7, 0.45)
"""Shares of a passage in which its blend may take place; the rest belongs to one of the spans."""

QUICK_BLEND_ROWS = 20.0
"""Rows of a blend below which its haste counts more than the difference of the poses."""


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
    check_size(frames_of(spans), first.channels)
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
        result = _joined(result, takes, lead, lead + stop - start + tail, sources, clean)
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


def _joined(
    one: Motion, others: Sequence[Motion], passage: int, rows: int, sources: tuple[Motion, Motion], clean: bool
) -> Motion:
    """Return a motion that passes in its last `passage` rows into `rows` rows of the best fitting other one."""
    begin = one.frames - passage
    view = _Poses.of(one.slice(max(0, begin - 1), one.frames)).rows(min(begin, 1))
    best = min(
        ((*_best_fit(view, _Poses.of(other), other.frames - rows), other) for other in others), key=lambda fit: fit[0]
    )
    _, first, low, high, other = best
    other = other.slice(first, min(first + rows, other.frames))
    middle = (low + high) // 2
    angle = turn_between(other.rotations()[middle, 0], one.rotations()[begin + middle, 0])
    other = turn_motion(other, np.full(other.frames, angle))
    share = ease((np.arange(passage) - low + 1.0) / (high - low + 1.0))
    between = _crossfaded(one.features[begin:], other.features[:passage], share, one.skeleton.joints)
    features = np.concatenate([one.features[:begin], between, other.features[passage:]])
    whole = replace(one, features=features, cycle_seconds=0.0)
    keep = np.ones((whole.frames, whole.skeleton.groups))
    keep[begin : begin + passage] = 0.0
    belts = any(any(belt_of(source)) for source in sources)
    return blend_kept(whole, Composition(whole, keep, anchored=False), sources[1], clean and not belts)


@dataclass(frozen=True, eq=False)
class _Poses:
    """Joint positions and velocities of each row, seen from the root's yaw, (T, J × 3) each, and contacts (T, K)."""

    places: Array
    velocities: Array
    contacts: Array

    @staticmethod
    def of(motion: Motion) -> _Poses:
        positions, root = motion.positions(), motion.root_positions()
        steps = np.diff(positions, axis=0)
        steps = np.concatenate([steps[:1], steps])
        positions = positions.copy()
        positions[..., :2] -= root[:, None, :2]
        spin = axis_rotation(2, -yaw_of(motion.rotations()[:, 0]))
        size = math.sqrt(positions.shape[1])
        places, velocities = (
            np.einsum("tij,tkj->tki", spin, one).reshape(motion.frames, -1) / size for one in (positions, steps)
        )
        return _Poses(places, velocities, motion.contact_labels().clip(0.0, 1.0))

    def rows(self, first: int) -> _Poses:
        return _Poses(self.places[first:], self.velocities[first:], self.contacts[first:])

    def differences(self, other: _Poses) -> Array:
        """Return differences (T, N): mean squares of poses and of velocities over VELOCITY_ROWS, and contacts."""
        places, steps = frame_distances(self.places, other.places), frame_distances(self.velocities, other.velocities)
        costs = np.square(places) + np.square(VELOCITY_ROWS * steps)
        if self.contacts.shape[1]:
            stands = np.abs(self.contacts[:, None] - other.contacts).mean(2)
            costs = costs + CONTACT_COST * float(np.median(costs)) * stands
        return np.asarray(costs)


def _best_fit(tail: _Poses, other: _Poses, spare: int) -> tuple[float, int, int, int]:
    """Return the least cost of a blend, the first row of the other take and the first and last row of the blend.

    `tail` are the rows of the passage; the other take may begin at any of its first `spare` rows.
    """
    rows = len(tail.places)
    costs = tail.differences(other)
    firsts = np.arange(max(spare, 0) + 1)
    along = costs[np.arange(rows), np.minimum(firsts[:, None] + np.arange(rows), costs.shape[1] - 1)]
    sums = np.concatenate([np.zeros((len(along), 1)), np.cumsum(along, axis=1)], axis=1)
    best = (math.inf, 0, 0, rows)
    for part in BLEND_SHARES:
        size = min(rows, max(math.ceil(MIN_PASSAGE_SECONDS * RATE), round(part * rows)))
        haste = 1.0 + (QUICK_BLEND_ROWS / size) ** 2
        means = haste * (sums[:, size:] - sums[:, :-size]) / size
        first, low = (int(k) for k in np.unravel_index(means.argmin(), means.shape))
        best = min(best, (float(means[first, low]), first, low, low + size))
    return best


def _crossfaded(one: Array, other: Array, share: Array, joints: int) -> Array:
    """Return rows (T, C) mixed by `share` (T,), rotations along the shortest way."""
    rows, width = len(share), joints * GROUP
    mixed = (1.0 - share[:, None]) * one + share[:, None] * other
    first, last = (side[:, :width].reshape(rows, joints, GROUP) for side in (one, other))
    mixed[:, :width] = interpolate_six(first, last, share[:, None, None]).reshape(rows, -1)
    return mixed
