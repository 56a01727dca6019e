"""What a run imports: nothing that takes long, nothing that is not needed, nothing of Celery."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.integration.lint_process import CLEAN, SHOP, LintedProject

#: Imports that nobody who lints pays for.
NEVER = {
    "celery", "kombu", "billiard", "amqp", "vine", "pydantic", "pydantic_core", "pydantic_settings", "cryptography",
    "redis", "django", "yaml", "asyncio", "unittest", "email", "http", "urllib.request", "ssl", "socket", "sqlite3",
    "multiprocessing", "concurrent.futures", "xml.dom", "xml.etree.ElementTree", "html", "logging",
    "importlib.metadata",
}  # fmt: skip


def imported(project: LintedProject, *words: str) -> set[str]:
    """The modules that Python says it imported, of itself at its start apart."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from safecelery.cli.main import main; main()", *words],
        cwd=project.directory, env=project.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    ours = next(number for number, line in enumerate(lines) if line.split("|")[-1].strip() == "site")
    return {line.split("|")[-1].strip() for line in lines[ours + 1 :]}


@pytest.mark.parametrize("content", [CLEAN, SHOP], ids=["clean", "findings"])
def test_linting_one_small_file_imports_nothing_heavy(linted: LintedProject, content: str) -> None:
    linted.write({"tasks.py": content})
    for _ in range(2):  # without a cache, and with one
        names = imported(linted, "lint", "tasks.py")
        assert "safecelery.lint.engine" in names
        assert sorted(names & NEVER) == []


def test_every_command_that_reads_leaves_the_runtime_alone(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    for words in (("facts",), ("rules",), ("lint", "--explain", "SFC401"), ("lint", "--format", "json")):
        names = imported(linted, *words)
        assert sorted(name for name in names if name.startswith(("safecelery.runtime", "safecelery.app"))) == []
        assert sorted(names & {"celery", "kombu", "pydantic", "cryptography", "redis", "asyncio"}) == []


def test_nothing_is_imported_from_the_project_that_is_checked(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP, "shop/__init__.py": "", "shop/more.py": "from tasks import app\n"})
    assert imported(linted, "lint").isdisjoint({"tasks", "shop", "shop.more"})
