"""A worker that tells all it can, and whoever listens: Redis' monitor and dump, RabbitMQ's files, events, mails."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from safecelery import SafeCelery
from safecelery.keys.encryption.generate import encryption_trust_entry, generate_encryption_key
from safecelery.keys.encryption.private import render_decryption_key
from safecelery.keys.generate import write_document
from safecelery.settings import EncryptionSettings
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.canary_app import QUEUE, make
from tests.integration.stage import Identities, Stage, eventually, let_go

__all__ = ["CanaryRun", "add_encryption", "canary_run", "shows"]

#: Result and ledger databases: what is found there is this run's.
DATABASE = {RedisServer: 21, RabbitServer: 22}


def add_encryption(keys: Identities, owner: str, scheme: str = "hpke-x25519", **grants: Any) -> str:
    """A new encryption key and its entry; the reference to its private file."""
    key = generate_encryption_key(owner, scheme=scheme)
    path = keys.directory / f"{key.kid}.enc.key"
    write_document(path, render_decryption_key(key))
    keys.entries.append(encryption_trust_entry(key, secret_reference=f"file:{path}", **grants))
    keys.publish("\n".join(keys.entries))
    return f"file:{path}"


_RUN = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def shows(data: bytes, canary: str, depth: int = 3) -> bool:
    """The canary is in there, as it is or in base64: kombu writes bodies so, and a dead letter once more."""
    if canary.encode() in data:
        return True
    if not depth:
        return False
    for run in _RUN.finditer(data):
        text = run.group().rstrip(b"=")
        for start in range(4):
            part = text[start:]
            part = part[: len(part) - len(part) % 4] if len(part) % 4 == 1 else part
            with contextlib.suppress(ValueError):
                if shows(base64.b64decode(part + b"=" * (-len(part) % 4)), canary, depth - 1):
                    return True
    return False


@dataclass
class CanaryRun:
    """One worker and what was overheard while it worked."""

    stage: Stage
    encrypt: bool
    canary: str
    mails: Path
    monitored: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    app: SafeCelery = field(init=False)
    worker: CeleryProcess = field(init=False)

    def send(self, name: str, *args: Any, **options: Any) -> Any:
        """Call one of its tasks."""
        return self.app.tasks[f"service.{name}"].apply_async(args or (self.canary,), queue=QUEUE, **options)

    def sign(self, name: str) -> Any:
        """An immutable signature of a task with the canary."""
        return self.app.tasks[f"service.{name}"].si(self.canary).set(queue=QUEUE)

    def until(self, task: str, count: int = 1, **what: Any) -> None:
        """Wait until it ran so often."""
        eventually(lambda: len(self.stage.witnesses(task, **what)) >= count, timeout=60, what=f"{count} runs of {task}")

    def places(self) -> dict[str, bytes]:
        """Everything that somebody else could read, by its place."""
        found = {
            "worker log": self.worker.log.encode(),
            "events": json.dumps(self.events).encode(),
            "mails": b"".join(path.read_bytes() for path in self.mails.glob("*")),
            "redis traffic": b"\n".join(self.monitored),
            "redis dump": _dump(self.stage.results),
        }
        if isinstance(self.stage.broker, RabbitServer):
            files = (self.stage.broker.home / "data").rglob("*")
            found["rabbitmq files"] = b"".join(_content(path) for path in files if path.is_file())
        return found


def _content(path: Path) -> bytes:
    """Of a file of a server at work, which may have removed it by now."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def _admin(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.admin_url, **server.broker_ssl or {})


def _dump(server: RedisServer) -> bytes:
    with _admin(server) as client:
        client.config_set("rdbcompression", "no")
        client.save()
    return (server.home / "dump.rdb").read_bytes()


@contextlib.contextmanager
def _monitored(server: RedisServer, into: list[bytes]) -> Iterator[None]:
    """Every command that Redis gets, with its arguments."""
    over = threading.Event()
    with _admin(server) as client, client.monitor() as monitor:

        def listen() -> None:
            while not over.is_set():
                if monitor.connection.can_read(timeout=0.2):
                    into.append(bytes(monitor.connection.read_response()))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(timeout=10)


@contextlib.contextmanager
def _overheard(app: SafeCelery, into: list[dict[str, Any]]) -> Iterator[None]:
    """Every event, as Flower would get it."""
    over = threading.Event()

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": into.append})
            with receiver.consumer_context() as (own, _, _):
                while not over.is_set():
                    with contextlib.suppress(TimeoutError):
                        own.drain_events(timeout=0.5)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=10)


@contextlib.contextmanager
def canary_run(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, directory: Path, *, encrypt: bool
) -> Iterator[CanaryRun]:
    """A worker at DEBUG with events and mails on, an app that sends to it, and all the listeners."""
    keys = Identities(directory)
    for owner in ("worker", "producer", "operator"):
        keys.add(owner, send=["service.*"], queues=["*"], control=["*"], results=["service.*"])
    reading = add_encryption(keys, "vault", queues=[QUEUE], results=["service.*"])
    names = add_encryption(keys, "names", "aes-256-gcm")
    (directory / "witness.jsonl").touch()
    url = redis_server.url_for(DATABASE[type(broker)])
    stage = Stage(broker, redis_server, url, keys, directory, directory / "witness.jsonl")
    run = CanaryRun(stage, encrypt, f"canary{secrets.token_hex(12)}", directory / "mails")
    environment = {
        **stage.environment("worker"),
        "SAFECELERY_ENCRYPTION__KEYS": reading,
        "SAFECELERY_ENCRYPTION__OPERATIONS_KEY": names,
        "CANARY_ENCRYPT": "yes" if encrypt else "no",
        "CANARY_MAILS": str(run.mails),
    }
    run.worker = CeleryProcess(
        "tests.integration.canary_app", "worker", ["-c", "2", "-Q", QUEUE, "-E", "--loglevel", "DEBUG"],
        directory=directory, env=environment, name=f"canary-{'sealed' if encrypt else 'plain'}",
    )  # fmt: skip
    # Who sends them may read what they return.
    settings = stage.settings("producer").model_copy(update={"encryption": EncryptionSettings(keys=(reading,))})
    run.app = stage.app = make(settings, encrypt=encrypt)
    with _monitored(redis_server, run.monitored), _overheard(run.app, run.events), run.worker:
        yield run
    let_go(run.app)
