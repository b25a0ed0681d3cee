"""Bones of a rig that are those of a skeleton under other names: prefixes, separators and capitals are ignored."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..errors import ModelError
from .limb_words import meanings, side_of
from .motion import Motion, with_contact_labels
from .properties import AnimatedProperty
from .skeleton import GROUP, PROPERTY_SPAN, Skeleton, Space

_SEPARATORS = r"[\s:|._-]+"
_LOOSE = re.compile(rf"(?<!\d){_SEPARATORS}|{_SEPARATORS}(?!\d)")
"""Separators that make no difference: all but those between two digits, as in finger1.2."""

_PREFIX_END = re.compile(rf"{_SEPARATORS}|(?<=[a-z0-9])(?=[A-Z])")
"""Places where a prefix may end: at a separator, or before a capital as in mixamorigHips."""

_TIP_NAME = re.compile(r"(?:[\s:|._-](?:end|leaf)(?:[\s._-]?\d+)?|End|Leaf|[Nn]ub)$")
"""End of the name of a bone that only marks the tip of another."""

_NO_LIMB = re.compile("armature", re.IGNORECASE)
"""Word of prefixes that begins as that of a limb."""

_MIN_PREFIXED_SHARE = 0.5
"""Smallest share of joints whose names begin alike for that beginning to count as a prefix."""

STILL_SPREAD = 1e-4
"""Largest spread of a joint's channels that counts as still, as in `learned_groups`."""


@dataclass(frozen=True, eq=False)
class RigMatch:
    """The bone of a rig for each joint of a skeleton; empty for a tip that the rig lacks.

    `names` (J,) are those of the rig for bones, and the skeleton's own for joints that are no bones.
    """

    skeleton: Skeleton
    names: tuple[str, ...]

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The rig's bone for each joint that is called otherwise there."""
        pairs = zip(self.skeleton.names, self.names, strict=True)
        return {ours: theirs for ours, theirs in pairs if theirs and theirs != ours}

    @cached_property
    def missing(self) -> list[str]:
        """Names of the joints that the rig lacks."""
        return [ours for ours, theirs in zip(self.skeleton.names, self.names, strict=True) if not theirs]

    def sentence(self) -> str:
        """Return a sentence on the bones that were matched; empty if all names are the same."""
        if not self.renamed:
            return ""
        ours, theirs = next(iter(self.renamed.items()))
        found = sum(bool(name) for name in self.names)
        return f"{found} of {len(self.names)} bones matched by name, such as “{theirs}” for “{ours}”"

    def onto_rig(self, motion: Motion) -> Motion:
        """Return a motion of the skeleton with the rig's names, without the joints that the rig lacks.

        A motion that has the rig's names already is returned as it is.
        """
        if (not self.renamed and not self.missing) or motion.skeleton.names == self._rig_names:
            return motion
        skeleton = self._for_rig(motion.skeleton)
        return rearranged(motion, skeleton, self._kept, range(len(skeleton.properties)))

    def _for_rig(self, old: Skeleton) -> Skeleton:
        """Return a skeleton with the rig's names, without the joints that the rig lacks."""
        kept, place = self._kept, {joint: k for k, joint in enumerate(self._kept)}
        return replace(
            old,
            names=self._rig_names,
            parents=tuple(place.get(old.parents[joint], -1) for joint in kept),
            offsets=old.offsets[kept],
            contacts=tuple(place[joint] for joint in old.contacts if joint in place),
            translated=tuple(place[joint] for joint in old.translated if joint in place),
            properties=tuple(
                replace(one, joint=place[self._carrier(one.joint)], path=self._path(one.path)) for one in old.properties
            ),
            reference_frames=tuple(old.reference_frames[joint] for joint in kept) if old.reference_frames else (),
            pairs=tuple((place[a], place[b]) for a, b in old.pairs if a in place and b in place),
            part_names=tuple((place[joint], part) for joint, part in old.part_names if joint in place),
        )

    def from_rig(self, motion: Motion) -> Motion:
        """Return a motion read from the rig as one of the skeleton, in its layout; what it lacks is at rest.

        The offsets are those of the rig. Bones that are no joints of the skeleton are left out.
        """
        theirs = {name: joint for joint, name in enumerate(motion.skeleton.names)}
        origin = [theirs.get(name, -1) for name in self.names]
        offsets = self.skeleton.offsets.copy()
        for joint, other in enumerate(origin):
            if other >= 0:
                offsets[joint] = motion.skeleton.offsets[other]
        addresses = {_address(one): k for k, one in enumerate(motion.skeleton.properties)}
        wanted = [(one.owner, self._path(one.path), one.index) for one in self.skeleton.properties]
        target = replace(self.skeleton, offsets=offsets, unit=motion.skeleton.unit)
        moved = rearranged(motion, target, origin, [addresses.get(address, -1) for address in wanted])
        return with_contact_labels(moved)

    @cached_property
    def _kept(self) -> list[int]:
        return [joint for joint, name in enumerate(self.names) if name]

    @cached_property
    def _rig_names(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name)

    def _carrier(self, joint: int) -> int:
        """Return the joint, or the nearest one above that the rig has."""
        return next((one for one in (joint, *self.skeleton.ancestors(joint)) if self.names[one]), 0)

    def _path(self, path: str) -> str:
        """Return a property's path with the rig's name of its bone."""
        for ours, theirs in self.renamed.items():
            before = _bone_path(ours)
            if path.startswith(before):
                return _bone_path(theirs) + path.removeprefix(before)
        return path


