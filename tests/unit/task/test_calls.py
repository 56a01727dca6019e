"""Calls: options and arguments are checked before anything is sent, and what is sent is sealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from safecelery import ArgumentsRejected, PolicyViolationError, SafeCelery, SafeTask, SealError, UnknownOptionError
from tests.unit.apps import an_app


class Item(BaseModel):
    """An argument."""

    sku: str
    count: int


@pytest.fixture
def app(tmp_path: Path) -> SafeCelery:
    app = an_app(tmp_path, memory=True)

    @app.task(name="orders.ship", time_limit=30, soft_time_limit=25)
    def ship(item: Item, *extra: Item, notes: dict[str, Item] | None = None) -> str:
        return item.sku

    sent(app)  # kombu's in-memory queues belong to the process: other tests may have left something
    return app


@pytest.fixture
def ship(app: SafeCelery) -> SafeTask[..., str]:
    task: SafeTask[..., str] = app.tasks["orders.ship"]
    return task


def sent(app: SafeCelery) -> list[Any]:
    """Every message on the queue, undecoded."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        found = []
        while (message := channel.basic_get("celery", no_ack=True)) is not None:
            found.append(message)
        return found


PEN = Item(sku="pen", count=1)


def test_models_travel_as_plain_json_however_deep(app: SafeCelery, ship: SafeTask[..., str]) -> None:
    ship.delay(PEN, PEN, notes={"a": PEN})
    (message,) = sent(app)
    plain = {"sku": "pen", "count": 1}
    assert json.loads(message.body)[:2] == [[plain, plain], {"notes": {"a": plain}}]
    assert message.headers["safecelery"].count(".") == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda task: task.apply_async((PEN,), countdwn=5),
        lambda task: task.signature((PEN,), countdwn=5),
        lambda task: task.subtask((PEN,), countdwn=5),
        lambda task: task.signature((PEN,), options={"countdwn": 5}),
        lambda task: task.app.send_task("orders.ship", (PEN,), countdwn=5),
        lambda task: task.app.send_task("orders.elsewhere", (PEN,), countdwn=5),
        lambda task: task.s(PEN).apply_async(countdwn=5),
        lambda task: task.s(PEN).set(countdwn=5).apply_async(),
    ],
)
def test_a_misspelt_option_is_refused_everywhere(app: SafeCelery, ship: SafeTask[..., str], call: Any) -> None:
    with pytest.raises(UnknownOptionError, match=r"'countdwn' \(did you mean 'countdown'\?\)") as caught:
        call(ship)
    assert "test_calls.py:" in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert sent(app) == []


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"serializer": "pickle"}, "SFC107"),
        ({"serializer": "application/x-python-serialize"}, "SFC107"),
        ({"time_limit": 31}, "SFC407"),
        ({"soft_time_limit": 26}, "SFC407"),
        ({"time_limit": None}, "SFC408"),
        ({"time_limit": 0}, "SFC408"),
        ({"time_limit": 5, "soft_time_limit": 10}, "SFC409"),
        ({"retries": -50}, "SFC609"),
        ({"countdown": 10**9}, "SFC504"),
        ({"eta": "2999-01-01T00:00:00"}, "SFC504"),
    ],
)
def test_a_call_beyond_the_policy_is_refused(
    app: SafeCelery, ship: SafeTask[..., str], options: dict[str, Any], rule: str
) -> None:
    with pytest.raises(PolicyViolationError, match=rule):
        ship.apply_async((PEN,), **options)
    assert sent(app) == []


@pytest.mark.parametrize("options", [{"time_limit": 20, "soft_time_limit": 10}, {"countdown": 5}, {"priority": 3}, {}])
def test_a_call_within_the_policy_is_sent(app: SafeCelery, ship: SafeTask[..., str], options: dict[str, Any]) -> None:
    ship.apply_async((PEN,), **options)
    assert len(sent(app)) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "named"),
    [
        ((), {}, "item"),
        (({"sku": "pen"},), {}, "item.count"),
        (({"sku": "pen", "count": "many"},), {}, "item.count"),
        ((PEN,), {"notes": {"a": 5}}, "notes.a"),
        ((PEN,), {"note": {}}, "note"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_name_and_without_values(
    app: SafeCelery, ship: SafeTask[..., str], args: tuple[Any, ...], kwargs: dict[str, Any], named: str
) -> None:
    with pytest.raises(ArgumentsRejected, match=rf"'orders.ship' do not fit:\n  {named}: ") as caught:
        ship.apply_async(args, kwargs)
    assert "many" not in str(caught.value)
    assert sent(app) == []


def test_a_dict_becomes_the_model_where_the_task_runs(ship: SafeTask[..., str]) -> None:
    assert ship({"sku": "pen", "count": 1}) == "pen"
    with pytest.raises(ArgumentsRejected):
        ship({"sku": "pen"})


def test_without_a_key_nothing_is_sent_and_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True, policy="migration", signing={})
    with pytest.raises(SealError, match="safecelery keys generate"):
        app.send_task("orders.ship")


def test_a_header_that_is_not_json_is_named_without_its_value(app: SafeCelery, ship: SafeTask[..., str]) -> None:
    with pytest.raises(SealError, match="header 'tenant'") as caught:
        ship.apply_async((PEN,), headers={"tenant": object()})
    assert "object at" not in str(caught.value)


def test_the_environment_cannot_make_a_compression_that_has_no_limit(app: SafeCelery, ship: SafeTask[..., str]) -> None:
    with pytest.raises(SealError, match="cannot be undone with a limit"):
        ship.apply_async((PEN,), compression="zstd")
