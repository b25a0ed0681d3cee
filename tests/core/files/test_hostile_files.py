"""Files that somebody made to break Riff: each is refused in one sentence that names it, before memory is asked for."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ClipError, JobError, ModelError, RiffError
from core.farm.job import MANIFEST
from core.farm.manifest import read_job
from core.farm.task import open_job
from core.files.paths import is_plain_name
from core.generation.generate import rows_of_length
from core.model.model_file import load_model, read_info
from core.model.recipe import FAST, Recipe
from core.motion.bvh import read_bvh
from core.motion.clip_file import Clip, load_clip, save_clip
from core.motion.properties import RNA_PATH
from core.motion.resampling import resample
from core.torch_install.folder import InstallError
from core.torch_install.unpack import unpack_wheels
from core.training.checkpoint import load_checkpoint, read_checkpoint_info
from core.training.train import train
from tests.support.faults.faults_of_files import (
    try_bvh,
    try_checkpoint,
    try_clip,
    try_manifest,
    try_model,
    try_old_clip,
)
from tests.support.faults.sound_files import RECIPE, make_files, small_model, small_motion

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    make_files(folder)
    return folder


def test_sound_files_are_read(sound: Path) -> None:
    assert load_model(sound / "model.safetensors").name == "Bow"
    assert load_checkpoint(sound / "training.safetensors").state["draws"] == [3, 3]
    assert len(load_clip(sound / "clip.clip").motion.skeleton.properties) == 2
    old, new = (load_clip(sound / name).motion.skeleton.to_json() for name in ("old.npz", "clip.clip"))
    assert old == new
    assert read_bvh(sound / "clip.bvh").skeleton.joints == 6
    assert [entry.name for entry in read_job(sound / "job").entries] == ["Bow", "Nod"]


@pytest.mark.parametrize("attempt", [try_model, try_checkpoint, try_clip, try_old_clip, try_bvh, try_manifest])
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(10**6, 10**9))
def test_a_changed_file_is_read_or_refused(
    attempt: Callable[[int, Path], None], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    attempt(seed, tmp_path_factory.mktemp("changed"))


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write_tensors(path: Path, header: Any, body: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + body)
    return path


def with_meta(sound: Path, path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The sound model with another description."""
    header, body = header_of(sound / "model.safetensors")
    meta = json.loads(header["__metadata__"]["riff"])
    change(meta)
    header["__metadata__"]["riff"] = json.dumps(meta)
    return write_tensors(path, header, body)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda m: m["skeleton"].update(unit=float("nan")), "skeleton.unit"),
        (lambda m: m["skeleton"]["names"].__setitem__(0, "a\0b"), "skeleton.names"),
        (lambda m: m["skeleton"]["names"].__setitem__(0, "x" * 2000), "skeleton.names"),
        (lambda m: m["skeleton"].update(parents=["-1", 0, 1, 0, 3, 4]), "skeleton.parents"),
        (lambda m: m["skeleton"].update(contacts=[True]), "skeleton.contacts"),
        (lambda m: m["skeleton"].update(names=[str(k) for k in range(5000)]), "skeleton.names"),
        (lambda m: m["skeleton"].update(offsets=[[1e300] * 3] * 6), "skeleton.offsets"),
        (lambda m: m["skeleton"].update(properties=[[0, "x.__class__", 0, 0, 1, [], ""]]), "no path of a property"),
        (lambda m: m["skeleton"].update(properties=[[0, "x", 0, 0, 1, [], "TEXT:run.py"]]), "no path of a property"),
        (lambda m: m["recipe"].update(hidden=[10**9] * 3), "recipe.hidden"),
        (lambda m: m["recipe"].update(kernel=4), "recipe.kernel"),
        (lambda m: m["recipe"].update(stages=[1] * 16 + [1]), "recipe.stages"),
        (lambda m: m["recipe"].update(iterations=[1]), "recipe.iterations"),
        (lambda m: m["recipe"].update(calibrate="yes"), "recipe.calibrate"),
        (lambda m: m.update(groups=[10**9]), "groups"),
        (lambda m: m.update(gains=[0.0] * len(m["groups"])), "gains"),
        (lambda m: m.update(amplitudes=[1e400] * 7), "amplitudes"),
        (lambda m: m.update(fps=0), "fps"),
        (lambda m: m.update(origin=[0]), "origin"),
        (lambda m: m.update(folds=[{"joint": 1, "members": [99], "mean": [], "basis": []}]), r"folds\[0\].members"),
        (lambda m: m["info"].update(seed="1"), "info.seed"),
        (lambda m: m.pop("format"), "format"),
        (lambda m: m.update(history=[{"step": "x"}]), "history"),
    ],
)
def test_each_field_of_a_model_is_checked(
    sound: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any], field: str
) -> None:
    path = with_meta(sound, tmp_path / "bad.safetensors", change)
    with pytest.raises(ModelError, match=rf"“bad\.safetensors” is damaged.*{field}"):
        load_model(path)


