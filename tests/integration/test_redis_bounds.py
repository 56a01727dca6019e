"""Redis: nothing that somebody writes there, however large, is in the memory of a worker's main process or a caller."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from safecelery.errors import Reason, ResultRefused
from safecelery.testing.servers import RedisServer
from tests.integration.lonely_stage import DEAD, QUEUE, LonelyStage, lonely_stage
from tests.integration.stage import TIMEOUT, eventually

pytestmark = pytest.mark.redis
OVERSIZED = "safecelery:oversized"
#: MiB by which the most memory that the process ever had may grow, whatever comes.
GROWTH = 32


@pytest.fixture(scope="module")
def stage(
    own_redis_server: RedisServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LonelyStage]:
    directory = tmp_path_factory.mktemp("bounds")
    with lonely_stage(own_redis_server, redis_server, directory, SERVICE_VISIBILITY="100") as found:
        yield found


@pytest.fixture
def client(stage: LonelyStage) -> Iterator[redis.Redis]:
    """Whoever has Redis' password. The same worker runs honest work before and after, and is hardly larger."""
    with stage.admin() as client:
        client.delete(DEAD, OVERSIZED)
        stage.canary()
        pid = stage.worker.pid
        stage.forget_peak()
        before = stage.peak_mib()
        yield client
        stage.canary()
        assert stage.worker.pid == pid
        assert stage.peak_mib() - before < GROWTH
        assert stage.worker.log.count("Traceback") == 0, stage.worker.log[-3000:]


@pytest.mark.parametrize(("count", "size"), [(1, 200_000_000), (3, 64_000_000)], ids=["waited for", "taken"])
def test_an_item_too_large_to_be_read_is_kept_apart(
    stage: LonelyStage, client: redis.Redis, count: int, size: int
) -> None:
    item = b'{"body": "' + b"A" * size + b'", "headers": {}, "properties": {}}'
    for _ in range(count):
        client.lpush(QUEUE, item)
    letters = stage.letters(count)
    for letter in letters:
        assert letter["reason"] == "too-large"
        kept = letter["original"]["properties"]["safecelery-kept"]
        assert kept["bytes"] == len(item)
        assert client.hget(kept["redis_hash"], kept["field"]) == item
    client.delete(OVERSIZED)


def test_a_huge_publication_is_never_in_memory(stage: LonelyStage, client: redis.Redis) -> None:
    """Redis itself gives up on a subscriber that is 32 MB behind, where nobody has told it not to."""
    limits = client.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
    client.config_set("client-output-buffer-limit", "pubsub 0 0 0")
    try:
        assert client.publish(b"/0.celery.pidbox", b"A" * 200_000_000) > 0
        eventually(lambda: "publication too large to be read" in stage.worker.log)
    finally:
        client.config_set("client-output-buffer-limit", limits)
    assert "one has 200000000 bytes" in stage.worker.log


def test_huge_names_among_bindings_and_kombus_unacknowledged_are_never_in_memory(
    stage: LonelyStage, client: redis.Redis
) -> None:
    name = b"x" * 100_000_000
    client.sadd(f"_kombu.binding.{QUEUE}", name)
    client.zadd("unacked_index", {name: 0, "t": 1})
    client.hset("unacked", "t", b"garbage")
    assert base64.b64decode(stage.letters()[0]["original"]["body"]) == b"garbage"
    stage.canary()
    client.srem(f"_kombu.binding.{QUEUE}", name)
    client.delete("unacked_index")


@pytest.fixture
def waits(stage: LonelyStage) -> Iterator[redis.Redis]:
    """Who waits for results, which is this process; and the store of results. What is large is made in Redis, as it
    would be in the memory of this process otherwise.
    """
    url = stage.results.admin_url.rpartition("/")[0] + "/40"
    with redis.Redis.from_url(url, **stage.results.broker_ssl or {}) as store:
        limits = store.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
        store.config_set("client-output-buffer-limit", "pubsub 0 0 0")
        stage.canary()
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_mib()
        yield store
        stage.canary()
        assert peak_mib() - before < GROWTH
        store.config_set("client-output-buffer-limit", limits)


def peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def test_a_huge_stored_result_is_refused_and_never_in_memory(stage: LonelyStage, waits: redis.Redis) -> None:
    result = stage.app.AsyncResult("11111111-2222-4333-8444-555555555555")
    waits.setrange(stage.app.backend.get_key_for_task(result.id), 200_000_000, b"x")
    with pytest.raises(ResultRefused) as refused:
        result.get(timeout=TIMEOUT)
    assert refused.value.reason is Reason.TOO_LARGE
    assert "200000001 bytes" in str(refused.value)
    waits.delete(stage.app.backend.get_key_for_task(result.id))


def test_a_huge_published_result_is_dropped_and_never_in_memory(stage: LonelyStage, waits: redis.Redis) -> None:
    result = stage.app.tasks["service.add"].apply_async((20, 22), countdown=2)
    channel = stage.app.backend.get_key_for_task(result.id)
    assert waits.eval("return redis.call('PUBLISH', KEYS[1], string.rep('A', 200000000))", 1, channel) == 1
    assert result.get(timeout=TIMEOUT) == 42
