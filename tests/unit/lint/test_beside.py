"""What a second process does beside the engine: with it, without it, and where it dies, the result is the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safecelery.lint import engine, outcome
from safecelery.lint.config import LintConfig
from safecelery.lint.finding import LintResult
from safecelery.lint.project.facts import everything

HERE = os.getpid()
APP = """
from celery import Celery

app = Celery("shop", broker="rediss://redis/0")
app.conf.task_default_strange = 1
app.conf.task_default_known = 2


@app.task
def charge(): ...
"""


@pytest.fixture(autouse=True)
def may_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecelery.lint.aside.can_fork", lambda: True)
    monkeypatch.setattr(outcome, "_MANY_SOURCES", 0)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "reader.py").write_text("from shop import app\n\nprint(app.conf.task_default_known)\n")
    return tmp_path


def linted(shop: Path, jobs: int | None = None) -> LintResult:
    return replace(engine.lint([str(shop)], LintConfig(cache=False, jobs=jobs)), seconds=0.0)


def dying(work: Callable[..., Any]) -> Callable[..., Any]:
    def only_here(*args: Any) -> Any:
        if os.getpid() != HERE:
            os._exit(9)
        return work(*args)

    return only_here


def test_the_second_process_changes_nothing(shop: Path) -> None:
    result = linted(shop)
    assert result == linted(shop, jobs=1)
    assert any("task_default_strange" in finding.message for finding in result.findings)
    assert not any("task_default_known" in finding.message for finding in result.findings)


def test_where_it_dies_the_work_is_done_here(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = linted(shop, jobs=1)
    monkeypatch.setattr(everything, "read_by_code", dying(everything.read_by_code))
    assert linted(shop) == alone
