"""What surrounds a named file is there to be imported, and is not checked itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import facts, lint

CELERY = (
    'from celery import Celery\napp = Celery("orders", broker="redis://redis.example")\napp.conf.task_time_limit = 30\n'
)
TASKS = "from orders.celery import app\n\n\n@app.task\ndef ship(order_id: int) -> None: ...\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "celery.py").write_text(CELERY)
    (folder / "tasks.py").write_text(TASKS)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("named", ["orders/tasks.py", "tasks.py"])
def test_a_single_file_finds_the_app_of_its_package(package: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if named == "tasks.py":
        monkeypatch.chdir(package)
    document = facts([named], LintConfig(cache=False))
    (task,) = document["tasks"]
    assert task["name"] == "orders.tasks.ship"
    assert task["options"]["time_limit_effective"]["value"] == 30


def test_what_was_not_named_is_not_reported(package: Path) -> None:
    result = lint(["orders/tasks.py"], LintConfig(cache=False))
    assert {finding.path for finding in (*result.findings, *result.undecided)} == {"orders/tasks.py"}
    assert result.files == 1


def test_files_beside_a_named_one_outside_packages_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work.py").write_text(CELERY)
    (tmp_path / "jobs.py").write_text(TASKS.replace("orders.celery", "work"))
    monkeypatch.chdir(tmp_path)
    document = facts(["jobs.py"], LintConfig(cache=False))
    assert [task["name"] for task in document["tasks"]] == ["jobs.ship"]
