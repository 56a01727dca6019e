"""What an integration test acts on: one broker, a worker with its own key, and an app that sends with another."""

from __future__ import annotations

import base64
import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import redis
from amqp.exceptions import InternalError, NotFound
from celery import Celery
from kombu import Connection

from safecelery import SafeCelery, SafeCelerySettings
from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.witnesses import whole_lines

__all__ = ["IDLE", "TIMEOUT", "Identities", "RawItem", "Stage", "eventually", "let_go"]

T = TypeVar("T")
#: Seconds; a condition that does not hold by then will not, on a machine that has much else to do either.
TIMEOUT = 60.0
#: A queue that no worker reads.
IDLE = "idle"


def eventually(probe: Callable[[], T], *, timeout: float = TIMEOUT, what: str = "the condition") -> T:
    """What ``probe`` returns as soon as that is true-ish."""
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not hold within {timeout:g} s")
        time.sleep(0.02)
    return found


def let_go(app: Celery) -> None:
    """Close the app's connections; results that are still about must not ask for a server that is gone."""
    gc.collect()
    if app._pool is not None:
        app.pool.force_close_all()
    consumer = getattr(app.backend, "result_consumer", None)
    if consumer is not None and hasattr(consumer, "subscribed_to"):
        consumer.stop()
        consumer.subscribed_to.clear()
        app.backend.client.close()
        app.backend.client.connection_pool.disconnect()
    elif consumer is not None and consumer._connection is not None:  # replies by rpc
        consumer.stop()
    app.close()


