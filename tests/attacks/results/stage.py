"""The stage of the attacks on results: one backend, one subject, a worker process and a caller process."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery import Celery

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.case import build
from tests.attacks.forge import Forger
from tests.attacks.operations import Sent
from tests.attacks.results.process import Caller, CallerDied, CallerHangs, peak_mib, reset_peak
from tests.attacks.results.stores import DatabaseStore, RedisStore, RpcStore, SealedDatabaseStore
from tests.attacks.results.subjects import SUBJECTS, Place, Players
from tests.attacks.wire import Wire, wire_to
from tests.witnesses import whole_lines

__all__ = ["DEADLINE_S", "NotDone", "Stage", "on_stage"]

DEADLINE_S = 60.0
#: Databases of Redis that no other suite uses: the broker's, and the results'.
BROKER_DB, RESULT_DB = 53, 54
#: First summand of the honest tasks between the cases.
HONEST = 1_000_000


class NotDone(AssertionError):
    """What was waited for has not happened."""


@dataclass(slots=True)
class Stage:
    """What the driver works with."""

    subject: str
    backend: str
    place: Place
    players: Players
    store: RedisStore | RpcStore | DatabaseStore
    wire: Wire
    worker: CeleryProcess
    caller: Caller
    lender: Celery
    """Lends Celery's message format."""
    _honest: Iterator[int] = field(default_factory=itertools.count)

    def task_message(self, task: str, args: list[Any], task_id: str = "", reply_to: str = "") -> Sent:
        """A task as the caller signs it."""
        message = {"task": task, "signer": "full", "args": args}
        signed = {"props": {"reply_to": reply_to}} if reply_to else {}
        case = build({"message": message, "signed": signed, "expect": {"ran": []}}, "honest_admitted")
        forger = Forger(self.lender, self.players.tasks, self.place.witness_file, case)
        forger.id = task_id or forger.id
        return forger.message()

    def open_gate(self, name: str) -> None:
        """Let the task go on that waits for it."""
        (self.place.gates / name).touch()

    def witnesses(self, since: int = 0) -> list[dict[str, Any]]:
        """What ran, from that line on."""
        return [json.loads(line) for line in whole_lines(self.place.witness_file)[since:]]

    def witness_count(self) -> int:
        """Lines there are now."""
        return len(whole_lines(self.place.witness_file))

    def eventually(self, probe: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
        """What ``probe`` returns as soon as that is true-ish.

        Raises:
            NotDone: it was not.
            AssertionError: the worker has died.
        """
        deadline = time.monotonic() + deadline_s
        while not (found := probe()):
            assert self.worker.running, f"the worker died:\n{self.worker.log[-3000:]}"
            if time.monotonic() > deadline:
                raise NotDone(f"not within {deadline_s:g} s: {what}; {self.worker.log[-2000:]}")
            time.sleep(0.01)
        return found

    def logs(self) -> tuple[str, str]:
        """What caller and worker have logged."""
        return self.caller.log, self.worker.log

    def await_start(self, gate: str) -> None:
        """The task that waits for the gate is running."""
        self.eventually(lambda: any(line.get("gate") == gate for line in self.witnesses()), f"start of {gate}")

    def await_end(self, task_id: str, deadline_s: float = DEADLINE_S, since: int = 0) -> None:
        """The worker is done with the task, and with storing its result; from that character of its log on."""
        ends = [f"[{task_id}] {word}" for word in ("succeeded", "raised", "ignored")]
        self.eventually(lambda: any(end in self.worker.log[since:] for end in ends), f"end of {task_id}", deadline_s)

    def check_alive(self, deadline_s: float = DEADLINE_S) -> str | None:
        """The same caller still has true results of the same worker; or what is amiss."""
        if not self.worker.running:
            return "the worker exited"
        number = next(self._honest)
        try:
            said = self.caller.ask("call", args=[HONEST, number], timeout=deadline_s, within_s=deadline_s + 5)
        except CallerDied as died:
            return f"the caller died: {died}"
        except CallerHangs:
            return "the caller hangs"
        if said.get("value") != HONEST + number:
            return f"an honest call: {json.dumps({**said, 'event': ''})[:160]}"
        return None

    def reset_peaks(self) -> dict[int, int]:
        """Forget the most memory that anybody had; process -> MiB that it has now."""
        pids = [self.caller.pid, self.worker.pid, *self._children()]
        for pid in pids:
            reset_peak(pid)
        return {pid: peak_mib(pid) for pid in pids}

    def grown_mib(self, before: dict[int, int]) -> int:
        """By how much the greediest process has grown at some time."""
        return max((peak_mib(pid) - mib for pid, mib in before.items() if Path(f"/proc/{pid}").exists()), default=0)

    def _children(self) -> list[int]:
        listing = Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children")
        try:
            return [int(pid) for pid in listing.read_text().split()]
        except OSError:
            return []

    def learn(self) -> None:
        """Look at a true result, so that forgeries can be like it."""
        task_id, gate = str(uuid4()), uuid4().hex
        self.open_gate(gate)
        if isinstance(self.store, RpcStore):
            from tests.attacks.results.stores import TAP

            self.wire.put(self.task_message("service.held", [gate, "specimen"], task_id, TAP))
            answer = self.eventually(self.store.tapped, "a specimen")
        else:
            self.caller.ask("send", task="service.held", args=[gate, "specimen"], id=task_id)
            self.await_end(task_id)
            answer = self.store.read(task_id)
        self.players.results.learn(answer)

    def restart(self) -> None:
        """What an operator does with dead processes; queues are emptied."""
        self.caller.stop()
        if self.worker.running:
            os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.stop()
        time.sleep(0.5)  # until a broker has back what the worker held
        self.wire.clear("orders", "other")
        self.worker = self.players.make_worker().start()
        self.caller = self.players.make_caller().start()
        assert (amiss := self.check_alive()) is None, amiss


@contextmanager
def on_stage(
    subject: str, backend: str, redis: RedisServer, rabbitmq: RabbitServer | None, directory: Path
) -> Iterator[Stage]:
    """A worker and a caller of this subject with this backend. Only rpc needs RabbitMQ."""
    gates, witness = directory / "gates", directory / "witness.jsonl"
    gates.mkdir()
    witness.touch()
    broker: RedisServer | RabbitServer = redis
    if backend == "rpc":
        assert rabbitmq is not None
        broker = rabbitmq
    database = directory / "results.sqlite"
    url = {"redis": redis.url_for(RESULT_DB), "rpc": "rpc://", "database": f"db+sqlite:///{database}"}[backend]
    broker_url = broker.url if isinstance(broker, RabbitServer) else broker.url_for(BROKER_DB)
    players = SUBJECTS[subject](Place(broker, broker_url, redis, url, directory, witness, gates))
    store: RedisStore | RpcStore | DatabaseStore
    if isinstance(broker, RabbitServer):
        store = RpcStore(broker, players.results)
    else:
        if backend == "redis":
            store = RedisStore(redis, RESULT_DB, players.results)
        else:
            kind = SealedDatabaseStore if players.results.has_envelope else DatabaseStore
            store = kind(database, players.results)
    lender = Celery("lender", broker="memory://", set_as_current=False)
    with wire_to(broker, BROKER_DB) as wire:
        wire.clear("orders", "other")
        worker = players.make_worker().start()
        caller = players.make_caller()
        stage = Stage(subject, backend, players.place, players, store, wire, worker, caller, lender)
        try:
            caller.start()
            assert (amiss := stage.check_alive()) is None, amiss
            stage.learn()
            yield stage
        finally:
            stage.caller.stop()
            stage.worker.stop()
            stage.wire.clear("orders", "other")
            store.close()
