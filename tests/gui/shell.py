"""`blender -c riff …` in a real Blender: every verb, what it says where, its exit codes, the same models as without.

Runs in the root of `root.py`, without a window. `problems_in_shell` gives what went wrong, a line each.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from root import Unavailable, find_root, mounted

ROOT = Path(__file__).resolve().parents[2]

PLACE = "/riff-shell"
INSIDE = f"{PLACE}/work"
SITE = f"{PLACE}/user/extensions/.local/lib/python*/site-packages"
SCALE = "0.0001"
"""One iteration a level: what is compared is the way, not the model."""

PATIENCE = 600.0

MAKE_FILE = f"""
import bpy
bpy.ops.riff.add_sample_dancer()
action = bpy.context.object.animation_data.action
action.name, action.use_frame_range, action.frame_start, action.frame_end = "Dance", True, 1, 100
other = action.copy()
other.name, other.use_fake_user, other.frame_end = "Short", True, 20
bpy.ops.wm.save_as_mainfile(filepath="{INSIDE}/dance.blend")
"""

INSTALL = f"blender --command extension install-file -r user_default -e {PLACE}/riff.zip"

SAME = """
import sys
from core.model.model_file import load_model
one, other = (load_model(path) for path in sys.argv[1:])
same = [(value == other.weights[name]).all() for name, value in one.weights.items()]
same += [(one.code == other.code).all(), (one.source.features == other.source.features).all()]
same += [one.name == other.name, one.rig == other.rig, one.quality == other.quality]
print("same" if all(same) else f"differ: {same}")
"""

Said = subprocess.CompletedProcess[str]


class Shell:
    """Commands in the root, and what was wrong with what they did."""

    def __init__(self, root: Path) -> None:
        self.root, self.problems = root, list[str]()
        self.folder = root / INSIDE.lstrip("/")
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "OMP_WAIT_POLICY": "PASSIVE",
            "OPENBLAS_NUM_THREADS": "1",
            "BLENDER_USER_RESOURCES": f"{PLACE}/user",
        }

    def command(self, line: str) -> list[str]:
        return ["chroot", str(self.root), "bash", "-c", f"cd {INSIDE} && {line}"]

    def run(self, line: str) -> Said:
        return subprocess.run(
            self.command(line),
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )

    def start(self, line: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(f"exec {line}"),
            env=self.environment,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def python(self, line: str) -> Said:
        """Python without Blender, with the job's own code; safetensors comes from the extension's wheel."""
        return self.run(f"PYTHONPATH={INSIDE}/job/code:$(echo {SITE}) python3 {line}")

    def check(self, said: Said, wanted: int, what: str, text: str = "") -> None:
        if said.returncode != wanted:
            self.problems.append(f"{what} ended with {said.returncode}: {said.stderr[-600:]}")
        if text not in said.stderr:
            self.problems.append(f"{what} does not say “{text}” but “{said.stderr[-300:].strip()}”")
        if wanted and said.stdout:
            self.problems.append(f"{what} fails, yet says on stdout “{said.stdout[:200]}”")

    def riff(self, words: str) -> dict[str, Any]:
        """Answer of Blender to a verb that must go well."""
        return self.answer(self.run(f"blender -c riff {words} --json"), words.split(" ")[0])

    def answer(self, said: Said, what: str) -> dict[str, Any]:
        """The one JSON object that all of stdout must be; empty, and a problem, where it is not."""
        self.check(said, 0, what)
        try:
            return dict(json.loads(said.stdout))
        except ValueError:
            self.problems.append(f"{what}: stdout is no JSON: “{said.stdout[:200]}”")
            return {}

    def expect(self, found: object, wanted: object, what: str) -> None:
        if found != wanted:
            self.problems.append(f"{what}: {found!r}, not {wanted!r}")


def problems_in_shell(root: Path, zip_path: Path) -> list[str]:
    """Install the extension in the root and try every verb; waits for another run in the same root to end."""
    with open(root / "riff.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = root / PLACE.lstrip("/")
        shutil.rmtree(place, ignore_errors=True)
        shell = Shell(root)
        shell.folder.mkdir(parents=True)
        shutil.copyfile(zip_path, place / "riff.zip")
        (shell.folder / "make_file.py").write_text(MAKE_FILE)
        (shell.folder / "same.py").write_text(SAME)
        with mounted(root):
            for line in (INSTALL, "blender -b --python-exit-code 1 --python make_file.py"):
                shell.check(shell.run(line), 0, line)
            for part in (listing, training):
                if not shell.problems:
                    part(shell)
            if not shell.problems:
                with ThreadPoolExecutor(2) as pool:  # they share files that none of them changes
                    list(pool.map(lambda part: part(shell), (ending, writing, measuring, refusing)))
        return shell.problems


def listing(shell: Shell) -> None:
    items = shell.riff("list dance.blend").get("items", [])
    told = {item["action"]: item.get("problem", item.get("frames")) for item in items}
    shell.expect(told.get("Dance"), 100, "frames of Dance")
    shell.expect("at least 2 s" in str(told.get("Short")), True, "what keeps Short from being learned")


def training(shell: Shell) -> None:
    """A model trained in Blender equals, to the bit, the one that the exported job gives without Blender."""
    told = shell.riff(f"train dance.blend --action 'Dan?e' --scale {SCALE} --device cpu --out models")
    shell.expect([model["name"] for model in told.get("models", [])], ["Dance"], "models")
    told = shell.riff(f"export dance.blend --action Dance --out job --scale {SCALE}")
    shell.expect(told.get("clips"), 1, "clips of the job")
    told = shell.answer(shell.python("-m core job job --device cpu --json"), "the job without Blender")
    shell.expect(told.get("trained"), ["Dance"], "clips that the job trained")
    said = shell.python("same.py models/Dance.safetensors job/models/00000-Dance.safetensors")
    shell.expect(said.stdout.strip(), "same", "the models of Blender and of the job")


def writing(shell: Shell) -> None:
    common = "--model models/Dance.safetensors --action Dance"
    told = shell.riff(f"generate dance.blend {common} --count 2 --seed 4 --save takes.blend")
    shell.expect(told.get("actions"), ["Dance Variation 4-1", "Dance Variation 4-2"], "variations")
    told = shell.riff(f"compose takes.blend {common} --keep Head --save composed.blend")
    shell.expect(told.get("actions"), ["Dance Take 0-1"], "takes")
    count = "import bpy; print(sum(action.get('riff_source') == 'Dance' for action in bpy.data.actions), 'of Riff')"
    said = shell.run(f'blender -b composed.blend --python-expr "{count}"')
    shell.expect("3 of Riff" in said.stdout, True, "actions of Riff's in the saved file")


def measuring(shell: Shell) -> None:
    words = "evaluate models/Dance.safetensors --count 2 --quiet"
    theirs = shell.answer(shell.python(f"-m core {words} --json"), "evaluate without Blender")
    shell.expect(shell.riff(words).get("figures"), theirs.get("figures"), "figures")


def ending(shell: Shell) -> None:
    """SIGTERM keeps the state of a training of hours, and --resume takes it up."""
    folder = shell.folder / "ended"
    folder.mkdir()
    for more in ("", " --resume"):
        process = shell.start(f"blender -c riff train dance.blend --action Dance --out ended --device cpu --json{more}")
        said = _until(process, "Level ")
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        out, err = process.communicate(timeout=PATIENCE)
        print(f"SIGTERM{more}: ended after {time.monotonic() - asked:.1f} s", flush=True)
        ended = subprocess.CompletedProcess(process.args, process.returncode, out, said + err)
        shell.check(ended, 130, f"SIGTERM{more}", "Stopped.")
        shell.expect([path.name for path in folder.iterdir()], ["Dance.training"], f"what SIGTERM{more} leaves")


def _until(process: subprocess.Popen[str], word: str) -> str:
    """Output of a process on stderr up to a line with this word."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if word in line:
            break
    return said


def refusing(shell: Shell) -> None:
    for words, code, text in (
        ("train dance.blend --action Polka", 1, "called “Polka”"),
        ("train none.blend", 1, "There is no file"),
        ("dance", 2, "usage: blender -c riff"),
    ):
        shell.check(shell.run(f"blender -c riff {words}"), code, words, text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Try every verb of `blender -c riff` in a real Blender.")
    parser.add_argument("--zip", type=Path, default=ROOT / "dist/riff.zip", help="the built extension")
    options = parser.parse_args()
    try:
        root = find_root()
    except Unavailable as error:
        print(f"*** No Blender: {error}. ***", flush=True)
        return 3
    problems = problems_in_shell(root, options.zip.resolve())
    print("\n".join(f"PROBLEM: {problem}" for problem in problems) or "Every verb went through.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
