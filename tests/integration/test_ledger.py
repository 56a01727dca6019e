"""The delivery ledger, with workers that die, on real brokers: nothing runs twice unasked, and nothing is lost."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service.factory import make_app

from safecelery.keys.ring import Keyring
from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore
from safecelery.message.claims import Audience
from safecelery.message.dead_letter import read_letter
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.envelope import claims_of
from tests.integration.ledger_stage import MAX_DELIVERIES, policy_in, register, worker_of
from tests.integration.stage import TIMEOUT, Identities, Stage, eventually, let_go

#: On Redis a dead worker's messages come back after this many seconds; RabbitMQ knows at once.
VISIBILITY = {"VISIBILITY": "5"}


@pytest.fixture(scope="module")
def ground(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Broker and keys; each test starts workers of its own, on a queue of its own."""
    directory = tmp_path_factory.mktemp("ledger")
    keys = Identities(directory)
    for owner in ("worker", "producer"):
        keys.add(owner, send=["service.*"], queues=["*"], results=["*"])
    witness = directory / "witness.jsonl"
    witness.touch()
    results = redis_server.url_for(11 if isinstance(broker, RedisServer) else 12)
    stage = Stage(broker, redis_server, results, keys, directory, witness)
    stage.app = make_app(stage.settings("producer", policy=policy_in(stage)["SAFECELERY_POLICY"]))
    register(stage.app)
    yield stage
    let_go(stage.app)


@pytest.fixture
def queue() -> str:
    return f"ledger-{secrets.token_hex(4)}"


@pytest.fixture
def name() -> str:
    """What the test's own witnesses carry."""
    return secrets.token_hex(4)


def send(stage: Stage, queue: str, task: str, *args: Any) -> Any:
    return stage.app.tasks[f"service.{task}"].apply_async(args, queue=queue)


def captured(stage: Stage, queue: str) -> Any:
    """The one message in the queue, as somebody would copy it who reads the broker; it stays there."""
    (item,) = eventually(lambda: stage.take(queue), what="a message in the queue")
    replay(stage, queue, item)
    return item


def replay(stage: Stage, queue: str, item: Any) -> None:
    stage.put(queue, item.body, item.headers, content_type=item.content_type)


def refused(worker: CeleryProcess, reason: str) -> int:
    return worker.log.count(f"message refused: {reason} ")


def noted(worker: CeleryProcess, what: str) -> int:
    return worker.log.count(f"delivery {what}:")


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def power_off(worker: CeleryProcess) -> None:
    """The worker and its children end at once, as with their machine. They lead a process group of their own."""
    os.killpg(worker.pid, signal.SIGKILL)
    eventually(lambda: not worker.running)


def test_a_copy_of_a_message_that_ran_is_refused_and_kept(ground: Stage, queue: str, name: str) -> None:
    result = send(ground, queue, "slow", name, 0)
    item = captured(ground, queue)
    with worker_of(ground, queue) as worker:
        assert result.get(timeout=TIMEOUT) == name
        for count in (1, 2):
            replay(ground, queue, item)
            # The first copy is dropped, if the worker had not yet acknowledged the message when it came.
            eventually(lambda count=count: refused(worker, "replayed") + noted(worker, "duplicate-dropped") == count)
        assert refused(worker, "replayed") >= 1
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1
    assert ground.depth(queue) == 0


def test_another_worker_knows_it_too(ground: Stage, queue: str, name: str) -> None:
    result = send(ground, queue, "slow", name, 0)
    item = captured(ground, queue)
    with worker_of(ground, queue):
        assert result.get(timeout=TIMEOUT) == name
    with worker_of(ground, queue) as worker:
        replay(ground, queue, item)
        eventually(lambda: refused(worker, "replayed"), what="the refusal")
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1


def test_a_copy_of_a_message_that_runs_is_not_started_and_then_dropped(ground: Stage, queue: str, name: str) -> None:
    result = send(ground, queue, "slow", name, 8)
    item = captured(ground, queue)
    with worker_of(ground, queue) as worker:
        eventually(lambda: ground.witnesses("slow", name=name, when="begins"))
        replay(ground, queue, item)
        eventually(lambda: noted(worker, "held") == 1, what="the copy to wait")
        assert result.get(timeout=TIMEOUT) == name
        eventually(lambda: noted(worker, "duplicate-dropped") == 1, what="the copy to be dropped")
        assert ground.depth(queue) == 0
        assert refused(worker, "replayed") == 0
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1


