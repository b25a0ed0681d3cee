"""Takes in which the clips of one model play when they are told to: laid out from the clips, refined by its stages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError, ModelError
from ..generation.generate import Sampler, with_strength
from ..matching.instant import matched_above
from ..matching.matcher import Matcher, never_cancelled
from ..matching.stages import make_matchers
from ..model.model import Model
from ..model.pyramid import Around, Rows, StageGenerator, resize
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample, rows_at
from ..numeric.blending import ease
from .compose import compose
from .composition import MIN_REGION_FRAMES, Composition, restyle
from .span_models import model_of_clip
from .timed_clips import VARIATION, ClipSpan, check_spans, frames_of, lay_out, rows_of

ENTRY = 1
"""Default level, counted from 1, at which the laid out clips enter a trained model: from there on its stages make the
detail, see bench/results/timed-transitions.md."""

PASSAGE_WEIGHT = 1.0 - 1e-5
"""Weight by which passages stay as they are laid out, since the model has learned none like them; feet may be planted
in frames of a weight below 1."""

LEAD_ROWS = 24
"""Rows of a span beside a passage over which the model's detail comes in: else the body hurries from one to the other,
see bench/results/timed-transitions.md."""


def clip_names(model: Model) -> list[str]:
    """Return the names of the clips that a model learned together. Raises ModelError for a model of a single one."""
    if not model.clips:
        raise ModelError(f"“{model.name}” was not trained on several clips; choose a model that was.")
    return [clip.name for clip in model.clips]


def check_model_spans(model: Model, spans: Sequence[ClipSpan], fps: float) -> None:
    """Raise ModelError for a model that does not know the clips of all spans, ClipError as `check_spans` does."""
    names = clip_names(model)
    for span in spans:
        if span.clip not in names:
            known = ", ".join(f"“{name}”" for name in names)
            raise ModelError(
                f"“{model.name}” was not trained on “{span.clip}”, which plays at frame {span.start}; it knows {known}."
            )
    check_spans(spans, fps, names)
    rows = rows_at(frames_of(spans), fps, RATE)
    if rows < MIN_REGION_FRAMES:
        raise ClipError(
            f"The spans last only {rows} rows at 30 frames a second, and a trained model needs {MIN_REGION_FRAMES}; "
            "make them longer."
        )


def generate_model_spans(
    sampler: Sampler,
    spans: Sequence[ClipSpan],
    *,
    fps: float = RATE,
    count: int = 1,
    seed: int = 0,
    variation: float = VARIATION,
    clean: bool = True,
    entry: int = ENTRY,
    check_cancelled: Callable[[], None] = never_cancelled,
) -> list[Motion]:
    """Generate motions as `generate_spans` does, of the clips that a model learned together, in its own detail.

    The clips are laid out from the model's source and enter the model at level `entry`, at the last trained one if that
    is lower. From there on its stages make the detail of the spans, the last level by patches of each clip; passages
    stay as they are laid out, and so does all of a model without trained levels. `check_cancelled` is called often and
    may raise. Raises ModelError and ClipError as `check_model_spans` does.
    """
    check_model_spans(sampler.model, spans, fps)
    source, rows = sampler.model.source, rows_of(spans, fps)
    parts = {clip.name: source.slice(clip.start, clip.stop) for clip in sampler.model.clips}
    played = {span.clip: parts[span.clip] for span in spans}
    clips = {name: model_of_clip(part, name, check_cancelled) for name, part in played.items()}
    takes = lay_out(clips, spans, fps=fps, count=count, seed=seed, variation=variation, clean=clean)
    model = with_strength(_last_level_matched(sampler.model, clips[spans[0].clip]), variation, variation)
    level, frames = min(entry, model.trained_levels), frames_of(spans)
    if not level:
        return [resample(take, fps, frames) for take in takes]
    shares = _shares([list(played).index(span.clip) for span in spans], rows)
    refining = Sampler(model, generators=_generators(sampler, model, list(played.values()), shares, check_cancelled))
    made = []
    for number, take in enumerate(takes):
        check_cancelled()
        whole = _passages_kept(restyle(take, entry=level), rows)
        refined = compose(model, whole, seed=seed, first=number, clean=clean, sampler=refining)[0]
        made.append(resample(refined, fps, frames))
    return made


def _last_level_matched(model: Model, clip: Model) -> Model:
    """Return a model whose last level is matched, by the settings of an instant one of a clip, if it was not yet.

    Networks of all levels mix the clips: of salsa and walk, up to half of the frames of a span were nearer to the
    other one, while a matched level can be held to each.
    """
    recipe = model.recipe
    if model.trained_levels < recipe.levels or clip.matched is None:
        return model
    return matched_above(model, max(1, recipe.levels - 1), clip.matched)


def _passages_kept(composition: Composition, rows: Sequence[tuple[int, int]]) -> Composition:
    """Return the composition with rows between spans kept by PASSAGE_WEIGHT, and less over LEAD_ROWS beside them."""
    keep, number = composition.keep.copy(), np.arange(len(composition.keep))
    for (_, stop), (start, _) in itertools.pairwise(rows):
        away = np.maximum(stop - number, number - start + 1).clip(0)
        weight = ease(1.0 - away / (LEAD_ROWS + 1.0))
        keep = np.maximum(keep, PASSAGE_WEIGHT * weight[:, None])
    return replace(composition, keep=keep)


def _shares(clips: Sequence[int], rows: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Return the share (clips, T) of each clip in each row; from one span to the next it passes over."""
    shares = np.zeros((max(clips) + 1, rows[-1][1]), dtype=np.float32)
    for clip, (start, stop) in zip(clips, rows, strict=True):
        shares[clip, start:stop] = 1.0
    for (one, (_, stop)), (other, (start, _)) in itertools.pairwise(zip(clips, rows, strict=True)):
        share = ease(np.arange(1.0, start - stop + 1) / (start - stop + 1))
        shares[one, stop:start] += 1.0 - share
        shares[other, stop:start] += share
    return shares


@dataclass(frozen=True, eq=False)
class _MatchedByClip:
    """A matched stage that takes the rows of each clip from its own patches, whatever other clip is near."""

    matchers: Sequence[Matcher]
    shares: NDArray[np.float32]
    """Shares (clips, T) of the clips in each row of the last stage."""

    def refine(self, base: Rows, noise: Rows) -> Rows:
        return self.refine_around(base, noise, Around())

    def refine_around(self, base: Rows, noise: Rows, around: Around) -> Rows:
        shares = resize(self.shares[None], base.shape[-1])[0]
        result = np.zeros_like(base)
        for matcher, share in zip(self.matchers, shares, strict=True):
            result += share * matcher.refine_around(base, noise, around)
        return result


def _generators(
    sampler: Sampler,
    model: Model,
    clips: Sequence[Motion],
    shares: NDArray[np.float32],
    check_cancelled: Callable[[], None],
) -> list[StageGenerator]:
    """Return the stages of a model, the trained ones from a sampler of it, the matched ones held to each clip."""
    trained = sampler.generators[: model.trained_stages]
    of_clips = [make_matchers(replace(model, source=clip), check_cancelled) for clip in clips]
    return [*trained, *(_MatchedByClip(matchers, shares) for matchers in zip(*of_clips, strict=True))]
