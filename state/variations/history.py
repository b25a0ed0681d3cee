"""History of what was generated for an armature, kept with it: each run with its seed and all that it depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import bpy

from ...core.errors import RiffError
from ...core.files.digest import tensor_digest_steps
from ...core.files.fields import FieldError, Fields, parse_json
from ...core.model.model_file import MAX_MODEL_BYTES
from ...core.motion.motion import Motion
from ...rig.compat import MAX_FRAME
from ...rig.ownership import digest_of, is_made_by_riff
from ...rig.stored import MAX_SEED, next_number, stored_numbers
from ..rig_settings import read_options, rig_settings
from ..session import rows_of
from ..settings import RiffModel, session_of
from .run_fields import check_fields

RUN_KEY = "riff_run"
"""Id-property of an action: the number of the run that made it, and the action's index in the run."""

MAX_RUNS = 40
"""Most runs of a history; the oldest go."""

MAX_CHARACTERS = 1 << 20
"""Most characters of a history; one run can hold thousands of places."""

MAX_COUNT = 100
"""Most actions of a run."""

KINDS = ("generate", "live", "compose", "spans", "amount", "drive")


@dataclass(frozen=True)
class Run:
    """All that a run of an operator depends on, as JSON data.

    `names` are those of its actions without the model's. `actions` maps the names of the actions that it read to their
    digests; `source` is the one that the results were keyed like, empty for a whole NLA. `options` is a digest of the
    choices for reading, empty if nothing was read. `arguments` are those of the job of its `kind`, `settings` the
    operator's.
    """

    kind: str
    operator: str
    label: str
    names: list[str]
    model: str
    model_digest: str
    source: str
    actions: dict[str, str]
    options: str
    fps: float
    seed: float
    frame_start: int | None
    stepped: bool
    loop: bool
    dressing: dict[str, Any]
    properties: dict[str, Any]
    arguments: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def from_json(text: str) -> Run:
        """Parse a run. Raises FieldError."""
        data = parse_json(text)
        found = Fields(data)
        if set(data) != {one.name for one in fields(Run)}:
            raise FieldError("its description has other fields")
        for name in ("operator", "label", "model", "model_digest", "source", "options"):
            found.text(name)
        if found.text("kind") not in KINDS or not found.texts("names", MAX_COUNT):
            raise FieldError("its kind is unknown")
        for name in ("actions", "dressing", "properties", "arguments", "settings"):
            found.part(name)
        found.number("fps", 0.01, 1e4)
        found.number("seed", 0, MAX_SEED)
        found.flag("stepped", False)
        found.flag("loop", False)
        if data["frame_start"] is not None:
            found.whole("frame_start", -MAX_FRAME, MAX_FRAME)
        check_fields(found)
        return Run(**data)


def next_run(ob: bpy.types.Object) -> int:
    """Return the number of an armature's next run: above those of its history and of its variations in the file."""
    rows = rows_of(session_of(bpy.context), ob)
    actions = [bpy.data.actions.get(row.name) for row in rows]
    made = {run_of(action)[0] for action in actions if action is not None}
    return next_number(made | {row.number for row in rig_settings(ob).runs})


def run_of(action: bpy.types.Action) -> tuple[int, int]:
    """Return the number of the run that made an action, 0 if it is unknown, and the action's index in it."""
    numbers = stored_numbers(action, RUN_KEY, 2)
    known = numbers is not None and len(numbers) == 2 and all(0 <= one <= MAX_SEED for one in numbers)
    return (int(numbers[0]), int(numbers[1])) if known and numbers is not None else (0, 0)


def record(ob: bpy.types.Object, number: int, run: Run, titles: str) -> None:
    """Put a run at the top of an armature's history, which stays bounded; none is kept with a linked armature."""
    if not ob.is_editable or ob.override_library is not None:
        return
    settings = rig_settings(ob)
    row = settings.runs.add()
    row.number, row.label, row.titles = number, run.label, titles
    row.model, row.source, row.order = run.model, run.source, json.dumps(asdict(run))
    row.seed = f"{run.seed:g}"
    settings.runs.move(len(settings.runs) - 1, 0)
    settings.active_run = 0
    while len(settings.runs) > 1 and (
        len(settings.runs) > MAX_RUNS or sum(len(one.order) for one in settings.runs) > MAX_CHARACTERS
    ):
        settings.runs.remove(len(settings.runs) - 1)


