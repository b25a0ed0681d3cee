"""Model files that are damaged, foreign or gone under the list, and two Blenders that share one folder of models."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from core.files.file_lock import try_lock
from core.model.model_file import load_model, save_model
from core.model.recipe import FAST
from tests.support.faults.blender import PYTHON_311, PYTHON_313, end_blender, run_blender, start_blender
from tests.support.faults.fault import Fault, Lost, patience
from tests.support.motions import walking_motion

UNDER_THE_LIST = """
import json, random, shutil, struct
chance = random.Random(int(sys.argv[2]))
models = part("rig.library.models").models_folder()
session, jobs = bpy.context.window_manager.riff, part("rig.background.jobs")
bpy.ops.riff.add_sample_dancer()
bpy.context.preferences.addons[riff.__name__].preferences.separate_process = False
bpy.ops.riff.train(scale=0.0001)
tick_until(lambda: not jobs.latest_training().running)
good = (models / "Sample Dance.safetensors").read_bytes()
foreign = Path(sys.argv[3]).read_bytes()

def newer(data):
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    meta = json.loads(header["__metadata__"]["riff"])
    meta["format"] += 1
    header["__metadata__"]["riff"] = json.dumps(meta)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]

def flipped(data):
    changed, at = bytearray(data), chance.randrange(len(data))
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)

def harm(kind, path):
    if kind == "deleted":
        path.unlink()
    elif kind == "renamed":
        path.rename(path.with_name("Elsewhere.safetensors"))
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        change = {"cut": good[: chance.randrange(len(good))], "flipped": flipped(good), "newer": newer(good),
                  "foreign": foreign, "empty": b""}
        path.write_bytes(change[kind])

def attempt(call):
    before = set(bpy.data.actions.keys())
    try:
        done = call()
    except RuntimeError as error:
        assert "Traceback" not in str(error), str(error)
        assert len(str(error)) > 20, str(error)
        assert set(bpy.data.actions.keys()) == before, "actions were left"
        return str(error)
    assert done in ({"FINISHED"}, {"CANCELLED"}), done
    return ""

