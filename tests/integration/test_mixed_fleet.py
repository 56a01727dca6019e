"""Plain Celery and safecelery in one fleet, on one queue, with real processes: there, and back again."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import chain, chord, group
from service.factory import make_app

from safecelery.settings import ResultSettings
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.envelope import claims_of
from tests.integration.stage import TIMEOUT, Identities, Stage, eventually, let_go

QUEUE, DEAD = "fleet", "fleet.dead-letters"
#: Where results are sealed, those of plain workers are not: for as long as there are any, they are only reported.
UNSIGNED_RESULTS = {"mode": "report"} if "mode" in ResultSettings.model_fields else {}
#: Processes of each worker.
CHILDREN = 2
#: What each kind of work comes to, whoever sends it and whoever runs it.
EVERY_KIND = {"call": 3, "retry": 1, "later": 7, "chain": 18, "chord": 6, "group": [16, 18]}


@dataclass(slots=True)
class Fleet(Stage):
    """A broker that both kinds share; producers and workers come and go."""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def plain(self) -> dict[str, str]:
        """The environment of a plain process."""
        return {
            "PLAIN_BROKER": self.broker.url,
            "PLAIN_RESULTS": self.results_url,
            "PLAIN_CA": str(self.broker.ca_file),
            "SERVICE_WITNESS": str(self.witness_file),
        }

    def plain_worker(self) -> CeleryProcess:
        """``celery worker``, as it was before."""
        return CeleryProcess(
            "service.plain", "worker", ["-c", str(CHILDREN), "-Q", QUEUE, "-n", "plain@%h"],
            directory=self.directory, env=self.plain, name=f"plain-{next(self.numbers)}",
        )  # fmt: skip

    def safe_worker(self, mode: str) -> CeleryProcess:
        """A worker with a firewall in this mode."""
        environment = self.environment("worker") | {
            "SAFECELERY_DEFAULT_QUEUE": QUEUE, "SAFECELERY_DEAD_LETTER_QUEUE": DEAD,
            "SAFECELERY_FIREWALL__MODE": mode, "SAFECELERY_PARK_AHEAD": "10",
            **{f"SAFECELERY_RESULTS__{name.upper()}": value for name, value in UNSIGNED_RESULTS.items()},
        }  # fmt: skip
        return CeleryProcess(
            "service.app", "worker", ["-c", str(CHILDREN), "-Q", QUEUE, "-n", f"{mode}@%h"],
            directory=self.directory, env=environment, name=f"{mode}-{next(self.numbers)}",
        )  # fmt: skip

    def plainly(self, do: str, **work: Any) -> Any:
        """A producer in a process of its own that has never heard of safecelery; what it got."""
        done = subprocess.run(
            [sys.executable, "-m", "service.plain", json.dumps({"do": do, **work})],
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": os.pathsep.join(sys.path), **self.plain},
            cwd=self.directory, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        assert said["safecelery"] is False
        return said["outcome"]

    def every_kind(self) -> dict[str, Any]:
        """The same as the plain producer's, signed."""
        add, total = self.app.tasks["service.add"], self.app.tasks["service.total"]
        sent = {
            "call": add.delay(1, 2),
            "retry": self.app.tasks["service.flaky"].delay(1),
            "later": add.apply_async((3, 4), countdown=1),
            "chain": chain(add.s(5, 6), add.s(7)).delay(),
            "chord": chord([add.s(1, 1), add.s(2, 2)], total.s()).delay(),
        }
        found = {name: result.get(timeout=TIMEOUT) for name, result in sent.items()}
        return found | {"group": group(add.s(8, 8), add.s(9, 9)).delay().get(timeout=TIMEOUT)}

    def until_stored(self, ids: Iterable[str]) -> None:
        """Wait until each has its result. A worker that is stopped before gives back what it has just begun."""
        with redis.Redis.from_url(self.results_url, **self.results.broker_ssl or {}) as client:
            keys = [f"celery-task-meta-{task_id}" for task_id in ids]
            eventually(lambda: client.exists(*keys) == len(keys), what=f"{len(keys)} results")

    def until_acknowledged(self) -> None:
        """On Redis: wait until no worker, of either kind, holds a message."""
        if self.on_redis:
            with self.admin() as client:
                eventually(lambda: not client.exists(f"safecelery:held:{QUEUE}", "unacked"), what="acknowledgements")

    def ran(self, task: str) -> list[dict[str, Any]]:
        """What ran since the last :meth:`forget`."""
        return self.witnesses(task)

    def forget(self) -> None:
        """Begin a new book."""
        self.witness_file.write_text("")


