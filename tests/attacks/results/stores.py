"""The places where results are, as somebody sees them who has the password and no key."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import amqp
import redis
from kombu import Connection

from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.operations import ENVELOPE
from tests.attacks.results.answer import Answer, ResultSealer

__all__ = ["DatabaseStore", "RedisStore", "RpcStore", "SealedDatabaseStore", "Store"]

TAP = "attackers-tap"


class Store(Protocol):
    """What attacks on any backend use."""

    def read(self, task_id: str) -> Answer:
        """The result that is there now."""
        ...

    def write(self, task_id: str, answer: Answer) -> None:
        """Put it there, and tell nobody."""
        ...

    def publish(self, task_id: str, answer: Answer) -> None:
        """Tell whoever waits for the task, and put it nowhere."""
        ...

    def drop(self, task_id: str) -> None:
        """Take it away."""
        ...

    def write_group(self, group_id: str, answer: Answer) -> None:
        """What is saved of a group."""
        ...

    def close(self) -> None:
        """Done."""
        ...


class RedisStore:
    """Keys of Celery's backend (celery/backends/base.py, ``BaseKeyValueStoreBackend``)."""

    def __init__(self, server: RedisServer, database: int, sealer: ResultSealer) -> None:
        url = server.admin_url.rpartition("/")[0]
        self.client: Any = redis.Redis.from_url(f"{url}/{database}", **server.broker_ssl or {})
        self._sealer = sealer

    def read(self, task_id: str) -> Answer:
        """GET."""
        stored = self.client.get(self.key(task_id))
        assert stored is not None, f"there is no result of {task_id}"
        return self._sealer.unpack(stored)

    def write(self, task_id: str, answer: Answer) -> None:
        """SET."""
        self.client.set(self.key(task_id), self._sealer.pack(answer), ex=3600)

    def publish(self, task_id: str, answer: Answer) -> None:
        """PUBLISH; the channel has the key's name."""
        self.client.publish(self.key(task_id), self._sealer.pack(answer))

    def drop(self, task_id: str) -> None:
        """DEL."""
        self.client.delete(self.key(task_id))

    def write_group(self, group_id: str, answer: Answer) -> None:
        """SET."""
        self.client.set(self.group_key(group_id), self._sealer.pack(answer), ex=3600)

    def close(self) -> None:
        """Done."""
        self.client.close()

    @staticmethod
    def key(task_id: str) -> str:
        """Of a task's result."""
        return f"celery-task-meta-{task_id}"

    @staticmethod
    def group_key(group_id: str, suffix: str = "") -> str:
        """Of a group, and with a suffix of what a chord counts (celery/backends/redis.py)."""
        return f"celery-taskset-meta-{group_id}{suffix}"


class RpcStore:
    """The reply queue of a caller."""

    def __init__(self, server: RabbitServer, sealer: ResultSealer) -> None:
        self._content_type = sealer.content_type
        self._connection = Connection(server.url, ssl=server.broker_ssl)
        self._channel = self._connection.channel()
        self._channel.queue_declare(TAP, durable=False, auto_delete=False)
        self.queue = ""
        """Of the caller, as soon as it has said where it waits."""

    def send(self, answer: Answer, **changes: Any) -> None:
        """A message for the caller.

        Args:
            changes: ``content_type``, ``content_encoding``, ``correlation_id``, ``headers``; ``None`` leaves it out.
        """
        headers = {} if answer.envelope is None else {ENVELOPE: answer.envelope}
        properties: Mapping[str, Any] = {
            "content_type": self._content_type, "content_encoding": "utf-8", "delivery_mode": 1,
            "application_headers": {**headers, **(changes.pop("headers", None) or {})}, **changes,
        }  # fmt: skip
        message = amqp.Message(answer.body, **{name: value for name, value in properties.items() if value is not None})
        self._channel.basic_publish(message, exchange="", routing_key=self.queue)

    def tapped(self) -> Answer | None:
        """What a worker has sent to the attacker's own queue."""
        message = self._channel.basic_get(TAP, no_ack=True)
        if message is None:
            return None
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        return Answer(body, (message.headers or {}).get(ENVELOPE))

    def read(self, task_id: str) -> Answer:
        """Replies are not kept."""
        raise AssertionError("a reply cannot be read; tap one")

    def write(self, task_id: str, answer: Answer) -> None:
        """There is no store."""
        raise AssertionError("rpc has no store to write to")

    def publish(self, task_id: str, answer: Answer) -> None:
        """As a worker would."""
        self.send(answer, correlation_id=task_id)

    def drop(self, task_id: str) -> None:
        """There is no store."""
        raise AssertionError("rpc has no store")

    def write_group(self, group_id: str, answer: Answer) -> None:
        """There is no store."""
        raise AssertionError("rpc saves no groups")

    def close(self) -> None:
        """Done."""
        self._connection.release()