def test_an_id_that_another_key_signed_before_is_still_its_own(ground: Stage, queue: str, name: str) -> None:
    """Whoever reads ids on the broker, and may send anything, could else have others' messages taken for copies."""
    result = send(ground, queue, "slow", name, 0)
    (item,) = eventually(lambda: ground.take(queue), what="a message in the queue")
    jti = claims_of(item)["jti"]
    body = json.dumps([[f"{name}-other", 3], {}, {}]).encode()
    headers = {"task": "service.slow", "id": name, "lang": "py"}
    ring = Keyring(load_private(ground.keys.reference("worker")), TrustStore.load(ground.keys.trust_file))
    draft = Draft(
        typ="task", aud=Audience(queue=queue), ct="application/json", ce="utf-8", cmp=None, hdr=headers, props={},
        body=body, lifetime_s=600, jti=jti,
    )  # fmt: skip
    with worker_of(ground, queue) as worker:
        ground.put(queue, body, {**headers, HEADER: seal(draft, ring, now=time.time())})
        eventually(lambda: ground.witnesses("slow", name=f"{name}-other", when="begins"), what="the other's message")
        replay(ground, queue, item)
        assert result.get(timeout=TIMEOUT) == name
        eventually(lambda: ground.witnesses("slow", name=f"{name}-other", when="ends"))
        replay(ground, queue, item)
        eventually(lambda: refused(worker, "replayed"), what="the refusal of the copy")
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1


def test_a_message_acknowledged_early_is_not_run_again_either(ground: Stage, queue: str, name: str) -> None:
    result = send(ground, queue, "early", name)
    item = captured(ground, queue)
    with worker_of(ground, queue) as worker:
        assert result.get(timeout=TIMEOUT) == name
        replay(ground, queue, item)
        eventually(lambda: refused(worker, "replayed"), what="the refusal")
    assert len(ground.witnesses("early", name=name)) == 1


def test_a_retry_is_a_message_of_its_own(ground: Stage, queue: str, name: str) -> None:
    result = send(ground, queue, "again", name)
    item = captured(ground, queue)
    with worker_of(ground, queue) as worker:
        assert result.get(timeout=TIMEOUT) == 1
        replay(ground, queue, item)
        # Dropped, if the worker had not yet acknowledged the first run when the copy came.
        eventually(lambda: refused(worker, "replayed") or noted(worker, "duplicate-dropped"), what="the refusal")
    assert [line["retries"] for line in ground.witnesses("again", name=name)] == [0, 1]


