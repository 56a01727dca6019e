"""Signatures have to be whole, of their own kind, and where Celery looks for them."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery, chain, chord, group
from celery.canvas import Signature

from safecelery.errors import Reason, Rejected
from safecelery.firewall import Body
from safecelery.firewall.checks.canvas_form import CANVAS_TASKS, canvas_form
from tests.unit.firewall.messages import a_context, a_message

TASK = "shop.refund"


@pytest.fixture(scope="module")
def app() -> Celery:
    app = Celery("plain", set_as_current=False)

    @app.task(name=TASK, lazy=False, shared=False)
    def refund(*args: Any) -> None:
        pass

    app.finalize()
    return app


def as_sent(signature: Signature) -> dict[str, Any]:
    """As JSON carries it."""
    if isinstance(signature, dict):
        return {name: as_sent(value) for name, value in signature.items()}
    if isinstance(signature, list | tuple):
        return [as_sent(value) for value in signature]
    return signature


def sig(task: str = TASK, **members: Any) -> dict[str, Any]:
    return {"task": task, "args": [], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False} | members


def check(*callbacks: Any, task: str = TASK, args: list[Any] | None = None, **kwargs: Any) -> None:
    canvas_form(a_message(task=task), Body(args or [], kwargs, {"callbacks": list(callbacks)}), a_context())


def refused(*callbacks: Any, **rest: Any) -> None:
    with pytest.raises(Rejected) as caught:
        check(*callbacks, **rest)
    assert caught.value.reason is Reason.BODY_MALFORMED


def test_what_celery_itself_makes_passes(app: Celery) -> None:
    one = app.signature(TASK)
    task = app.tasks[TASK]
    made = [
        one,
        chain(one, one, app=app),
        group([one, one], app=app),
        chord([one, one], one, app=app),
        chain(group([one, one], app=app), one, app=app),
        task.map([1]),
        task.starmap([[1]]),
        task.chunks([[1]], 1),
    ]
    for signature in made:
        check(as_sent(signature))


@pytest.mark.parametrize("value", [TASK, 1, True, {}, {"args": []}, {"task": 1}, {"task": None}])
@pytest.mark.parametrize("place", ["callback", "link", "chain", "group", "map"])
def test_anything_but_a_signature_is_refused(value: Any, place: str) -> None:
    match place:
        case "callback":
            refused(value)
        case "group":
            refused(sig("celery.group", subtask_type="group", kwargs={"tasks": [value]}))
        case "map":
            refused(task="celery.map", args=[value, []])
            refused(sig("celery.map", kwargs={"task": value, "it": []}))
        case option:
            refused(sig(options={option: [value]}))


@pytest.mark.parametrize("kind", ["chain", "group", "chord", "xmap", "xstarmap", "chunks", "", "nothing", 1])
def test_a_user_task_is_of_no_kind(kind: object) -> None:
    refused(sig(subtask_type=kind))


@pytest.mark.parametrize("task", [name for name, known in CANVAS_TASKS.items() if known.carries])
def test_an_embedded_canvas_task_without_its_signatures_is_refused(task: str) -> None:
    refused(sig(task, subtask_type=CANVAS_TASKS[task].kind))


def test_an_embedded_chord_unlock_is_refused() -> None:
    refused(sig("celery.chord_unlock", kwargs={"callback": sig()}))


def test_a_member_that_signatures_do_not_have_is_refused() -> None:
    refused(sig(queue="elsewhere"))


def test_arguments_of_a_user_task_are_its_own_business() -> None:
    check(sig(args=[TASK, {"task": 1}], kwargs={"tasks": [TASK]}))
    check(task=TASK, args=[TASK], tasks=[TASK])
