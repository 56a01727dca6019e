"""What the linter and the policy import, wherever in a file: the standard library, and what lies below them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Package -> the parts of safecelery that it may import.
ALLOWED = {
    "policy": {"safecelery.policy", "safecelery.errors", "safecelery.deferred"},
    "lint": {"safecelery.lint", "safecelery.policy", "safecelery.errors", "safecelery.deferred", "safecelery._version"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""


@pytest.mark.parametrize("package", ALLOWED)
def test_only_the_standard_library_and_the_layers_below_are_imported(package: str) -> None:
    files = sorted((ROOT / "safecelery" / package).rglob("*.py"))
    assert len(files) > 20
    odd = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in imports(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED[package])
    ]
    assert odd == []


def test_dataclasses_of_what_starts_often_are_deferred() -> None:
    """A hundred of the standard library's cost the linter a third of its start."""
    files = [path for package in ALLOWED for path in (ROOT / "safecelery" / package).rglob("*.py")]
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if "dataclass" in {alias.name for alias in node.names}
    ] == []


#: Files that import modules of ours by name, from a table of theirs.
TABLES = {"report/__init__.py", "fix/table.py", "source/stages.py"}


def test_nothing_in_the_linter_runs_code_that_it_reads() -> None:
    """No eval, exec or import by name of anything but our own modules."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.func.id}"
        for path in sorted((ROOT / "safecelery" / "lint").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in ("eval", "exec", "compile", "__import__", "import_module")
        if node.func.id != "import_module" or path.relative_to(ROOT / "safecelery/lint").as_posix() not in TABLES
    ]
    assert found == []


#: What the unit tests may import beside the package and pytest's own: the wheel is tested with these alone.
TEST_GROUP = {"pytest", "hypothesis", "jsonschema"}
#: Brought along by the package itself.
RUNTIME = {
    "celery",
    "kombu",
    "billiard",
    "amqp",
    "vine",
    "redis",
    "pydantic",
    "pydantic_settings",
    "cryptography",
    "click",
}


def test_unit_tests_need_no_more_than_the_test_group() -> None:
    known = sys.stdlib_module_names | TEST_GROUP | RUNTIME | {"safecelery", "tests"}
    odd = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "tests" / "unit").rglob("*.py"))
        for name in imports(path)
        if name.partition(".")[0] not in known or (name.startswith("tests.") and not name.startswith("tests.unit."))
    ]
    assert odd == []
