"""PyTorch into a private folder: fetching, unpacking, and what is said when something is in the way."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import Cancelled
from core.torch_install.finder import TorchFinder
from core.torch_install.folder import InstallError, InstallState, TorchFolder, explained, find_folders
from core.torch_install.install import begin, check_wheels, fetch, install, install_from_wheels, try_folder
from core.torch_install.pip_process import pip_command, sentence_for
from core.torch_install.plan import TorchRelease, plans, python_tag, suggested
from core.torch_install.unpack import unpack_wheels
from core.torch_trial.trial import TrialError, try_python

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody answers at."""


def never() -> bool:
    return False


def silent(*_: object) -> None:
    """Progress that nobody looks at."""


def wheel(path: Path, files: dict[str, bytes], name: str = "thing-1.0") -> Path:
    """A small real wheel."""
    record = "".join(f"{inside},,\n" for inside in files) + f"{name}.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, data in files.items():
            archive.writestr(inside, data)
        archive.writestr(f"{name}.dist-info/RECORD", record)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> TorchFolder:
    return TorchFolder(tmp_path / "torch", python_tag(), "cpu")


def test_wheels_are_unpacked_where_they_belong(tmp_path: Path, folder: TorchFolder) -> None:
    files = {"thing/a.py": b"A = 1\n", "thing-1.0.data/purelib/extra.py": b"", "thing-1.0.data/scripts/run": b"x"}
    made = wheel(tmp_path / "thing-1.0-py3-none-any.whl", files)
    folder.begin()
    told: list[tuple[int, int]] = []
    unpack_wheels([made], folder.packages, lambda done, total: told.append((done, total)), never)
    assert sorted(path.name for path in folder.packages.rglob("*") if path.is_file()) == ["RECORD", "a.py", "extra.py"]
    assert told[-1][0] <= told[-1][1]
    with pytest.raises(Cancelled):
        unpack_wheels([made], folder.packages, silent, lambda: True)


OUTSIDE = ("../evil.py", "/evil.py", "a/../../evil.py", "C:/evil.py", "thing-1.0.data/purelib/../../../e")


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_wheel_cannot_write_elsewhere(tmp_path: Path, folder: TorchFolder, name: str) -> None:
    made = wheel(tmp_path / "thing-1.0-py3-none-any.whl", {name: b"x"})
    folder.begin()
    with pytest.raises(InstallError, match="outside its folder"):
        unpack_wheels([made], folder.packages, silent, never)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith("e") and path.suffix == ".py"]


def test_a_damaged_wheel_is_named(tmp_path: Path, folder: TorchFolder) -> None:
    made = wheel(tmp_path / "thing-1.0-py3-none-any.whl", {"thing/a.py": b"A = 1\n" * 1000})
    data = bytearray(made.read_bytes())
    data[60] ^= 0xFF
    made.write_bytes(bytes(data))
    folder.begin()
    with pytest.raises(InstallError, match=r"thing-1\.0-py3-none-any\.whl” is damaged"):
        unpack_wheels([made], folder.packages, silent, never)
    made.write_bytes(b"no zip at all")
    with pytest.raises(InstallError, match="is damaged"):
        unpack_wheels([made], folder.packages, silent, never)


