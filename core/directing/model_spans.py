"""Takes in which the clips of one model play when they are told to: laid out from the clips, refined by its stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ClipError, ModelError
from ..generation.generate import Sampler, with_strength
from ..matching.instant import instant_model
from ..matching.matcher import never_cancelled
from ..model.model import Model
from ..motion.motion import RATE, Motion
from ..motion.resampling import resample
from .compose import compose
from .composition import MIN_REGION_FRAMES, restyle
from .timed_clips import VARIATION, ClipSpan, check_spans, frames_of, lay_out

ENTRY = 3
"""Default level, counted from 1, at which the laid out clips enter a trained model: from there on its stages make the
detail, see bench/results/timed-transitions.md."""


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
    rows = round((frames_of(spans) - 1) * RATE / fps) + 1
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
    is lower; a model without trained levels plays them as they are laid out. `check_cancelled` is called often and may
    raise. Raises ModelError and ClipError as `check_model_spans` does.
    """
    check_model_spans(sampler.model, spans, fps)
    clips = _clip_models(sampler.model, spans, check_cancelled)
    model = with_strength(sampler.model, variation, variation)
    refining = Sampler(model, generators=sampler.generators)
    level, frames = min(entry, model.trained_levels), frames_of(spans)
    made = []
    takes = lay_out(clips, spans, fps=fps, count=count, seed=seed, variation=variation, clean=clean)
    for number, take in enumerate(takes):
        check_cancelled()
        if level:
            composition = restyle(take, entry=level)
            take = compose(model, composition, seed=seed, first=number, clean=clean, sampler=refining)[0]
        made.append(resample(take, fps, frames))
    return made


def _clip_models(model: Model, spans: Sequence[ClipSpan], check_cancelled: Callable[[], None]) -> dict[str, Model]:
    """Return an instant model of each clip that plays, by name. Raises ClipError, which names the clip."""
    played, models = {span.clip for span in spans}, {}
    for clip in model.clips:
        if clip.name in played:
            part = model.source.slice(clip.start, clip.stop)
            try:
                models[clip.name] = instant_model(part, clip.name, check_cancelled=check_cancelled)
            except ClipError as error:
                raise ClipError(f"“{clip.name}”: {error}") from error
    return models
