"""BVH in and out, against pymotion's reader, and files that are cut off or damaged."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymotion.ops.skeleton as witness_skeleton
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymotion.io.bvh import BVH

from core.errors import ClipError
from core.motion.bvh import Z_UP, read_bvh, write_bvh
from core.motion.headings import turn_motion
from core.motion.motion import Motion, from_transforms, learned_groups
from core.motion.skeleton import Skeleton
from core.numeric.rotation import Array, angle_between, axis_rotation, six_to_matrix

CLIPS = ("salsa", "walk", "elephant")
BITS = st.lists(st.sampled_from(list(b"0123456789.-+e \n{}:")), max_size=12).map(bytes)
"""Bytes that numbers and the format itself are made of, which do more harm than random ones."""


@pytest.fixture(scope="module")
def written(walker: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bvh") / "walker.bvh"
    write_bvh(path, walker.slice(0, 12))
    return path


def positions_by_pymotion(path: Path) -> Array:
    """World joint positions in source lengths, Y up; offsets are those of the first frame."""
    bvh = BVH()
    bvh.load(str(path))
    rotations, positions, parents, offsets, _, _ = bvh.get_data()
    found, _ = witness_skeleton.fk_quat(rotations, positions[:, 0], offsets, parents)
    return np.asarray(found)


def same_motion(a: Motion, b: Motion) -> None:
    assert a.skeleton.names == b.skeleton.names
    assert a.fps == pytest.approx(b.fps)
    assert angle_between(a.rotations(), b.rotations()).max() < 1e-4
    assert np.allclose(a.positions() * a.skeleton.unit, b.positions() * b.skeleton.unit, atol=1e-4 * b.skeleton.unit)


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0])
def test_a_motion_survives_a_file(make_walker: Callable[..., Motion], tmp_path: Path, fps: float) -> None:
    motion = make_walker(fps=fps)
    write_bvh(tmp_path / "walker.bvh", motion)
    again = read_bvh(tmp_path / "walker.bvh")
    same_motion(again, motion)
    assert again.skeleton.same_structure(motion.skeleton)
    assert [path.name for path in tmp_path.iterdir()] == ["walker.bvh"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1))
def test_any_rotations_survive_a_file(walker: Motion, tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    rotations = six_to_matrix(random.normal(size=(5, walker.skeleton.joints, 6)))
    motion = from_transforms(walker.skeleton, rotations, random.normal(size=(5, 3)), 30.0)
    write_bvh(tmp_path / "any.bvh", motion)
    same_motion(read_bvh(tmp_path / "any.bvh"), motion)


def test_moving_offsets_survive_a_file(walker: Motion, tmp_path: Path) -> None:
    old = walker.skeleton
    skeleton = Skeleton(old.names, old.parents, old.offsets, old.unit, (), (2, 6))
    offsets = np.broadcast_to(skeleton.offsets, (walker.frames, skeleton.joints, 3)).copy()
    offsets[:, [2, 6]] += 0.1 * np.random.default_rng(0).normal(size=(walker.frames, 2, 3))
    motion = from_transforms(skeleton, walker.rotations(), walker.root_positions(), 30.0, offsets)
    write_bvh(tmp_path / "stretchy.bvh", motion)
    again = read_bvh(tmp_path / "stretchy.bvh")
    assert again.skeleton.translated == (2, 6)
    same_motion(again, motion)


def test_pymotion_reads_what_is_written(walker: Motion, tmp_path: Path) -> None:
    write_bvh(tmp_path / "walker.bvh", walker)
    theirs = positions_by_pymotion(tmp_path / "walker.bvh") @ Z_UP.T / walker.skeleton.unit
    assert np.allclose(walker.positions(), theirs, atol=1e-5)


@pytest.mark.parametrize("order", ["xyz", "zyx", "yxz"])
def test_what_pymotion_writes_is_read_as_pymotion_reads_it(walker: Motion, tmp_path: Path, order: str) -> None:
    """A file that Riff's writer has not written, its angles in another order."""
    write_bvh(tmp_path / "ours.bvh", walker)
    bvh = BVH()
    bvh.load(str(tmp_path / "ours.bvh"))
    rotations, positions, *_ = bvh.get_data()
    bvh.data["rot_order"] = np.tile(list(order), (walker.skeleton.joints, 1))
    bvh.set_data(rotations, positions)
    bvh.save(str(tmp_path / "theirs.bvh"))
    assert f"Zposition {order[0].upper()}rotation" in (tmp_path / "theirs.bvh").read_text()
    motion = read_bvh(tmp_path / "theirs.bvh")
    theirs = positions_by_pymotion(tmp_path / "theirs.bvh") @ Z_UP.T / motion.skeleton.unit
    assert np.allclose(motion.positions(), theirs, atol=1e-4)
    assert np.allclose(motion.positions(), walker.positions(), atol=1e-4)