def match_rig(
    skeleton: Skeleton, bones: Sequence[str], parents: Sequence[int], rig: str, resting: Sequence[bool] = ()
) -> RigMatch:
    """Find the bone of a rig for each joint of a skeleton: by its name, else by a name that differs in what is ignored.

    `parents` (n,) has the parent of each bone, -1 for none. The bone's parent is the bone of the joint's parent, save
    for controls of a control rig. Tips may be missing: joints with nothing on them that rest (`resting`, for each
    joint) or are called an end. Raises ModelError, naming the `rig`.
    """
    search = _Search(skeleton, tuple(bones), tuple(parents), rig, tuple(resting) or (False,) * skeleton.joints)
    found = search.same_names()
    problem = search.problem(found)
    if problem:
        fitting = {tuple(guess) for guess in search.guesses() if not search.problem(guess)}
        most = max((_count(guess) for guess in fitting), default=0)
        best = sorted(guess for guess in fitting if _count(guess) == most)
        if not best:
            raise ModelError(problem)
        if len(best) > 1:
            one, other = next((bones[a], bones[b]) for a, b in zip(best[0], best[1], strict=True) if a != b)
            raise ModelError(
                f"“{rig}” has more than one set of bones that the model fits, such as “{one}” and “{other}”; rename "
                "those that are not meant."
            )
        found = list(best[0])
    return RigMatch(skeleton, search.names(found))


