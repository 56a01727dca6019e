"""Queues that calls, beat entries and exchanges name."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint

APP = """\
from celery import Celery
from kombu import Exchange, Queue

app = Celery("shop", broker="amqps://mq.internal//")
app.conf.task_queues = [Queue("celery"), Queue("fast", Exchange("fast"{mode}))]
app.conf.task_create_missing_queues = False


@app.task
def charge(order_id: int) -> None: ...


{rest}
"""


def codes(root: Path, rest: str = "", mode: str = "", worker: str = "worker: celery -A shop worker\n") -> set[str]:
    project = root / "project"
    project.mkdir()
    (project / "shop.py").write_text(APP.format(rest=rest, mode=mode))
    (project / "Procfile").write_text(worker)
    select = ("SFC511", "SFC512", "SFC513")
    result = lint([str(project)], LintConfig(select=select, cache=False, jobs=1, include_tests=True, root=project))
    return {finding.code for finding in result.findings}


@pytest.mark.parametrize(
    "rest",
    [
        "def pay():\n    charge.apply_async((1,), queue='slow')",
        "def pay():\n    app.send_task('shop.charge', queue='slow')",
        "app.conf.beat_schedule = {'a': {'task': 'shop.charge', 'schedule': 900.0, 'options': {'queue': 'slow'}}}",
    ],
)
def test_a_queue_that_a_call_or_an_entry_names_must_be_declared(tmp_path: Path, rest: str) -> None:
    assert "SFC512" in codes(tmp_path, rest)


@pytest.mark.parametrize(
    "rest",
    [
        "def pay():\n    charge.apply_async((1,), queue='fast')",
        "def pay():\n    app.send_task('billing.charge', queue='theirs')",
        "def pay(queue):\n    charge.apply_async((1,), queue=queue)",
    ],
)
def test_declared_queues_and_those_of_other_services_are_fine(tmp_path: Path, rest: str) -> None:
    assert codes(tmp_path, rest) == set()


def test_a_worker_whose_options_cannot_be_read_may_read_any_queue(tmp_path: Path) -> None:
    rest = "def pay():\n    charge.apply_async((1,), queue='fast')"
    line = "worker: celery -A shop worker -Q celery\n"
    (tmp_path / "one").mkdir()
    assert codes(tmp_path / "one", rest, worker=line) == {"SFC513"}
    assert codes(tmp_path, rest, worker=f"{line}more: celery -A shop worker $OPTIONS\n") == set()


def test_an_exchange_that_keeps_messages_in_memory_is_told(tmp_path: Path) -> None:
    assert codes(tmp_path, mode=", delivery_mode='transient'") == {"SFC511"}
