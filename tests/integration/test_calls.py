"""Every way to call a task, through a real worker on each broker."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from celery.canvas import StampingVisitor
from celery.exceptions import TaskRevokedError
from service.factory import Item

from safecelery import ArgumentsRejected
from tests.integration.stage import IDLE, TIMEOUT, Stage, eventually


def test_delay(stage: Stage) -> None:
    assert stage.call("add", 2, y=3) == 5


def test_apply_async_with_options(stage: Stage) -> None:
    add = stage.app.tasks["service.add"]
    result = add.apply_async((2,), {"y": 4}, queue="extra", task_id="chosen-by-the-caller", headers={"tenant": "a"})
    assert result.id == "chosen-by-the-caller"
    assert result.get(timeout=TIMEOUT) == 6


def test_a_task_declared_as_a_class(stage: Stage) -> None:
    assert stage.call("charge", 7) == "charged 7"


def test_a_shared_task(stage: Stage) -> None:
    assert stage.call("factory.shared", 8) == 8


def test_a_bound_task_sees_only_what_was_signed_and_where_it_really_was_read(stage: Stage) -> None:
    context = stage.app.tasks["service.context"]
    seen = context.apply_async(queue="extra", headers={"tenant": "a"}).get(timeout=TIMEOUT)
    assert seen["headers"].get("tenant") == "a"
    assert "safecelery" not in seen["headers"]
    assert seen["delivery_info"]["routing_key"] == "extra"
    assert seen["retries"] == 0


@pytest.mark.parametrize("item", [Item(sku="pen", count=2), {"sku": "pen", "count": 2}], ids=["model", "dict"])
def test_a_pydantic_argument(stage: Stage, item: Any) -> None:
    assert stage.call("order", item, note="soon") == "2 x pen"


@pytest.mark.parametrize(("args", "named"), [((1, "two"), "y"), (({"sku": 1}, 2), "x"), ((1,), "y"), ((1, 2, 3), "2")])
def test_a_bad_argument_is_refused_before_anything_is_sent(stage: Stage, args: tuple[Any, ...], named: str) -> None:
    with pytest.raises(ArgumentsRejected, match=rf"'service.add'(.|\n)*\b{named}:"):
        stage.app.tasks["service.add"].apply_async(args, queue=IDLE)


def test_an_error_comes_back_as_itself(stage: Stage) -> None:
    with pytest.raises(ValueError, match="out of pens"):
        stage.call("fail", "out of pens")


def test_an_expired_message_does_not_run(stage: Stage) -> None:
    before = len(stage.witnesses("add", x=404))
    result = stage.app.tasks["service.add"].apply_async((404, 1), expires=datetime.now(UTC))
    with pytest.raises(TaskRevokedError):
        result.get(timeout=TIMEOUT)
    assert len(stage.witnesses("add", x=404)) == before


def test_a_message_that_expires_later_runs(stage: Stage) -> None:
    assert stage.app.tasks["service.add"].apply_async((1, 1), expires=60).get(timeout=TIMEOUT) == 2


def test_priority_reaches_the_worker_signed(stage: Stage) -> None:
    context = stage.app.tasks["service.context"]
    assert context.apply_async(priority=3).get(timeout=TIMEOUT)["delivery_info"]["priority"] == 3


class Stamp(StampingVisitor):
    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"batch": "b-1", "stamped_headers": ["batch"]}


def test_stamps_arrive(stage: Stage) -> None:
    signature = stage.app.tasks["service.add"].s(1, 2)
    signature.stamp(Stamp())
    assert signature.apply_async().get(timeout=TIMEOUT) == 3
    signature.apply_async(queue=IDLE)
    (item,) = stage.take(IDLE)
    assert item.headers["stamped_headers"] == ["batch"]
    assert item.headers["stamps"] == {"batch": "b-1"}


@pytest.mark.parametrize("compression", ["gzip", "bzip2", "lzma"])
def test_a_compressed_body(stage: Stage, compression: str) -> None:
    total = stage.app.tasks["service.total"]
    assert total.apply_async((list(range(2000)),), compression=compression).get(timeout=TIMEOUT) == 1999000


def test_an_ignored_result_still_runs(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((505, 0), ignore_result=True)
    eventually(lambda: stage.witnesses("add", x=505))


def test_a_hundred_calls_in_a_row_all_arrive(stage: Stage) -> None:
    results = [stage.app.tasks["service.add"].delay(n, 1) for n in range(100)]
    assert [result.get(timeout=TIMEOUT) for result in results] == [n + 1 for n in range(100)]
