"""What is due far ahead waits on the broker: in no worker's memory, in nobody's way, and it comes back when due."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from safecelery.brokers import broker_for
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.lonely_stage import DEAD, QUEUE, LonelyStage, lonely_stage
from tests.integration.stage import TIMEOUT, eventually

FLOOD = 3000
PARKED = f"safecelery:parked:{QUEUE}"


@pytest.fixture(scope="module")
def on_redis(
    own_redis_server: RedisServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LonelyStage]:
    directory = tmp_path_factory.mktemp("parking")
    with lonely_stage(own_redis_server, redis_server, directory, SAFECELERY_PARK_AHEAD="10") as stage:
        yield stage


@pytest.fixture(scope="module")
def on_rabbitmq(
    rabbitmq_server: RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LonelyStage]:
    directory = tmp_path_factory.mktemp("parking-rabbitmq")
    with lonely_stage(rabbitmq_server, redis_server, directory, SAFECELERY_PARK_AHEAD="10") as stage:
        yield stage


def send_many(stage: LonelyStage, count: int, x: int, countdown: float) -> None:
    add = stage.app.tasks["service.add"]
    with stage.app.producer_pool.acquire(block=True) as producer:
        for number in range(count):
            add.apply_async((x, number), countdown=countdown, producer=producer, ignore_result=True)


@pytest.mark.redis
def test_a_flood_neither_fills_the_memory_nor_starves_the_rest(on_redis: LonelyStage) -> None:
    stage = on_redis
    stage.canary()
    stage.forget_peak()
    before = stage.peak_mib()
    send_many(stage, FLOOD, 1, 3000)
    start = time.monotonic()
    stage.canary()
    waited = time.monotonic() - start
    with stage.admin() as client:
        eventually(lambda: client.zcard(PARKED) == FLOOD, what="all of them parked")
        assert parked(stage) == FLOOD
        eventually(lambda: client.hlen(f"safecelery:held:{QUEUE}") == 0, what="the canary's acknowledgement")
        client.delete(PARKED)
    assert stage.peak_mib() - before < 15
    assert waited < TIMEOUT / 2
    assert inspect(stage).scheduled() == {stage_name(stage): []}
    assert stage.witnesses("add", x=1, y=FLOOD - 1) == []


def parked(stage: LonelyStage) -> int:
    """As an operator's command counts them."""
    with stage.app.connection_for_read() as connection:
        return broker_for(stage.broker.url).parked(connection, [QUEUE])


def inspect(stage: LonelyStage) -> Any:
    """Ask the one worker."""
    return stage.app.control.inspect(timeout=TIMEOUT, limit=1)


def stage_name(stage: LonelyStage) -> str:
    (name,) = inspect(stage).ping()
    return str(name)


@pytest.mark.redis
def test_the_bytes_are_kept_and_it_runs_at_its_time(on_redis: LonelyStage) -> None:
    stage = on_redis
    due = time.time() + 16
    stage.app.tasks["service.add"].apply_async((2, 2), countdown=16)
    latest = time.time() + 16
    with stage.admin() as client:
        ((item, score),) = eventually(lambda: client.zrange(PARKED, 0, -1, withscores=True), what="it to be parked")
        assert due - 0.1 < score < latest + 0.1
        assert json.loads(item)["headers"]["task"] == "service.add"
    (ran,) = eventually(lambda: stage.witnesses("add", x=2, y=2), what="it to run")
    assert -0.5 < ran["at"] - due < TIMEOUT / 2
    with stage.admin() as client:
        assert not client.exists(PARKED)


@pytest.mark.redis
def test_a_parked_message_is_verified_again(on_redis: LonelyStage) -> None:
    stage = on_redis
    stage.take(DEAD)
    stage.app.tasks["service.add"].apply_async((3, 3), countdown=600)
    with stage.admin() as client:
        (item,) = eventually(lambda: client.zrange(PARKED, 0, -1))
        forged = json.loads(item)
        forged["body"] = "W1s0LCA0XSwge30sIHt9XQ=="
        client.delete(PARKED)
        client.zadd(PARKED, {json.dumps(forged): 0})
    (letter,) = stage.letters()
    assert letter["reason"] == "signature-invalid"


