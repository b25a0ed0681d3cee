"""Count docstrings that break the house's rule: `python tests/docstrings.py [FOLDER …]` lists them and fails for any.

A docstring begins with a verb or a noun of the field: not with a question word, a relative clause or “The same”. No
sentence in it has “what”, “who” or “that which” as its subject.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "core",
    "rig",
    "sample",
    "state",
    "operators",
    "panels",
    "shell",
    "bench",
    "tests",
    "wheels",
    "requirements",
    "api.py",
)

OPENINGS = re.compile(
    r"(?:What|Whatever|Whether|How|Who|Whoever|Whose|Whom|Where|Wherever|When|Which|Why|That|That which|Those who|"
    r"So|As|Of|If|Not before|The same)\b"
)
SUBJECTS = re.compile(r"(?:^|[.;:]\s+)(?:What|Whatever|Who|Whoever|Whose|That which|Those who)\b(?![^.;]*\?)")


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring of a module, those of constants and attributes included."""
    for node in ast.walk(tree):
        for child in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            value = getattr(child, "value", None)
            if isinstance(child, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield child.lineno, value.value.strip()


def faults(path: Path) -> Iterator[str]:
    """One line for each docstring of a file that breaks the rule."""
    for line, text in docstrings(ast.parse(path.read_text(encoding="utf-8"))):
        flowing = " ".join(text.split())
        if OPENINGS.match(flowing) or SUBJECTS.search(flowing):
            yield f"{path.relative_to(ROOT)}:{line}: {flowing[:100]}"


def main(folders: list[str]) -> int:
    found: list[str] = []
    count = 0
    for room in folders or ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")) if (ROOT / room).is_dir() else [ROOT / room]:
            count += sum(1 for _ in docstrings(ast.parse(path.read_text(encoding="utf-8"))))
            found += faults(path)
    print("\n".join([*found, f"{len(found)} of {count} docstrings break the rule"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