@contextmanager
def a_fleet(broker: RedisServer | RabbitServer, results: RedisServer, directory: Path) -> Iterator[Fleet]:
    keys = Identities(directory)
    keys.add("worker", send=["service.*"], queues=[QUEUE])
    keys.add("producer", send=["service.*"], queues=[QUEUE])
    witness = directory / "witness.jsonl"
    witness.touch()
    fleet = Fleet(broker, results, results.url_for(41), keys, directory, witness)
    settings = fleet.settings("producer", default_queue=QUEUE, results={"url": fleet.results_url, **UNSIGNED_RESULTS})
    fleet.app = make_app(settings, set_as_current=False)
    for queue in (QUEUE, DEAD):
        fleet.take(queue) if fleet.depth(queue) else None
    yield fleet
    let_go(fleet.app)


@pytest.fixture
def fleet(broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path: Path) -> Iterator[Fleet]:
    with a_fleet(broker, redis_server, tmp_path) as made:
        yield made


# An old producer ------------------------------------------------------------------------------------------------------


def test_a_worker_in_report_mode_runs_all_that_an_old_producer_sends_and_counts_it(fleet: Fleet) -> None:
    with fleet.safe_worker("report") as worker:
        assert fleet.plainly("every-kind") == EVERY_KIND
        named = [line for line in worker.log.splitlines() if "message would be refused: envelope-missing" in line]
    # Seven calls of the producer's; what follows from them is signed by the worker.
    assert len(named) >= 7
    assert all("queue=fleet key=None task=service." in line for line in named)
    assert f"would be refused (envelope-missing {len(named)})" in worker.log
    assert fleet.depth(DEAD) == 0
    assert all("by" not in line for line in fleet.ran("add"))


def test_a_worker_that_enforces_keeps_what_an_old_producer_sends(fleet: Fleet) -> None:
    with fleet.safe_worker("enforce") as worker:
        task_id = fleet.plainly("send", task="service.add", args=[41, 1])
        eventually(lambda: fleet.depth(DEAD) == 1, what="a dead letter")
        assert fleet.app.tasks["service.add"].delay(42, 1).get(timeout=TIMEOUT) == 43
    (item,) = fleet.take(DEAD)
    letter = json.loads(item.body)
    assert letter["reason"] == "envelope-missing"
    assert letter["claimed_task"] == "service.add"
    assert letter["original"]["headers"]["id"] == task_id
    assert [line["x"] for line in fleet.ran("add")] == [42]
    assert "message refused: envelope-missing" in worker.log


# An old worker --------------------------------------------------------------------------------------------------------


def test_an_old_worker_runs_all_that_a_new_producer_signs(fleet: Fleet) -> None:
    with fleet.plain_worker() as worker:
        assert fleet.every_kind() == EVERY_KIND
        assert "Traceback" not in worker.log
    assert {line["by"] for line in [*fleet.ran("add"), *fleet.ran("flaky"), *fleet.ran("total")]} == {"plain"}


# Both at once ---------------------------------------------------------------------------------------------------------