def resting_joints(motion: Motion) -> list[bool]:
    """Tell for each joint whether its rotation and its moving offset stand still in a motion."""
    skeleton = motion.skeleton
    still = np.ptp(motion.features, axis=0).reshape(skeleton.groups, GROUP).max(axis=1) <= STILL_SPREAD
    rests = still[: skeleton.joints].copy()
    for joint, channel in zip(skeleton.translated, skeleton.translated_channels, strict=True):
        rests[joint] &= still[channel // GROUP]
    return [bool(one) for one in rests]


def rearranged(motion: Motion, skeleton: Skeleton, origin: Sequence[int], properties: Sequence[int]) -> Motion:
    """Return a motion in the layout of another skeleton, of joints `origin` and of `properties` of the motion's own.

    Both have an index for each joint or property of `skeleton`, -1 for one that the motion lacks: it is at rest or at
    its lowest value. Contact labels are copied where both have them.
    """
    old = motion.skeleton
    features = np.zeros((motion.frames, skeleton.channels))
    groups, known = (one.reshape(motion.frames, -1, GROUP) for one in (features, motion.features))
    groups[:, : skeleton.joints] = np.eye(3)[:2].reshape(-1)
    there = [joint for joint, other in enumerate(origin) if other >= 0]
    groups[:, there] = known[:, [origin[joint] for joint in there]]
    root, old_root = skeleton.root_channel, old.root_channel
    features[:, root : root + GROUP] = motion.features[:, old_root : old_root + GROUP]
    for joints, other_joints, channels, other_channels in (
        (skeleton.contacts, old.contacts, skeleton.contact_channels, old.contact_channels),
        (skeleton.translated, old.translated, skeleton.translated_channels, old.translated_channels),
    ):
        for joint, channel in zip(joints, channels, strict=True):
            if origin[joint] in other_joints:
                source = other_channels[other_joints.index(origin[joint])]
                features[:, channel : channel + GROUP] = motion.features[:, source : source + GROUP]
    values = motion.property_values() if old.properties else np.empty((motion.frames, 0))
    for one, channel, number in zip(skeleton.properties, skeleton.property_channels, properties, strict=True):
        if number >= 0:
            features[:, channel] = (values[:, number] - one.low) / (one.high - one.low) * PROPERTY_SPAN
    return replace(motion, features=features, skeleton=skeleton)


@dataclass(frozen=True, eq=False)
class _Search:
    """A skeleton and the bones of a rig among which its joints are looked for."""

    skeleton: Skeleton
    bones: tuple[str, ...]
    parents: tuple[int, ...]
    rig: str
    resting: tuple[bool, ...]

    @cached_property
    def wanted(self) -> list[str]:
        """Name of the bone of each joint; empty for the object."""
        names, spaces = list(self.skeleton.names), self.skeleton.reference_frames
        for joint, space in enumerate(spaces):
            names[joint] = "" if space == Space.OBJECT else names[0] if space == Space.TILT else names[joint]
        return names

    @cached_property
    def by_key(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for bone, name in enumerate(self.bones):
            found[_key(name)].append(bone)
        return found

    def same_names(self) -> list[int]:
        """Return the bone of each joint by its very name, -1 for none."""
        index = {name: bone for bone, name in enumerate(self.bones)}
        return [index.get(name, -1) for name in self.wanted]

    def guesses(self) -> Iterable[list[int]]:
        """Iterate over the bones of the joints, -1 for none, for each pair of prefixes of the skeleton and the rig."""
        for ours, theirs in sorted(self._prefixes()):
            found: list[int] = []
            for joint, name in enumerate(self.wanted):
                found.append(self._bone(joint, _key_with(name, ours, theirs), found) if name else -1)
            yield found

    def _bone(self, joint: int, key: str, found: Sequence[int]) -> int:
        """Return the bone of this key, of several the one below the bone of the joint's parent; -1 for none."""
        bones = self.by_key.get(key, [])
        if len(bones) > 1 and joint:
            bones = [bone for bone in bones if self.parents[bone] == found[self.skeleton.parents[joint]]]
        return bones[0] if len(bones) == 1 else -1

    def _prefixes(self) -> set[tuple[str, str]]:
        """Return the pairs of prefixes after which the root of the skeleton and a bone of the rig are called alike."""
        root = next(name for name in self.wanted if name) if any(self.wanted) else ""
        pairs = {("", "")}
        if self._is_prefix(_key(root)):  # Bip01 above Bip01 Pelvis
            pairs |= {(_key(root), _key(bone)) for bone in self.bones}
        ours = [split for split in _splits(root) if self._is_prefix(split[0])]
        for bone in self.bones:
            for before, rest in _splits(bone):
                pairs |= {(prefix, before) for prefix, wanted in ours if wanted == rest}
        return pairs

    def _is_prefix(self, prefix: str) -> bool:
        names = [name for name in self.wanted if name]
        return sum(_key(name).startswith(prefix) for name in names) >= _MIN_PREFIXED_SHARE * len(names)

    def problem(self, found: Sequence[int]) -> str:
        """Return a sentence on the first joint without its bone; empty if the bones of the joints fit."""
        plain = not self.skeleton.reference_frames
        for joint, name in enumerate(self.wanted):
            bone = found[joint]
            if name and bone < 0 and not self._may_miss(joint, found):
                return f"“{self.rig}” has no bone “{name}”; the model was trained on another armature."
            parent = found[self.skeleton.parents[joint]]
            if plain and joint and bone >= 0 and (self.parents[bone] < 0 or self.parents[bone] != parent):
                return f"“{self.bones[bone]}” of “{self.rig}” has a different parent from the bone that was learned."
        own = [bone for joint, bone in enumerate(found) if bone >= 0 and not self._is_tilt(joint)]
        return "" if len(set(own)) == len(own) else f"Several joints of the model fit one bone of “{self.rig}”."

    def _is_tilt(self, joint: int) -> bool:
        return self.skeleton.reference_frames[joint : joint + 1] == (Space.TILT,)

    def _may_miss(self, joint: int, found: Sequence[int]) -> bool:
        """Return true if a joint and all joints below it are tips that the rig may lack."""
        names, below = self.skeleton.names, self.skeleton.subtree(joint)
        return joint > 0 and all(
            found[one] < 0 and (self.resting[one] or _TIP_NAME.search(names[one]) is not None) for one in below
        )

    def names(self, found: Sequence[int]) -> tuple[str, ...]:
        """Return the rig's name for each joint, see `RigMatch`; the tilt of a control keeps a name of its own."""
        names = []
        for joint, bone in enumerate(found):
            name = self.bones[bone] if bone >= 0 else ""
            if not self.wanted[joint]:
                name = self.skeleton.names[joint]
            elif self._is_tilt(joint):
                name += self.skeleton.names[joint].removeprefix(self.wanted[joint])
            names.append(name)
        return tuple(names)


def _count(found: Sequence[int]) -> int:
    return sum(bone >= 0 for bone in found)


def _key(name: str) -> str:
    return _LOOSE.sub("", name).casefold()


def _key_with(name: str, before: str, after: str) -> str:
    """Return the key of a name with one prefix replaced by another; a name without it keeps its own."""
    key = _key(name)
    if not key.startswith(before):
        return key
    rest = key.removeprefix(before)
    return _key(f"{after}_{rest}") if after and rest else after + rest


def _splits(name: str) -> list[tuple[str, str]]:
    """Return the keys of each prefix of a name and of what follows it; words of a side or a limb are no prefix."""
    splits = [("", _key(name))]
    for match in _PREFIX_END.finditer(name):
        before, rest = name[: match.start()], name[match.end() :]
        if before and rest and not side_of(before) and not meanings(_NO_LIMB.sub("", before)):
            splits.append((_key(before), _key(rest)))
    return splits


def _bone_path(bone: str) -> str:
    """Return the data path of a bone, its name escaped as Blender does."""
    escaped = bone.replace("\\", "\\\\").replace('"', '\\"')
    return f'pose.bones["{escaped}"]'


def _address(one: AnimatedProperty) -> tuple[str, str, int]:
    return one.owner, one.path, one.index
