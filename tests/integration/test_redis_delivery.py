"""Redis: a message that a living worker holds is not handed out again, a dead one's is, and connections come back."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecelery.testing.servers import RedisServer
from tests.integration.lonely_stage import QUEUE, LonelyStage, lonely_stage
from tests.integration.stage import TIMEOUT, eventually

pytestmark = pytest.mark.redis
HELD, SINCE = f"safecelery:held:{QUEUE}", f"safecelery:since:{QUEUE}"
VISIBILITY_S = 6


@pytest.fixture(scope="module")
def stage(
    own_redis_server: RedisServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LonelyStage]:
    directory = tmp_path_factory.mktemp("delivery")
    with lonely_stage(
        own_redis_server, redis_server, directory, SERVICE_VISIBILITY=str(VISIBILITY_S), SAFECELERY_LEDGER__LEASE="2"
    ) as found:
        yield found


def test_what_a_living_worker_holds_is_not_delivered_again(stage: LonelyStage) -> None:
    """Three times the visibility timeout, beside another worker that sweeps."""
    other = stage.start_worker("other")
    try:
        stage.app.tasks["service.add"].apply_async((1, 1), countdown=3 * VISIBILITY_S)
        with stage.admin() as client:
            ((tag, first),) = eventually(lambda: client.zrange(SINCE, 0, -1, withscores=True))
            eventually(lambda: client.zscore(SINCE, tag) > first + VISIBILITY_S, what="it to be renewed")
            assert client.hlen(HELD) == 1
        eventually(lambda: stage.witnesses("add", x=1, y=1))
        stage.canary()
        assert len(stage.witnesses("add", x=1, y=1)) == 1
    finally:
        other.stop()
    with stage.admin() as client:
        eventually(lambda: not client.exists(HELD, SINCE))


def test_a_dead_workers_messages_come_back_marked(stage: LonelyStage) -> None:
    stage.app.tasks["service.add"].apply_async((2, 2), countdown=15)
    with stage.admin() as client:
        (item,) = eventually(lambda: client.hvals(HELD), what="it to be held")
        kill(stage)
        assert client.hvals(HELD) == [item]
        stage.worker = stage.start_worker("heir")
        mark = hashlib.sha1(item, usedforsecurity=False).hexdigest()
        eventually(lambda: client.zscore(f"safecelery:again:{QUEUE}", mark), what="it to be given back")
    eventually(lambda: stage.witnesses("add", x=2, y=2))
    assert len(stage.witnesses("add", x=2, y=2)) == 1


def kill(stage: LonelyStage) -> None:
    pid = stage.worker.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not stage.worker.running)
    stage.worker.stop()


def test_what_comes_while_a_worker_waits_is_not_lost_with_it(stage: LonelyStage) -> None:
    """It is stopped in the middle of waiting: whatever Redis hands to it by itself, it never reads."""
    stage.canary()
    with stage.admin() as client:
        eventually(lambda: not client.exists(HELD, SINCE))
        os.kill(stage.worker.pid, signal.SIGSTOP)
        stage.app.tasks["service.add"].delay(4, 4)
        assert client.llen(QUEUE) + client.hlen(HELD) == 1
        kill(stage)
        assert client.llen(QUEUE) + client.hlen(HELD) == 1
    stage.worker = stage.start_worker("next")
    eventually(lambda: stage.witnesses("add", x=4, y=4))
    stage.canary()
    assert len(stage.witnesses("add", x=4, y=4)) == 1


def test_a_message_given_back_says_so(stage: LonelyStage) -> None:
    stage.canary()
    name = "service.context"
    with stage.admin() as client:
        stage.worker.stop()
        result = stage.app.tasks[name].delay()
        (item,) = client.lrange(QUEUE, 0, -1)
        client.delete(QUEUE)
        client.hset(HELD, "tag", item)
        client.zadd(SINCE, {"tag": 0})
        stage.worker = stage.start_worker("third")
    assert result.get(timeout=TIMEOUT)["delivery_info"]["redelivered"] is True


def test_a_worker_that_stops_gives_back_what_it_holds(stage: LonelyStage) -> None:
    stage.app.tasks["service.add"].apply_async((3, 3), countdown=15)
    with stage.admin() as client:
        eventually(lambda: client.hlen(HELD) == 1)
        stage.worker.stop()
        assert client.llen(QUEUE) == 1
        assert not client.exists(HELD, SINCE)
        client.delete(QUEUE)
    stage.worker = stage.start_worker("fourth")
    stage.canary()


def test_it_consumes_again_after_its_connections_are_cut(stage: LonelyStage) -> None:
    pid = stage.worker.pid
    with stage.admin() as client:
        for _ in range(3):
            stage.canary()
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)
            stage.canary()
    assert stage.worker.pid == pid


def test_it_consumes_again_after_redis_was_restarted(stage: LonelyStage) -> None:
    assert isinstance(stage.broker, RedisServer)
    pid = stage.worker.pid
    stage.canary()
    stage.broker.restart()
    stage.canary(within_s=60)
    assert stage.worker.pid == pid
    with stage.admin() as client:
        eventually(lambda: not client.exists(HELD, SINCE))