def test_standing_goes_from_absent_to_ready_and_back(folder: TorchFolder) -> None:
    assert folder.standing() is InstallState.ABSENT
    folder.begin()
    assert folder.standing() is InstallState.INCOMPLETE
    assert find_folders(folder.root, folder.python) == [folder]
    folder.finish({"torch": "2", "fingerprint": "a"})
    assert folder.standing("a") is InstallState.READY
    assert folder.standing("b") is InstallState.OUTDATED
    assert not folder.downloads.exists()
    folder.begin()
    assert folder.standing("a") is InstallState.INCOMPLETE, "a second installation that breaks off leaves no ready one"
    folder.remove()
    assert folder.standing() is InstallState.ABSENT
    assert list(folder.root.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_an_odd_record_is_none_and_keeps_nobody_waiting(tmp_path: Path, folder: TorchFolder) -> None:
    folder.begin()
    folder.marker.unlink()
    os.mkfifo(folder.record)
    assert folder.standing() is InstallState.ABSENT
    folder.record.unlink()
    for odd in (b"[" * 100_000, b"\xff\xfe", b"{", b" " * (1 << 21)):
        folder.record.write_bytes(odd)
        assert folder.standing() is InstallState.ABSENT


def test_links_in_the_place_of_record_and_marker_are_replaced(tmp_path: Path, folder: TorchFolder) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    folder.root.mkdir(parents=True, exist_ok=True)
    folder.marker.symlink_to(mine)
    folder.begin()
    folder.record.symlink_to(mine)
    folder.finish({"torch": "2.5"})
    assert mine.read_text() == "mine"
    assert folder.facts() == {"torch": "2.5"}


def test_a_file_that_an_antivirus_took_is_named(tmp_path: Path, folder: TorchFolder) -> None:
    made = wheel(tmp_path / "torch-1.0-py3-none-any.whl", {"torch/__init__.py": b"", "torch/lib.so": b"x"}, "torch-1.0")
    folder.begin()
    unpack_wheels([made], folder.packages, silent, never)
    assert folder.missing_files() == []
    (folder.packages / "torch/lib.so").unlink()
    assert folder.missing_files() == ["torch/lib.so"]
    with pytest.raises(InstallError, match=r"“torch/lib.so” of PyTorch is gone.*antivirus.*Reinstall"):
        try_folder(folder)


def test_too_little_space_is_said_before_anything_is_fetched(folder: TorchFolder) -> None:
    with pytest.raises(InstallError, match=r"needs 1000000.0 GB in .* are free; free some space"):
        begin(folder, 1_000_000_000)
    assert not folder.marker.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_gets_full_is_named(tmp_path: Path, small_disk: Path) -> None:
    made = wheel(tmp_path / "thing-1.0-py3-none-any.whl", {"thing/big": os.urandom(1 << 20)})
    folder = TorchFolder(small_disk, python_tag(), "cpu")
    folder.begin()
    with pytest.raises(InstallError, match="is full; free some space"):
        unpack_wheels([made], folder.packages, silent, never)
    assert folder.standing() is InstallState.INCOMPLETE


def test_a_folder_that_may_not_be_written_is_named(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InstallError, match=r"may not write into .*existing Python"):
        TorchFolder(small_disk, python_tag(), "cpu").begin()
    assert "may not write" in str(explained(PermissionError(13, "Permission denied", "/x"), Path("/x")))


def test_wheels_for_another_python_or_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="no folder"):
        check_wheels(tmp_path / "nothing")
    with pytest.raises(InstallError, match="holds no wheel of PyTorch"):
        check_wheels(tmp_path)
    (tmp_path / "torch-2.13.0-cp39-cp39-manylinux_2_28_x86_64.whl").touch()
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(InstallError, match=rf"for Python 3.9; this Blender has Python {own}"):
        check_wheels(tmp_path)