def test_tensors_of_false_sizes_are_refused_before_memory_is_asked_for(sound: Path, tmp_path: Path) -> None:
    header, body = header_of(sound / "model.safetensors")
    huge = {**header, "code": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    odd = {**header, "code": {**header["code"], "shape": [1, 2, 3]}}
    overlapping = {**header, "code": header["source"]}
    strange = {**header, "code": {**header["code"], "dtype": "BF16"}}
    for bad in (huge, odd, overlapping, strange):
        with pytest.raises(ModelError, match=r"“bad\.safetensors” is damaged"):
            load_model(write_tensors(tmp_path / "bad.safetensors", bad, body))


@pytest.mark.parametrize("length", [0, 7, 1 << 26, 1 << 40, (1 << 64) - 1])
def test_a_header_of_a_false_length_is_refused(sound: Path, tmp_path: Path, length: int) -> None:
    header, body = header_of(sound / "model.safetensors")
    path = write_tensors(tmp_path / "bad.safetensors", header, body, length)
    for read in (load_model, read_info, load_checkpoint, read_checkpoint_info):
        with pytest.raises(ModelError, match=r"“bad\.safetensors” is damaged"):
            read(path)


def test_json_that_is_too_deep_or_too_long_is_refused(tmp_path: Path) -> None:
    for text in ("[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000, "[" + "[]," * 3_000_000 + "[]]", "9" * 10_000):
        path = write_tensors(tmp_path / "bad.safetensors", {"__metadata__": {"riff": text}})
        with pytest.raises(ModelError, match=r"“bad\.safetensors” is damaged"):
            load_model(path)
        (tmp_path / MANIFEST).write_text(text)
        with pytest.raises(JobError, match="damaged"):
            read_job(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / MANIFEST)
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        for read in (load_model, read_info, load_checkpoint, load_clip, read_bvh):
            with pytest.raises(RiffError, match="no regular file"):
                read(path)  # type: ignore[operator]
    with pytest.raises(JobError, match="no regular file"):
        read_job(tmp_path)


def packed(parts: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_archives_that_grow_are_refused(sound: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(sound / "old.npz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    bomb = packed({**parts, "features.npy": bytes(300 << 20)})
    lying = bytearray(packed(parts))
    at = lying.index(b"PK\1\2")
    lying[at + 24 : at + 28] = struct.pack("<I", 100)
    many = packed({**parts, **{f"{k}.npy": b"" for k in range(5000)}})
    for data in (bomb, bytes(lying), many, packed(parts, zipfile.ZIP_LZMA), packed(parts, zipfile.ZIP_BZIP2)):
        (tmp_path / "bad.npz").write_bytes(data)
        with pytest.raises(ClipError, match=r"“bad\.npz”"):
            load_clip(tmp_path / "bad.npz")


def test_headers_of_arrays_hold_no_code_and_no_false_sizes(sound: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(sound / "old.npz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for text in (
        "{'descr': '|O', 'fortran_order': False, 'shape': (70, 66), }",
        "__import__('os').getcwd()",
        "(" * 9000,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10**9, 10**9), }",
    ):
        head = b"\x93NUMPY\1\0" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"
        (tmp_path / "bad.npz").write_bytes(packed({**parts, "features.npy": head + bytes(64)}))
        with pytest.raises(ClipError, match=r"“bad\.npz”"):
            load_clip(tmp_path / "bad.npz")


def test_a_bvh_of_endless_joints_or_numbers_is_refused(tmp_path: Path) -> None:
    chain = "JOINT a { OFFSET 0 1 0 CHANNELS 0 " * 3000
    wide = "CHANNELS 6 " + "Xposition " * 6
    files = {
        "deep": f"HIERARCHY ROOT r {{ OFFSET 0 0 0 CHANNELS 0 {chain} {'}' * 3001}\nMOTION\n",
        "channels": "HIERARCHY ROOT r { OFFSET 0 0 0 CHANNELS 999999999 Xposition }\nMOTION\n",
        "frames": f"HIERARCHY ROOT r {{ OFFSET 0 0 0 {wide} }}\nMOTION\nFrames: 999999999\nFrame Time: 0.03\n0\n",
        "far": f"HIERARCHY ROOT r {{ OFFSET 1e300 0 0 {wide} }}\nMOTION\nFrames: 2\nFrame Time: 0.03\n0\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.bvh").write_text(text)
        with pytest.raises(ClipError, match=rf"“{name}\.bvh”"):
            read_bvh(tmp_path / f"{name}.bvh")


@pytest.mark.parametrize(
    "name",
    [
        "../x.clip",
        "/x.clip",
        "C:x.clip",
        "a\\x.clip",
        "..",
        ".clip",
        "",
        "CON.clip",
        "nul.clip",
        "Com1.clip",
        "x.clip ",
        "a\n.clip",
        "a\0.clip",
        "x" * 300 + ".clip",
        "aux",
        "a:b.clip",
        "\ud800.clip",
        "lpt¹.tar.clip",
        "a?.clip",
        "con .clip",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(sound: Path, tmp_path: Path, name: str) -> None:
    data = json.loads((sound / "job" / MANIFEST).read_text(encoding="utf-8"))
    data["clips"][0]["file"] = name
    (tmp_path / MANIFEST).write_text(json.dumps(data))
    (tmp_path / "clips").mkdir()
    with pytest.raises(JobError, match="Clip 0 of the manifest"):
        read_job(tmp_path)


@pytest.mark.parametrize(
    "name", ["a.clip", "Läuft schnell.clip", "00001-walk_(2).clip", ".hidden.clip", "console.clip", "日本.clip"]
)
def test_a_plain_name_is_taken(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("name", ["clips", "models", "trainings", "records", "sheets"])
def test_a_folder_that_is_a_link_to_elsewhere_is_refused(sound: Path, tmp_path: Path, name: str) -> None:
    job, elsewhere = tmp_path / "job", tmp_path / "elsewhere"
    job.mkdir()
    elsewhere.mkdir()
    for clip in (sound / "job/clips").iterdir():
        (elsewhere / clip.name).write_bytes(clip.read_bytes())
    (job / MANIFEST).write_bytes((sound / "job" / MANIFEST).read_bytes())
    (job / name).symlink_to(elsewhere)
    if name != "clips":
        (job / "clips").mkdir()
        for clip in (sound / "job/clips").iterdir():
            (job / "clips" / clip.name).write_bytes(clip.read_bytes())
    before = sorted(elsewhere.iterdir())
    with pytest.raises(JobError, match=r"leads out of the folder"):
        open_job(job)
    assert sorted(elsewhere.iterdir()) == before


def test_a_clip_that_is_a_link_is_not_followed(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / MANIFEST).write_bytes((sound / "job" / MANIFEST).read_bytes())
    for clip in (sound / "job/clips").iterdir():
        (tmp_path / "clips" / clip.name).symlink_to(clip)
    with pytest.raises(JobError, match="is missing"):
        read_job(tmp_path)


@pytest.mark.parametrize("member", ["../../evil.py", "/evil.py", "a/../../evil.py", "C:/evil.py", "a\\..\\evil.py"])
def test_a_wheel_cannot_write_elsewhere(tmp_path: Path, member: str) -> None:
    wheel, target = tmp_path / "x.whl", tmp_path / "inner/packages"
    wheel.write_bytes(packed({member: b"print('in')"}))
    target.mkdir(parents=True)
    with pytest.raises(InstallError, match="outside its folder"):
        unpack_wheels([wheel], target, lambda *_: None, lambda: False)
    assert list((tmp_path / "inner").rglob("*")) == [target]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner", "x.whl"]


def test_a_wheel_that_grows_beyond_measure_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(packed({"torch/zeros.bin": bytes(150_000_000)}))
    with pytest.raises(InstallError, match="more than PyTorch needs"):
        unpack_wheels([tmp_path / "x.whl"], tmp_path, lambda *_: None, lambda: False)
    assert not (tmp_path / "torch").exists()


def test_every_number_of_a_recipe_has_a_range() -> None:
    for field in dataclasses.fields(Recipe):
        is_flag = isinstance(getattr(RECIPE, field.name), bool)
        assert ("range" in field.metadata) is not (is_flag or field.name == "name"), field.name
    assert Recipe.from_json(json.loads(json.dumps(RECIPE.to_json()))) == RECIPE


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ('pose.bones["Arm.L"].constraints["IK \\"soft\\""].influence', True),
        ('["prop"]', True),
        ("location", True),
        ('key_blocks["Lächeln"].value', True),
        ('modifiers["GN"]["Socket_2"]', True),
        ("data.rows[3].x", True),
        ("__class__", False),
        ("a.__dict__", False),
        ("a b", False),
        ("a()", False),
        ("", False),
        ("a.", False),
        ('a["x', False),
        ("a;b", False),
        ('["x"]; import os', False),
    ],
)
def test_paths_of_properties_are_blenders_and_nothing_else(path: str, fits: bool) -> None:
    assert bool(RNA_PATH.fullmatch(path)) is fits


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does")
def test_reading_takes_little_memory(tmp_path: Path) -> None:
    """A hundred changed files of each kind in a process that may grow by a gigabyte."""
    script = """
import sys, tempfile
from pathlib import Path
from tests.support.faults.faults_of_files import FAULTS
for fault in FAULTS:
    for seed in range(100):
        with tempfile.TemporaryDirectory() as folder:
            fault.attempt(seed, Path(folder))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_numbers_that_lead_nowhere_are_refused_when_a_model_moves(sound: Path, tmp_path: Path) -> None:
    from core.generation.generate import generate

    model = load_model(sound / "model.safetensors")
    for name in model.weights:
        model.weights[name] = np.full_like(model.weights[name], 1e9)
    with pytest.raises(ModelError, match="“Bow”"), np.errstate(all="ignore"):
        generate(model, frames=30, torch=False)


def test_a_slow_clip_asks_for_no_memory_that_nobody_has(tmp_path: Path) -> None:
    """A clip of some kilobytes whose rate would make days of frames at the rate of training."""
    motion = small_motion()
    slow = replace(motion, fps=1e-3)
    save_clip(Clip("Slow", slow), tmp_path / "slow.clip")
    read = load_clip(tmp_path / "slow.clip").motion
    tracemalloc.start()
    try:
        with pytest.raises(ClipError, match=r"would have [\d,]+ frames, too many"):
            resample(read, 30.0)
        with pytest.raises(ClipError, match="too many"):
            train(read, FAST.scaled(1e-4), lambda _: None, lambda: False)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("frames", [100_000_000, 2**31 - 1])
def test_nobody_can_ask_for_a_motion_that_fits_no_memory(frames: int) -> None:
    with pytest.raises(ClipError, match="too many"):
        rows_of_length(small_model(), frames, 30.0)
    with pytest.raises(ClipError, match="too many"):
        rows_of_length(small_model(), 100_000, 1e-3)