@pytest.mark.parametrize("name", ["salsa", "walk"])
def test_clips_are_read_as_pymotion_reads_them(
    clip: Callable[[str], Motion], clip_path: Callable[[str], Path], name: str
) -> None:
    motion = clip(name)
    theirs = positions_by_pymotion(clip_path(f"{name}.bvh")) @ Z_UP.T / motion.skeleton.unit
    assert motion.fps == 60.0
    assert np.allclose(motion.positions(), theirs, atol=1e-4)


@pytest.mark.parametrize("name", CLIPS)
def test_clips_survive_a_file(clip: Callable[[str], Motion], tmp_path: Path, name: str) -> None:
    motion = clip(name)
    write_bvh(tmp_path / "again.bvh", motion)
    again = read_bvh(tmp_path / "again.bvh")
    assert again.skeleton.translated == motion.skeleton.translated
    assert len(learned_groups(again)) == len(learned_groups(motion))
    same_motion(again, motion)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0))
def test_a_file_cut_off_anywhere_is_refused(written: Path, tmp_path: Path, share: float) -> None:
    whole = written.read_bytes()
    last_number = whole.rstrip().rfind(b" ") + 1  # a shorter last number is still a number
    cut = tmp_path / "cut.bvh"
    cut.write_bytes(whole[: int(share * last_number)])
    with pytest.raises(ClipError, match=r"“cut\.bvh”"):
        read_bvh(cut)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.0, 1.0), junk=st.one_of(st.binary(max_size=12), BITS), removed=st.integers(0, 40))