def torch_wheel(place: Path, version: str, needs: str = "", code: str = "") -> Path:
    """A small wheel of a “PyTorch” for this Python, as pip takes it."""
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    made = place / f"torch-{version}-{tag}-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("torch/__init__.py", code)
        about = f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"
        archive.writestr(f"torch-{version}.dist-info/METADATA", about + (f"Requires-Dist: {needs}\n" if needs else ""))
        tags = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}-none-any\n"
        archive.writestr(f"torch-{version}.dist-info/WHEEL", tags)
        archive.writestr(
            f"torch-{version}.dist-info/RECORD", f"torch/__init__.py,,\ntorch-{version}.dist-info/RECORD,,\n"
        )
    return made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Address of a server with a newer PyTorch, and the paths that it was asked for."""
    place, asked = tmp_path / "server", []
    place.mkdir()
    torch_wheel(place, "99.0", code="raise RuntimeError('of the server')")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(place))

        def log_message(self, *arguments: Any) -> None:
            asked.append(self.path)

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}/", asked
    serving.shutdown()


@pytest.mark.parametrize("way", ["PIP_FIND_LINKS", "PIP_CONSTRAINT", "PIP_REQUIREMENT", "pip.conf"])
def test_a_folder_of_wheels_asks_no_server_whatever_is_configured(
    way: str, tmp_path: Path, folder: TorchFolder, server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = server
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "*")
    if way == "pip.conf":
        (tmp_path / "pip.conf").write_text(f"[global]\nfind-links = {address}\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    else:
        monkeypatch.setenv(way, address)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    torch_wheel(wheels, "9.0", code="raise RuntimeError('of the folder')")
    with pytest.raises(InstallError, match="of the folder"):
        install_from_wheels(wheels, folder, silent, never)
    assert asked == []


def test_a_wheel_that_asks_for_an_address_gets_nothing(
    tmp_path: Path, folder: TorchFolder, server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = server
    monkeypatch.setenv("NO_PROXY", "*")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    torch_wheel(wheels, "9.0", needs=f"thing @ {address}thing-1.0-py3-none-any.whl")
    with pytest.raises(InstallError, match="asks for a file from an address; Riff fetches nothing"):
        install_from_wheels(wheels, folder, silent, never)
    assert asked == []


def test_a_wheel_that_asks_for_a_file_elsewhere_is_refused(tmp_path: Path, folder: TorchFolder) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = elsewhere / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    torch_wheel(wheels, "9.0", needs=f"thing @ {other.as_uri()}")
    with pytest.raises(InstallError, match="from another place; Riff takes nothing from there"):
        install_from_wheels(wheels, folder, silent, never)


@pytest.mark.skipif(os.name == "nt", reason="no such name there")
def test_a_folder_with_the_systems_separator_in_its_name_is_the_one_that_is_tried(tmp_path: Path) -> None:
    folder = TorchFolder(tmp_path / f"root in x{os.pathsep}y", python_tag(), "cpu")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    torch_wheel(wheels, "9.0", code="raise RuntimeError('broken, but this one')")
    with pytest.raises(InstallError, match="broken, but this one"):
        install_from_wheels(wheels, folder, silent, never)


@pytest.mark.parametrize(
    "raised",
    [
        "ImportError('DLL load failed while importing _C: The specified module could not be found.')",
        "OSError('[WinError 126] The specified module could not be found. Error loading c10.dll or its dependencies')",
        "OSError('[WinError 1114] A dynamic link library (DLL) initialization routine failed. Error loading c10.dll')",
    ],
)
def test_a_library_that_windows_cannot_load_names_the_runtime(tmp_path: Path, raised: str) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text(f"raise {raised}")
    with pytest.raises(
        TrialError, match=r"Visual C\+\+ runtime .* https://aka\.ms/vs/17/release/vc_redist\.(x64|arm64)\.exe"
    ):
        try_python(Path(sys.executable), never, torch=tmp_path)
    (tmp_path / "torch/__init__.py").write_text("raise OSError('[WinError 5] Access is denied')")
    with pytest.raises(TrialError, match="does not work: OSError"):
        try_python(Path(sys.executable), never, torch=tmp_path)


def test_of_two_versions_in_a_folder_the_newer_is_installed(tmp_path: Path, folder: TorchFolder) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("9.0", "10.0"):
        torch_wheel(wheels, version, code=f"raise RuntimeError('version {version}')")
    with pytest.raises(InstallError, match=r"version 10\.0"):
        install_from_wheels(wheels, folder, silent, never)


def test_a_half_unpacked_pytorch_is_unfinished_and_is_replaced(tmp_path: Path, folder: TorchFolder) -> None:
    folder.begin()
    (folder.packages / "torch").mkdir()
    (folder.packages / "torch/left.py").touch()
    assert folder.standing() is InstallState.INCOMPLETE
    torch_wheel(tmp_path, "9.0", code="raise RuntimeError('of the folder')")
    with pytest.raises(InstallError, match="of the folder"):
        install_from_wheels(tmp_path, folder, silent, never)
    assert not (folder.packages / "torch/left.py").exists()
    assert folder.standing() is InstallState.INCOMPLETE


def test_a_test_that_does_not_end_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr("core.torch_trial.trial.TEST_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(TrialError, match="has not ended"):
        try_python(Path(sys.executable), never, torch=tmp_path)
    assert time.monotonic() - started < 5.0


def test_a_folder_that_lacks_what_pytorch_needs(tmp_path: Path, folder: TorchFolder) -> None:
    torch_wheel(tmp_path, "9.0", needs="sympy")
    with pytest.raises(InstallError, match=r"The folder lacks sympy.*pip download torch"):
        install_from_wheels(tmp_path, folder, silent, never)
    assert folder.standing() is InstallState.INCOMPLETE


def test_without_network_it_says_so(tmp_path: Path, folder: TorchFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.torch_install.pip_process.RETRIES", 1)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    with pytest.raises(InstallError, match=r"index cannot be reached.*folder of wheels"):
        fetch(small_plan(tmp_path), folder.downloads, silent, never)


def test_a_wheel_with_another_hash_is_refused(
    tmp_path: Path, folder: TorchFolder, server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = server
    place = tmp_path / "server/torch"
    place.mkdir()
    torch_wheel(place, "98.0", code="raise RuntimeError('of a stranger')")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", address)
    path = tmp_path / "torch-linux-x64-cuda12-py311.txt"
    path.write_text(f"--extra-index-url {address}\ntorch==98.0 \\\n    --hash=sha256:{'0' * 64}\n")
    plan = TorchRelease(path, "linux-x64", "cuda12", "NVIDIA", "98.0", 1, 2, "")
    with pytest.raises(InstallError, match=r"file of torch==98.0 that came .*hash differs.*refused"):
        install(plan, folder, silent, never)
    assert any("torch-98.0" in path for path in asked), "it was fetched, and looked at"
    assert list(folder.packages.iterdir()) == []
    assert not list(folder.downloads.glob("*.whl"))


def small_plan(tmp_path: Path) -> TorchRelease:
    """A plan of two small real packages, with the hashes of the real one."""
    real = next(plan for plan in plans("linux-x64", "py311") if plan.backend == "cpu")
    wanted = [group for group in real.groups() if group.startswith(("filelock", "mpmath"))]
    path = tmp_path / "torch-linux-x64-cpu-py311.txt"
    path.write_text("".join(wanted), encoding="utf-8")
    return TorchRelease(path, "linux-x64", "cpu", "CPU", "2", 1, 2, "")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash differs"),
        ("ERROR: [Errno 13] Permission denied: '/x'", "may not write"),
        ("ERROR: No matching distribution found for torch==9", "no file of torch==9"),
        ("WARNING: broken by 'ProxyError'\nERROR: No matching distribution found for torch==9", "cannot be reached"),
        ("", "it said nothing"),
    ],
)
def test_pips_complaints_become_sentences(said: str, sentence: str) -> None:
    assert sentence in sentence_for(said)


def test_pip_runs_out_of_its_wheel() -> None:
    done = subprocess.run([*pip_command(), "--version"], capture_output=True, text=True, check=True)
    assert "pip-" in done.stdout
    assert ".whl" in done.stdout


def test_the_finder_waits_until_torch_is_asked_for(folder: TorchFolder) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from core.torch_install.finder import TorchFinder
import importlib.util
folder = Path({str(folder.packages)!r})
finder = TorchFinder()
finder.use(folder)
before = importlib.util.find_spec("beside_torch")
found = importlib.util.find_spec("torch")
import torch
import beside_torch
paths = list(sys.path)
finder.use(None)
print(before is None, found.origin.startswith(str(folder)), torch.KEY, str(folder) in paths, finder in sys.meta_path)
"""
    folder.begin()
    (folder.packages / "torch").mkdir()
    (folder.packages / "torch/__init__.py").write_text("KEY = 7\n")
    (folder.packages / "beside_torch.py").write_text("")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "True", "7", "False", "False"], done.stderr
    assert TorchFinder().find_spec("torch") is None


