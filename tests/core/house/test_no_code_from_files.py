"""Nothing that Riff reads is ever run: no pickle, no eval, no shell, and no network but pip's in Install PyTorch."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = [
    ROOT / "__init__.py",
    ROOT / "api.py",
    *(
        path
        for folder in ("core", "rig", "sample", "state", "operators", "panels", "shell", "wheels")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ),
]

CODE = {"eval", "exec", "compile", "__import__", "execfile", "breakpoint"}
"""Builtins that make code of data."""

UNPACKERS = {
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "joblib",
    "cloudpickle",
    "yaml",
    "dbm",
    "xmlrpc",
    "code",
    "codeop",
    "pty",
}
NETWORK = {
    "socket",
    "ssl",
    "http",
    "ftplib",
    "smtplib",
    "telnetlib",
    "imaplib",
    "poplib",
    "asyncio",
    "requests",
    "httpx",
    "urllib3",
    "aiohttp",
    "websockets",
    "socketserver",
    "webbrowser",
    "torch.hub",
    "torch.distributed",
    "huggingface_hub",
}
PROCESSES = {"core/system/child_process.py", "wheels/fetch.py", "wheels/pack.py"}
"""Modules that may start processes; `test_processes_are_ours` looks at the commands."""

NEVER_CALLED = {
    "os.system",
    "os.popen",
    "os.startfile",
    "os.execv",
    "os.execvp",
    "os.spawnv",
    "os.fork",
    "torch.load",
    "torch.save",
    "np.load",
    "numpy.load",
    "np.save",
    "torch.jit.load",
    "torch.package",
    "pd.read_pickle",
    "bpy.utils.execfile",
    "shutil.unpack_archive",
    "os.symlink",
}


@functools.cache
def trees() -> list[tuple[str, ast.Module]]:
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in PACKAGE]


@functools.cache
def calls(tree: ast.Module) -> list[tuple[str, ast.Call]]:
    """Calls and what they call, as it is written: eval, os.system, self.run."""
    return [(_dotted(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _dotted(node: ast.AST) -> str:
    """a.b.c as it is written; of what is no chain of names only the end."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "…"


@functools.cache
def imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_whole_package_is_looked_at() -> None:
    names = {name for name, _ in trees()}
    assert len(names) > 150
    assert {"core/errors.py", "rig/background/child.py", "operators/train.py", "panels/train.py", "api.py"} <= names


@pytest.mark.parametrize("name", sorted(CODE | NEVER_CALLED))
def test_no_code_is_made_of_data(name: str) -> None:
    assert not [(path, call.lineno) for path, tree in trees() for called, call in calls(tree) if called == name]


def test_nothing_that_unpacks_objects_is_imported() -> None:
    for path, tree in trees():
        for module in imports(tree):
            parts = {module, module.partition(".")[0]}
            assert not parts & UNPACKERS, (path, module)


def test_nothing_of_the_network_is_imported() -> None:
    for path, tree in trees():
        if path.startswith("wheels/"):
            continue  # what builds the zip; it is not in it
        for module in imports(tree):
            assert not {module, module.partition(".")[0]} & NETWORK, (path, module)
            assert not module.startswith("urllib") or module in ("urllib.parse", "urllib.parse.quote"), (path, module)


def test_no_call_asks_for_pickles_or_a_shell() -> None:
    for path, tree in trees():
        for called, call in calls(tree):
            for keyword in call.keywords:
                value = keyword.value
                on = not (isinstance(value, ast.Constant) and not value.value)
                assert not (keyword.arg in ("allow_pickle", "shell", "weights_only", "trust_remote_code") and on), (
                    path,
                    called,
                    call.lineno,
                )
                assert not (keyword.arg == "use_scripts" and on), (path, called, call.lineno)


def test_processes_are_started_where_we_know_of_it() -> None:
    starting = {path for path, tree in trees() if "subprocess" in imports(tree) or "multiprocessing" in imports(tree)}
    assert starting <= PROCESSES
    for path, tree in trees():
        for called, call in calls(tree):
            if called in ("subprocess.Popen", "subprocess.run"):
                # a list of arguments, never a line that a shell would read
                assert not isinstance(call.args[0], ast.Constant | ast.JoinedStr), (path, call.lineno)


def test_modules_are_imported_by_names_that_stand_in_the_code() -> None:
    for path, tree in trees():
        for called, call in calls(tree):
            if called.endswith("import_module"):
                assert isinstance(call.args[0], ast.Constant), (path, call.lineno)