def test_with_both_kinds_of_both_on_one_queue_every_task_runs_exactly_once(fleet: Fleet) -> None:
    nap = fleet.app.tasks["service.nap"]
    sent: list[float] = []
    ids: list[str] = []
    with fleet.plain_worker() as old, fleet.safe_worker("report") as new:

        def both_took_part() -> bool:
            """Send another batch from each side, until each worker has had some of each."""
            first = 1000 + len(sent)
            ids.extend(fleet.plainly("naps", first=first, count=10))
            ids.extend(nap.delay(number / 10_000).id for number in range(first + 10, first + 20))
            sent.extend(number / 10_000 for number in range(first, first + 20))
            eventually(lambda: len(fleet.ran("nap")) >= len(sent), timeout=60, what=f"{len(sent)} runs")
            signed = {number for number in sent if round(number * 10_000) // 10 % 2 == 1}
            seen = {("by" in line, line["seconds"] in signed) for line in fleet.ran("nap")}
            return len(seen) == 4

        eventually(both_took_part, timeout=120, what="each worker has run something of each producer")
        fleet.until_stored(ids)
        fleet.until_acknowledged()
        assert "Traceback" not in old.log + new.log
    ran = Counter(line["seconds"] for line in fleet.ran("nap"))
    assert ran == dict.fromkeys(sent, 1)
    assert fleet.depth(QUEUE) == 0
    assert fleet.depth(DEAD) == 0


# The way back ---------------------------------------------------------------------------------------------------------


def test_from_enforcing_back_to_plain_celery_nothing_is_lost(fleet: Fleet) -> None:
    """What waits in the queue, signed or not, runs on whatever comes next.

    Twice only what ran at the moment of a stop: Celery lets go of a job whose acceptance it has not read yet
    (celery/concurrency/asynpool.py, flush), so its message comes back, as it does after a crash.
    """
    nap = fleet.app.tasks["service.nap"]
    sent: list[float] = []
    ids: list[str] = []

    def send() -> None:
        """Work that outlasts the worker: it takes what it can, and is stopped while more waits."""
        first = 2000 + len(sent)
        ids.extend(nap.delay(number / 10_000).id for number in range(first, first + 20))
        sent.extend(number / 10_000 for number in range(first, first + 20))

    with fleet.safe_worker("enforce"):
        send()
        eventually(lambda: fleet.ran("nap"), what="the first of them")
    with fleet.safe_worker("report"):
        send()
        ids.append(fleet.plainly("send", task="service.add", args=[1, 1]))
        eventually(lambda: len(fleet.ran("nap")) >= 22, what="some more of them")
    with fleet.plain_worker():
        send()
        ids.append(fleet.plainly("send", task="service.add", args=[2, 2]))
        eventually(lambda: {line["seconds"] for line in fleet.ran("nap")} == set(sent), timeout=60, what="all of them")
        eventually(lambda: {line["x"] for line in fleet.ran("add")} == {1, 2}, what="the unsigned ones")
        fleet.until_stored(ids)
        fleet.until_acknowledged()
    ran = Counter(line["seconds"] for line in fleet.ran("nap"))
    assert set(ran) == set(sent)
    assert ran.total() + len(fleet.ran("add")) - len(ids) <= 2 * CHILDREN  # two workers were stopped at work
    assert fleet.depth(QUEUE) == 0


def test_what_was_parked_comes_back_through_a_worker_that_knows_of_it(fleet: Fleet) -> None:
    """On RabbitMQ the broker returns it by itself. On Redis a worker of ours must still be there, in any mode."""
    started = time.time()
    with fleet.safe_worker("enforce"):
        fleet.app.tasks["service.add"].apply_async((71, 1), countdown=24)
        if fleet.on_redis:
            with fleet.admin() as client:
                eventually(lambda: client.zcard(f"safecelery:parked:{QUEUE}") == 1, what="a parked message")
        else:
            eventually(lambda: fleet.depth(QUEUE) == 0)
    with fleet.plain_worker():
        if fleet.on_redis:
            eventually(lambda: time.time() > started + 26)
            assert fleet.ran("add") == []
            with fleet.safe_worker("report"):
                eventually(lambda: fleet.ran("add"), what="the parked task")
        else:
            eventually(lambda: fleet.ran("add"), timeout=60, what="the parked task")
    (run,) = fleet.ran("add")
    assert run["at"] >= started + 23


def test_a_signed_message_still_says_whose_it_is_on_the_way_back(fleet: Fleet) -> None:
    """Plain workers ignore the signature; a worker that comes later can still check it."""
    fleet.app.tasks["service.add"].delay(81, 1)
    (item,) = eventually(lambda: fleet.take(QUEUE), what="the message")
    assert claims_of(item)["kid"].startswith("producer-")
    fleet.put(QUEUE, item.body, item.headers)
    with fleet.safe_worker("enforce"):
        eventually(lambda: fleet.ran("add"), what="the same message, later")