def run_numbered(ob: bpy.types.Object, number: int) -> tuple[int, Run]:
    """Return a run of an armature and its number; that of the active row for 0. Raises RiffError."""
    settings = rig_settings(ob)
    rows = [row for row in settings.runs if row.number == number]
    if not number and settings.active_run < len(settings.runs):
        rows = [settings.runs[settings.active_run]]
    if not rows:
        raise RiffError("The history of this armature has no such entry")
    try:
        return int(rows[0].number), Run.from_json(rows[0].order)
    except (FieldError, TypeError) as error:
        raise RiffError(f"This entry of the history cannot be read: {error}") from error


def described(ob: bpy.types.Object) -> list[dict[str, Any]]:
    """Return the runs of an armature that can be read as plain data, the newest first."""
    found = []
    keys = ("operator", "label", "names", "model", "source", "seed", "arguments", "settings")
    for row in rig_settings(ob).runs:
        try:
            run = asdict(Run.from_json(row.order))
        except (FieldError, TypeError):
            continue  # another version wrote it; the list shows it still
        found.append({"number": int(row.number), **{key: run[key] for key in keys}})
    return found


def missing(ob: bpy.types.Object, number: int, run: Run) -> list[int]:
    """Return the indices of a run's actions that are no longer in the file as they were made."""
    actions = [bpy.data.actions.get(row.name) for row in rows_of(session_of(bpy.context), ob)]
    made = {run_of(action) for action in actions if action is not None and is_made_by_riff(action)}
    return [index for index in range(len(run.names)) if (number, index) not in made]


def model_row(context: bpy.types.Context, run: Run) -> RiffModel:
    """Return the row of a run's model in the list. Raises RiffError if it is gone."""
    for row in session_of(context).models:
        if run.model in (row.name, row.label) and not row.problem:
            return row
    raise RiffError(f"The model “{run.model}” is no longer in the list; import it again")


def check_model_steps(run: Run, path: Path) -> Generator[float, None, None]:
    """Check in steps that the model at `path` is the one that a run used. Raises RiffError if it changed since."""
    if (yield from model_digest_steps(path)) != run.model_digest:
        raise RiffError(f"The model “{run.model}” was changed since; use the settings to generate anew with it")


def model_digest_steps(path: Path) -> Generator[float, None, str]:
    """Compute the digest of a model in steps. Raises ModelError."""
    return tensor_digest_steps(path, MAX_MODEL_BYTES)


def check_sources(ob: bpy.types.Object, run: Run, fps: float) -> None:
    """Check that what a run read is as it was. Raises RiffError that names what is gone or changed."""
    for name, digest in run.actions.items():
        action = bpy.data.actions.get(name) if name else None
        if name and action is None:
            raise RiffError(f"The action “{name}”, from which it was made, is no longer in the file")
        if digest != source_digest(ob, action):
            what = f"The action “{name}” was" if name else "The NLA strips were"
            raise RiffError(f"{what} changed since; use the settings to generate anew from what is there now")
    if run.options and run.options != options_digest(ob):
        raise RiffError("Root, feet or bones to learn were chosen otherwise since; use the settings to generate anew")
    if abs(run.fps - fps) > 1e-3:
        raise RiffError(f"The scene had {run.fps:g} frames a second then; set the rate to make the same action again")


def source_digest(ob: bpy.types.Object, action: bpy.types.Action | None) -> str:
    """Return a digest of an action's keys; of all NLA strips of an armature for None."""
    if action is not None:
        return digest_of(action)
    digest = hashlib.blake2b(digest_size=16)
    for track in ob.animation_data.nla_tracks if ob.animation_data else ():
        for strip in track.strips:
            keys = digest_of(strip.action) if strip.action is not None else ""
            span = (strip.frame_start, strip.frame_end, strip.action_frame_start, strip.scale, strip.repeat)
            digest.update(repr((track.mute, keys, span, strip.blend_type, strip.influence, strip.mute)).encode())
    return digest.hexdigest()


def motion_digest(motion: Motion) -> str:
    """Return a digest of a body and its motion as they were read."""
    body = (motion.skeleton.names, motion.skeleton.parents, motion.fps, motion.cycle_seconds)
    digest = hashlib.blake2b(repr(body).encode(), digest_size=16)
    for numbers in (motion.skeleton.offsets, motion.features):
        digest.update(numbers.tobytes())
    return digest.hexdigest()


def options_digest(ob: bpy.types.Object) -> str:
    """Return a digest of the user's choices for reading an armature."""
    return hashlib.blake2b(repr(read_options(ob)).encode(), digest_size=16).hexdigest()
