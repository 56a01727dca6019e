"""The shape of the code: files and functions that read in one sitting, security code without coverage pragmas."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).resolve().parents[2]
LINES_PER_FILE = 300
LINES_PER_FUNCTION = 60
NO_PRAGMAS = ("policy", "keys", "message", "firewall", "runtime")
PACKAGE = sorted((ROOT / "safecelery").rglob("*.py"))
TESTS = sorted(path for folder in ("tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py"))


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > LINES_PER_FUNCTION:
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines"


def test_there_is_something_to_measure() -> None:
    assert ROOT / "safecelery" / "errors.py" in PACKAGE
    assert Path(__file__) in TESTS


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (*PACKAGE, *TESTS)}
    assert [f"{path.relative_to(ROOT)}: {n}" for path, n in lengths.items() if n > LINES_PER_FILE] == []


def test_every_file_that_is_to_begin_first_exists() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_no_function_is_too_long_to_read() -> None:
    assert [line for path in PACKAGE for line in long_functions(path)] == []


@pytest.mark.parametrize("folder", NO_PRAGMAS)
def test_security_code_hides_nothing_from_coverage(folder: str) -> None:
    files = sorted((ROOT / "safecelery" / folder).rglob("*.py"))
    assert files, f"safecelery/{folder} has no code"
    assert [str(path.relative_to(ROOT)) for path in files if "pragma: no cover" in path.read_text("utf-8")] == []
