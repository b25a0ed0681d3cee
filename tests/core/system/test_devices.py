"""The device that “auto” means: never one on which a convolution fails, and the reason is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.system import devices

torch = pytest.importorskip("torch")


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Function that gives this machine CUDA cards, each device with the error of its convolution."""

    def give(problems: dict[str, str]) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(problems))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(problems))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device}")
        monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
        monkeypatch.setattr(devices, "convolution_problem", lambda device: problems[device])
        devices._automatic.cache_clear()

    yield give
    devices._automatic.cache_clear()


def test_a_card_that_computes_is_taken(cards: Callable[[dict[str, str]], None]) -> None:
    cards({"cuda": "", "cuda:1": ""})
    assert devices.pick_device("auto") == torch.device("cuda")
    assert devices.refused_cards() == ""
    assert devices.device_in_words("cuda", "auto") == "card cuda"


def test_a_card_without_kernels_is_passed_over_and_named(cards: Callable[[dict[str, str]], None]) -> None:
    problem = "RuntimeError: CUDA error: no kernel image is available for execution on the device"
    cards({"cuda": problem})
    assert devices.pick_device("auto") == torch.device("cpu")
    words = devices.device_in_words("cpu", "auto")
    assert words.startswith("CPU, ")
    assert words.endswith(f" (not on card cuda: {problem})")
    assert "not on" not in devices.device_in_words("cpu", "cpu"), "nobody asked for a card"


def test_the_second_card_is_taken_where_the_first_fails(cards: Callable[[dict[str, str]], None]) -> None:
    cards({"cuda": "no kernel image", "cuda:1": ""})
    assert devices.pick_device("auto") == torch.device("cuda:1")
    assert devices.refused_cards() == "card cuda: no kernel image"


def test_a_convolution_is_computed_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.system.convolution import convolution_problem

    assert convolution_problem("cpu") == ""
    assert convolution_problem("meta") != "", "a device without numbers cannot compute"
    real, calls = torch.nn.functional.conv1d, []

    def wrong_at_first(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        return real(*arguments, **options) * (1.01 if len(calls) == 1 else 1.0)

    monkeypatch.setattr(torch.nn.functional, "conv1d", wrong_at_first)
    assert convolution_problem("cpu") == "a convolution came out wrong"


@pytest.mark.parametrize("place", ["farm/openjd.yaml", "farm/flamenco/riff_train.js"])
def test_farms_offer_every_device(place: str) -> None:
    text = (Path(__file__).resolve().parents[3] / place).read_text(encoding="utf-8")
    offered = next(found for found in re.findall(r"\[([^\[\]]*)\]", text) if "cuda" in found)
    assert tuple(re.findall(r"\w+", offered)) == devices.DEVICES


def test_the_shell_takes_every_device(capsys: pytest.CaptureFixture[str]) -> None:
    from argparse import ArgumentParser

    from core.cli.arguments import add_device

    parser = ArgumentParser()
    add_device(parser)
    assert [parser.parse_args(["--device", name]).device for name in devices.DEVICES] == list(devices.DEVICES)
    with pytest.raises(SystemExit):
        parser.parse_args(["--device", "tpu"])
    assert "xpu" in capsys.readouterr().err


def test_the_self_test_names_what_it_passes_over(cards: Callable[[dict[str, str]], None]) -> None:
    from core.torch_trial import self_test as module

    cards({"cuda": "no kernel image"})
    report = module.self_test()
    assert report["device"].startswith("CPU, ")
    assert report["refused"] == "card cuda: no kernel image"
