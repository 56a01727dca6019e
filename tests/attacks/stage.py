"""The stage of the attacks: one broker, one real worker process, and an honest service beside the attacker."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from service.factory import make_app

from safecelery import SafeCelery, SafeCelerySettings
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.keys import Keys
from tests.attacks.wire import Wire, wire_to
from tests.integration.stage import let_go

__all__ = ["DEADLINE_S", "DEAD_LETTERS", "Stage", "eventually", "on_stage"]

T = TypeVar("T")
#: A condition that does not hold by then will not.
DEADLINE_S = 15.0
DEAD_LETTERS = "attacks.dead-letters"
#: Databases of Redis that no other suite uses: the broker's, and the results of either stage.
BROKER_DB, RESULT_DBS = 20, {RedisServer: 21, RabbitServer: 22}
#: First summand of the honest tasks between the cases; no case adds anything to it.
HONEST = 1_000_000


def eventually(probe: Callable[[], T], what: Callable[[], str]) -> T:
    """What ``probe`` returns as soon as that is true-ish; ``what`` says in the end what was waited for.

    Raises:
        AssertionError: it was not by the deadline.
    """
    deadline = time.monotonic() + DEADLINE_S
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {DEADLINE_S:g} s: {what()}")
        time.sleep(0.01)
    return found


@dataclass(slots=True)
class Stage:
    """What the driver works with."""

    wire: Wire
    keys: Keys
    app: SafeCelery
    """An honest service: signs with the full key, trusts the same keys."""
    worker: CeleryProcess
    witness_file: Path
    pid: int
    """Of the worker's main process when the stage was set; it must never change."""
    _honest: Iterator[int] = field(default_factory=itertools.count)

    def witnesses(self, since: int = 0) -> list[dict[str, Any]]:
        """What ran, from that line on, the honest tasks between the cases aside."""
        lines = [json.loads(line) for line in self.witness_file.read_text().splitlines()[since:]]
        return [line for line in lines if not (line["task"] == "add" and line["x"] == HONEST)]

    def witness_count(self) -> int:
        """Lines there are now, honest tasks included."""
        return len(self.witness_file.read_text().splitlines())

    def dead_letters(self) -> list[dict[str, Any]]:
        """The records kept since the last look."""
        return [json.loads(body) for body in self.wire.take(DEAD_LETTERS)]

    def check_alive(self) -> None:
        """The same worker still does honest work."""
        assert self.worker.running, f"the worker died:\n{self.worker.log[-4000:]}"
        assert self.worker.pid == self.pid
        number = next(self._honest)
        for queue in ("orders", "other"):
            result = self.app.tasks["service.add"].apply_async((HONEST, number), queue=queue)
            assert result.get(timeout=DEADLINE_S, interval=0.01) == HONEST + number, "the honest task"


@contextmanager
def on_stage(broker: RedisServer | RabbitServer, results: RedisServer, directory: Path) -> Iterator[Stage]:
    """Keys, a worker and an honest app on this broker."""
    keys = Keys.create(directory)
    witness = directory / "witness.jsonl"
    witness.touch()
    url = broker.url_for(BROKER_DB) if isinstance(broker, RedisServer) else broker.url
    settings = {
        "BROKER__URL": url,
        "BROKER__CA_FILE": str(broker.ca_file),
        "RESULTS__URL": results.url_for(RESULT_DBS[type(broker)]),
        "SIGNING__TRUST_FILE": str(keys.trust_file),
        "DEFAULT_QUEUE": "orders",
        "DEAD_LETTER_QUEUE": DEAD_LETTERS,
    }
    environment = {f"SAFECELERY_{name}": value for name, value in settings.items()}
    worker = CeleryProcess(
        "service.app",
        "worker",
        ["-c", "2", "-Q", "orders,other", "-n", "attacked@%h"],
        directory=directory,
        env={**environment, "SAFECELERY_SIGNING__KEY": keys.reference("worker"), "SERVICE_WITNESS": str(witness)},
    )
    app = make_app(
        SafeCelerySettings(
            broker={"url": url, "ca_file": broker.ca_file},
            results={"url": settings["RESULTS__URL"]},
            signing={"key": keys.reference("full"), "trust_file": keys.trust_file},
            default_queue="orders",
        )
    )
    try:
        with worker, wire_to(broker, BROKER_DB) as wire:
            yield Stage(wire, keys, app, worker, witness, worker.pid)
    finally:
        let_go(app)
