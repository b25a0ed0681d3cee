"""The sample dance as data, lower half: position and time at which the feet land, pivot and take the weight.

Time is in beats. Positions are metres on the floor: `across` grows to the dancer's left and `front` towards the
audience, seen from the dancer facing the audience. Headings are degrees that grow to the dancer's left and are never
wrapped, so that a full turn ends at 360.
"""

from dataclasses import dataclass

DANCE_BEATS = 40.0
"""Length of the dance in beats."""

SECONDS_PER_BEAT = 0.5


@dataclass(frozen=True)
class Kick:
    """Offset of a foot at the middle of a swing: metres to the front and outwards, degrees toes down."""

    front: float = 0.0
    out: float = 0.0
    toes_down: float = 0.0


@dataclass(frozen=True)
class Step:
    """A step: a foot lands on `beat` after `air` beats of swing, then stands until it swings again.

    `weight` is the fraction of the body's weight that it takes (0: a touch), `heel` the degrees that the heel stays up
    while it stands, `lift` the height (m) of the swing.
    """

    beat: float
    foot: str
    across: float
    front: float
    heading: float = 0.0
    weight: float = 1.0
    air: float = 0.65
    lift: float = 0.07
    heel: float = 0.0
    kick: Kick | None = None


@dataclass(frozen=True)
class Pivot:
    """A pivot: a standing foot rotates on its ball, heel raised, from `start` to `end` (beats) to a new heading."""

    start: float
    end: float
    foot: str
    heading: float
    heel: float = 14.0


@dataclass(frozen=True)
class Shift:
    """A shift of weight on `beat` without a step: `weight` is the fraction that `foot` then carries."""

    beat: float
    foot: str
    weight: float


PHRASES = (
    (0.0, "Side steps"),
    (8.0, "Turning box"),
    (16.0, "Kicks and lunge"),
    (24.0, "Travelling turn"),
    (29.0, "Pirouette"),
    (33.0, "Hip sway"),
    (38.0, "Pose"),
)

START = {"L": (0.12, 0.0), "R": (-0.12, 0.0)}

STEPS = (
    # Side steps: right and touch, left and touch, then travel right with a step behind.
    Step(1, "R", -0.52, 0.00),
    Step(2, "L", -0.28, 0.04, weight=0.1, heel=24),
    Step(3, "L", 0.16, 0.00),
    Step(4, "R", -0.08, 0.04, weight=0.1, heel=24),
    Step(5, "R", -0.46, 0.00),
    Step(6, "L", -0.60, -0.24, heading=12, heel=16),
    Step(7, "R", -0.96, -0.02),
    Step(8, "L", -0.70, 0.05, weight=0.1, heel=24),
    # Turning box: a quarter turn to the left in each half, so it ends with the back to the audience.
    Step(9, "L", -0.70, 0.34, heading=45),
    Step(10, "R", -0.70, 0.66, heading=90, air=0.72),
    Step(11, "L", -0.70, 0.45, heading=90),
    Step(12, "R", -1.03, 0.58, heading=135),
    Step(13, "L", -1.38, 0.54, heading=180, air=0.75),
    Step(14, "R", -1.16, 0.54, heading=180),
    # Step and pivot half a turn to the right, back to the audience's side.
    Step(15, "L", -1.17, 0.20, heading=172),
    # Kicks: each foot flicks to the front on the beat and comes down beside the other.
    Step(17.6, "L", -0.98, 0.50, heading=4, air=1.5, lift=0.56, kick=Kick(front=0.86, toes_down=20)),
    Step(19.6, "R", -1.20, 0.48, heading=-4, air=1.5, lift=0.58, kick=Kick(front=0.84, out=0.12, toes_down=20)),
    # Lunge to the left, gather, and jump out to a wide stance.
    Step(21, "L", -0.42, 0.50, heading=48, air=0.8, lift=0.12, weight=0.72),
    Step(22.7, "R", -0.62, 0.40, air=0.7, weight=0.5),
    Step(24, "L", -0.12, 0.36, heading=14, air=0.62, lift=0.13, weight=0.5),
    Step(24, "R", -0.64, 0.36, heading=-14, air=0.62, lift=0.13, weight=0.5),
    # Travelling turn: a full turn to the left in three steps, feet turning on their balls.
    Step(26, "L", 0.08, 0.34, heading=58, air=0.75),
    Step(27, "R", 0.36, 0.38, heading=195, air=0.92),
    Step(28, "L", 0.66, 0.33, heading=330, air=0.85),
    Step(29, "R", 0.50, 0.38, heading=360, weight=0.1, heel=24, air=0.75),
    # Pirouette: open behind, then a full turn to the right on the left foot, right foot at the knee.
    Step(30, "R", 0.52, 0.12, heading=346, weight=0.45, heel=12),
    Step(32.75, "R", 0.46, 0.22, heading=-6, air=2.1, lift=0.40, weight=0.5, kick=Kick(toes_down=22)),
    # Hip sway: rock forward and back, then a chassé to the right.
    Step(33.5, "L", 0.66, 0.52, heading=0, air=0.5, weight=0.9),
    Step(34.5, "L", 0.68, 0.22, heading=0, air=0.5),
    Step(35.5, "R", 0.20, 0.22, heading=0, air=0.6),
    Step(36.0, "L", 0.42, 0.20, heading=0, air=0.42, lift=0.04),
    Step(36.5, "R", 0.02, 0.16, heading=0, air=0.45, lift=0.04),
    # Pose: cross in front, open to where it began.
    Step(37.3, "L", -0.10, 0.30, heading=-20, air=0.55),
    Step(38.0, "R", -0.24, 0.02, heading=-24, air=0.46, weight=0.9),
    Step(38.8, "L", 0.16, 0.10, heading=16, air=0.5, weight=0.2, heel=26),
)

PIVOTS = (
    Pivot(15.15, 16.1, "L", 8, heel=20),
    Pivot(15.2, 16.15, "R", -8, heel=22),
    Pivot(25.1, 26.05, "R", 40),
    Pivot(26.0, 27.15, "L", 168),
    Pivot(27.0, 28.2, "R", 318),
    Pivot(28.15, 28.8, "L", 364),
    Pivot(30.5, 32.6, "L", 4, heel=30),
)

SHIFTS = (
    Shift(16.0, "R", 0.9),
    Shift(25.0, "R", 0.8),
    Shift(30.3, "R", 0.5),
    Shift(34.0, "R", 0.9),
    Shift(35.0, "L", 1.0),
    Shift(39.2, "R", 0.8),
)