@pytest.mark.redis
def test_a_worker_killed_while_it_parks_loses_nothing(on_redis: LonelyStage) -> None:
    stage = on_redis
    count = 600
    send_many(stage, count, 5, 3000)
    with stage.admin() as client:
        eventually(lambda: client.zcard(PARKED) >= 20, what="some of them parked")
        for child in children(stage.worker.pid):
            os.kill(child, signal.SIGKILL)
        os.kill(stage.worker.pid, signal.SIGKILL)
        eventually(lambda: not stage.worker.running)
        stage.worker.stop()

        def left() -> int:
            return client.zcard(PARKED) + client.llen(QUEUE) + client.hlen(f"safecelery:held:{QUEUE}")

        eventually(lambda: left() == count, what="all of them somewhere")  # Redis does the dead one's last script, too
        # As after the visibility timeout.
        for tag in client.hkeys(f"safecelery:held:{QUEUE}"):
            client.zadd(f"safecelery:since:{QUEUE}", {tag: 0})
        stage.worker = stage.start_worker("second")
        eventually(lambda: client.zcard(PARKED) == count, what="all of them parked")
        client.delete(PARKED)
    stage.canary()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def delayed(stage: LonelyStage) -> int:
    return sum(stage.depth(f"celery_delayed_{level}") for level in range(28))


def empty_the_delay_queues(stage: LonelyStage) -> None:
    """Of what earlier tests on this broker left waiting, too: it must not be counted, nor come due meanwhile."""
    for level in range(28):
        stage.take(f"celery_delayed_{level}")


@pytest.mark.rabbitmq
def test_what_came_to_rabbitmqs_queue_too_early_returns_when_due(on_rabbitmq: LonelyStage) -> None:
    """Celery's own sender uses the delay queues; what somebody takes out of them and sends at once is put back."""
    stage = on_rabbitmq
    empty_the_delay_queues(stage)
    due = time.time() + 30
    stage.app.tasks["service.add"].apply_async((6, 6), countdown=30)
    level = eventually(lambda: [n for n in range(5, -1, -1) if stage.depth(f"celery_delayed_{n}")], what="it")[0]
    (item,) = stage.take(f"celery_delayed_{level}")
    hostile = {"CC": ["stolen"], "x-death": [{"queue": "celery_delayed_3", "reason": "expired", "count": 1}]}
    stage.put(QUEUE, item.body, item.headers | hostile, expiration=100)
    eventually(lambda: delayed(stage), what="it to be parked")
    assert stage.witnesses("add", x=6, y=6) == []
    (ran,) = eventually(lambda: stage.witnesses("add", x=6, y=6), timeout=60, what="it to run")
    assert -1.5 < ran["at"] - due < TIMEOUT / 2
    assert len(stage.witnesses("add", x=6, y=6)) == 1


@pytest.mark.rabbitmq
def test_a_flood_on_rabbitmq_goes_back_to_the_broker(on_rabbitmq: LonelyStage) -> None:
    stage = on_rabbitmq
    empty_the_delay_queues(stage)
    stage.canary()
    stage.forget_peak()
    before = stage.peak_mib()
    ours = stage.app.tasks["service.add"].apply_async((7, 7), countdown=3000).id
    (item,) = eventually(
        lambda: [one for one in stage.take("celery_delayed_11") if one.headers.get("id") == ours], what="it"
    )
    count = 300
    with Connection(stage.broker.url, ssl=stage.broker.broker_ssl) as connection:
        publisher = connection.Producer(auto_declare=False)
        for _ in range(count):
            publisher.publish(
                item.body, routing_key=QUEUE, exchange="", headers=item.headers, content_type="application/json",
                content_encoding="utf-8",
            )  # fmt: skip
    stage.canary()
    eventually(lambda: parked(stage) == count, what="all of them parked", timeout=60)
    assert stage.peak_mib() - before < 15
    empty_the_delay_queues(stage)
