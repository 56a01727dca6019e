"""A worker that gathers results for chords, of encrypted tasks too; an app that sends to it, and a thief's."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from safecelery import SafeCelery
from safecelery.settings import EncryptionSettings
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RedisServer
from tests.integration.canary_stage import add_encryption, shows
from tests.integration.gathered_app import QUEUE, make
from tests.integration.stage import Identities, Stage, let_go

__all__ = ["Gathered", "gathered"]

DATABASE = 25


@dataclass
class Gathered:
    """A worker that mails its errors, and an app that sends to it and may read what it returns."""

    stage: Stage
    app: SafeCelery
    thief: SafeCelery
    """May send ``service.one``, the callbacks named loot and Celery's own tasks; and reads the broker."""
    worker: CeleryProcess
    canary: str

    def sign(self, name: str, *args: Any, queue: str = QUEUE) -> Any:
        return self.app.tasks[f"service.{name}"].si(*args).set(queue=queue)

    def mails(self) -> bytes:
        return b"".join(path.read_bytes() for path in (self.stage.directory / "mails").glob("*"))

    def kept(self) -> bytes:
        """Everything in the place of the results."""
        if not self.on_redis:
            return (self.stage.directory / "results.db").read_bytes()
        with self.redis_place() as client:
            reads: dict[bytes, Any] = {
                b"string": client.get, b"list": lambda key: client.lrange(key, 0, -1), b"set": client.smembers,
                b"zset": lambda key: client.zrange(key, 0, -1), b"none": lambda key: b"gone since",
            }  # fmt: skip
            return b"\n".join(repr(reads[client.type(key)](key)).encode() for key in client.scan_iter("celery-task*"))

    def places(self) -> dict[str, bool]:
        """Where the canary shows."""
        found = {"log": self.worker.log.encode(), "mails": self.mails(), "results": self.kept()}
        return {place: shows(data, self.canary) for place, data in found.items()}

    @property
    def on_redis(self) -> bool:
        """Whether the results are on Redis."""
        return self.stage.results_url.startswith("redis")

    def redis_place(self) -> redis.Redis:
        """The result database, for whoever has its password."""
        return redis.Redis.from_url(self.stage.results_url, **self.stage.results.broker_ssl or {})


@contextlib.contextmanager
def gathered(redis_server: RedisServer, directory: Path, place: str) -> Iterator[Gathered]:
    """Results in ``place``, ``redis`` or ``sqlite``."""
    keys = Identities(directory)
    keys.add("worker", send=["service.*", "celery.*"], queues=["*"], results=["service.*", "celery.*"])
    keys.add("producer", send=["service.*", "celery.*"], queues=["*"])
    granted = ["service.one", "service.loot", "service.secret-loot", "celery.*", "elsewhere.loot"]
    keys.add("thief", send=granted, queues=["*"])
    reading = add_encryption(keys, "vault", queues=[QUEUE], results=["service.*"])
    (directory / "witness.jsonl").touch()
    url = redis_server.url_for(DATABASE) if place == "redis" else f"db+sqlite:///{directory / 'results.db'}"
    stage = Stage(redis_server, redis_server, url, keys, directory, directory / "witness.jsonl")
    canary = f"canary{secrets.token_hex(12)}"
    environment = {
        **stage.environment("worker"), "SAFECELERY_ENCRYPTION__KEYS": reading, "CANARY": canary,
        "CANARY_MAILS": str(directory / "mails"),
    }  # fmt: skip
    worker = CeleryProcess(
        "tests.integration.gathered_app", "worker", ["-c", "2", "-Q", QUEUE], directory=directory, env=environment,
        name=f"gathered-{place}",
    )  # fmt: skip
    settings = stage.settings("producer").model_copy(update={"encryption": EncryptionSettings(keys=(reading,))})
    stage.app = make(settings)
    thief = make(stage.settings("thief"))
    with worker:
        yield Gathered(stage, stage.app, thief, worker, canary)
    let_go(thief)
    let_go(stage.app)
