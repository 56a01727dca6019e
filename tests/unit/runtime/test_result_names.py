"""Which task an id was sent with, and who answers in whose name."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery, chain, chord, group

from safecelery.message.result import REPLACES
from safecelery.runtime.results.replaced import answers_for, stands_in
from safecelery.runtime.results.sent import SentTasks
from tests.unit.runtime.results_app import request_of


@pytest.fixture
def app() -> Celery:
    made = Celery("names", broker="memory://", backend="cache+memory://", set_as_current=False)
    made.task(name="a", shared=False)(lambda_like)
    made.task(name="b", shared=False)(lambda_like)
    return made


def lambda_like(*args: Any) -> None:
    """A task's code."""


def test_the_youngest_are_remembered() -> None:
    sent = SentTasks(most=2)
    for n in range(3):
        sent.add(f"t-{n}", f"task-{n}")
    assert [sent.name_of(f"t-{n}") for n in range(3)] == [None, "task-1", "task-2"]


def test_what_a_message_carries_is_remembered_too() -> None:
    sent = SentTasks()
    inner = {"task": "b", "options": {"task_id": "t-2", "headers": {REPLACES: {"id": "t-2", "task": "c"}}}}
    odd: list[Any] = [{"task": "d", "options": None}, {"task": "e", "options": {"task_id": 3}}]
    sent.add_message({"task": "a", "id": "t-1"}, ([], {}, {"chain": [inner, *odd], "callbacks": None}))
    sent.add_message({"task": "z", "id": "t-9"}, b"bytes")
    assert [sent.name_of(name) for name in ("t-1", "t-2", "t-9")] == ["a", "c", "z"]


def test_a_request_answers_for_its_own_task_or_the_one_that_it_replaces() -> None:
    assert answers_for(request_of("b", "t-1"), "t-1") == "b"
    replaced = {REPLACES: {"id": "t-1", "task": "a"}}
    assert answers_for(request_of("b", "t-1", **replaced), "t-1") == "a"
    assert answers_for(request_of("b", "t-2", **replaced), "t-2") == "b"
    assert answers_for(request_of("b", "t-1", **{REPLACES: "a"}), "t-1") == "b"
    assert answers_for(object(), "t-1") is None


@pytest.mark.parametrize("shape", ["task", "chain", "chord"])
def test_exactly_the_one_with_the_id_stands_in(app: Celery, shape: str) -> None:
    a, b = app.tasks["a"], app.tasks["b"]
    made = {
        "task": lambda: b.s(1),
        "chain": lambda: chain(a.s(1), b.s()),
        "chord": lambda: chord(group(a.s(1), a.s(2)), b.s()),
    }[shape]()
    made.freeze("t-1")
    stands_in(made, "t-1", "first")
    marked = [found for found in every(made) if REPLACES in (found["options"].get("headers") or {})]
    assert [(found["task"], found["options"]["headers"][REPLACES]) for found in marked] == [
        ("b", {"id": "t-1", "task": "first"})
    ]


def every(signature: Any) -> list[Any]:
    """All signatures in one."""
    if isinstance(signature, list | tuple):
        return [found for inner in signature for found in every(inner)]
    if not isinstance(signature, dict) or "task" not in signature:
        return []
    return [signature, *every(list((signature.get("kwargs") or {}).values()))]
