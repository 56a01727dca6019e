"""Two calls of one operation on real workers: it is done once, both get its outcome, and a crash does not block it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service.factory import make_app

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.ledger_stage import LEASE_S, Declined, policy_in, register, worker_of
from tests.integration.stage import Identities, Stage, eventually, let_go

QUEUE = "idempotency"
WAIT = 60


@pytest.fixture(scope="module")
def served(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stage, CeleryProcess]]:
    directory = tmp_path_factory.mktemp("idempotency")
    keys = Identities(directory)
    for owner in ("worker", "producer"):
        keys.add(owner, send=["service.*"], queues=["*"], results=["*"])
    (directory / "witness.jsonl").touch()
    results = redis_server.url_for(13 if isinstance(broker, RedisServer) else 14)
    stage = Stage(broker, redis_server, results, keys, directory, directory / "witness.jsonl")
    stage.app = make_app(stage.settings("producer", policy=policy_in(stage)["SAFECELERY_POLICY"]))
    register(stage.app)
    with worker_of(stage, QUEUE) as worker:
        yield stage, worker
    let_go(stage.app)


@pytest.fixture
def stage(served: tuple[Stage, CeleryProcess]) -> Stage:
    return served[0]


@pytest.fixture
def order() -> str:
    return secrets.token_hex(4)


def pay(stage: Stage, order: str, **options: Any) -> Any:
    return stage.app.tasks["service.pay"].apply_async((order,), options, queue=QUEUE)


def runs(stage: Stage, order: str) -> int:
    return len(stage.witnesses("pay", order=order))


def test_a_second_call_gets_the_first_ones_result(stage: Stage, order: str) -> None:
    first = pay(stage, order).get(timeout=WAIT)
    assert pay(stage, order).get(timeout=WAIT) == first
    assert pay(stage, order + "-other").get(timeout=WAIT) != first
    assert runs(stage, order) == 1


def test_two_calls_at_once_are_done_once_and_the_waiting_one_takes_no_slot(
    stage: Stage, order: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    slow = pay(stage, order, gate=str(gate))
    eventually(lambda: runs(stage, order) == 1)
    waiting = [pay(stage, order) for _ in range(4)]
    meanwhile = stage.app.tasks["service.early"].apply_async((order,), queue=QUEUE)
    assert meanwhile.get(timeout=WAIT) == order
    assert not slow.ready(), "with two processes, one is free for other work"
    gate.touch()
    first = slow.get(timeout=WAIT)
    assert [one.get(timeout=WAIT) for one in waiting] == [first] * 4
    assert runs(stage, order) == 1


def test_more_waiting_than_a_task_may_retry(stage: Stage, order: str) -> None:
    """The task's ``max_retries`` is 0: waiting is no retry."""
    slow = pay(stage, order, seconds=8)
    eventually(lambda: runs(stage, order) == 1)
    assert pay(stage, order).get(timeout=WAIT) == slow.get(timeout=WAIT)


def test_a_failure_is_not_kept_and_a_declared_one_is(stage: Stage, order: str) -> None:
    with pytest.raises(ValueError, match="broken"):
        pay(stage, order, fail="broken").get(timeout=WAIT)
    with pytest.raises(Declined, match="no money"):
        pay(stage, order, fail="no money").get(timeout=WAIT)
    with pytest.raises(Declined, match="no money"):
        pay(stage, order).get(timeout=WAIT)
    assert runs(stage, order) == 2


def test_when_its_process_is_killed_the_next_one_does_it_after_the_lease(stage: Stage, order: str) -> None:
    killed = pay(stage, order, die=True)
    eventually(lambda: runs(stage, order) == 1)
    assert LEASE_S < WAIT
    assert pay(stage, order).get(timeout=WAIT)
    eventually(lambda: killed.ready(), timeout=WAIT)
    assert runs(stage, order) == 2
