"""The keys that the manual suggests: the script sets them, for operators that there are, and they are free."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy

DOCS = Path(__file__).resolve().parents[3] / "docs/keys.md"
OTHER_MAPS = ("Object Mode", "Pose", "3D View", "3D View Generic", "Armature", "Window", "Screen", "Object Non-modal")
"""Keymaps that hear a key in the 3D viewport while an animator works."""


def default_keys() -> dict[tuple[str, str], str]:
    """Operators by keymap and key that Blender's default keymap has with Ctrl and Alt."""
    scripts = Path(bpy.utils.system_resource("SCRIPTS"))
    path = scripts / "presets/keyconfig/keymap_data/blender_default.py"
    spec = importlib.util.spec_from_file_location("blender_default", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {}
    for name, _, content in module.generate_keymaps(module.Params()):
        for operator, event, _ in content["items"]:
            if event.get("ctrl") and event.get("alt") and not event.get("shift"):
                found[name, event["type"]] = operator
    return found


def test_the_suggested_keys_are_set_by_the_script_and_free(riff: ModuleType) -> None:
    text = DOCS.read_text(encoding="utf-8")
    script = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert script is not None
    made: list[tuple[str, str]] = []
    items = SimpleNamespace(new=lambda name, key, value, **mods: made.append((name, key)))
    keymap = SimpleNamespace(keymap_items=items)
    user = SimpleNamespace(keymaps={"3D View": keymap})
    fake = SimpleNamespace(
        context=SimpleNamespace(window_manager=SimpleNamespace(keyconfigs=SimpleNamespace(user=user)))
    )
    lines = script[1].replace("import bpy\n", "")
    exec(compile(lines, str(DOCS), "exec"), {"bpy": fake})
    assert len(made) == 6
    taken = default_keys()
    assert taken[("Object Mode", "G")] == "collection.objects_remove", "the default keymap was read"
    for name, key in made:
        assert getattr(bpy.ops.riff, name.partition(".")[2]).get_rna_type(), name
        assert f"| Ctrl Alt {key} | `{name}` |" in text
        assert not [pair for pair in taken if pair[1] == key and pair[0] in OTHER_MAPS], key
