"""Build the zips, the extension repository and checksums: `python wheels/pack.py --builder BLENDER_EXT.PY`.

They go to dist/. The same commit gives the same bytes: files lie in the zip by name, without dates. With --full the
zips carry PyTorch's wheels too, for machines without network. With --edition platform there are only the zips without
the installer, in dist/platform/.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from core.torch_install.plan import plans  # noqa: E402
from wheels.platform_edition import write_source  # noqa: E402

NEVER = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a zip: a zip cannot go without one."""

TAGS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64"),
    "windows-x64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_10_13_universal2"),
}
"""pip's names of the platforms that there is a PyTorch for."""


def build(builder: Path, source: Path, folder: Path, *options: str) -> list[Path]:
    """Blender's own builder on a source folder; returns the zips, made the same for the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("*.zip"))
    command = [sys.executable, str(builder), "build", f"--source-dir={source}", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = sorted(set(folder.glob("*.zip")) - before)
    for path in made:
        settle(path)
        validate = [sys.executable, str(builder), "validate", str(path)]
        subprocess.run(validate, check=True, stdout=subprocess.DEVNULL)
    return made


def settle(path: Path) -> None:
    """Write a zip anew with its files by name, without dates and owners."""
    part = path.with_suffix(".part")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(part, "w") as new:
        for name in sorted(info.filename for info in old.infolist() if not info.is_dir()):
            info = zipfile.ZipInfo(name, NEVER)
            info.create_system, info.external_attr = 3, 0o644 << 16
            # Wheels are zips already.
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            with old.open(name) as source, new.open(info, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
    part.replace(path)


def all_platforms(builder: Path, out: Path) -> Path:
    """One zip for every platform: what tests install and what a person may pass on."""
    with tempfile.TemporaryDirectory() as own:
        (made,) = build(builder, ROOT, Path(own), f"--output-dir={own}")
        return Path(shutil.move(made, out / made.name))


def repository(builder: Path, folder: Path) -> list[Path]:
    """A zip for each platform and the index by which Blender finds them and their updates."""
    shutil.rmtree(folder, ignore_errors=True)
    made = build(builder, ROOT, folder, f"--output-dir={folder}", "--split-platforms")
    command = [sys.executable, str(builder), "server-generate", f"--repo-dir={folder}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in made), encoding="utf-8")
    return made


def platform_edition(builder: Path, folder: Path, *, zip_only: bool = False) -> list[Path]:
    """Zips of the edition for Blender's extension platform: one for all, and one to upload for each platform."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as own:
        source = write_source(ROOT, Path(own) / "riff")
        one = build(builder, source, folder, f"--output-dir={folder}")
        if zip_only:
            return one
        return [*one, *build(builder, source, folder, f"--output-dir={folder}", "--split-platforms")]


def full(builder: Path, folder: Path, platform: str, pythons: list[str]) -> Path:
    """The zip of a platform with PyTorch's wheels for the given Pythons inside."""
    with tempfile.TemporaryDirectory() as own:
        source = Path(own) / "source"
        left = (".*", "__pycache__", "dist", "out", "build", "shared", "tests", "bench", "docs")
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*left))
        for python in pythons:
            fetch_torch(platform, python, source / "wheels/torch")
        keep_platform(source / "blender_manifest.toml", platform)
        name = f"riff-{version()}-{platform.replace('-', '_')}-{'-'.join(pythons)}-full.zip"
        (made,) = build(builder, source, Path(own) / "made", f"--output-filepath={Path(own) / 'made' / name}")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(made, folder / name))


def fetch_torch(platform: str, python: str, target: Path) -> None:
    """The wheels that a platform's plain plan pins; hashes are checked where they are pinned."""
    plan = next(plan for plan in plans(platform, python) if plan.backend in ("cpu", "mps"))
    number = f"3.{python.removeprefix('py3')}"
    command = [
        sys.executable,
        str(next(HERE.glob("pip-*.whl")) / "pip"),
        "download",
        "--quiet",
        "--only-binary=:all:",
        f"--dest={target}",
        f"--python-version={number}",
        "--implementation=cp",
        f"--abi=cp{number.replace('.', '')}",
        "--abi=abi3",
        "--abi=none",
        *(f"--platform={tag}" for tag in TAGS[platform]),
    ]
    for group in plan.groups():
        with tempfile.TemporaryDirectory() as own:
            wish = Path(own) / "wish.txt"
            wish.write_text(group, encoding="utf-8")
            alone = ["--no-deps", "--require-hashes"] if "--hash=" in group else []
            subprocess.run([*command, *alone, f"--requirement={wish}"], check=True)


def keep_platform(manifest: Path, platform: str) -> None:
    """Let a manifest name one platform and the wheel for it only."""
    text = re.sub(r"(?m)^platforms = .*$", f'platforms = ["{platform}"]', manifest.read_text(encoding="utf-8"))
    kept = [line for line in text.splitlines() if not line.strip().startswith('"./wheels/') or fits(line, platform)]
    manifest.write_text("\n".join(kept) + "\n", encoding="utf-8")


def fits(line: str, platform: str) -> bool:
    """Return whether a wheel's file name ends in one of the platform's tags."""
    return any(f"{tag}.whl" in line for tag in TAGS[platform])


def version() -> str:
    return str(tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))["version"])


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the zips and the extension repository.")
    parser.add_argument("--builder", type=Path, required=True, help="Blender's blender_ext.py")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--zip-only", action="store_true", help="the zip for all platforms alone")
    parser.add_argument("--full", action="store_true", help="zips with PyTorch inside")
    parser.add_argument("--platform", nargs="+", default=list(TAGS), help="platforms of --full")
    parser.add_argument("--pythons", nargs="+", default=["py311", "py313"], help="Pythons of --full")
    parser.add_argument("--edition", choices=("full", "platform"), default="full", help="platform: without installer")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.edition == "platform":
        made = platform_edition(options.builder, options.out / "platform", zip_only=options.zip_only)
    else:
        made = [all_platforms(options.builder, options.out)]
    if not options.zip_only and options.edition != "platform":
        made += repository(options.builder, options.out / "repository")
    if options.full:
        made += [full(options.builder, options.out / "full", name, options.pythons) for name in options.platform]
    for path in made:
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {sha256(path)[:16]}  {path.relative_to(options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
