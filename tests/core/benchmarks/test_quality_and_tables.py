"""The benchmarks: cheats are what they claim, rows resume, CKA knows what it should, and the table comes out whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import ablation, cka, curve, quality
from bench.measuring import interim
from bench.measuring.bar import check_bar
from bench.measuring.cheats import all_cheats, flipped_labels, frozen_pose, shuffled_chunks, with_noise
from bench.measuring.measure import CLEAN, RAW
from bench.measuring.published import PUBLISHED
from bench.measuring.reduced import PAPERS_JOINTS, on_joints, on_papers_joints
from bench.measuring.table import Row, markdown
from core.errors import ClipError
from core.generation.torch_backend import load_generators
from core.model.model import Model
from core.model.model_file import save_model
from core.model.recipe import PAPER, RECIPES
from core.motion.bvh import write_bvh
from core.motion.motion import Motion
from core.numeric.rotation import angle_between
from core.training.train import train


@pytest.fixture(scope="module")
def tiny_model(walker: Motion) -> Model:
    recipe = replace(RECIPES["fast"], iterations=(2, 2, 2, 2), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    return replace(train(walker, recipe, threads=1), name="walker")


def test_cheats_are_what_they_claim(walker: Motion) -> None:
    assert all_cheats(walker)["copy"] is walker
    assert (frozen_pose(walker).features == frozen_pose(walker).features[0]).all()
    rows = {row.tobytes() for row in walker.features}
    shuffled = shuffled_chunks(walker)
    assert all(row.tobytes() in rows for row in shuffled.features), "every frame is one of the source's"
    assert not np.array_equal(shuffled.features[: walker.frames], walker.features[: shuffled.frames])
    labels = walker.skeleton.contact_channels
    assert (flipped_labels(walker).features[:, labels] + walker.features[:, labels] == 1.0).all()


@pytest.mark.parametrize("deviation", [0.0, 5.0])
def test_noise_has_its_size_and_smoothness(walker: Motion, deviation: float) -> None:
    noisy = with_noise(walker, deviation, degrees=8.0)
    angles = np.degrees(angle_between(noisy.rotations(), walker.rotations()))
    assert np.sqrt((angles**2).mean() / 3) == pytest.approx(8.0, rel=0.05), "about each of three axes"
    steps = np.abs(np.diff(angles, axis=0)).mean()
    assert steps < 1.5 if deviation else steps > 4.0
    assert np.array_equal(noisy.features[:, walker.skeleton.root_channel :], walker.features[:, -6:])


def test_fewer_joints_move_as_before(walker: Motion) -> None:
    kept = [j for j, name in enumerate(walker.skeleton.names) if name not in ("LeftHand", "RightToe")]
    smaller = on_joints(walker, kept)
    assert smaller.skeleton.joints == walker.skeleton.joints - 2
    assert np.allclose(smaller.positions(), walker.positions()[:, kept])
    names = [walker.skeleton.names[j] for j in walker.skeleton.contacts if walker.skeleton.names[j] != "RightToe"]
    assert [smaller.skeleton.names[j] for j in smaller.skeleton.contacts] == names
    column = list(walker.skeleton.contacts).index(walker.skeleton.names.index("LeftFoot"))
    assert np.array_equal(smaller.contact_labels()[:, names.index("LeftFoot")], walker.contact_labels()[:, column])
    with pytest.raises(ClipError, match="everything that hangs on it"):
        on_joints(walker, [j for j in range(walker.skeleton.joints) if walker.skeleton.names[j] != "Spine"])


def test_papers_joints_are_24_of_a_mixamo_character(walker: Motion, clip: Callable[[str], Motion]) -> None:
    assert len(PAPERS_JOINTS) == 24
    with pytest.raises(ClipError, match="Mixamo"):
        on_papers_joints(walker)
    salsa = on_papers_joints(clip("salsa"))
    assert salsa.skeleton.joints == 24
    assert len(salsa.skeleton.contacts) == 4
    assert salsa.skeleton.channels == 174, "as the paper has it"


def test_ablation_has_six_rows_and_row_9_is_the_paper() -> None:
    rows = {row.number: row for row in ablation.ablation_rows()}
    assert list(rows) == [1, 4, 6, 8, 9, 10]
    assert replace(rows[9].recipe, name="paper") == PAPER
    assert [number for number, row in rows.items() if row.quoted] == [1, 9]
    assert ablation.joint_iterations((105.0, 105.0, 105.0, 105.0), 1) == (15000,) * 4
    assert ablation.joint_iterations(ablation.ITERATIONS_ANNEALED, 16) == PAPER.iterations
    assert rows[10].recipe.batch == (24,) * 4
    assert len({json.dumps({**row.recipe.to_json(), "name": ""}) for row in rows.values()}) == 6, "no row twice"


def test_ablation_rows_resume(walker: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = [
        replace(row, recipe=replace(row.recipe, hidden=(16, 16, 16), batch=(1, 1, 1, 1), critic_steps=1))
        for row in ablation.ablation_rows()
    ]
    monkeypatch.setattr(ablation, "ablation_rows", lambda: small)
    write_bvh(tmp_path / "walker.bvh", walker)
    out = tmp_path / "rows"
    places = ["--out", str(out), "--models", str(tmp_path / "models")]
    arguments = ["--clip", str(tmp_path / "walker.bvh"), "--scale", "0.00001", "--count", "1", *places]
    assert ablation.main([*arguments, "--row", "9", "--frames", "90"]) == 0
    report = json.loads((out / "row09-seed0.json").read_text(encoding="utf-8"))
    assert (report["row"], report["quoted"], report["recipe"]["transfer"], report["frames"]) == (9, True, 2, 90)
    assert report["processor_seconds"] > 0.0
    (out / "row09-seed0.json").write_text(json.dumps({**report, "samples": 123}), encoding="utf-8")
    assert ablation.main([*arguments, "--row", "9", "--row", "8", "--seed", "0", "--seed", "1"]) == 0
    again = json.loads((out / "row09-seed0.json").read_text(encoding="utf-8"))
    assert again["samples"] == 123, "row 9 was not run again with the seed that was done"
    done = sorted(path.name for path in out.glob("row*.json"))
    assert done == ["row08-seed0.json", "row08-seed1.json", "row09-seed0.json", "row09-seed1.json"]
    assert len(list((tmp_path / "models").glob("rows-row*.safetensors"))) == 4
    page = (out / "ablation.md").read_text(encoding="utf-8")
    assert "| 8. batch 16, λ_adv and λ_rec annealed | described | 2 |" in page
    assert "±" in page, "how far apart the seeds are"
    assert (out / "ablation.png").stat().st_size > 10_000
    assert ablation.main([*arguments, "--row", "12"]) == 1


def test_what_training_adds_is_told_beside_the_papers_figures(walker: Motion, tmp_path: Path) -> None:
    write_bvh(tmp_path / "walker.bvh", walker)
    arguments = [str(tmp_path / "walker.bvh"), "--scale", "0.004", "--count", "2", "--out", str(tmp_path)]
    assert interim.main(arguments) == 0
    report = json.loads((tmp_path / "interim.json").read_text(encoding="utf-8"))
    states = [row["state"] for row in report["rows"]]
    assert (states[0], states[-1]) == ("instant", "at the end")
    page = (tmp_path / "interim.md").read_text(encoding="utf-8")
    mean = report["rows"][0]["figures"]["2"]["harmonic_mean"]
    (line,) = [line for line in page.splitlines() if line.startswith("| walker | instant | ") and line.count("|") == 11]
    assert line.endswith(f"| {mean:.2f} |")
    assert f"| {PUBLISHED[0].origin} | GANimator | 0.95 |" in page


def test_cka_of_equal_and_of_independent_activations() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(4000, 20)), random.normal(size=(4000, 30))
    turn = np.linalg.qr(random.normal(size=(20, 20)))[0]
    assert cka.linear_cka(a, a) == pytest.approx(1.0)
    assert cka.linear_cka(a, 3.0 * a @ turn + 5.0) == pytest.approx(1.0)
    assert cka.linear_cka(a, b) < 0.02
    assert cka.linear_cka(a, np.zeros((4000, 3))) == 0.0


def test_cka_looks_into_the_generator_itself(tiny_model: Model) -> None:
    generators = load_generators(tiny_model)
    for stage, x in enumerate(cka.own_inputs(tiny_model, seed=0)):
        outputs = cka.layer_outputs(tiny_model, stage, x)
        assert len(outputs) == 4
        with torch.no_grad():
            assert torch.allclose(outputs[-1], generators[stage](x), atol=1e-5)


def test_cka_report(tiny_model: Model, tmp_path: Path) -> None:
    save_model(tiny_model, tmp_path / "walker.safetensors")
    assert cka.main([str(tmp_path / "walker.safetensors"), "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "cka-walker-fast-same.json").read_text(encoding="utf-8"))
    matrix = np.array(report["matrix"])
    layers = 4 * tiny_model.recipe.stage_count
    assert matrix.shape == (layers, layers)
    assert np.allclose(matrix, matrix.T)
    assert np.allclose(np.diag(matrix), 1.0, atol=1e-3)
    assert report["levels"] == [
        level for level, stages in enumerate(tiny_model.recipe.stages) for _ in range(4 * stages)
    ]
    assert (tmp_path / "cka-walker-fast-same.png").stat().st_size > 10_000
    early, late = np.mean(report["across_levels"][:2]), np.mean(report["across_levels"][2:])
    assert report["answer"].startswith("Early layers agree" if early > late else "Early layers do not agree")


def test_quality_table_runs_end_to_end(walker: Motion, tiny_model: Model, tmp_path: Path) -> None:
    write_bvh(tmp_path / "walker.bvh", walker)
    save_model(tiny_model, tmp_path / "m.safetensors")
    arguments = ["--count", "2", "--out", str(tmp_path), "--clip", str(tmp_path / "walker.bvh")]
    assert quality.main([*arguments, "--model", str(tmp_path / "m.safetensors")]) == 0
    page = (tmp_path / "quality-walker-fast.md").read_text(encoding="utf-8")
    report = json.loads((tmp_path / "quality-walker-fast.json").read_text(encoding="utf-8"))
    assert report["command"] == "python -m bench.quality --count 2 --seed 0 --clip walker --model m.safetensors"
    assert str(tmp_path) not in page, "no machine's folders"
    by_name = {row["name"]: row for row in report["rows"]}
    assert set(RAW.split()) <= set(page.split())
    assert by_name["the source itself (the copy)"]["figures"]["coverage"] == 1.0
    assert by_name["GANimator"]["kind"] == "published"
    assert by_name["GenMM"]["kind"] == "measured"
    assert len(report["bar"]) == 7
    assert report["versions"]["torch"] == torch.__version__
    for row in report["rows"]:
        assert f"| {row['name']} |" in page


def test_quality_trains_on_a_named_clip(
    walker: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bvh(tmp_path / "walker.bvh", walker)
    monkeypatch.setenv("RIFF_DATA", str(tmp_path))
    small = replace(RECIPES["fast"], hidden=(16, 16, 16), batch=(1, 1, 1, 1), bank=8)
    monkeypatch.setitem(RECIPES, "fast", small)
    arguments = ["--clip", "walker", "--scale", "0.001", "--count", "1", "--out", str(tmp_path), "--device", "cpu"]
    assert quality.main([*arguments, "--keep", str(tmp_path / "kept.safetensors")]) == 0
    report = json.loads((tmp_path / "quality-walker-fast.json").read_text(encoding="utf-8"))
    assert report["model"]["iterations"] == [max(1, round(count * 0.001)) for count in small.iterations]
    assert report["model"]["training_seconds"] > 0
    assert (tmp_path / "kept.safetensors").exists()
    assert quality.main(["--clip", "nothing", "--out", str(tmp_path)]) == 1
    assert "There is no clip “nothing”" in capsys.readouterr().err


def test_curve_adds_the_scales_that_are_missing(
    walker: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bvh(tmp_path / "walker.bvh", walker)
    small = replace(RECIPES["fast"], hidden=(16, 16, 16), batch=(1, 1, 1, 1), bank=8)
    monkeypatch.setitem(RECIPES, "fast", small)
    monkeypatch.setitem(RECIPES, "paper", replace(RECIPES["paper"], hidden=(16, 16, 16), batch=(1, 1, 1, 1)))
    arguments = ["--clip", str(tmp_path / "walker.bvh"), "--count", "1", "--out", str(tmp_path), "--scales"]
    assert curve.main([*arguments, "0.001"]) == 0
    table = tmp_path / "curve-walker.json"
    first = json.loads(table.read_text(encoding="utf-8"))["curves"][0]["points"]
    assert curve.main([*arguments, "0.001", "0.002"]) == 0
    assert curve.main([*arguments, "0.0005", "--recipe", "paper"]) == 0
    fast, paper = json.loads(table.read_text(encoding="utf-8"))["curves"]
    points = fast["points"]
    assert points[0] == first[0], "not trained again"
    assert [point["scale"] for point in points] == [0.001, 0.002]
    assert [point["scale"] for point in paper["points"]] == [0.0005]
    assert all("coverage" in point["figures"][CLEAN] for point in points)
    assert (tmp_path / "curve-walker.png").stat().st_size > 10_000
    assert curve.main([*arguments, "-1"]) == 1


def test_bar_knows_good_from_bad() -> None:
    good = {
        "coverage": 0.99,
        "rotation_global_diversity": 0.8,
        "novelty": 0.9,
        "roughness": 1.0,
        "window_frechet": 0.5,
        "foot_skating_ratio": 1.1,
    }
    noise = {"novelty": 0.5, "window_frechet": 2.0}
    assert all(check.kept for check in check_bar({**good, "foot_skating_ratio": 2.5}, good, noise))
    for name in good:
        too_high = name in ("roughness", "window_frechet", "foot_skating_ratio")
        worse = {**good, name: good[name] + (5.0 if too_high else -0.5)}
        assert [check for check in check_bar(good, worse, noise) if not check.kept], name


def test_table_leaves_out_what_nobody_measured() -> None:
    text = markdown([Row("one", "measured", "here", {"coverage": 0.5, "penetration": 0.012}), *PUBLISHED[:1]])
    head, _, one, published = text.splitlines()
    assert "roughness" not in head
    assert one.startswith("| one | measured: here | 0.50 |")
    assert one.endswith("| 1.2 |")
    assert published.startswith("| GANimator | published: the paper's Table 2")
