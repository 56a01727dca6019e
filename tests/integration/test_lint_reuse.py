"""Runs of the same question: at once, one after the other, and after a change, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.integration.lint_process import SHOP, LintedProject
from tests.integration.test_lint_startup import imported

SETTLED_S = 2.3
"""Files that are younger may change again within a tick of their clock, so nothing of them is kept."""


def told(text: str) -> dict[str, Any]:
    """A JSON report without the time it took."""
    report: dict[str, Any] = json.loads(text)
    del report["summary"]["seconds"]
    return report


def kept(project: LintedProject) -> list[str]:
    folder = Path(project.cache, "safecelery")
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("result-"))


def test_runs_at_once_leave_one_result_that_the_next_one_takes(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP, "Dockerfile": "FROM python:3.12\nCMD celery -A tasks worker\n"})
    time.sleep(SETTLED_S)
    runs = [
        subprocess.Popen(
            linted.command("lint", "--format", "json"), cwd=linted.directory, env=linted.env,
            stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    reports = [told(run.communicate(timeout=60)[0]) for run in runs]
    assert reports[0]["findings"]
    assert reports == [reports[0]] * 4
    (name,) = kept(linted)
    assert name.endswith(".json")
    assert told(linted.run("lint", "--format", "json").stdout) == reports[0]


def test_a_spared_run_loads_nothing_that_reads_code(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    time.sleep(SETTLED_S)
    assert "safecelery.lint.engine" in imported(linted, "lint")
    reading = ("safecelery.lint.engine", "safecelery.lint.model", "safecelery.lint.project", "safecelery.lint.deploy")
    assert sorted(name for name in imported(linted, "lint") if name.startswith(reading)) == []


def test_what_fixes_and_baselines_are_made_of_is_found_anew(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    time.sleep(SETTLED_S)
    linted.run("lint")
    before = kept(linted)
    for words in (("--diff",), ("--fix",), ("--baseline", "known.json", "--update-baseline"), ("--no-cache",)):
        assert "safecelery.lint.engine" in imported(linted, "lint", *words)
    assert kept(linted) == before
    first = linted.codes()
    linted.run("lint", "--unsafe-fixes")
    assert (linted.directory / "tasks.py").read_text() != SHOP
    assert linted.codes() != first


def test_a_change_that_hides_its_size_and_time_is_seen(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    time.sleep(SETTLED_S)
    first = linted.codes()
    assert linted.codes() == first
    path = linted.directory / "tasks.py"
    before = path.stat()
    path.write_text(SHOP.replace("time_limit=30, soft_time_limit=20", "time_limit=20, soft_time_limit=30"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert linted.codes() != first
