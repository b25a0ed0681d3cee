"""PyTorch's folder with other things in it than an installation leaves, and two Blenders that install at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.files.file_lock import try_lock
from core.torch_install.folder import InstallError, InstallState, TorchFolder
from core.torch_install.install import fetch, install, install_from_wheels
from core.torch_install.plan import TorchRelease, python_tag

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> TorchFolder:
    return TorchFolder(tmp_path / "torch", python_tag(), "cpu")


def plan_of(tmp_path: Path) -> TorchRelease:
    """A release of one small package with a hash of nothing."""
    path = tmp_path / "torch-linux-x64-cpu-py311.txt"
    path.write_text("thing==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    return TorchRelease(path, "linux-x64", "cpu", "processor", "1.0", 1, 1, "tried")


@pytest.mark.parametrize("odd", [b"\xff\xfe\xff", b"\0" * 200_000, b'"' + b"x" * 200_000, None])
def test_a_damaged_list_of_files_is_named(folder: TorchFolder, odd: bytes | None) -> None:
    """A power cut leaves zeros; what an antivirus program holds cannot be read."""
    folder.begin()
    place = folder.packages / "torch-1.0.dist-info"
    place.mkdir()
    if odd is None:
        (place / "RECORD").mkdir()
    else:
        (place / "RECORD").write_bytes(odd)
    assert folder.missing_files() == ["torch-1.0.dist-info/RECORD"]
    assert "“torch-1.0.dist-info/RECORD” of PyTorch is gone or damaged" in folder.what_is_gone()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_keep_nobody_waiting(folder: TorchFolder, tmp_path: Path) -> None:
    folder.begin()
    place = folder.packages / "torch-1.0.dist-info"
    place.mkdir()
    os.mkfifo(place / "RECORD")
    os.mkfifo(folder.downloads / "thing-1.0-py3-none-any.whl")
    ended: list[str] = []

    def try_both() -> None:
        ended.append(folder.what_is_gone())
        try:
            fetch(plan_of(tmp_path), folder.downloads, lambda _: None, lambda: True)
        except BaseException as error:
            ended.append(type(error).__name__)

    thread = threading.Thread(target=try_both, daemon=True)
    thread.start()
    thread.join(20.0)
    assert ended[1:] == ["Cancelled"]


@pytest.mark.parametrize("broken", [False, True])
def test_of_a_link_in_the_packages_place_the_link_goes(folder: TorchFolder, tmp_path: Path, broken: bool) -> None:
    """A person with little room on one disk may move the folder to another one, and link to it."""
    mine = tmp_path / "mine"
    if not broken:
        mine.mkdir()
        (mine / "file").write_text("mine")
    folder.root.mkdir()
    folder.packages.symlink_to(mine)
    folder.begin()
    assert folder.packages.is_dir()
    assert not folder.packages.is_symlink()
    folder.packages.rmdir()
    folder.packages.symlink_to(mine)
    folder.remove()
    assert folder.standing() is InstallState.ABSENT
    assert list(folder.root.iterdir()) == []
    assert broken or (mine / "file").read_text() == "mine"


def test_a_file_in_the_packages_place_is_replaced(folder: TorchFolder) -> None:
    folder.root.mkdir()
    folder.packages.write_text("half")
    folder.begin()
    assert folder.packages.is_dir()


def test_of_two_blenders_one_installs(folder: TorchFolder, tmp_path: Path) -> None:
    """The other leaves the first one's packages, downloads and marker as they are."""
    folder.begin()
    (folder.packages / "half.py").write_text("half")
    (tmp_path / "wheels").mkdir()
    tag = python_tag().removeprefix("py")
    (tmp_path / "wheels" / f"torch-1.0-cp{tag}-cp{tag}-any.whl").write_bytes(b"")
    held = try_lock(folder.packages)
    assert held is not None
    try:
        for attempt in (
            lambda: install(plan_of(tmp_path), folder, lambda *_: None, lambda: False),
            lambda: install_from_wheels(tmp_path / "wheels", folder, lambda *_: None, lambda: False),
            folder.remove,
        ):
            with pytest.raises(InstallError, match="Another Blender is installing PyTorch"):
                attempt()
        assert (folder.packages / "half.py").read_text() == "half"
        assert folder.standing() is InstallState.INCOMPLETE
    finally:
        held.release()
    folder.remove()
    assert list(folder.root.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="kill of POSIX")
def test_a_blender_that_died_while_it_installed_is_in_nobodys_way(folder: TorchFolder) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from core.torch_install.folder import TorchFolder\n"
        "folder = TorchFolder(Path(sys.argv[1]), sys.argv[2], 'cpu')\n"
        "claim = folder.claimed(); claim.__enter__(); folder.begin(); os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder.root), folder.python], cwd=ROOT, timeout=60, check=False
    )
    assert run.returncode == -9
    assert folder.standing() is InstallState.INCOMPLETE
    folder.remove()
    assert list(folder.root.iterdir()) == []