out = Path(sys.argv[1]) / "out"
out.mkdir()
calls = [
    lambda: bpy.ops.riff.generate(count=1),
    lambda: bpy.ops.riff.export_model(filepath=str(out / "sent.safetensors")),
    lambda: bpy.ops.riff.rename_model(name="Other"),
    lambda: bpy.ops.riff.import_model(filepath=str(models / "Victim.safetensors")),
    lambda: bpy.ops.riff.train(scale=0.0001, start_from="Victim"),
    lambda: bpy.ops.riff.refresh_models(),
    lambda: bpy.ops.riff.remove_model(),
]
for kind in ("cut", "flipped", "newer", "foreign", "empty", "deleted", "renamed", "folder"):
    for path in list(models.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (models / "Victim.safetensors").write_bytes(good)
    (models / "Bystander.safetensors").write_bytes(good)
    bpy.ops.riff.refresh_models()
    session.active_model = [row.name for row in session.models].index("Victim")
    harm(kind, models / "Victim.safetensors")
    sentences = [attempt(calls[0])]
    if kind not in ("flipped",):
        assert sentences[0], f"{kind}: generated from what is not there"
    for call in chance.sample(calls, len(calls)):
        rows = [row.name for row in session.models]
        if "Victim" not in rows:
            break
        session.active_model = rows.index("Victim")
        attempt(call)
        tick_until(lambda: not jobs.any_running())
    bpy.ops.riff.refresh_models()
    assert (models / "Bystander.safetensors").read_bytes() == good, "another model was touched"
    print(kind, sentences[0].splitlines()[:1], flush=True)
"""
"""Arguments: a seed, a model of another rig."""


def under_the_list(seed: int, folder: Path, python: Path | None = None) -> None:
    """Each harm to the chosen model's file after it was listed, then every operator on it in some order."""
    from core.training.train import train

    save_model(train(walking_motion(), FAST.scaled(0.0001), seed=seed), folder / "foreign.safetensors")
    python = python or (PYTHON_313 if seed % 3 == 2 and PYTHON_313.exists() else PYTHON_311)
    foreign = folder / "foreign.safetensors"
    said = run_blender(UNDER_THE_LIST, folder / "user", seed, foreign, python=python)
    assert "Traceback" not in said, said[-3000:]


SHARING = """
import json, random
number, rounds = int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(number)
models = part("rig.library.models").models_folder()
session, jobs = bpy.context.window_manager.riff, part("rig.background.jobs")
read_info = part("core.model.model_file").read_info
bpy.ops.riff.add_sample_dancer()
bpy.context.preferences.addons[riff.__name__].preferences.separate_process = chance.random() < 0.3
trained, deleted = set(), set()

def mine():
    bpy.ops.riff.refresh_models()
    for index, row in enumerate(session.models):
        assert not row.problem or "No such file" in row.problem, row.problem
        try:
            seed = read_info(row.path)["seed"]
        except Exception as error:
            assert "No such file" in str(error), error
            continue
        if seed in trained and seed not in deleted:
            yield index, seed

def train():
    seed = 1000 * number + len(trained)
    bpy.ops.riff.train(scale=0.0001, seed=seed)
    job = jobs.latest_training()
    tick_until(lambda: not job.running)
    assert job.state is jobs.State.DONE, job.error
    trained.add(seed)

def rename():
    own = list(mine())
    if own:
        session.active_model = chance.choice(own)[0]
        bpy.ops.riff.rename_model(name=chance.choice(["Star", "Sample Dance", "Walk"]))

def delete():
    own = list(mine())
    if len(own) > 1:
        session.active_model, seed = chance.choice(own)
        bpy.ops.riff.remove_model()
        deleted.add(seed)

def bring():
    own = list(mine())
    if own:
        session.active_model = chance.choice(own)[0]
        bpy.ops.riff.generate(count=1, frames=40)

for _ in range(rounds):
    chance.choice([train, train, train, rename, rename, delete, bring])()
print("LOG", json.dumps([sorted(trained), sorted(deleted)]))
"""
"""Arguments: number of this Blender, rounds. Renaming needs the row of a model that may just get another name: only the
own ones are touched."""


def two_blenders(seed: int, folder: Path, rounds: int = 12) -> None:
    """Two Blenders train under the same names, list, rename, delete and generate in one folder of models."""
    run_blender("", folder)  # installs
    pythons = (PYTHON_311, PYTHON_313 if seed % 2 and PYTHON_313.exists() else PYTHON_311)
    both = [start_blender(SHARING, folder, 2 * seed + k + 1, rounds, python=p) for k, p in enumerate(pythons)]
    try:
        outputs = [process.communicate(timeout=400.0 * patience())[0] for process in both]
    finally:
        for process in both:
            end_blender(process)
    for process, said in zip(both, outputs, strict=True):
        assert process.returncode == 0, said[-3000:]
    logs = [json.loads(said[said.index("LOG ") + 4 :].splitlines()[0]) for said in outputs]
    expected = {seed for trained, deleted in logs for seed in set(trained) - set(deleted)}
    own = folder / "extensions/.user/user_default/riff"
    there = [load_model(path).seed for path in (own / "models").glob("*.safetensors")]
    if not expected <= set(there):
        raise Lost(f"models of the seeds {sorted(expected - set(there))}")
    assert sorted(there) == sorted(expected), "models that were deleted are there"
    left = [
        path.name
        for name in ("models", "trainings")
        for path in (own / name).iterdir()
        if path.suffix != ".safetensors"
    ]
    assert not left, f"left: {left}"


TRAINS = """
preferences = bpy.context.preferences.addons[riff.__name__].preferences
preferences.separate_process = sys.argv[2] == "process"
bpy.ops.riff.add_sample_dancer()
bpy.ops.riff.train(seed=1)
job = part("rig.background.jobs").latest_training()
tick_until(lambda: job.progress is not None)
print("TRAINS", flush=True)
tick_until(lambda: False, 300.0)
"""

LOOKS = """
session = bpy.context.window_manager.riff
part("state.session").refresh()
print("SEES", [row.name for row in session.unfinished])
if len(session.unfinished):
    session.unfinished[0].name
row = session.unfinished.add()
row.name, row.path = "Sample Dance", str(part("rig.library.models").trainings_folder() / "Sample Dance.safetensors")
for name in ("resume_training", "discard_training"):
    try:
        print(name, getattr(bpy.ops.riff, name)(name="Sample Dance"))
    except RuntimeError as error:
        print(name, error)
    row = session.unfinished.add()
    row.name, row.path = "Sample Dance", str(part("rig.library.models").trainings_folder() / "Sample Dance.safetensors")
part("rig.background.jobs").stop_all()
"""
"""List of a second Blender, which resumes and discards from a list that is older."""


def resumed_twice(seed: int, folder: Path, python: Path = PYTHON_311) -> None:
    """A second Blender is not offered what the first one trains; once that one was killed, it is."""
    state = folder / "extensions/.user/user_default/riff/trainings/Sample Dance.safetensors"
    first = start_blender(TRAINS, folder, "process" if seed % 2 else "thread", python=python)
    try:
        assert first.stdout is not None
        for line in first.stdout:
            if line.startswith("TRAINS"):
                break
        else:
            raise AssertionError("the training did not begin")
        said = run_blender(LOOKS, folder, python=python)
        assert "SEES []" in said, said[-2000:]
        for name in ("resume_training", "discard_training"):
            assert re.search(f"{name} Error: The training “.*” is in use by another Blender", said), said[-2000:]
        assert state.exists(), "the state of the running training was deleted"
    finally:
        end_blender(first)
    until = time.monotonic() + 30.0 * patience()
    while (held := try_lock(state)) is None and time.monotonic() < until:
        time.sleep(0.1)
    assert held is not None, "the claim outlives the process"
    held.release()
    said = run_blender(LOOKS, folder, python=python)
    assert "SEES ['Sample Dance']" in said, said[-2000:]
    assert "resume_training {'FINISHED'}" in said, said[-2000:]


FAULTS = (
    Fault("model file damaged, foreign or gone under the list", under_the_list, 12),
    Fault("two Blenders share the folder of models", two_blenders, 4, limit=500.0),
    Fault("a second Blender and the training of the first", resumed_twice, 4),
)
