"""Words in bones' names: side of the body, leg, foot, arm, hips, and things that are no limbs, in several languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import StrEnum

_BOUNDARY = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
"""Places between words that are told by capitals alone: LeftArm, Toe0L, LHipJoint, CATRigLLeg1."""

_LETTERS = re.compile(r"[^\W\d_]+")

_SIDES = {
    "left": """
        left l lf lt lft fl bl hl ml rl lr lb lh lm gauche links linke linker linkes izquierda izquierdo izq sinistra
        sinistro sx esquerda esquerdo lewa lewy vlevo
    """,
    "right": """
        right r rt rgt fr br hr mr rr rf rb rh rm droite droit rechts rechte rechter rechtes derecha derecho der destra
        destro dx direita direito prawa prawy
    """,
}
"""Words of each side. Of two letters, one is the side and the other front, back, hind, middle or rear."""

_SIDE_OF_WORD = {word: side for side, words in _SIDES.items() for word in words.split()}
"""Side of each word."""


class LimbWord(StrEnum):
    """Meaning of a word in a bone's name."""

    FOOT = "foot"
    """The end of a leg: foot, toe, ankle, paw, hoof."""
    LEG = "leg"
    """The rest of a leg: thigh, knee, calf."""
    ARM = "arm"
    """Arm or hand."""
    OTHER = "other"
    """Nothing to stand on: tail, wing, fin, ear, hair, clothes, weapon, pole target."""


_STARTS: dict[LimbWord, str] = {
    LimbWord.FOOT: """
        foot feet toe ankle paw hoof hoov heel fuss fuß fuesse füße zeh knöchel pied orteil cheville sabot pata pezuña
        tobillo piede zoccolo tarsus metatars talon stopa
    """,
    LimbWord.LEG: """
        leg thigh calf shin knee hindleg foreleg frontleg backleg femur tibia bein schenkel knie jambe cuisse mollet
        genou patte pierna muslo rodilla gamba coscia perna hock stifle
    """,
    LimbWord.ARM: """
        arm hand wrist finger thumb shoulder clavicle collar elbow bras epaule épaule coude doigt pouce schulter
        ellbogen daumen brazo mano codo hombro dedo braccio spalla gomito pinky knuckle
    """,
    LimbWord.OTHER: """
        tail wing aile flügel fluegel fin flipper ear hair skirt cape cloak cloth coat weapon sword shield pole trunk
        nose jaw tongue antenna horn beard queue nageoire oreille pagne schwanz flosse ohr haar pol cola aleta
    """,
}
"""First letters of words of each meaning."""

_ENDS: dict[LimbWord, str] = {
    LimbWord.FOOT: "foot feet toe toes paw hoof ankle fuss fuß",
    LimbWord.LEG: "leg legs thigh calf knee bein schenkel",
    LimbWord.ARM: "arm hand",
    LimbWord.OTHER: "tail wing fin pole",
}
"""Last letters of compound words: upleg, lowerleg, forearm."""

_HIPS = frozenset(
    ("hips", "hip", "pelvis", "bassin", "torso", "body", "becken", "hüfte", "hanche", "bacino", "cadera", "cog")
)
"""Words for the hips and for the control that carries the body."""

_BODY = frozenset((*_HIPS, "spine", "chest", "back", "abdomen", "lowerback"))
"""Words for the body above the legs."""

_HEAD = frozenset(("head", "neck", "skull"))
"""Words for the head."""

_TAIL = ("tail", "queue", "schwanz", "cola", "coda", "ogon")
"""First letters of words for a tail."""

_EXACT: dict[str, LimbWord] = {"pie": LimbWord.FOOT, "main": LimbWord.ARM, "ball": LimbWord.FOOT}
"""Words that are the start of too many others."""


def words_of(name: str) -> list[str]:
    """Split a bone's name into words in lower case, without digits; the prefix before a colon is left out."""
    return [word.casefold() for word in _LETTERS.findall(_BOUNDARY.sub("_", name.rpartition(":")[2]))]


def side_of(name: str) -> str:
    """Return “left”, “right” or “”, from a bone's name such as LeftArm, arm.L, LHipJoint or jambe_gauche."""
    return next((_SIDE_OF_WORD[word] for word in words_of(name) if word in _SIDE_OF_WORD), "")


def without_side(name: str) -> str:
    """Return the name in lower case with its first word of a side replaced by “~”: equal for both of a pair.

    Of two letters only the one that says the side is replaced: FL becomes “f~”.
    """
    spaced = _BOUNDARY.sub("_", name).casefold()
    prefix = spaced.rpartition(":")[0]
    for match in _LETTERS.finditer(spaced, len(prefix)):
        word = match[0]
        if word in _SIDE_OF_WORD:
            return f"{spaced[: match.start()]}{_other_letter(word)}~{spaced[match.end() :]}"
    return spaced


def _other_letter(word: str) -> str:
    """Return the letter of front, back, hind, middle or rear in a word of two letters, else nothing."""
    if len(word) != 2 or word in ("lt", "rt", "sx", "dx", "lf", "rf"):
        return ""
    side = "l" if _SIDE_OF_WORD[word] == "left" else "r"
    return word.replace(side, "", 1)


def meanings(name: str) -> set[LimbWord]:
    """Return the meanings of the words in a bone's name."""
    return {meaning for word in words_of(name) if (meaning := _meaning(word)) is not None}


def means(names: Collection[str], *wanted: LimbWord) -> bool:
    """Return true if a word of one of the names has one of these meanings."""
    return any(not meanings(name).isdisjoint(wanted) for name in names)


def names_hips(name: str) -> bool:
    """Return true for a name of the hips or of the control that carries the body."""
    return not side_of(name) and any(word in _HIPS for word in words_of(name))


def joints_meaning(names: Sequence[str], word: LimbWord) -> list[int]:
    """Return the joints whose names mean this and nothing that is no limb."""
    return [
        joint for joint, name in enumerate(names) if meanings(name) >= {word} and LimbWord.OTHER not in meanings(name)
    ]


def body_joints(names: Sequence[str]) -> list[int]:
    """Return the joints named after hips, spine or chest; if there are none, those named after the head."""
    words = [set(words_of(name)) for name in names]
    return [joint for joint, said in enumerate(words) if said & _BODY] or [
        joint for joint, said in enumerate(words) if said & _HEAD
    ]


def names_tail(name: str) -> bool:
    """Return true for a name of a tail."""
    return any(word.startswith(_TAIL) or word.endswith("tail") for word in words_of(name))


def _meaning(word: str) -> LimbWord | None:
    if word in _EXACT:
        return _EXACT[word]
    for meaning, starts in _STARTS.items():
        if word.startswith(tuple(starts.split())) or word.endswith(tuple(_ENDS[meaning].split())):
            return meaning
    return None
