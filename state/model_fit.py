"""Fit of the listed models to the active armature, found a moment after the panel asks, and cached."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..core.errors import RiffError
from ..core.model.model_file import read_rig
from ..core.motion.legs import leg_ratio
from ..core.motion.rig_match import RigMatch, match_rig
from ..rig.reading.evaluate import Rest, read_rest
from . import timer
from .guard import wrap_callback
from .rig_settings import active_armature
from .settings import RiffModel, session_of

LOOK_DELAY_SECONDS = 0.1
"""Seconds until the models are compared with a shown armature."""

SAME_SIZE = 0.01
"""Largest difference from 1 of the ratio of legs of which nothing is said."""

HANDLERS = (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post)

Key = tuple[str, int, str]
"""Name and number of bones of an armature, and path of a model."""


@dataclass(frozen=True)
class Fit:
    """Fit of a model to an armature: a `problem` if it cannot be used there, else a sentence on renamed bones."""

    problem: str = ""
    sentence: str = ""


_cache: dict[Key, Fit] = {}

_missing: list[str] = []
"""Paths of models to compare with the active armature."""


def fit_of(ob: bpy.types.Object | None, model: RiffModel) -> Fit | None:
    """Return the fit if it is known; otherwise request it, and the panel is drawn again soon."""
    if ob is None or ob.type != "ARMATURE" or model.problem:
        return None
    fit = _cache.get(_key(ob, model.path))
    if fit is None and model.path not in _missing:
        _missing.append(model.path)
        if not bpy.app.timers.is_registered(update_fits):
            bpy.app.timers.register(update_fits, first_interval=LOOK_DELAY_SECONDS)
    return fit


def known_fit(ob: bpy.types.Object, model: RiffModel) -> Fit:
    """Return the fit at once, for operators; it takes some milliseconds if it is not known."""
    key = _key(ob, model.path)
    if key not in _cache:
        _cache[key] = _compare(ob, model.path)
    return _cache[key]


def _key(ob: bpy.types.Object, path: str) -> Key:
    return ob.name, len(ob.data.bones), path


@partial(wrap_callback, "Comparing models with the armature")
def update_fits() -> float | None:
    """Compare one model with the active armature; return the seconds until the next, None at the end."""
    ob = active_armature(bpy.context)
    if ob is None or ob.type != "ARMATURE" or ob.pose is None:
        _missing.clear()
    if not _missing:
        return None
    path = _missing.pop()
    if path in [row.path for row in session_of(bpy.context).models]:
        _cache[_key(ob, path)] = _compare(ob, path)
    if not _missing:
        timer.redraw()
        return None
    return 0.0


def _compare(ob: bpy.types.Object, path: str) -> Fit:
    rest = read_rest(ob)
    try:
        skeleton, resting = read_rig(path)
        match = match_rig(skeleton, rest.names, rest.parents, ob.name, resting)
    except RiffError as error:
        return Fit(problem=str(error))
    return Fit(sentence="; ".join(part for part in (match.sentence(), _size_sentence(ob, rest, match)) if part))


def _size_sentence(ob: bpy.types.Object, rest: Rest, match: RigMatch) -> str:
    """Return a sentence on the size of an armature beside that of a model; empty if they are the same."""
    skeleton = match.skeleton
    if skeleton.reference_frames or not all(name in rest.names for name in match.names if name):
        return ""
    scale = float(np.mean(ob.matrix_world.to_scale()[:]))
    places = rest.matrices[:, :3, 3] * scale
    offsets = skeleton.offsets * skeleton.unit
    for joint, name in enumerate(match.names):
        above = match.names[skeleton.parents[joint]]
        if joint and name and above:
            offsets[joint] = places[rest.names.index(name)] - places[rest.names.index(above)]
    ratio = leg_ratio(skeleton, offsets) * skeleton.unit
    if not ratio or abs(ratio - 1.0) <= SAME_SIZE:
        return ""
    return f"size adapted: legs {1.0 / ratio:.2f} times as long"


@persistent
def forget(*_: object) -> None:
    """Clear the cache: the file, the bones or the models may have changed."""
    _cache.clear()
    _missing.clear()


def register() -> None:
    for handlers in HANDLERS:
        handlers.append(forget)


def unregister() -> None:
    forget()
    for handlers in HANDLERS:
        if forget in handlers:
            handlers.remove(forget)
    if bpy.app.timers.is_registered(update_fits):
        bpy.app.timers.unregister(update_fits)
