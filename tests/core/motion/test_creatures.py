"""Legs, feet and body parts of creatures made here: in place and travelling, with two, four, eight and no legs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.artefacts import foot_figures
from core.motion.body_parts import body_halves, find_parts
from core.motion.contacts import with_found_contacts
from core.motion.feet_cleanup import belt_of, clean_feet
from core.motion.limb_words import side_of, without_side
from core.motion.motion import Motion, from_transforms, posed_size
from core.motion.skeleton import Skeleton, build_skeleton
from core.motion.symmetry import find_partners
from core.numeric.rotation import Array, axis_rotation

Bones = Mapping[str, tuple[str, tuple[float, float, float]]]
"""Name: parent and position at rest."""


def skeleton_of(bones: Bones) -> Skeleton:
    names = list(bones)
    parents = [names.index(parent) if parent else -1 for parent, _ in bones.values()]
    return build_skeleton(names, parents, np.array([place for _, place in bones.values()]))


def moved(skeleton: Skeleton, turns: Mapping[str, Array], root: Array | None = None, frames: int = 91) -> Motion:
    """A motion at 30 fps of joints that turn about X by angles (T,), without contacts."""
    rotations = np.broadcast_to(np.eye(3), (frames, skeleton.joints, 3, 3)).copy()
    for name, angles in turns.items():
        rotations[:, skeleton.names.index(name)] = axis_rotation(0, angles)
    path = np.zeros((frames, 3)) if root is None else root
    return from_transforms(skeleton, rotations, skeleton.offsets[0] + path / skeleton.unit, 30.0)


def both(
    name: str, parent: str, place: tuple[float, float, float]
) -> dict[str, tuple[str, tuple[float, float, float]]]:
    """A bone of each side, on a parent of the same side or in the middle."""
    x, y, z = place
    return {
        name.replace("#", side): (parent.replace("#", side), (x * sign, y, z)) for side, sign in (("L", 1), ("R", -1))
    }


def feet(motion: Motion) -> set[str]:
    found = with_found_contacts(motion).skeleton
    return {found.names[joint] for joint in found.contacts}


def parts(skeleton: Skeleton) -> dict[str, set[str]]:
    return {part.name: {skeleton.names[joint] for joint in part.joints} for part in find_parts(skeleton)}


def lower(skeleton: Skeleton) -> set[str]:
    return {skeleton.names[joint] for joint in body_halves(skeleton)["Lower Body"]}


def in_place(walker: Motion) -> Motion:
    """The walker on a treadmill: the same pose and height, the root where it began."""
    root = walker.root_positions()
    root[:, :2] = root[0, :2]
    return from_transforms(walker.skeleton.with_contacts(()), walker.rotations(), root, walker.fps)


WAVE = np.sin(np.arange(91) / 5.0)
"""Angles (91,) that swing between -1 and 1."""

QUADRUPED: Bones = {
    "b0": ("", (0.0, 0.4, 0.7)),
    "b1": ("b0", (0.0, -0.4, 0.75)),
    "b2": ("b1", (0.0, -0.7, 1.0)),
    "b3": ("b0", (0.0, 0.6, 0.6)),
    "b4": ("b3", (0.0, 0.9, 0.5)),
    **both("f#1", "b1", (0.12, -0.4, 0.65)),
    **both("f#2", "f#1", (0.12, -0.35, 0.35)),
    **both("f#3", "f#2", (0.12, -0.4, 0.05)),
    **both("h#1", "b0", (0.12, 0.4, 0.65)),
    **both("h#2", "h#1", (0.12, 0.35, 0.35)),
    **both("h#3", "h#2", (0.12, 0.4, 0.05)),
}
"""Four legs of three joints, names that tell nothing."""

BIRD: Bones = {
    "Hips": ("", (0.0, 0.08, 0.3)),
    "Spine": ("Hips", (0.0, -0.1, 0.32)),
    "Neck": ("Spine", (0.0, -0.3, 0.4)),
    "Head": ("Neck", (0.0, -0.4, 0.5)),
    "Tail": ("Hips", (0.0, 0.2, 0.33)),
    "TailTip": ("Tail", (0.0, 0.4, 0.35)),
    **both("wing1_#", "Spine", (0.1, -0.05, 0.42)),
    **both("wing2_#", "wing1_#", (0.4, -0.05, 0.45)),
    **both("wing3_#", "wing2_#", (0.8, 0.0, 0.45)),
    **both("UpperLeg_#", "Hips", (0.07, 0.09, 0.24)),
    **both("LowerLeg_#", "UpperLeg_#", (0.07, 0.12, 0.14)),
    **both("Foot_#", "LowerLeg_#", (0.07, 0.06, 0.02)),
    **both("Toe_#", "Foot_#", (0.07, -0.02, 0.0)),
}


def spider() -> Bones:
    bones: dict[str, tuple[str, tuple[float, float, float]]] = {
        "core": ("", (0.0, 0.0, 0.3)),
        "rear": ("core", (0.0, 0.3, 0.35)),
        "front": ("core", (0.0, -0.2, 0.3)),
    }
    for number, y in enumerate((-0.3, -0.1, 0.1, 0.3)):
        bones |= both(f"leg{number}a_#", "core", (0.1, y / 3, 0.3))
        bones |= both(f"leg{number}b_#", f"leg{number}a_#", (0.4, y, 0.5))
        bones |= both(f"leg{number}c_#", f"leg{number}b_#", (0.7, 2 * y, 0.0))
    return bones


def test_a_walk_in_place_has_the_feet_and_labels_of_the_walk(walker: Motion) -> None:
    on_belt = with_found_contacts(in_place(walker))
    assert on_belt.skeleton.contacts == walker.skeleton.contacts
    agreement = (on_belt.contact_labels() == walker.contact_labels()).mean()
    assert agreement > 0.85
    belt = np.array(belt_of(on_belt))
    np.testing.assert_allclose(belt, [0.0, -walker.features[:, walker.skeleton.root_channel + 1].mean()], atol=4e-3)
    assert belt_of(walker) == (0.0, 0.0)


def test_cleaning_a_walk_in_place_leaves_it_there_and_its_feet_on_the_belt(walker: Motion) -> None:
    source = with_found_contacts(in_place(walker))
    noise = np.random.default_rng(0).normal(size=source.features.shape) * 0.02
    columns = np.arange(source.features.shape[1]) < source.skeleton.joints * 6
    shaken = replace(source, features=source.features + noise * columns)
    cleaned = clean_feet(shaken, source)
    np.testing.assert_allclose(cleaned.root_positions()[:, :2], source.root_positions()[:, :2], atol=1e-9)
    assert foot_figures(source, cleaned)["foot_skating"] < 0.5 * foot_figures(source, shaken)["foot_skating"]
    path = cleaned.positions()[:, source.skeleton.contacts[0], 1]
    assert np.ptp(path) > 0.5 * np.ptp(source.positions()[:, source.skeleton.contacts[0], 1])


def test_a_drifting_floor_is_taken_out(make_walker: Callable[..., Motion]) -> None:
    walker = make_walker(seconds=12.0)
    root = walker.root_positions()
    root[:, 2] += np.linspace(0.0, 0.9, walker.frames)
    bare = walker.skeleton.with_contacts(())
    plain = replace(bare, names=tuple(f"bone{joint}" for joint in range(bare.joints)))
    for skeleton in (bare, plain):
        found = with_found_contacts(from_transforms(skeleton, walker.rotations(), root, walker.fps))
        assert found.skeleton.contacts == walker.skeleton.contacts


def test_both_legs_of_a_pair_are_feet_together(walker: Motion) -> None:
    """A figure that lies with one knee on the ground has heels and toes on both sides, and no lone shin."""
    root = walker.root_positions() * 0.0 + [0.0, 0.0, 0.9]
    still = np.repeat(walker.rotations()[:1], walker.frames, axis=0)
    still[30:, 0] = axis_rotation(0, np.full(walker.frames - 30, 1.4))
    root[30:, 2] = 0.2
    motion = from_transforms(walker.skeleton.with_contacts(()), still, root, walker.fps)
    assert feet(motion) == {"LeftFoot", "LeftToe", "RightFoot", "RightToe"}


@pytest.mark.parametrize("step", [0.0, 0.4])
def test_four_legs_without_names(step: float) -> None:
    skeleton = skeleton_of(QUADRUPED)
    turns = {f"{leg}{side}1": step * WAVE * sign for leg in "fh" for side, sign in (("L", 1), ("R", -1))}
    motion = moved(skeleton, turns | {"b2": 0.2 * WAVE})
    assert feet(motion) == {"fL3", "fR3", "hL3", "hR3"}
    found = parts(with_found_contacts(motion).skeleton)
    assert {name for name in found if name.endswith("Leg")} == {
        f"{side} {place} Leg" for side in ("Left", "Right") for place in ("Front", "Hind")
    }
    assert found["Tail"] == {"b3", "b4"}


def test_front_legs_with_names_of_arms() -> None:
    bones = {
        name.replace("fL", "LeftArm").replace("fR", "RightArm"): (
            parent.replace("fL", "LeftArm").replace("fR", "RightArm"),
            place,
        )
        for name, (parent, place) in QUADRUPED.items()
    }
    skeleton = skeleton_of(bones)
    assert "Left Front Leg" in parts(skeleton)
    assert feet(moved(skeleton, {"b2": WAVE})) == {"LeftArm3", "RightArm3", "hL3", "hR3"}


def test_a_bird_stands_on_its_toes_and_flies_without_feet() -> None:
    skeleton = skeleton_of(BIRD)
    toes = {"Foot_L", "Toe_L", "Foot_R", "Toe_R"}
    assert feet(moved(skeleton, {"Head": 0.3 * WAVE})) == toes
    drawn = {f"UpperLeg_{side}": np.full(91, -1.5) for side in "LR"}
    gliding = moved(skeleton, drawn | {"wing1_L": 0.2 * WAVE, "wing1_R": 0.2 * WAVE}, 0.01 * np.stack([WAVE] * 3, 1))
    assert feet(gliding) == set()
    halves = lower(with_found_contacts(gliding).skeleton)
    assert toes | {"Hips", "Tail", "TailTip"} <= halves
    assert "Head" not in halves
    assert "Left Leg" in parts(gliding.skeleton)
    assert "Left Arm" in parts(gliding.skeleton)


def test_eight_legs() -> None:
    skeleton = skeleton_of(spider())
    turns = {f"leg{number}a_{side}": 0.1 * WAVE for number in range(4) for side in "LR"}
    found = feet(moved(skeleton, turns))
    assert found == {f"leg{number}c_{side}" for number in range(4) for side in "LR"}
    assert sum(name.endswith("Leg") for name in parts(skeleton)) == 8


def test_tentacles_that_droop_are_no_legs() -> None:
    bones: dict[str, tuple[str, tuple[float, float, float]]] = {"core": ("", (0.0, 0.0, 1.0))}
    for number, y in enumerate((-0.5, 0.0, 0.5)):
        parent = "core"
        for joint in range(5):
            bones |= both(f"t{number}{joint}#", parent, (0.2 + 0.25 * joint, y, 1.0 - 0.1 * joint))
            parent = f"t{number}{joint}#"
    turns = {name: 0.1 * WAVE for name in bones if name != "core"}
    assert feet(moved(skeleton_of(bones), turns)) == set()


def test_a_lone_foot_belongs_to_the_leg_above_it() -> None:
    """A baked leg whose foot hangs on the master and not on the shin."""
    skeleton = control_rig(
        {
            "body": ("", (0.0, 0.0, 0.9)),
            "head": ("body", (0.0, 0.0, 1.5)),
            **both("thigh.#", "body", (0.1, 0.0, 0.85)),
            **both("shin.#", "thigh.#", (0.1, 0.0, 0.45)),
            **both("foot.#", "body", (0.1, 0.0, 0.05)),
        }
    )
    assert parts(skeleton)["Left Leg"] == {"thigh.L", "shin.L", "foot.L"}


def test_a_fish_and_a_snake_have_no_feet() -> None:
    snake = skeleton_of({f"s{k}": (f"s{k - 1}" if k else "", (0.0, 0.2 * k, 0.05)) for k in range(10)})
    motion = moved(snake, {f"s{k}": 0.1 * WAVE for k in range(10)})
    assert feet(motion) == set()
    assert lower(snake) == {"s0"}
    fish = skeleton_of(
        {
            "body": ("", (0.0, 0.0, 1.0)),
            "head": ("body", (0.0, -0.4, 1.0)),
            "tail1": ("body", (0.0, 0.4, 1.0)),
            "tail2": ("tail1", (0.0, 0.8, 1.0)),
            **both("fin#1", "body", (0.1, -0.1, 0.9)),
            **both("fin#2", "fin#1", (0.2, -0.1, 0.8)),
        }
    )
    assert feet(moved(fish, {"tail1": 0.3 * WAVE, "finL1": 0.3 * WAVE, "finR1": -0.3 * WAVE})) == set()
    assert lower(fish) == {"body", "tail1", "tail2"}
    nameless = replace(fish, names=tuple("abcdefgh"))
    assert feet(moved(nameless, {"c": 0.3 * WAVE, "e": 0.3 * WAVE, "f": -0.3 * WAVE})) == set()


def test_legs_by_names_where_the_rest_pose_is_no_pose() -> None:
    """All bones along one axis at rest, as some capture systems write them; the motion stands them up."""
    bones = {
        "Hips": ("", (0.0, 0.0, 0.0)),
        "Spine": ("Hips", (0.5, 0.0, 0.0)),
        "Head": ("Spine", (0.7, 0.0, 0.0)),
        **both("#Arm", "Spine", (0.01, 0.0, 0.0)),
    }
    for side, y in (("Left", 0.1), ("Right", -0.1)):
        bones |= {
            f"{side}Jambe": ("Hips", (0.0, y, 0.0)),
            f"{side}Genou": (f"{side}Jambe", (0.4, y, 0.0)),
            f"{side}Pied": (f"{side}Genou", (0.8, y, 0.0)),
            f"{side}Orteil": (f"{side}Pied", (0.95, y, 0.0)),
        }
    skeleton = skeleton_of(bones)
    rotations = np.broadcast_to(np.eye(3), (91, skeleton.joints, 3, 3)).copy()
    rotations[:, skeleton.names.index("Spine")] = axis_rotation(1, -np.pi / 2 + 0.1 * WAVE)
    for side in ("Left", "Right"):
        rotations[:, skeleton.names.index(f"{side}Jambe")] = axis_rotation(1, np.pi / 2 + 0.3 * WAVE)
    motion = from_transforms(skeleton, rotations, np.tile([0.0, 0.0, 0.9 / skeleton.unit], (91, 1)), 30.0)
    assert feet(motion) == {f"{side}{end}" for side in ("Left", "Right") for end in ("Pied", "Orteil")}
    assert "Left Leg" in parts(skeleton)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("LHipJoint", "RHipJoint"),
        ("LThumb", "RThumb"),
        ("Lf_arm", "Rt_arm"),
        ("FL_Leg", "FR_Leg"),
        ("BL_Leg", "BR_Leg"),
        ("LR_Leg", "RR_Leg"),
        ("jambe_gauche", "jambe_droite"),
        ("pied gauche", "pied droit"),
        ("CATRigLLeg1", "CATRigRLeg1"),
        ("Bein_links", "Bein_rechts"),
        ("b_LeftFoot01_017", "b_RightFoot01_017"),
    ],
)
def test_sides_in_names(left: str, right: str) -> None:
    assert (side_of(left), side_of(right)) == ("left", "right")
    assert without_side(left) == without_side(right)


def test_names_pair_where_the_rest_pose_is_lopsided() -> None:
    bones = {
        "bassin": ("", (0.0, 0.0, 1.0)),
        "jambe gauche": ("bassin", (0.1, 0.0, 0.9)),
        "pied gauche": ("jambe gauche", (0.4, -0.3, 0.0)),
        "jambe droite": ("bassin", (-0.1, 0.0, 0.9)),
        "pied droit": ("jambe droite", (-0.1, 0.2, 0.0)),
        "FL": ("bassin", (0.3, 0.5, 1.0)),
        "BL": ("bassin", (0.3, -0.5, 1.2)),
        "FR": ("bassin", (-0.2, 0.6, 1.1)),
        "BR": ("bassin", (-0.3, -0.4, 0.9)),
    }
    skeleton = skeleton_of(bones)
    partner = find_partners(skeleton)
    for left, right in (("pied gauche", "pied droit"), ("jambe gauche", "jambe droite"), ("FL", "FR"), ("BL", "BR")):
        assert partner[skeleton.names.index(left)] == skeleton.names.index(right)


@pytest.mark.parametrize("names", ["LHipJoint LKnee LToe", "Lf_leg1 Lf_leg2 Lf_foot", "FL_Leg FL_Shin FL_Foot",
    "jambe_gauche genou_gauche pied_gauche", "CATRigLLeg1 CATRigLLeg2 CATRigLLegAnkle"])  # fmt: skip
def test_legs_get_sides_where_the_rest_pose_is_lopsided(names: str) -> None:
    """One leg forward and bent, the other back: the rest pose alone pairs nothing."""
    others = {"gauche": "droite", "Lf": "Rt", "FL": "FR", "RigL": "RigR"}
    left = names.split()
    right = [
        next((name.replace(one, other) for one, other in others.items() if one in name), f"R{name[1:]}")
        for name in left
    ]
    bones = {"Hips": ("", (0.0, 0.0, 1.0)), "Spine": ("Hips", (0.02, 0.0, 1.3)), "Head": ("Spine", (0.05, 0.0, 1.6))}
    places = (
        ((0.1, 0.0, 0.95), (0.15, -0.35, 0.7), (0.2, -0.3, 0.2)),
        ((-0.1, 0.0, 0.95), (-0.1, 0.1, 0.5), (-0.2, 0.4, 0.1)),
    )
    for leg, own in zip((left, right), places, strict=True):
        parent = "Hips"
        for name, place in zip(leg, own, strict=True):
            bones[name] = (parent, place)
            parent = name
    skeleton = skeleton_of(bones)
    partner = find_partners(skeleton)
    for one, other in zip(left, right, strict=True):
        assert partner[skeleton.names.index(one)] == skeleton.names.index(other)
    found = parts(skeleton)
    legs = {name: own for name, own in found.items() if name.endswith("Leg")}
    assert sorted(map(sorted, legs.values())) == sorted([sorted(left), sorted(right)])
    assert {name.split()[0] for name in legs} == {"Left", "Right"}
    assert next(own for name, own in legs.items() if name.startswith("Left")) == set(left)


def test_thumbs_get_sides_on_a_lopsided_hand() -> None:
    bones = {
        "Hips": ("", (0.0, 0.0, 1.0)),
        "LHand": ("Hips", (0.5, 0.1, 1.2)),
        "LThumb": ("LHand", (0.6, 0.0, 1.25)),
        "RHand": ("Hips", (-0.3, -0.4, 0.9)),
        "RThumb": ("RHand", (-0.3, -0.5, 0.8)),
    }
    skeleton = skeleton_of(bones)
    partner = find_partners(skeleton)
    assert partner[skeleton.names.index("LThumb")] == skeleton.names.index("RThumb")


HORSE: dict[str, tuple[str, tuple[float, float, float]]] = {
    "pelvis": ("", (0.0, 0.5, 1.3)),
    "spine": ("pelvis", (0.0, 0.0, 1.35)),
    "chest": ("spine", (0.0, -0.5, 1.3)),
    "neck": ("chest", (0.0, -0.8, 1.6)),
    "head": ("neck", (0.0, -1.0, 1.9)),
    "tail": ("pelvis", (0.0, 0.7, 1.3)),
    "tail2": ("tail", (0.0, 0.9, 0.7)),
    **both("#_shoulder", "chest", (0.15, -0.5, 1.0)),
    **both("#_foreleg", "#_shoulder", (0.15, -0.5, 0.75)),
    **both("#_frontcannon", "#_foreleg", (0.15, -0.5, 0.45)),
    **both("#_frontpastern", "#_frontcannon", (0.15, -0.5, 0.2)),
    **both("#_fronthoof", "#_frontpastern", (0.15, -0.55, 0.07)),
    **both("#_thigh", "pelvis", (0.15, 0.5, 1.1)),
    **both("#_stifle", "#_thigh", (0.15, 0.4, 0.85)),
    **both("#_hock", "#_stifle", (0.15, 0.65, 0.55)),
    **both("#_hindpastern", "#_hock", (0.15, 0.6, 0.2)),
    **both("#_hindhoof", "#_hindpastern", (0.15, 0.55, 0.07)),
}


def test_a_horse_stands_on_its_hooves() -> None:
    skeleton = skeleton_of(HORSE)
    turns = {
        f"{side}_{leg}": 0.3 * WAVE * sign for leg in ("shoulder", "thigh") for side, sign in (("L", 1), ("R", -1))
    }
    motion = moved(skeleton, turns | {"neck": 0.1 * WAVE})
    hooves = {f"{side}_{place}hoof" for side in "LR" for place in ("front", "hind")}
    pasterns = {name.replace("hoof", "pastern") for name in hooves}
    assert hooves <= feet(motion) <= hooves | pasterns
    found = parts(with_found_contacts(motion).skeleton)
    assert {name for name in found if name.endswith("Leg")} == {
        f"{side} {place} Leg" for side in ("Left", "Right") for place in ("Front", "Hind")
    }
    assert found["Tail"] == {"tail", "tail2"}
    assert hooves <= lower(with_found_contacts(motion).skeleton)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("salsa", "mixamorig7:LeftFoot mixamorig7:LeftToeBase mixamorig7:RightFoot mixamorig7:RightToeBase"),
        ("walk", "mixamorig7:LeftFoot mixamorig7:LeftToeBase mixamorig7:RightFoot mixamorig7:RightToeBase"),
        ("elephant", "Bip01_R_Foot Bip01_R_Toe0 Bip01_L_Foot Bip01_L_Toe0 Bip01_R_Hand Bip01_L_Hand"),
    ],
)
def test_feet_of_the_clips_stay_as_they_were(clip: Callable[[str], Motion], name: str, wanted: str) -> None:
    motion = clip(name)
    contacts = motion.skeleton.contacts
    features = np.delete(motion.features, [c + k for c in motion.skeleton.contact_channels for k in range(6)], axis=1)
    bare = Motion(features, motion.skeleton.with_contacts(()), motion.fps, motion.origin)
    assert [motion.skeleton.names[joint] for joint in contacts] == wanted.split()
    assert with_found_contacts(bare).skeleton.contacts == contacts
    assert belt_of(motion) == (0.0, 0.0)


def control_rig(bones: Bones) -> Skeleton:
    skeleton = skeleton_of(bones)
    return replace(skeleton, reference_frames=("turned",) * skeleton.joints)


def test_a_foot_of_a_control_rig_whose_other_side_rests() -> None:
    skeleton = control_rig(
        {
            "Body": ("", (0.0, 0.0, 1.0)),
            "Head": ("Body", (0.0, 0.0, 1.8)),
            "Foot.R": ("Body", (-0.2, 0.0, 0.0)),
            "UpperArm.R": ("Body", (-0.3, 0.0, 1.5)),
            "KneePole.R": ("Body", (-0.2, -0.6, 0.5)),
        }
    )
    found = parts(skeleton)
    assert found["Right Leg"] == {"Foot.R", "KneePole.R"}
    assert found["Right Arm"] == {"UpperArm.R"}
    assert feet(moved(skeleton, {"Head": WAVE})) == {"Foot.R"}


def test_neck_and_head_beside_a_shoulder_are_no_tail() -> None:
    skeleton = control_rig(
        {
            "Body": ("", (0.0, 0.0, 1.0)),
            "Chest": ("Body", (0.0, 0.0, 1.3)),
            "Neck": ("Body", (0.0, 0.0, 1.5)),
            "Head": ("Neck", (0.0, 0.0, 1.7)),
            **both("UpperArm.#", "Chest", (0.3, 0.0, 1.4)),
        }
    )
    assert parts(skeleton)["Head"] == {"Neck", "Head"}
    assert "Head" not in lower(skeleton)


def test_the_size_of_a_body_whose_rest_pose_is_no_pose() -> None:
    rest = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.9, 0.1, 0.0]])
    standing = np.array([[[0.0, 0.0, 0.9], [0.0, 0.0, 1.8], [0.0, 0.1, 0.0]]] * 5)
    assert posed_size(rest, standing) == pytest.approx(1.8)
    assert posed_size(standing[0], 1.2 * standing) == pytest.approx(1.8)