def test_what_a_worker_did_when_its_machine_failed_runs_again(
    ground: Stage, queue: str, name: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with worker_of(ground, queue, **VISIBILITY) as first:
        send(ground, queue, "gated", name, str(gate))
        eventually(lambda: ground.witnesses("gated", name=name, when="begins"))
        power_off(first)
    gate.touch()
    with worker_of(ground, queue, **VISIBILITY) as second:
        eventually(lambda: ground.witnesses("gated", name=name, when="ends"), timeout=60, what="the second run")
        assert noted(second, "taken-over") == 1
    assert len(ground.witnesses("gated", name=name, when="begins")) == 2


def test_a_task_that_kills_its_process_ends_in_the_dead_letters(ground: Stage, queue: str, name: str) -> None:
    with worker_of(ground, queue) as worker:
        send(ground, queue, "suicide", name)
        eventually(lambda: refused(worker, "poison"), timeout=60, what="the refusal")
    assert len(ground.witnesses("suicide", name=name)) == MAX_DELIVERIES
    assert ground.depth(queue) == 0
    letters = [read_letter(item.body) for item in ground.take("safecelery.dead-letters")]
    assert [(one.reason, one.deliveries) for one in letters if one.queue == queue] == [("poison", MAX_DELIVERIES)]


def test_a_task_whose_workers_are_killed_ends_there_too(ground: Stage, queue: str, name: str) -> None:
    send(ground, queue, "slow", name, 50)
    for run in range(1, MAX_DELIVERIES + 1):
        with worker_of(ground, queue, **VISIBILITY) as worker:
            eventually(
                lambda run=run: len(ground.witnesses("slow", name=name, when="begins")) == run, timeout=60, what="a run"
            )
            power_off(worker)
    with worker_of(ground, queue, **VISIBILITY) as worker:
        eventually(lambda: refused(worker, "poison"), timeout=60, what="the refusal")
    assert len(ground.witnesses("slow", name=name, when="begins")) == MAX_DELIVERIES


def test_what_a_stopping_worker_did_not_begin_is_anothers_at_once(ground: Stage, queue: str, name: str) -> None:
    lease = {"SAFECELERY_LEDGER__LEASE": "600"}
    with worker_of(ground, queue, "-c", "1", **lease) as first:
        send(ground, queue, "slow", name, 6)
        eventually(lambda: ground.witnesses("slow", name=name, when="begins"))
        second = [send(ground, queue, "slow", f"{name}-{n}", 0) for n in range(3)]
        eventually(lambda: "received" in first.log.split("received", 1)[1], what="another message to be prefetched")
        os.kill(first.pid, signal.SIGTERM)
        eventually(lambda: not first.running, what="its end")
    with worker_of(ground, queue, **lease):
        assert [one.get(timeout=TIMEOUT) for one in second] == [f"{name}-{n}" for n in range(3)]
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1


def test_what_a_child_begins_while_the_worker_stops_is_waited_for(ground: Stage, queue: str, name: str) -> None:
    with worker_of(ground, queue, "-c", "1", "-l", "DEBUG") as worker:
        (child,) = children(worker.pid)
        os.kill(child, signal.SIGSTOP)
        result = send(ground, queue, "slow", name, 1)
        eventually(lambda: f"[{result.id}] received" in worker.log, what="the message to be received")
        os.kill(worker.pid, signal.SIGTERM)
        eventually(lambda: "Worker: Stopping Consumer..." in worker.log, what="the worker to stop")
        os.kill(child, signal.SIGCONT)
        eventually(lambda: not worker.running, what="its end")
    assert result.get(timeout=TIMEOUT) == name
    assert ground.depth(queue) == 0
    with worker_of(ground, queue):
        assert send(ground, queue, "slow", "afterwards", 0).get(timeout=TIMEOUT) == "afterwards"
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1


@pytest.mark.redis
def test_a_task_longer_than_the_visibility_timeout_runs_once(ground: Stage, queue: str, name: str) -> None:
    if not ground.on_redis:
        pytest.skip("a matter of Redis")
    with worker_of(ground, queue, **VISIBILITY) as worker:
        result = send(ground, queue, "slow", name, 14)
        assert result.get(timeout=60) == name
        eventually(lambda: ground.depth(queue) == 0)
        assert refused(worker, "poison") == 0
    assert len(ground.witnesses("slow", name=name, when="begins")) == 1


def test_without_a_store_nothing_runs_and_nothing_is_lost(
    ground: Stage, queue: str, name: str, tmp_private_dir: Path
) -> None:
    store = RedisServer(tmp_private_dir, unix_socket=True)
    with store:
        settings = {"SAFECELERY_LEDGER__URL": store.url}
        with worker_of(ground, queue, **settings) as worker:
            assert send(ground, queue, "slow", f"{name}-before", 0).get(timeout=TIMEOUT)
            running = send(ground, queue, "slow", f"{name}-during", 4)
            eventually(lambda: ground.witnesses("slow", name=f"{name}-during", when="begins"))
            store.stop()
            waiting = [send(ground, queue, "slow", f"{name}-{n}", 0) for n in range(5)]
            eventually(lambda: ground.witnesses("slow", name=f"{name}-during", when="ends"))
            eventually(lambda: noted(worker, "ledger-unavailable") > 2, what="the worker to look again")
            assert not [n for n in range(5) if ground.witnesses("slow", name=f"{name}-{n}")]
            store.start()
            assert [one.get(timeout=60) for one in waiting] == [f"{name}-{n}" for n in range(5)]
            assert running.get(timeout=TIMEOUT)
            assert noted(worker, "ledger-available-again") >= 1
    for one in ("during", *range(5)):
        assert len(ground.witnesses("slow", name=f"{name}-{one}", when="begins")) == 1


def test_a_ledger_that_is_off_says_so_at_each_start(ground: Stage, queue: str, name: str) -> None:
    result = send(ground, queue, "slow", name, 0)
    item = captured(ground, queue)
    with worker_of(ground, queue, SAFECELERY_LEDGER__URL="disabled-and-replays-run") as worker:
        assert "the delivery ledger is OFF" in worker.log
        assert result.get(timeout=TIMEOUT) == name
        replay(ground, queue, item)
        eventually(lambda: len(ground.witnesses("slow", name=name, when="ends")) == 2)
