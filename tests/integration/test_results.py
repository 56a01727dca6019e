"""What results have to do, wherever they are kept: real workers, real callers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import chain, chord, group
from celery.exceptions import ChordError
from celery.result import AsyncResult, GroupResult

from safecelery import RemoteError, ResultTooLarge
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration import result_tasks
from tests.integration.result_stage import PLACES, ResultStage, on_result_stage
from tests.integration.stage import TIMEOUT, eventually

#: redis-py's word about what Celery calls to store.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
needs_store = pytest.mark.parametrize("place", ["redis", "sqlite", "postgresql"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=list(PLACES))
def place(request: pytest.FixtureRequest) -> str:
    """Each place in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def results(
    broker: RedisServer | RabbitServer,
    redis_server: RedisServer,
    place: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[ResultStage]:
    """A worker whose results go there."""
    database = request.getfixturevalue("postgresql_server") if place == "postgresql" else None
    with on_result_stage(broker, redis_server, tmp_path_factory.mktemp("results"), place, database) as stage:
        yield stage


def fetched(result: Any) -> Any:
    return result.get(timeout=TIMEOUT)


def test_a_value(results: ResultStage) -> None:
    assert fetched(results.task("service.add").delay(2, 3)) == 5


def test_a_group_in_order_and_by_iteration(results: ResultStage) -> None:
    sent = group(results.sign("add", n, 1) for n in range(5)).apply_async()
    assert fetched(sent) == [1, 2, 3, 4, 5]
    if sent.supports_native_join:
        assert sorted(value["result"] for _, value in sent.iter_native(timeout=TIMEOUT)) == [1, 2, 3, 4, 5]


def test_a_chain(results: ResultStage) -> None:
    sent = chain(results.sign("add", 1, 1), results.sign("add", 1), results.sign("add", 1)).apply_async()
    assert fetched(sent) == 4


def test_a_failure(results: ResultStage) -> None:
    with pytest.raises(ValueError, match="broken"):
        fetched(results.task("service.fail").delay("broken"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ZeroDivisionError", ZeroDivisionError), ("Declared", result_tasks.Declared), ("KeyError", KeyError)],
)
def test_an_exception_of_the_table_is_itself(results: ResultStage, name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="why"):
        fetched(results.task("results.raises").delay(name, "why"))


@pytest.mark.parametrize("name", ["Undeclared", "SyntaxError", "StopIteration"])
def test_any_other_is_told_by_name(results: ResultStage, name: str) -> None:
    with pytest.raises(RemoteError, match="why") as caught:
        fetched(results.task("results.raises").delay(name, "why"))
    assert caught.value.type_name.endswith(name)
    assert caught.value.text == "why"


def test_a_retried_task(results: ResultStage) -> None:
    assert fetched(results.task("service.flaky").delay(1)) == 1


@needs_store  # Celery replies to who sent the task, which of a replacement is the worker
def test_a_replaced_task_answers_in_the_name_of_the_first(results: ResultStage) -> None:
    assert fetched(results.task("service.replaced").delay(21)) == 42


def test_a_result_that_is_ignored_is_nowhere(results: ResultStage) -> None:
    sent = results.task("results.silent").delay()
    fetched(results.task("service.add").delay(1, 1))
    if results.place != "rpc":
        assert results.stored(sent.id) is None


def test_a_result_that_is_too_large_says_so(results: ResultStage) -> None:
    with pytest.raises(ResultTooLarge, match=r"results\.max_bytes"):
        fetched(results.task("results.large").delay(2_000_000))
    assert "its result is lost" in results.worker.log


def test_a_large_one_that_is_not_too_large(results: ResultStage) -> None:
    assert len(fetched(results.task("results.large").delay(1_000_000))) == 1_000_000


def test_children(results: ResultStage) -> None:
    sent = results.task("results.parent").delay(1)
    fetched(sent)
    (child,) = sent.children
    if results.place != "rpc":  # replies go to who sent the child
        assert fetched(child) == 2


@needs_store
def test_a_caller_in_another_process(results: ResultStage) -> None:
    sent = results.task("service.add").delay(20, 22)
    assert results.ask("get", sent.id) == {"value": 42}
    assert results.ask("state", sent.id) == {"value": "SUCCESS"}


@needs_store
def test_another_result_of_the_same_task(results: ResultStage) -> None:
    sent = results.task("service.add").delay(20, 2)
    assert fetched(AsyncResult(sent.id, app=results.app)) == 22


@needs_store
def test_progress(results: ResultStage, tmp_path: Path) -> None:
    sent = results.task("results.waits").delay(str(tmp_path / "go"))
    eventually(lambda: sent.state == "PROGRESS", what="progress")
    assert sent.info == {"done": 1}
    (tmp_path / "go").touch()
    assert fetched(sent) == "done"


@needs_store
def test_get_many(results: ResultStage) -> None:
    sent = [results.task("service.add").delay(n, 0) for n in range(3)]
    for one in sent:
        fetched(one)
    results.app.backend._cache.clear()
    if hasattr(results.app.backend, "get_many"):
        many = dict(results.app.backend.get_many([one.id for one in sent], timeout=TIMEOUT))
        assert {key: meta["result"] for key, meta in many.items()} == {one.id: n for n, one in enumerate(sent)}


@needs_store
def test_forget(results: ResultStage) -> None:
    sent = results.task("service.add").delay(1, 1)
    fetched(sent)
    sent.forget()
    assert results.stored(sent.id) is None
    assert AsyncResult(sent.id, app=results.app).state == "PENDING"


@needs_store
def test_a_saved_group(results: ResultStage) -> None:
    sent = group(results.sign("add", n, 1) for n in range(3)).apply_async()
    sent.save()
    assert fetched(GroupResult.restore(sent.id, app=results.app)) == [1, 2, 3]
    assert results.ask("group", sent.id) == {"value": [1, 2, 3]}
    sent.delete()
    results.app.backend._cache.clear()
    assert GroupResult.restore(sent.id, app=results.app) is None


@needs_store
def test_a_chord(results: ResultStage) -> None:
    sent = chord([results.sign("add", n, 1) for n in range(4)], results.sign("total")).apply_async()
    assert fetched(sent) == 10


@needs_store
def test_a_chord_in_a_chord(results: ResultStage) -> None:
    inner = chord([results.sign("add", n, 1) for n in range(2)], results.sign("total"))
    assert fetched(chord([inner, results.sign("add", 10, 0)], results.sign("total")).apply_async()) == 13


@needs_store
def test_a_chord_whose_header_has_groups(results: ResultStage) -> None:
    header = group([group(results.sign("add", 1, 1), results.sign("add", 2, 2)), results.sign("add", 3, 3)])
    assert fetched(chord(header, results.sign("note")).apply_async()) == "noted"


@needs_store
def test_a_chord_with_a_part_that_fails(results: ResultStage) -> None:
    body = results.sign("total").on_error(results.sign("note", f"errback-{results.place}"))
    with pytest.raises((ChordError, ValueError), match="part"):
        fetched(chord([results.sign("add", 1, 1), results.sign("fail", "part")], body).apply_async())
    eventually(lambda: [line for line in results.witnesses("note") if f"'errback-{results.place}'" in line["args"]])


@pytest.mark.parametrize("place", ["redis"], indirect=True, scope="module")
def test_a_chord_that_grows(results: ResultStage) -> None:
    header = [results.task("results.grows").s(1), results.sign("add", 1, 1)]
    assert fetched(chord(header, results.sign("total")).apply_async()) == 1 + 2 + 101


@pytest.mark.parametrize("many", [False, True])
def test_a_result_that_was_published_before_anybody_listened_is_found(
    results: ResultStage, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    """Nobody waits for Redis to know of a subscription: the publication may come first, and after the first look."""
    if results.place != "redis":
        pytest.skip("only Redis publishes")
    consumer, looks = results.app.backend.result_consumer, []
    looked = consumer.on_wait_for_pending

    def look(result: Any, **how: Any) -> None:
        looks.append(result)
        if len(looks) > 1:
            looked(result, **how)

    monkeypatch.setattr(consumer, "on_wait_for_pending", look)
    monkeypatch.setattr(consumer, "drain_events", lambda timeout=None: None)  # hears nothing
    sent = group([results.sign("add", 1, 1)] * 2).apply_async() if many else results.sign("add", 1, 1).apply_async()
    assert sent.get(timeout=TIMEOUT) == ([2, 2] if many else 2)
    assert len(looks) > 1
