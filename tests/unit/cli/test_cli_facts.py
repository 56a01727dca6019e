"""``safecelery facts``: the engine's document as JSON and as a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from safecelery.lint import engine
from tests.unit.cli.lint_fakes import FakeEngine

Run = Callable[..., Result]


def value(found: Any, state: str = "known", *, file: str = "shop/celery.py", env: tuple[str, ...] = ()) -> Any:
    because = [{"file": file, "line": 3, "what": "x"}] if file else []
    return {"state": state, "value": found, "env": list(env), "because": because}


DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "apps": [
        {
            "name": "shop", "file": "shop/celery.py", "line": 3,
            "conf": {"task_time_limit": value(60, "default", env=("LIMIT",)), "timezone": value(None, file="")},
        }
    ],
    "tasks": [
        {
            "name": "shop.add", "file": "shop/tasks.py", "line": 7, "app": "shop", "form": "decorator",
            "options": {"time_limit_effective": value(60, "default", env=("LIMIT",)), "acks_late": value(None),
                        "serializer": value(None, "unknown")},
            "unknown_options": ["ignore_results"],
        }
    ],
    "unparsed": [],
}  # fmt: skip


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine(document=DOCUMENT)
    monkeypatch.setattr(engine, "facts", fake.facts)
    return fake


def test_json_is_the_document_itself(run: Run, fake: FakeEngine) -> None:
    result = run("facts", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == DOCUMENT
    assert fake.asked[0][0] == (".",)


def test_the_table_marks_what_depends_on_the_environment_and_what_is_unknown(run: Run, fake: FakeEngine) -> None:
    lines = run("facts").stdout.splitlines()
    assert lines[:3] == ["app shop  shop/celery.py:3", "  task_time_limit  ~60", ""]
    assert lines[3].split()[:3] == ["TASK", "HARD", "SOFT"]
    assert lines[4].split() == ["shop.add", "~60", "-", "?", "ignore_results", "shop/tasks.py:7"]


def test_a_tree_without_tasks_says_so(run: Run, fake: FakeEngine) -> None:
    fake.document = {"schema": 1, "apps": [], "tasks": [], "unparsed": []}
    assert run("facts").stdout == "no tasks\n"


def test_a_file_that_could_not_be_read_gives_2(run: Run, fake: FakeEngine) -> None:
    fake.document = {**DOCUMENT, "unparsed": [{"file": "shop/x.py", "line": 2, "why": "cannot be parsed"}]}
    result = run("facts")
    assert result.exit_code == 2
    assert "not read: shop/x.py:2 cannot be parsed" in result.stdout


def test_options_reach_the_engine(run: Run, fake: FakeEngine) -> None:
    run("facts", "--settings", "shop.settings", "--exclude", "vendor", "--include-tests", "--no-cache")
    config = fake.asked[0][1]
    assert (config.settings, config.exclude, config.include_tests, config.cache) == (
        "shop.settings",
        ("vendor",),
        True,
        False,
    )
