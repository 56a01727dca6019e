"""A worker, a caller, and one of the places where results are kept, with somebody who can write to that place."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from celery import _state
from service.factory import make_app
from sqlalchemy import create_engine, text

from safecelery import SafeCelerySettings
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import PostgresServer, RabbitServer, RedisServer
from tests.integration.result_tasks import FINALIZERS
from tests.integration.stage import Identities, Stage, let_go

_state._on_app_finalizers -= FINALIZERS  # other apps of this process are not to have these tasks

__all__ = ["PLACES", "ResultStage", "on_result_stage"]

#: Where results are kept -> the number of the Redis database, where there is one.
PLACES = {"redis": 51, "sqlite": 52, "rpc": 53, "postgresql": 54}
ENVELOPE_END = '"}'
PLANTED = """
INSERT INTO safecelery_results (id, kind, key, document, date_done) VALUES (:number, 'result', :id, :value, :now)
"""


@dataclass(slots=True)
class ResultStage(Stage):
    """One broker with one worker, whose results go to ``place``."""

    place: str = "redis"
    queue: str = "results"
    """Nobody else's: other stages of the process may have workers on the same broker."""
    extra: dict[str, str] | None = None

    def settings(self, owner: str, *, trust: bool = True, **changes: Any) -> SafeCelerySettings:
        return Stage.settings(self, owner, trust=trust, default_queue=self.queue, **changes)

    def environment(self, owner: str) -> dict[str, str]:
        return Stage.environment(self, owner) | {"SAFECELERY_DEFAULT_QUEUE": self.queue}

    def task(self, name: str) -> Any:
        """A task by its whole name."""
        return self.app.tasks[name]

    def ask(
        self, what: str, task_id: str, *, timeout: float = 10, owner: str = "producer", **env: str
    ) -> dict[str, Any]:
        """What a caller in a process of its own gets to see; it has to be alive to say so."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            **self.environment(owner),
            **(self.extra or {}),
            **env,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.result_caller", what, task_id, str(timeout)],
            env=environment, cwd=self.directory, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"the caller died: {done.returncode}\n{done.stderr}"
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("outcome ")]
        found: dict[str, Any] = json.loads(line.removeprefix("outcome "))
        return found

    # Somebody who can read and write the place ------------------------------------------------------------------

    @contextmanager
    def redis_place(self) -> Iterator[redis.Redis]:
        """The result database, for whoever has its password."""
        client = redis.Redis.from_url(self.results_url, **self.results.broker_ssl or {})
        try:
            yield client
        finally:
            client.close()
            client.connection_pool.disconnect()

    def _database(self, statement: str, **values: Any) -> Any:
        """Run statements in one transaction; the first row, if there is one."""
        engine = create_engine(self.results_url.removeprefix("db+"))
        try:
            with engine.begin() as connection:
                found = connection.execute(text(statement), values)
                return found.first() if found.returns_rows else None
        finally:
            engine.dispose()

    def stored(self, task_id: str) -> bytes | None:
        """The sealed value of a task, as it is kept."""
        if self.place == "redis":
            with self.redis_place() as client:
                return client.get(f"celery-task-meta-{task_id}")  # type: ignore[return-value]
        found = self._database("SELECT document FROM safecelery_results WHERE key = :id", id=task_id)
        return found and bytes(found[0])

    def plant(self, task_id: str, value: bytes, *, publish: bool = False) -> None:
        """Put a value where a task's result is kept."""
        if self.place == "redis":
            with self.redis_place() as client:
                client.set(f"celery-task-meta-{task_id}", value, ex=600)
                if publish:
                    client.publish(f"celery-task-meta-{task_id}", value)
            return
        self._database("DELETE FROM safecelery_results WHERE key = :id", id=task_id)
        self._database(PLANTED, number=secrets.randbelow(2**30) + 2**30, id=task_id, value=value, now=datetime.now(UTC))


@contextmanager
def on_result_stage(
    broker: RedisServer | RabbitServer,
    server: RedisServer,
    directory: Path,
    place: str,
    postgresql: PostgresServer | None = None,
    **extra: str,
) -> Iterator[ResultStage]:
    """A stage whose worker runs; ``extra`` are variables of its environment and of callers."""
    keys = Identities(directory)
    tasks = ["service.*", "results.*"]
    keys.add("worker", send=tasks, queues=["*"], results=[*tasks, "celery.*"])
    keys.add("producer", send=tasks, queues=["*"], control=["*"])
    keys.add("stranger", send=["service.note"], queues=["*"], results=["service.note"])
    witness = directory / "witness.jsonl"
    witness.touch()
    url = {
        "redis": server.url_for(PLACES["redis"]), "sqlite": f"db+sqlite:///{directory / 'results.db'}", "rpc": "rpc://",
        "postgresql": f"db+{postgresql.url}" if postgresql else "",
    }[place]  # fmt: skip
    if postgresql is not None:
        extra["SAFECELERY_LEDGER__URL"] = postgresql.url
    elif place != "redis":
        extra["SAFECELERY_LEDGER__URL"] = f"sqlite:///{directory / 'ledger.db'}"
    queue = f"results-{place}-{secrets.token_hex(4)}"
    stage = ResultStage(broker, server, url, keys, directory, witness, place=place, queue=queue, extra=extra)
    stage.worker = CeleryProcess(
        "service.app", "worker", ["-c", "2", "-Q", queue, "-I", "tests.integration.result_tasks"],
        directory=directory, env={**stage.environment("worker"), **extra},
    )  # fmt: skip
    os.environ.update(extra)
    try:
        _state._on_app_finalizers |= FINALIZERS
        stage.app = make_app(stage.settings("producer"))
        stage.app.finalize()
    finally:
        _state._on_app_finalizers -= FINALIZERS
        for name in extra:
            os.environ.pop(name)
    with stage.worker:
        yield stage
    let_go(stage.app)
