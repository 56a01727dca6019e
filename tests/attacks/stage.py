"""The stage of the attacks: one broker, one subject with a real worker process, and an honest service beside it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.case import Case, build
from tests.attacks.forge import Forger
from tests.attacks.operations import Sent
from tests.attacks.publishing import REPLIES
from tests.attacks.subjects import Subject
from tests.attacks.subjects.interface import Lines, Ready
from tests.attacks.wire import Wire, wire_to
from tests.witnesses import whole_lines

__all__ = ["DEADLINE_S", "DEAD_LETTERS", "Stage", "eventually", "on_stage"]

T = TypeVar("T")
#: A condition that does not hold by then will not.
DEADLINE_S = 60.0
DEAD_LETTERS = "attacks.dead-letters"
#: Databases of Redis that no other suite uses: the broker's, and the results of either stage.
BROKER_DB, RESULT_DBS = 20, {RedisServer: 21, RabbitServer: 22}
#: First summand of the honest tasks between the cases; no case adds anything to it.
HONEST = 1_000_000
QUEUES = ("orders", "other")
#: Seconds in which a broker gets back what a dead worker held.
RETURN_S = 0.5


def eventually(probe: Callable[[], T], what: Callable[[], str], deadline_s: float = DEADLINE_S) -> T:
    """What ``probe`` returns as soon as that is true-ish; ``what`` says in the end what was waited for.

    Raises:
        AssertionError: it was not by the deadline.
    """
    deadline = time.monotonic() + deadline_s
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s:g} s: {what()}")
        time.sleep(0.01)
    return found


@dataclass(slots=True)
class Stage:
    """What the driver works with."""

    subject: Subject
    wire: Wire
    ready: Ready
    worker: CeleryProcess
    witness_file: Path
    pid: int
    """Of the worker's main process when the stage was set; it must never change."""
    _honest: Iterator[int] = field(default_factory=itertools.count)

    def forger(self, case: Case) -> Forger:
        """Makes the case's message for this subject."""
        return Forger(self.ready.app, self.ready.sealer, self.witness_file, case)

    def result(self, task_id: str) -> Any:
        """What the result backend knows."""
        return self.ready.app.AsyncResult(task_id)

    def witnesses(self, since: int = 0, canary: str | None = None) -> list[dict[str, Any]]:
        """What ran, from that line on, the honest tasks between the cases aside.

        Args:
            canary: leave out what names another case's canary: attacks that work may go on working for a while.
        """
        texts = whole_lines(self.witness_file)[since:]
        if canary is not None:
            texts = [text for text in texts if canary in text or "canary" not in text]
        lines = [json.loads(text) for text in texts]
        return [line for line in lines if not (line["task"] == "add" and line["x"] == HONEST)]

    def witness_count(self) -> int:
        """Lines there are now, honest tasks included."""
        return len(whole_lines(self.witness_file))

    def dead_letters(self) -> list[dict[str, Any]]:
        """The records kept since the last look."""
        return [json.loads(body) for body in self.wire.take(DEAD_LETTERS)]

    def check_alive(self, deadline_s: float = DEADLINE_S) -> None:
        """The same worker still does honest work, on both queues.

        Raises:
            AssertionError: it does not.
        """
        number = next(self._honest)
        results = [self.result(self.send_honest(queue, HONEST, number)) for queue in QUEUES]

        def answered() -> bool:
            assert self.worker.running, f"the worker died:\n{self.worker.log[-4000:]}"
            return all(result.ready() for result in results)

        eventually(answered, lambda: f"honest work; the log ends\n{self.worker.log[-2000:]}", deadline_s)
        assert self.worker.pid == self.pid
        assert [result.result for result in results] == [HONEST + number] * len(QUEUES), "the honest task"

    def send_honest(self, queue: str, x: int, y: int) -> str:
        """An addition for the queue, signed by who may; its id."""
        return self.send_task("service.add", [x, y], queue=queue)

    def send_task(self, task: str, args: list[Any], task_id: str | None = None, queue: str = "orders") -> str:
        """A task for the queue, signed by who may; its id."""
        message = {"task": task, "signer": "full", "args": args, "queue": queue}
        forger = self.forger(build({"message": message, "expect": {"ran": []}}, "honest_admitted"))
        forger.id = task_id or forger.id
        self.wire.put(forger.message())
        return forger.id

    def restart(self) -> None:
        """What an operator does with a dead worker. The queues are emptied, or it might die of the same again."""
        if self.worker.running:
            os.killpg(self.worker.pid, signal.SIGKILL)  # it may hang; its children are in a group of its own
        self.worker.stop()
        time.sleep(RETURN_S)
        self.wire.clear(*QUEUES, REPLIES, DEAD_LETTERS, *STRAY)
        self.worker = self.ready.make_worker().start()
        self.pid = self.worker.pid
        self.check_alive()  # it hears what is broadcast from its first round on

    def peak_mib(self) -> int:
        """The most memory that the worker's main process ever had (proc(5), ``VmHWM``); 0 where there is no /proc."""
        status = Path(f"/proc/{self.pid}/status")
        try:
            match = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        except OSError:
            return 0
        return int(match[1]) >> 10 if match else 0

    def children(self) -> int:
        """How many child processes the worker has (proc(5)); 0 where there is no /proc."""
        try:
            return len(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())
        except OSError:
            return 0

    # What publishing asks for (`publishing.Airwaves`) -----------------------------------------------------------

    def sign_control(self, body: bytes, signer: str) -> Sent:
        """A control message."""
        return self.ready.sealer.control(body, signer)

    def broadcast(self, exchange: str, key: str, sent: Sent) -> None:
        """To whoever listens."""
        self.wire.broadcast(exchange, key, sent)

    def broadcast_raw(self, exchange: str, key: str, data: bytes) -> None:
        """To whoever listens, as it is."""
        self.wire.broadcast_raw(exchange, key, data)


#: Queues that no honest worker reads.
STRAY = ("attackers-queue", "attacker")


@contextmanager
def on_stage(
    subject: Subject, broker: RedisServer | RabbitServer, results: RedisServer, directory: Path
) -> Iterator[Stage]:
    """Keys, a worker and an honest app of this subject on this broker."""
    witness = directory / "witness.jsonl"
    witness.touch()
    url = broker.url_for(BROKER_DB) if isinstance(broker, RedisServer) else broker.url
    lines = Lines(broker, url, results.url_for(RESULT_DBS[type(broker)]), results, directory, witness, DEAD_LETTERS)
    with subject.open(lines) as ready, wire_to(broker, BROKER_DB) as wire:
        wire.listen(REPLIES)
        worker = ready.make_worker().start()
        stage = Stage(subject, wire, ready, worker, witness, worker.pid)
        try:
            stage.check_alive()
            yield stage
        finally:
            stage.worker.stop()
            stage.wire.clear(*QUEUES, REPLIES, *STRAY)
