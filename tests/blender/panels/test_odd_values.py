"""Properties of Riff's in a file, with values that it never writes: rows are left out, or a sentence comes.

RIFF_ODD is the number of files that are tried.
"""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recording_layout import RecordingLayout
from tests.support.scene_examples import scene_examples

FRAMES = 40
EXAMPLES = int(os.environ.get("RIFF_ODD", "6"))
MOST_SECONDS, MOST_MEGABYTES = 60.0, 700
"""Most time of the processor for one operator, whatever else the machine does, and most memory that all may add."""

ODD: list[Any] = [
    "x",
    "",
    "9" * 5000,
    [1],
    ["a", "b"],
    [1.5] * 7,
    [float("nan")] * 6,
    {"smallest": 1},
    {"a": {"b": [1, 2]}},
    -1,
    2**31 - 1,
    -(2**31),
    1e300,
    float("nan"),
    float("inf"),
    True,
    '{"model": "Dance", "frames": 1048576}',
    '{"model": 3, "armature": [], "smallest": "x"}',
    "[" * 5000,
]
KEYS = {
    "actions": [
        f"riff_{name}"
        for name in (
            *("model", "seed", "index", "like", "frames", "armature", "identity", "source", "kept", "loop"),
            *("coarse", "fine", "clean_feet", "made", "keys", "shield", "run", "moving"),
        )
    ],
    "objects": [
        f"riff_{name}"
        for name in (
            *("member", "path", "spot", "previewed", "made"),
            *("ghost", "ghost_number", "place", "top", "identity"),
        )
    ],
    "node_groups": ["riff_tint", "riff_made"],
    "materials": ["riff_tint", "riff_made"],
    "armatures": ["riff_own_action"],
    "collections": ["riff_crowd", "riff_ghosts", "riff_made"],
}
NUMBERS = [2**31 - 1, -(2**31), 1e30, -1e30, float("nan"), float("inf"), 0, -1]
PLACES = [(kind, key) for kind, keys in KEYS.items() for key in keys]