class DatabaseStore:
    """Rows of Celery's tables (celery/backends/database/models.py)."""

    def __init__(self, path: Path, sealer: ResultSealer) -> None:
        self._path = path
        self._sealer = sealer

    def _run(self, statement: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(self._path, timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def row(self, task_id: str) -> dict[str, Any]:
        """The columns of a result."""
        columns = [row[1] for row in self._run("PRAGMA table_info(celery_taskmeta)")]
        (found,) = self._run("SELECT * FROM celery_taskmeta WHERE task_id = ?", task_id)
        return dict(zip(columns, found, strict=True))

    def change(self, task_id: str, columns: Mapping[str, Any]) -> None:
        """Set some of them; a row that is not there is made."""
        if not self._run("SELECT 1 FROM celery_taskmeta WHERE task_id = ?", task_id):
            self._run("INSERT INTO celery_taskmeta (task_id, status) VALUES (?, 'PENDING')", task_id)
        for name, value in columns.items():
            self._run(f'UPDATE celery_taskmeta SET "{name}" = ? WHERE task_id = ?', value, task_id)

    def swap(self, one: str, other: str) -> None:
        """All columns of two rows, but for what says whose they are."""
        mine, theirs = self.row(one), self.row(other)
        for task_id, row in ((one, theirs), (other, mine)):
            self.change(task_id, {name: value for name, value in row.items() if name not in ("id", "task_id")})

    def drop_document(self, task_id: str) -> None:
        """There is none."""

    def write_group(self, group_id: str, answer: Answer) -> None:
        """What is stored of a group; the column has the members alone."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            members = json.loads(self._sealer.text(answer))["result"]
            answer = self._sealer.with_text(answer, json.dumps(members).encode())
        self._run("UPDATE celery_tasksetmeta SET result = ? WHERE taskset_id = ?", answer.body, group_id)

    def read(self, task_id: str) -> Answer:
        """The column ``result``."""
        return Answer(bytes(self.row(task_id)["result"] or b""))

    def write(self, task_id: str, answer: Answer) -> None:
        """A row with what the meta says."""
        meta = json.loads(answer.body)
        result = json.dumps(meta["result"]).encode()
        self.change(task_id, {"status": meta["status"], "result": result, "traceback": meta["traceback"]})

    def publish(self, task_id: str, answer: Answer) -> None:
        """Nobody listens to a database."""
        raise AssertionError("a database has no channel")

    def drop(self, task_id: str) -> None:
        """DELETE."""
        self._run("DELETE FROM celery_taskmeta WHERE task_id = ?", task_id)

    def close(self) -> None:
        """Connections are short."""


class SealedDatabaseStore(DatabaseStore):
    """safecelery's own table beside Celery's (safecelery/runtime/results/database_model.py): that one is believed."""

    def _put(self, kind: str, key: str, document: bytes) -> None:
        self._run("DELETE FROM safecelery_results WHERE kind = ? AND key = ?", kind, key)
        self._run(
            "INSERT INTO safecelery_results (kind, key, document, date_done) VALUES (?, ?, ?, '2026-01-01 00:00:00')",
            kind, key, document,
        )  # fmt: skip

    def _document(self, task_id: str) -> bytes:
        ((document,),) = self._run("SELECT document FROM safecelery_results WHERE kind = 'result' AND key = ?", task_id)
        return bytes(document)

    def read(self, task_id: str) -> Answer:
        """The document."""
        return self._sealer.unpack(self._document(task_id))

    def write(self, task_id: str, answer: Answer) -> None:
        """Document and row."""
        self._put("result", task_id, self._sealer.pack(answer))
        with contextlib.suppress(ValueError):
            super().write(task_id, answer)

    def write_group(self, group_id: str, answer: Answer) -> None:
        """Document and row."""
        self._put("group", group_id, self._sealer.pack(answer))
        super().write_group(group_id, answer)

    def swap(self, one: str, other: str) -> None:
        """Documents and rows."""
        super().swap(one, other)
        mine, theirs = self._document(one), self._document(other)
        self._put("result", one, theirs)
        self._put("result", other, mine)

    def drop(self, task_id: str) -> None:
        """Both."""
        super().drop(task_id)
        self.drop_document(task_id)

    def drop_document(self, task_id: str) -> None:
        """The row alone says what it says."""
        self._run("DELETE FROM safecelery_results WHERE kind = 'result' AND key = ?", task_id)