@pytest.mark.slow
def test_fetching_goes_on_where_it_was_stopped(tmp_path: Path, folder: TorchFolder) -> None:
    """Two real packages from the index; what has come by the time it is stopped is not fetched again."""
    plan = small_plan(tmp_path)

    def stop_after_one() -> bool:
        return bool(list(folder.downloads.glob("*.whl")))

    with pytest.raises(Cancelled):
        fetch(plan, folder.downloads, silent, stop_after_one)
    (first,) = folder.downloads.glob("*.whl")
    before = first.stat().st_mtime_ns
    fetch(plan, folder.downloads, silent, never)
    assert len(list(folder.downloads.glob("*.whl"))) == 2
    assert first.stat().st_mtime_ns == before
    assert not (folder.downloads / "scratch").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or python_tag() != "py311", reason="the pinned files of Linux and 3.11")
def test_pytorch_is_installed_interrupted_resumed_and_reinstalled_offline(
    tmp_path: Path, folder: TorchFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real thing, from the index, stopped half-way; then from a folder of wheels without any network."""
    plan = next(plan for plan in plans() if plan.backend == "cpu")
    shares: list[float] = []
    with pytest.raises(Cancelled):
        install(plan, folder, lambda _, share: shares.append(share), lambda: bool(shares) and shares[-1] > 0.72)
    assert folder.standing() is InstallState.INCOMPLETE
    kept = {path.name: path.stat().st_mtime_ns for path in folder.downloads.glob("*.whl")}
    assert len(kept) == 10
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for path in folder.downloads.glob("*.whl"):
        os.link(path, wheels / path.name)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    facts = install(plan, folder, silent, never)
    assert facts["torch"] == plan.torch, "all had been fetched: it goes on without the network"
    assert json.loads(folder.record.read_text())["device"].startswith("CPU")
    assert folder.standing(plan.fingerprint) is InstallState.READY
    assert folder.missing_files() == []
    victim = folder.packages / "torch/_tensor.py"
    digest = hashlib.sha256(victim.read_bytes()).hexdigest()
    victim.unlink()
    with pytest.raises(InstallError, match=r"“torch/_tensor.py” of PyTorch is gone"):
        try_folder(folder)
    assert install_from_wheels(wheels, folder, silent, never)["torch"] == plan.torch
    assert hashlib.sha256(victim.read_bytes()).hexdigest() == digest
    folder.remove()
    assert folder.standing() is InstallState.ABSENT


@pytest.mark.parametrize(
    "plan", [plan for plan in plans("windows-x64", "py313") if not plan.hashed], ids=lambda plan: plan.backend
)
def test_what_has_no_hash_is_not_fetched(folder: TorchFolder, plan: TorchRelease) -> None:
    with pytest.raises(InstallError, match=r"hashes of PyTorch for .* are not known"):
        install(plan, folder, silent, never)
    assert not folder.root.exists() or list(folder.root.iterdir()) == []


def test_what_can_be_fetched_comes_first() -> None:
    offered = plans("windows-x64", "py313")
    chosen = suggested("xpu", offered)
    assert chosen is not None
    assert (chosen.backend, chosen.hashed) == ("cpu", True)
    (arm,) = plans("windows-arm64", "py313")
    assert suggested("cpu", [arm]) == arm
    linux = suggested("cuda", plans("linux-x64", "py311"))
    assert linux is not None
    assert linux.backend == "cuda"
