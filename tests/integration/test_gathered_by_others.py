"""Results that a worker gathers are handed to the callback that their own tasks' messages name, and to no other."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from celery import chain, chord, group
from celery.exceptions import ChordError

from safecelery.testing.servers import RedisServer
from tests.integration.gathered_app import QUEUE
from tests.integration.gathered_stage import Gathered, gathered
from tests.integration.stage import TIMEOUT, eventually


@pytest.fixture(scope="module", params=["redis", "sqlite"])
def run(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gathered]:
    with gathered(redis_server, tmp_path_factory.mktemp("others"), request.param) as ready:
        yield ready


def loot(run: Gathered, *args: Any, **kwargs: Any) -> Any:
    """The thief's callback."""
    return run.thief.tasks["service.loot"].s(*args, **kwargs).set(queue=QUEUE, task_id=uuid.uuid4().hex)


def unlock(run: Gathered, callback: Any, *task_ids: str) -> None:
    """The task that gathers results by their ids, sent by the thief."""
    found = [[[task_id, None], None] for task_id in task_ids]
    run.thief.tasks["celery.chord_unlock"].apply_async((uuid.uuid4().hex, callback), {"result": found}, queue=QUEUE)


def refused(run: Gathered, task_id: str) -> str:
    """What is told under the id of a callback that was not called."""
    with pytest.raises(ChordError) as told:
        run.app.AsyncResult(task_id).get(timeout=TIMEOUT)
    assert run.canary not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("name", ["keep", "plain"])
def test_the_result_of_anothers_task_is_not_handed_on(run: Gathered, name: str) -> None:
    task = run.sign("keep", run.canary) if name == "keep" else run.app.tasks["service.loot"].si(run.canary)
    sent = task.set(queue=QUEUE).apply_async()
    assert sent.get(timeout=TIMEOUT) == run.canary
    unlock(run, callback := loot(run), sent.id)
    assert "result-of-another-chord" in refused(run, callback.id)


def test_nor_those_of_a_chord_to_its_own_callback_with_other_arguments(run: Gathered) -> None:
    """Whoever reads the broker can take the honest callback, id and all."""
    body = run.app.tasks["service.loot"].s().set(queue=QUEUE, task_id=uuid.uuid4().hex)
    sent = chord([run.sign("keep", run.canary), run.sign("one")], body).apply_async()
    assert sorted(map(str, sent.get(timeout=TIMEOUT))) == sorted(["1", run.canary])
    callback = body.clone()
    callback.kwargs["to"] = "thief"
    unlock(run, callback.set(task_id=uuid.uuid4().hex), *[result.id for result in sent.parent.results])
    assert "result-of-another-chord" in refused(run, callback.id)


def test_nor_what_a_task_raised(run: Gathered) -> None:
    sent = run.sign("loud", run.canary).apply_async()
    with pytest.raises(ValueError, match=run.canary):
        sent.get(timeout=TIMEOUT)
    unlock(run, callback := loot(run), sent.id)
    assert "not for this chord to know" in refused(run, callback.id)


def test_nor_by_the_worker_that_has_read_it_before(run: Gathered) -> None:
    """Celery's cache of results would give it to whoever asks."""
    sent = run.sign("keep", run.canary).apply_async()
    assert sent.get(timeout=TIMEOUT) == run.canary
    for _ in range(4):  # of two children
        unlock(run, callback := loot(run), sent.id)
        assert "result-of-another-chord" in refused(run, callback.id)


