"""What the tests of the dead-letter tools act with: the command as an operator types it, and letters of every kind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from kombu import Connection

from safecelery.keys.ring import Keyring
from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore
from safecelery.message.claims import Audience
from safecelery.message.dead_letter import DeadLetter, read_letter
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.runtime.dead_letter_queue import dead_letter_queue
from safecelery.stores.redis import LEDGER_PREFIX
from tests.integration.stage import Stage, eventually

__all__ = ["CANARY", "DEAD", "Desk", "expired", "plant", "until_completed"]

DEAD = "safecelery.dead-letters"
CANARY = "4111-1111-1111-1111"
RUN = "from safecelery.cli.main import main; main()"


class Desk:
    """``safecelery dlq`` at an operator's desk."""

    def __init__(self, stage: Stage, home: Path) -> None:
        self.stage, self.home = stage, home

    @property
    def book(self) -> list[dict[str, Any]]:
        """The book of replays."""
        path = self.home / "state" / "safecelery" / "replays.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def run(
        self, *words: str, owner: str = "operator", program: str = RUN, status: int | None = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """One command, with that owner's key, and the exit status that it must have."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.stage.environment(owner),
            **more,
        }
        command, *rest = words
        done = subprocess.run(
            [sys.executable, "-c", program, "dlq", command, "-A", "service.app", *rest],
            env=environment, cwd=self.home, capture_output=True, text=True, timeout=170, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def listed(self, *words: str) -> list[dict[str, Any]]:
        """What ``list`` knows."""
        found: list[dict[str, Any]] = json.loads(self.run("list", "--format", "json", *words).stdout)
        return found

    def letters(self, count: int, matching: Callable[[DeadLetter], bool] = lambda letter: True) -> list[DeadLetter]:
        """Wait until there are so many; take none."""
        eventually(lambda: self.stage.depth(DEAD) >= count, what=f"{count} dead letters")
        bodies = [item.body for item in self.stage.take(DEAD)]
        return [letter for letter in map(read_letter, bodies) if matching(letter)]

    def until(self, count: int) -> None:
        """Wait until there are so many."""
        eventually(lambda: self.stage.depth(DEAD) == count, what=f"{count} dead letters")

    def empty(self) -> None:
        """No dead letters, and their queue exists."""
        with self.stage.app.connection_for_write() as connection:
            dead_letter_queue(self.stage.app, DEAD)(connection.default_channel).declare()
        self.stage.take(DEAD)


def expired(stage: Stage, task: str, *args: Any, queue: str = "celery", owner: str = "producer", **headers: Any) -> str:
    """Send a message that was genuine until some seconds ago; its task id."""
    task_id = f"id-{time.time_ns()}"
    body = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()
    given = {"task": task, "id": task_id, "root_id": task_id, "parent_id": None, "group": None, "lang": "py", **headers}
    ring = Keyring(load_private(stage.keys.reference(owner)), TrustStore.load(stage.keys.trust_file))
    draft = Draft(
        typ="task", aud=Audience(queue=queue), ct="application/json", ce="utf-8", cmp=None, hdr=given,
        props={"correlation_id": task_id}, body=body, lifetime_s=1,
    )  # fmt: skip
    envelope = seal(draft, ring, now=time.time() - 5)  # the key itself is not much older
    stage.put(queue, body, {**given, HEADER: envelope}, correlation_id=task_id)
    return task_id


def until_completed(stage: Stage, kid: str, jti: str) -> None:
    """Wait until the worker's ledger knows that this key's message ran: from then on a copy is refused."""
    entry = hashlib.sha256(f"{kid} {jti}".encode()).hexdigest()
    url = stage.broker.url if stage.on_redis else stage.results_url
    with redis.Redis.from_url(url, **stage.results.broker_ssl or {}) as client:
        eventually(lambda: (client.get(LEDGER_PREFIX + entry) or b"").startswith(b"done"), what="its completion")


def plant(stage: Stage, body: bytes, headers: dict[str, Any] | None = None) -> None:
    """Put something into the dead-letter queue, as anybody could who has the broker's password."""
    with Connection(stage.broker.url, ssl=stage.broker.broker_ssl) as connection:
        connection.Producer(auto_declare=False).publish(
            body, routing_key=DEAD, exchange="", headers=headers or {}, content_type="application/json",
            content_encoding="utf-8",
        )  # fmt: skip