@pytest.fixture(scope="module")
def stage(riff: ModuleType, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with a character, its crowd, variations, regions and moments."""
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.update()
    assert bpy.ops.riff.generate(count=2, frames=FRAMES, seed=1) == {"FINISHED"}
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=FRAMES) == {"FINISHED"}
    assert bpy.ops.riff.show_ghosts(number=1) == {"FINISHED"}
    assert bpy.ops.riff.add_region(source="RANGE", start=10, end=30) == {"FINISHED"}
    scene: Any = bpy.context.scene
    for settings_of in (scene.riff, scene.riff_crowd, scene.riff_compose, scene.riff_compare):
        for prop in settings_of.bl_rna.properties:  # what was never set is not in the file
            if prop.type in ("INT", "FLOAT", "ENUM", "BOOLEAN") and not getattr(prop, "is_array", False):
                setattr(settings_of, prop.identifier, getattr(settings_of, prop.identifier))
    path = tmp_path_factory.mktemp("odd") / "stage.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    yield path
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


def stored(owner: Any) -> Any:
    """The properties of an owner as they are stored, without the limits of the interface."""
    return owner.bl_system_properties_get() if hasattr(owner, "bl_system_properties_get") else owner


def put(owner: Any, key: str, value: Any) -> None:
    try:
        owner[key] = value
    except (TypeError, OverflowError, ValueError):
        owner[key] = str(value)  # Blender itself keeps no such list


def plant(odd: list[tuple[tuple[str, str], Any, int]], numbers: list[tuple[str, int, Any]]) -> None:
    for (kind, key), value, which in odd:
        blocks = sorted(getattr(bpy.data, kind), key=lambda block: block.name)
        put(blocks[which % len(blocks)], key, value)
    for name, which, value in numbers:
        group = stored(bpy.context.scene)[name]
        names = sorted(key for key in group.keys() if isinstance(group[key], (int, float)))  # noqa: SIM118
        key = names[which % len(names)]
        group[key] = type(group[key])(value) if isinstance(group[key], float) or abs(value) < 2**31 else 2**31 - 1
    region = stored(bpy.data.objects["Dancer"])["riff"]["regions"]
    region[0]["start"], region[0]["end"] = -(2**31), 2**31 - 1


def draw_all(riff: ModuleType) -> None:
    for cls in importlib.import_module(f"{riff.__name__}.panels").CLASSES:
        if issubclass(cls, bpy.types.Panel) and (not hasattr(cls, "poll") or cls.poll(bpy.context)):
            own = {key: value for key, value in vars(cls).items() if not key.startswith("__") and key != "bl_rna"}
            plain = tuple(b for b in cls.__mro__[1:] if b is not object and not issubclass(b, bpy.types.bpy_struct))
            panel = type(cls.__name__, plain, own)()
            panel.layout = RecordingLayout(open_panels=True)
            panel.draw(bpy.context)


def clicks() -> list[tuple[str, Callable[[], Any]]]:
    """Operators that read what was planted, those that need no training."""
    riff, names = bpy.ops.riff, [action.name for action in bpy.data.actions]
    found: list[tuple[str, Callable[[], Any]]] = [("refresh", riff.refresh_models)]
    for name in names:
        found += [
            ("show", partial(riff.show_action, action=name)),
            ("keep", partial(riff.keep_variation, action=name)),
            ("like", partial(riff.more_like_this, action=name)),
            ("ghost", partial(riff.toggle_ghost, action=name)),
        ]
    return [
        *found,
        ("add", lambda: riff.add_to_crowd(count=1)),
        ("reroll", lambda: riff.reroll_crowd(which="ALL")),
        ("thin", lambda: riff.thin_out_crowd(keep=0.5)),
        ("remove", riff.remove_crowd),
        ("ghosts", lambda: riff.show_ghosts(number=2)),
        ("discard", riff.discard_others),
        ("again", riff.make_again),
        ("settings", riff.use_settings),
        ("hide", riff.hide_ghosts),
        ("region", lambda: riff.add_region(source="RANGE", start=1, end=9)),
    ]


odd = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD), st.integers(0, 5)), min_size=3, max_size=10)
numbers = st.lists(
    st.tuples(
        st.sampled_from(["riff", "riff_crowd", "riff_compose", "riff_compare"]),
        st.integers(0, 40),
        st.sampled_from(NUMBERS),
    ),
    max_size=4,
)


@scene_examples(EXAMPLES)
@given(odd, numbers)
def test_odd_values_end_in_rows_left_out_or_a_sentence(
    riff: ModuleType, stage: Path, capfd: pytest.CaptureFixture[str], odd: Any, numbers: Any
) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(stage))
    plant(odd, numbers)
    path = stage.with_name("odd.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    capfd.readouterr()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bpy.ops.wm.open_mainfile(filepath=str(path))
    models = [row.name for row in bpy.context.window_manager.riff.models]
    assert models == ["Dance"], "the models are listed whatever an action holds"
    assert out_of_range() == []
    draw_all(riff)
    for name, click in clicks():
        bpy.context.view_layer.objects.active = bpy.data.objects["Dancer"]
        begun = time.process_time()
        try:
            click()
        except RuntimeError as refusal:
            if "did not foresee" in str(refusal):
                raise
        assert time.process_time() - begun < MOST_SECONDS, name
        draw_all(riff)
    said = capfd.readouterr()
    assert "Traceback" not in said.err, said.err
    assert "did not foresee" not in said.out + said.err
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < MOST_MEGABYTES


def out_of_range() -> list[str]:
    """Names of settings of the scene that are beyond the limits of the interface."""
    found = []
    for name in ("riff", "riff_crowd", "riff_compose", "riff_compare"):
        group = getattr(bpy.context.scene, name)
        for prop in group.bl_rna.properties:
            number = prop.type in ("INT", "FLOAT") and not prop.is_array
            if number and not prop.hard_min <= getattr(group, prop.identifier) <= prop.hard_max:
                found.append(f"{name}.{prop.identifier}")
    return found


def test_numbers_of_a_file_are_clamped_as_the_interface_would(stage: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(stage))
    group, rig = stored(bpy.context.scene)["riff"], stored(bpy.data.objects["Dancer"])["riff"]
    group["frames"], group["effort"], group["coarse"], group["count"] = 2**31 - 1, float("inf"), float("nan"), -7
    group["recipe"] = 77
    rig["active_region"] = -5
    bpy.ops.wm.save_as_mainfile(filepath=str(stage.with_name("numbers.blend")))
    bpy.ops.wm.open_mainfile(filepath=str(stage.with_name("numbers.blend")))
    found = bpy.context.scene.riff
    assert (found.frames, found.effort, found.coarse, found.count, found.recipe) == (100_000, 20.0, 1.0, 1, "fast")
    assert bpy.data.objects["Dancer"].riff.active_region == 0


def test_a_linked_armature_keeps_its_lists(stage: Path) -> None:
    """A region that could not be saved is refused: on a linked armature, and on an override."""
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(stage), link=True) as (_, wanted):
        wanted.objects = ["Dancer"]
    linked = bpy.data.objects["Dancer"]
    bpy.context.scene.collection.objects.link(linked)
    bpy.context.view_layer.objects.active = linked
    with pytest.raises(RuntimeError, match="linked from another file"):
        bpy.ops.riff.add_region(source="RANGE", start=1, end=9)
    with pytest.raises(RuntimeError, match="linked from another file"):
        bpy.ops.riff.variation_to_nla(action=bpy.data.actions[0].name)
    own = linked.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    bpy.context.view_layer.objects.active = own
    with pytest.raises(RuntimeError, match="library override"):
        bpy.ops.riff.add_region(source="RANGE", start=1, end=9)
