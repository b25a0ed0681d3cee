"""The build of PyTorch for this machine's graphics cards and driver, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .hardware import Device
from .nvidia import NvidiaCard, best_first

CUDA13_COMPUTE, CUDA13_DRIVER = (7, 5), 580
"""Least compute capability and driver of the CUDA 13 build."""

CUDA12_COMPUTE, CUDA12_BEYOND, CUDA12_DRIVER = (5, 0), (10, 0), 525
"""Compute capabilities of the CUDA 12.6 build, from the first to below the second, and its least driver."""

PLATFORMS = {"AMD": "ROCm", "Intel": "XPU"}
"""Maker → name of its platform for computing."""

DRIVERS_PAGE = "nvidia.com/drivers"
"""Address of NVIDIA's drivers."""


@dataclass(frozen=True)
class BuildChoice:
    """Build for a machine: its backend, and a sentence with gaps for `values` that says why."""

    backend: str
    sentence: str = ""
    values: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Return the sentence in English."""
        return self.sentence.format(*self.values)


def choose_build(device: Device, cards: Sequence[NvidiaCard], hashed: Collection[str] = ()) -> BuildChoice:
    """Return the build for the device that the system names and, if it is NVIDIA's, for the cards that were read.

    The best card that a CUDA build computes on decides; where there is none, the best card's hindrance is said.
    `hashed` are the backends whose files Riff can check: the build for another maker's card is offered if it is there.
    """
    if device.maker in ("AMD", "Intel"):
        return _for_other_maker(device, hashed)
    if device.maker != "NVIDIA":
        return BuildChoice(device.backend)
    if not cards:
        return BuildChoice(
            "cpu",
            "{} was found, and its driver does not answer: install NVIDIA's driver from {}, then start Blender again; "
            "until then PyTorch computes on the processor",
            (device.name, DRIVERS_PAGE),
        )
    choices = [_for_card(card) for card in best_first(cards)]
    return next((choice for choice in choices if choice.backend != "cpu"), choices[0])


def _for_other_maker(device: Device, hashed: Collection[str]) -> BuildChoice:
    """Return the build for a card of AMD or Intel, which Riff's developers have none of."""
    if device.backend in hashed:
        words = "{}: the build for {}, untried by us; if its test fails, install the processor's"
        return BuildChoice(device.backend, words, (device.name, PLATFORMS[device.maker]))
    words = (
        "{}: the hashes of PyTorch for {} are unknown; install it from a folder of wheels; otherwise PyTorch computes "
        "on the processor"
    )
    return BuildChoice("cpu", words, (device.name, PLATFORMS[device.maker]))


def _for_card(card: NvidiaCard) -> BuildChoice:
    """Return the build for one card."""
    compute, driver = f"{card.compute[0]}.{card.compute[1]}", str(card.driver)
    if card.compute >= CUDA13_COMPUTE and card.driver >= CUDA13_DRIVER:
        return BuildChoice(
            "cuda", "{} (compute capability {}) with driver {}: the build for CUDA 13", (card.name, compute, driver)
        )
    if CUDA12_COMPUTE <= card.compute < CUDA12_BEYOND and card.driver >= CUDA12_DRIVER:
        if card.compute < CUDA13_COMPUTE:
            words = (
                "{} (compute capability {}) with driver {}: the build for CUDA 12.6, since CUDA 13 leaves out this card"
            )
            return BuildChoice("cuda12", words, (card.name, compute, driver))
        words = "{} (compute capability {}) with driver {}: the build for CUDA 12.6, since CUDA 13 needs driver {}"
        return BuildChoice("cuda12", words, (card.name, compute, driver, str(CUDA13_DRIVER)))
    if card.compute < CUDA12_COMPUTE:
        words = "PyTorch has no build for {} (compute capability {}, the least is {}): it computes on the processor"
        return BuildChoice("cpu", words, (card.name, compute, f"{CUDA12_COMPUTE[0]}.{CUDA12_COMPUTE[1]}"))
    least = CUDA13_DRIVER if card.compute >= CUDA13_COMPUTE else CUDA12_DRIVER
    return BuildChoice(
        "cpu",
        "{} needs driver {} or newer, and this machine has {}: update it at {}, then start Blender again; until then "
        "PyTorch computes on the processor",
        (card.name, str(least), driver, DRIVERS_PAGE),
    )