def test_a_task_that_says_it_is_of_anothers_chord_neither_gets_its_parts_nor_spoils_it(
    run: Gathered, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    header = [run.sign("keep", run.canary), run.sign("wait", str(go), "waited")]
    sent = chord(header, run.app.tasks["service.secret-loot"].s().set(queue=QUEUE)).apply_async()
    assert run.app.AsyncResult(sent.parent.results[0].id).get(timeout=TIMEOUT) == run.canary
    one, callback = run.thief.tasks["service.one"], loot(run)
    for index in range(3):
        mine = one.apply_async(queue=QUEUE, group_id=sent.parent.id, group_index=index, chord=callback)
        assert run.app.AsyncResult(mine.id).get(timeout=TIMEOUT) == 1
    go.touch()
    assert sent.get(timeout=TIMEOUT) == [run.canary, "waited"]
    assert not run.app.AsyncResult(callback.id).ready()
    if run.on_redis:
        assert run.worker.log.count("result-of-another-chord") >= 3


def test_a_saved_group_of_others_results_is_no_header(run: Gathered) -> None:
    if not run.on_redis:
        pytest.skip("only Redis keeps headers")
    sent = run.sign("keep", run.canary).apply_async()
    assert sent.get(timeout=TIMEOUT) == run.canary
    mine, callback, backend = uuid.uuid4().hex, loot(run), run.thief.backend
    saved = run.thief.GroupResult(mine, [run.thief.GroupResult("x", [run.thief.AsyncResult(sent.id)])])
    backend._set_chord_key(backend.get_key_for_group(mine), backend.sealed_group(mine, saved))
    backend.set_chord_size(mine, 1)
    with run.redis_place() as client:  # as the honest sender's backend says it: without a chord it is not looked at
        client.delete(f"celery-taskset-meta-{mine}.safecelery-s")
    run.thief.tasks["service.one"].apply_async(queue=QUEUE, group_id=mine, group_index=0, chord=callback)
    assert "result-of-another-chord" in refused(run, callback.id)


# What honest chords consist of ------------------------------------------------------------------------------------

ODD = {
    "at": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "price": Decimal("1.50"), "id": uuid.UUID(int=7),
    "blob": b"\x00\xff", "pair": (1, 2), "by number": {2: "b", 10: "a"}, "text": "Grüße", "number": 1.5e300,
}  # fmt: skip


def header_of(run: Gathered, name: str) -> list[Any]:
    one, again = run.sign("one"), run.sign("again", "again")
    return {
        "tasks": [one, one],
        "a retried task": [again, one],
        "a chain": [chain(one, one, again), one],
        "a chain that ends in a group": [chain(one, group(one, one)), one],
        "a group": [group(one, one), one],
        "a chord": [chord([one, one], run.app.tasks["service.loot"].s().set(queue=QUEUE)), one],
        "a chain of chords": [chain(chord([one, one], one), chord([one], one)), one],
        "a task that becomes a chain": [run.sign("becomes", "chain"), one],
        "a task that becomes a group": [run.sign("becomes", "group"), one],
        "a task that becomes a chord": [run.sign("becomes", "chord"), one],
    }[name]


EXPECTED: dict[str, list[Any]] = {
    "tasks": [1, 1],
    "a retried task": ["again", 1],
    "a chain": ["again", 1],
    "a chain that ends in a group": [1, 1, 1],
    "a group": [1, 1, 1],
    "a chord": [[1, 1], 1],
    "a chain of chords": [1, 1],
    "a task that becomes a chain": [1, 1],
    "a task that becomes a group": [[1, 1], 1],
    "a task that becomes a chord": [[1], 1],
}


def body_of(run: Gathered, name: str, task: str) -> Any:
    final = run.app.tasks[f"service.{task}"].s
    return {
        "a task": lambda: final(**ODD),
        "a chain": lambda: chain(final(), run.app.tasks["service.loot"].s()),
        "a group": lambda: group(final(), final()),
        "a chord": lambda: chord([final(), final()], final()),
    }[name]().set(queue=QUEUE)


def flat(value: Any) -> list[str]:
    return sorted(text for inner in value for text in flat(inner)) if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize("task", ["loot", "secret-loot"])
@pytest.mark.parametrize("name", EXPECTED)
def test_the_callback_of_an_honest_chord_gets_all_parts(run: Gathered, name: str, task: str) -> None:
    sent = chord(header_of(run, name), body_of(run, "a task", task)).apply_async()
    assert flat(sent.get(timeout=TIMEOUT)) == flat(EXPECTED[name])


@pytest.mark.parametrize("task", ["loot", "secret-loot"])
@pytest.mark.parametrize("name", ["a chain", "a group", "a chord"])
def test_whatever_the_callback_is(run: Gathered, name: str, task: str) -> None:
    sent = chord(header_of(run, "a retried task"), body_of(run, name, task)).apply_async()
    twice = 1 if name == "a chain" else 2
    assert flat(sent.get(timeout=TIMEOUT)) == flat(["again", 1] * twice)


def test_a_chord_in_a_chord_that_fails_says_why(run: Gathered) -> None:
    inner = chord([run.sign("loud", "inside"), run.sign("one")], run.sign("one"))
    sent = chord([inner, run.sign("one")], run.sign("one")).apply_async()
    if run.on_redis:  # Celery tells the outer chord nothing there
        inside = sent.parent.results[0]
        with pytest.raises(ChordError, match="said inside"):
            run.app.AsyncResult(inside.id).get(timeout=TIMEOUT)
        return
    with pytest.raises(ChordError, match="said inside"):
        run.app.AsyncResult(sent.id).get(timeout=TIMEOUT)


def test_a_task_after_one_that_failed_fails_its_chord_with_what_was_raised(run: Gathered) -> None:
    sent = chord([chain(run.sign("loud", "first"), run.sign("one")), run.sign("one")], run.sign("one")).apply_async()
    with pytest.raises(ChordError, match="said first"):
        run.app.AsyncResult(sent.id).get(timeout=TIMEOUT)


def test_the_digest_of_an_encrypted_callback_cannot_be_guessed(run: Gathered) -> None:
    """It is salted, and the salt is not sent along with the callback."""
    sent = chord([run.sign("one")] * 2, run.app.tasks["service.secret-loot"].s(1234).set(queue=QUEUE)).apply_async()
    assert sent.get(timeout=TIMEOUT) == [1, 1]
    eventually(lambda: run.app.AsyncResult(sent.id).ready())
    assert b"safecelery_salt" not in run.kept()
    assert "safecelery_salt" not in run.worker.log
