"""Whoever can write to the Redis of the ledger, the broker's unless stated, cannot say what came of an operation."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from service.factory import make_app

from safecelery.errors import OutcomeUnavailable
from safecelery.stores.redis import OUTCOME_PREFIX
from safecelery.testing.servers import RedisServer
from tests.integration.ledger_stage import policy_in, register, worker_of
from tests.integration.stage import TIMEOUT, Identities, Stage, let_go

QUEUE = "planted-outcomes"


@pytest.fixture(scope="module")
def stage(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("outcomes")
    keys = Identities(directory)
    for owner in ("worker", "producer"):
        keys.add(owner, send=["service.*"], queues=["*"], results=["*"])
    (directory / "witness.jsonl").touch()
    stage = Stage(redis_server, redis_server, redis_server.url_for(26), keys, directory, directory / "witness.jsonl")
    stage.app = make_app(stage.settings("producer", policy=policy_in(stage)["SAFECELERY_POLICY"]))
    register(stage.app)
    with worker_of(stage, QUEUE) as stage.worker:
        yield stage
    let_go(stage.app)


def pay(stage: Stage, order: str) -> str:
    """Done, and told."""
    receipt: str = stage.app.tasks["service.pay"].apply_async((order,), queue=QUEUE).get(timeout=TIMEOUT)
    return receipt


def kept(client: Any) -> set[bytes]:
    return set(client.scan_iter(f"{OUTCOME_PREFIX}*", count=10_000))


@contextlib.contextmanager
def attacked(stage: Stage) -> Iterator[tuple[str, Any, bytes]]:
    """An order that was paid, somebody at Redis, and the key that its outcome is under."""
    order = secrets.token_hex(4)
    with stage.admin() as client:
        before = kept(client)
        pay(stage, order)
        (key,) = kept(client) - before
        yield order, client, key


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda true, other: b'done {"value": "forged"}', id="unsigned"),
        pytest.param(lambda true, other: true.replace(b"receipt", b"forged "), id="changed"),
        pytest.param(lambda true, other: other, id="of-another-operation"),
        pytest.param(lambda true, other: b'done {"error": "builtins.SystemExit", "args": [1]}', id="system-exit"),
        pytest.param(lambda true, other: b"done \x80\x04.", id="pickle"),
    ],
)
def test_a_planted_outcome_is_not_told_and_the_operation_not_done_again(stage: Stage, forge: Any) -> None:
    with attacked(stage) as (_, client, key):
        other = client.get(key)
    with attacked(stage) as (order, client, key):
        client.set(key, forge(client.get(key), other), keepttl=True)
        with pytest.raises(OutcomeUnavailable, match="not believed"):
            pay(stage, order)
    assert len(stage.witnesses("pay", order=order)) == 1
    assert stage.worker.running
