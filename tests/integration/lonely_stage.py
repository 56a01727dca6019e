"""One worker that nobody else's tests share: on a queue of its own, and on Redis on a server of its own."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.factory import make_app

from safecelery import SafeCelery, SafeCelerySettings
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.stage import TIMEOUT, Identities, Stage, eventually, let_go

__all__ = ["DEAD", "QUEUE", "LonelyStage", "lonely_stage"]

QUEUE, DEAD = "lonely", "lonely.dead-letters"


@dataclass(slots=True)
class LonelyStage(Stage):
    """As :class:`Stage`, with :data:`QUEUE` and :data:`DEAD`."""

    extra: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1_000_000))

    def settings(self, owner: str, *, trust: bool = True, **changes: Any) -> SafeCelerySettings:
        return Stage.settings(self, owner, trust=trust, default_queue=QUEUE, dead_letter_queue=DEAD, **changes)

    def environment(self, owner: str) -> dict[str, str]:
        names = {"SAFECELERY_DEFAULT_QUEUE": QUEUE, "SAFECELERY_DEAD_LETTER_QUEUE": DEAD}
        return Stage.environment(self, owner) | names | self.extra

    def start_worker(self, name: str = "worker") -> CeleryProcess:
        """A worker of this stage that is ready."""
        return CeleryProcess(
            "tests.integration.hardened_app", "worker", ["-c", "2", "-Q", QUEUE, "-n", f"{name}@%h"],
            directory=self.directory, env=self.environment("worker"), name=name,
        ).start()  # fmt: skip

    def canary(self, within_s: float = TIMEOUT) -> None:
        """An honest task runs."""
        assert self.worker.running, self.worker.log[-4000:]
        number = next(self._numbers)
        result = self.app.tasks["service.add"].delay(number, 1)
        assert result.get(timeout=within_s, interval=0.02) == number + 1

    def letters(self, count: int = 1) -> list[dict[str, Any]]:
        """Take the dead letters; wait for that many."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            if self.on_redis or self.depth(DEAD):
                found.extend(json.loads(item.body) for item in self.take(DEAD))
            return len(found) >= count

        eventually(enough, what=f"{count} dead letters")
        return found

    def peak_mib(self) -> float:
        """Most memory that the worker's main process ever had, in MiB."""
        status = Path(f"/proc/{self.worker.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024

    def forget_peak(self) -> None:
        """From now on (proc(5), ``clear_refs``)."""
        Path(f"/proc/{self.worker.pid}/clear_refs").write_text("5")


@contextmanager
def lonely_stage(
    broker: RedisServer | RabbitServer, results: RedisServer, directory: Path, **extra: str
) -> Iterator[LonelyStage]:
    """With one worker that runs; ``extra`` are variables of its environment."""
    keys = Identities(directory)
    keys.add("worker", send=["service.*"], queues=[QUEUE], results=["*"])
    keys.add("producer", send=["service.*"], queues=[QUEUE], control=["*"])
    witness = directory / "witness.jsonl"
    witness.touch()
    stage = LonelyStage(broker, results, results.url_for(40), keys, directory, witness, extra=extra)
    stage.app = _app(stage)
    stage.worker = stage.start_worker()
    try:
        yield stage
    finally:
        stage.worker.stop()
        let_go(stage.app)


def _app(stage: LonelyStage) -> SafeCelery:
    return make_app(stage.settings("producer"))