@dataclass(slots=True)
class Identities:
    """The keys of one stage and the trust file that grants them their rights."""

    directory: Path
    entries: list[str] = field(default_factory=list)

    @property
    def trust_file(self) -> Path:
        """What a worker trusts."""
        return self.directory / "trust.toml"

    def add(
        self, owner: str, *, send: Sequence[str], queues: Sequence[str], control: Sequence[str] = (),
        results: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """A new key, its rights, and the reference to its private file."""
        key = generate_key(owner, lifetime=timedelta(days=1))
        write_private(self.directory / f"{owner}.key", key)
        self.entries.append(trust_entry(key, send=send, queues=queues, control=control, results=results))
        self.publish("\n".join(self.entries))
        return self.reference(owner)

    def publish(self, text: str) -> None:
        """A new trust file in the place of the old one: a running worker sees the one or the other."""
        new = self.directory / ".trust.new"
        new.write_text(text)
        new.replace(self.trust_file)

    def reference(self, owner: str) -> str:
        """What ``SAFECELERY_SIGNING__KEY`` takes."""
        return f"file:{self.directory / f'{owner}.key'}"


@dataclass(frozen=True, slots=True)
class RawItem:
    """A message as the broker holds it."""

    body: bytes
    headers: dict[str, Any]
    properties: dict[str, Any]
    content_type: str | None


@dataclass(slots=True)
class Stage:
    """One broker with one worker."""

    broker: RedisServer | RabbitServer
    results: RedisServer
    results_url: str
    keys: Identities
    directory: Path
    witness_file: Path
    worker: CeleryProcess = field(init=False, repr=False)
    app: SafeCelery = field(init=False, repr=False)

    @property
    def on_redis(self) -> bool:
        """Which broker it is."""
        return isinstance(self.broker, RedisServer)

    def settings(self, owner: str, *, trust: bool = True, **changes: Any) -> SafeCelerySettings:
        """Settings of a service with that owner's key."""
        signing: dict[str, Any] = {"key": self.keys.reference(owner)}
        if trust:
            signing["trust_file"] = self.keys.trust_file
        values: dict[str, Any] = {
            "broker": {"url": self.broker.url, "ca_file": self.broker.ca_file},
            "results": {"url": self.results_url},
            "signing": signing,
        }
        return SafeCelerySettings(**(values | changes))

    def environment(self, owner: str) -> dict[str, str]:
        """The same as variables, for a process."""
        return {
            "SAFECELERY_BROKER__URL": self.broker.url,
            "SAFECELERY_BROKER__CA_FILE": str(self.broker.ca_file),
            "SAFECELERY_RESULTS__URL": self.results_url,
            "SAFECELERY_SIGNING__KEY": self.keys.reference(owner),
            "SAFECELERY_SIGNING__TRUST_FILE": str(self.keys.trust_file),
            "SERVICE_WITNESS": str(self.witness_file),
        }

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Send the service's task and wait for what it returns."""
        return self.app.tasks[f"service.{name}"].delay(*args, **kwargs).get(timeout=TIMEOUT)

    def sign(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """A signature of the service's task."""
        return self.app.tasks[f"service.{name}"].s(*args, **kwargs)

    def witnesses(self, task: str, **what: Any) -> list[dict[str, Any]]:
        """What ran, in order: lines that the task left, with these members."""
        lines = [json.loads(line) for line in whole_lines(self.witness_file)]
        return [line for line in lines if line["task"] == task and what.items() <= line.items()]

    def refusals(self, reason: str) -> int:
        """How many messages the worker says that it refused for that reason."""
        return self.worker.log.count(f"message refused: {reason} ")

    def until_refused(self, reason: str, count: int = 1) -> None:
        """Wait until the worker has refused that many in all."""
        eventually(lambda: self.refusals(reason) >= count, what=f"{count} refusals as {reason}")

    # Looking at a queue behind the application's back -----------------------------------------------------------

    @contextmanager
    def admin(self) -> Iterator[redis.Redis]:
        """Redis as its administrator sees it."""
        assert isinstance(self.broker, RedisServer)
        with redis.Redis.from_url(self.broker.admin_url, **self.broker.broker_ssl or {}) as client:
            yield client

    def take(self, queue: str) -> list[RawItem]:
        """Everything in the queue, oldest first; the queue is empty afterwards."""
        if self.on_redis:
            with self.admin() as client, client.pipeline(transaction=True) as pipe:
                if client.type(queue) != b"list":
                    return []
                items, _ = pipe.lrange(queue, 0, -1).delete(queue).execute()
            return [_from_redis(item) for item in reversed(items)]
        found = []
        # A queue that nobody has declared yet, or that is being declared just now, is as empty as one on Redis.
        yet_to_come = suppress(NotFound, InternalError)
        with Connection(self.broker.url, ssl=self.broker.broker_ssl) as connection, yet_to_come:
            channel = connection.default_channel
            while (message := channel.basic_get(queue)) is not None:
                channel.basic_ack(message.delivery_tag)
                body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
                properties = dict(message.properties)
                headers = properties.pop("application_headers", {}) or {}
                found.append(RawItem(body, headers, properties, properties.get("content_type")))
        return found

    def put(
        self, queue: str, body: bytes, headers: dict[str, Any], *, by_administrator: bool = False, **properties: Any
    ) -> None:
        """Publish as anybody could who has the broker's password and no key; or, on Redis, its administrator's."""
        admin = by_administrator and isinstance(self.broker, RedisServer)
        url = self.broker.admin_url if admin else self.broker.url  # type: ignore[union-attr]
        with Connection(url, ssl=self.broker.broker_ssl) as connection:
            connection.Producer(auto_declare=False).publish(
                body, routing_key=queue, exchange="", headers=headers,
                content_type=properties.pop("content_type", "application/json"),
                content_encoding=properties.pop("content_encoding", "utf-8"), **properties,
            )  # fmt: skip

    def depth(self, queue: str) -> int:
        """How many messages wait in the queue."""
        if self.on_redis:
            with self.admin() as client:
                return int(client.llen(queue))
        with Connection(self.broker.url, ssl=self.broker.broker_ssl) as connection:
            try:
                return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
            except (NotFound, InternalError):  # nobody has declared it yet, or somebody is just doing so
                return 0


def _from_redis(item: bytes) -> RawItem:
    payload = json.loads(item)
    return RawItem(
        base64.b64decode(payload["body"]), payload["headers"], payload["properties"], payload.get("content-type")
    )
