"""Blender as a user has it: the built extension installed and enabled in bpy, in a user folder of its own."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

# bpy looks at this when it is imported, and never again.
RESOURCES = tempfile.mkdtemp(prefix="riff-blender-")
os.environ["BLENDER_USER_RESOURCES"] = RESOURCES
atexit.register(shutil.rmtree, RESOURCES, ignore_errors=True)

pytest.register_assert_rewrite("tests.support.rigs.round_trip")

import bpy  # noqa: E402

from tests.support.rigs.beast import add_beast, add_stepping_biped  # noqa: E402
from tests.support.small_model import save_small_model  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "bl_ext.user_default.riff"
EXIT_STATUS = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def riff_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that RIFF_ZIP names, or one built now by Blender's own builder."""
    if os.environ.get("RIFF_ZIP"):
        return Path(os.environ["RIFF_ZIP"]).resolve()
    target = tmp_path_factory.mktemp("zip") / "riff.zip"
    builder = Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core/bl_pkg/cli/blender_ext.py"
    subprocess.run([sys.executable, str(ROOT / "wheels/fetch.py")], check=True)
    command = [sys.executable, str(builder), "build", f"--source-dir={ROOT}", f"--output-filepath={target}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


@pytest.fixture(scope="session")
def riff(riff_zip: Path) -> ModuleType:
    """The installed and enabled extension, as the module that Blender runs."""
    bpy.ops.extensions.package_install_files(
        filepath=str(riff_zip), repo="user_default", enable_on_install=True, overwrite=True
    )
    assert EXTENSION in bpy.context.preferences.addons
    # Trainings of a few steps: a process of their own would take longer to start.
    bpy.context.preferences.addons[EXTENSION].preferences.separate_process = False
    return importlib.import_module(EXTENSION)


@pytest.fixture(autouse=True)
def empty_file(riff: ModuleType) -> None:
    """Each test starts in an empty file; the preferences, and with them the extension, stay."""
    bpy.ops.wm.read_homefile(use_empty=True)


@pytest.fixture(scope="session")
def trained(riff: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the sample dance, hardly trained."""
    path = tmp_path_factory.mktemp("model") / "Dance.safetensors"
    save_small_model(riff, path)
    return path


@pytest.fixture
def clip() -> Callable[[str], Path]:
    """Path of a real clip by its name; skips where these are not at hand (they are not ours to pass on)."""

    def find(name: str) -> Path:
        folder = Path(os.environ.get("RIFF_DATA") or ROOT.parent / "shared/data")
        path = folder / f"{name}.bvh"
        if not path.exists():
            pytest.skip(f"{name}.bvh is not in {folder}; set RIFF_DATA to where it is")
        return path

    return find


@pytest.fixture
def models(riff: ModuleType) -> Iterator[Path]:
    """The folder of trained models, empty before and after, as is that of unfinished trainings: both hold names."""
    jobs = importlib.import_module(f"{riff.__name__}.rig.background.jobs")

    def emptied() -> Path:
        jobs.stop_all()
        for name in ("models", "trainings"):
            shutil.rmtree(bpy.utils.extension_path_user(riff.__name__, path=name), ignore_errors=True)
        folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
        bpy.ops.riff.refresh_models()
        return folder

    yield emptied()
    emptied()


@pytest.fixture
def short_dancer(models: Path) -> Any:
    """The sample dancer of four seconds, with an instant model."""
    bpy.ops.riff.add_sample_dancer()
    ob: Any = bpy.context.object
    ob.animation_data.action.use_frame_range, ob.animation_data.action.frame_end = True, 120
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    return ob


@pytest.fixture
def bodies(models: Path) -> tuple[Any, Any]:
    """The biped, active and with an instant model, and the beast."""
    beast, biped = add_beast(), add_stepping_biped()
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    return biped, beast


@pytest.fixture
def door(riff: ModuleType) -> SimpleNamespace:
    """The functions of the installed extension that tests of rigs call."""
    found = {
        name: importlib.import_module(f"{riff.__name__}.{name}")
        for name in (
            "rig.reading.read",
            "rig.writing.write",
            "rig.writing.play",
            "rig.compat",
            "rig.reading.controls",
            "core.numeric.rotation",
            "core.motion.motion",
        )
    }
    return SimpleNamespace(
        read_motion=found["rig.reading.read"].read_motion,
        ReadOptions=found["rig.reading.read"].ReadOptions,
        write_motion=found["rig.writing.write"].write_motion,
        play=found["rig.writing.play"].play,
        channelbag_of=found["rig.compat"].channelbag_of,
        angle_between=found["core.numeric.rotation"].angle_between,
        with_properties=found["core.motion.motion"].with_properties,
        error=importlib.import_module(f"{riff.__name__}.core.errors").ClipError,
        package=riff.__name__,
    )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once: after a failure, whose traceback refers to Blender's data, bpy waits for ever at Python's end."""
    shutil.rmtree(RESOURCES, ignore_errors=True)
    config.get_terminal_writer().flush()
    if EXIT_STATUS in config.stash:
        os._exit(config.stash[EXIT_STATUS])