def test_a_damaged_file_is_read_or_refused(
    written: Path, tmp_path: Path, place: float, junk: bytes, removed: int
) -> None:
    """Never another error than ClipError, whatever bytes replace others."""
    whole = written.read_bytes()
    at = int(place * len(whole))
    damaged = tmp_path / "damaged.bvh"
    damaged.write_bytes(whole[:at] + junk + whole[at + removed :])
    try:
        motion = read_bvh(damaged)
    except ClipError:
        return
    assert np.isfinite(motion.features).all()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (r"HIERARCHY", "", "no HIERARCHY"),
        (r"MOTION", "", "no MOTION"),
        (r"Frames: \d+", "Frames: 500", "promises 500 frames"),
        (r"Frames: \d+", "Frames: -3", "fewer than two frames"),
        (r"Frames: \d+", "Frames: many", "“Frames” or “Frame Time” is missing"),
        (r"Frame Time: \S+", "Frame Time: 0", "Frame Time of 0"),
        (r"Frame Time: \S+", "Frame Time: 1e-320", "part of a second"),
        (r"(Frame Time: \S+\n)\S+", r"\1nan", r"no valid number in line \d+ \(frame 1\)"),
        (r"(Frame Time: \S+\n)\S+", r"\1-inf", r"no valid number in line \d+ \(frame 1\)"),
        (r"(Frame Time: \S+\n)\S+", r"\1left", r"damaged in line \d+ \(frame 1\)"),
        (r"(Frame Time: \S+\n)\S+ ", r"\1", r"has 47 values in line \d+, but its joints have 48 channels"),
        (r"(Frame Time: \S+\n)", r"\g<1>0.5 ", r"has 49 values in line \d+, but its joints have 48 channels"),
        (r"(Frame Time: \S+\n).*", r"\g<1>0.0", r"has 1 values in line \d+, but its joints have 48 channels"),
        (r"OFFSET \S+", "OFFSET nan", "lacks its OFFSET"),
        (r"OFFSET \S+ ", "OFFSET ", "damaged at joint “Hips”"),
        (r"Xposition", "Xscale", "unknown CHANNELS"),
        (r"CHANNELS 6", "CHANNELS six", "damaged at joint “Hips”"),
        (r"JOINT Spine", "JOINT Hips", "called “Hips”"),
        (r"MOTION", "ROOT Sword { OFFSET 0 0 0 CHANNELS 0 }\nMOTION", "more than one ROOT, “Hips” and “Sword”"),
    ],
)
def test_each_fault_has_its_sentence(written: Path, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text, count = re.subn(old, new, written.read_text(), count=1)
    assert count == 1
    bad = tmp_path / "bad.bvh"
    bad.write_text(text)
    with pytest.raises(ClipError, match=sentence):
        read_bvh(bad)


def test_the_line_of_a_wrong_row_is_named(written: Path, tmp_path: Path) -> None:
    lines = written.read_text().splitlines()
    number = len(lines) - 3
    lines[number - 1] += " 0.5"
    bad = tmp_path / "bad.bvh"
    bad.write_text("\n".join(lines))
    with pytest.raises(ClipError, match=f"in line {number},"):
        read_bvh(bad)


def test_rows_beyond_the_promised_ones_are_read_as_blender_reads_them(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "more.bvh"
    path.write_text(re.sub(r"Frames: \d+", "Frames: 5", written.read_text()))
    assert read_bvh(path).frames == 12


SPACE = st.sampled_from([" ", "  ", "\t", " \t "])
CASES: list[Callable[[str], str]] = [str, str.lower, str.upper, str.title]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), end=st.sampled_from(["\n", "\r\n", "\r"]), braces=st.booleans(), colons=st.booleans())
def test_any_spelling_is_read_alike(
    written: Path, tmp_path: Path, data: st.DataObject, end: str, braces: bool, colons: bool
) -> None:
    """Spaces, tabs, capitals, braces, names of end sites, missing colons, empty lines, a byte order mark."""
    text = written.read_text()
    for word in ("HIERARCHY", "ROOT", "JOINT", "OFFSET", "CHANNELS", "MOTION", "Frames", "Frame Time"):
        text = re.sub(rf"\b{word}\b", data.draw(st.sampled_from(CASES))(word), text)
    for word in ("position", "rotation"):
        change = data.draw(st.sampled_from(CASES))
        for axis in "XYZ":
            text = re.sub(rf"\b{axis}{word}\b", change(axis + word), text)
    text = re.sub("End Site", data.draw(st.sampled_from(["End Site", "end site", "End Site Tip", "END SITE"])), text)
    if braces:
        text = re.sub(r"\n *\{", " {", text)
    if not colons:
        text = text.replace(":", data.draw(st.sampled_from([" ", "", " :"])))
    text = re.sub(" +", data.draw(SPACE), text)
    text += data.draw(st.sampled_from(["", "\n", "\n\n   \n", "\n\t\n"]))
    path = tmp_path / "spelt.bvh"
    path.write_bytes((data.draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", end)).encode())
    again, motion = read_bvh(path), read_bvh(written)
    assert again.skeleton.names == motion.skeleton.names
    assert np.array_equal(again.features, motion.features)


def z_up(motion: Motion) -> Motion:
    """The motion turned so that its BVH file has Z up."""
    skeleton = motion.skeleton
    turned = Skeleton(skeleton.names, skeleton.parents, skeleton.offsets @ Z_UP.T, skeleton.unit)
    rotations = Z_UP @ motion.rotations() @ Z_UP.T
    return from_transforms(turned, rotations, motion.root_positions() @ Z_UP.T, motion.fps)


def renamed(motion: Motion, names: Sequence[str]) -> Motion:
    return replace(motion, skeleton=replace(motion.skeleton, names=tuple(names)))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(yaw=st.floats(-3.1, 3.1), named=st.booleans(), start=st.integers(0, 40))
def test_the_up_axis_is_found(walker: Motion, tmp_path: Path, yaw: float, named: bool, start: int) -> None:
    """From the names of feet and body, or from the floor on which the body walks."""
    motion = turn_motion(walker, np.full(walker.frames, yaw)).slice(start, start + 50)
    if not named:
        motion = renamed(motion, [f"b{joint}" for joint in range(motion.skeleton.joints)])
    for name, written in (("y", motion), ("z", z_up(motion))):
        write_bvh(tmp_path / f"{name}.bvh", written)
        again = read_bvh(tmp_path / f"{name}.bvh")
        same_motion(again, motion)
        if name == "z":
            lying = read_bvh(tmp_path / "z.bvh", up="y")
            assert np.ptp(lying.positions()[:, :, 2]) != pytest.approx(np.ptp(motion.positions()[:, :, 2]), rel=0.05)
            same_motion(read_bvh(tmp_path / "z.bvh", up="z"), motion)


def test_a_sleeper_lies(walker: Motion, tmp_path: Path) -> None:
    """A body that stands at rest and lies all the time: the file has Y up as its rest pose says."""
    frames, joints = 40, walker.skeleton.joints
    rotations = np.broadcast_to(np.eye(3), (frames, joints, 3, 3)).copy()
    rotations[:, 0] = axis_rotation(0, np.pi / 2 + 0.05 * np.sin(np.arange(frames) / 5))
    root = np.tile([0.0, 0.0, 0.1], (frames, 1))
    motion = from_transforms(walker.skeleton, rotations, root, 30.0)
    write_bvh(tmp_path / "sleeper.bvh", motion)
    same_motion(read_bvh(tmp_path / "sleeper.bvh"), motion)


def test_a_joint_may_be_called_motion(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "names.bvh"
    path.write_text(written.read_text().replace("JOINT Spine", "JOINT LocoMOTION ctrl").replace("\n", "\r\n"))
    motion = read_bvh(path)
    assert "LocoMOTION ctrl" in motion.skeleton.names
    assert motion.frames == 12


def test_missing_files_and_folders_are_refused(tmp_path: Path, walker: Motion) -> None:
    for path in (tmp_path / "none.bvh", tmp_path):
        with pytest.raises(ClipError, match="Cannot read"):
            read_bvh(path)
    with pytest.raises(ClipError, match="Cannot write"):
        write_bvh(tmp_path / "no folder" / "x.bvh", walker)
    assert list(tmp_path.iterdir()) == []
