"""Two workers that take remote commands, an operator who may give them, and an attacker who has the broker."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import amqp
import redis
from kombu import Connection
from service.factory import make_app

from safecelery import SafeCelery, SafeCelerySettings
from safecelery.keys.ring import Keyring
from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore
from safecelery.message.control import command_draft
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.stage import TIMEOUT, Identities, eventually, let_go

__all__ = ["PIDBOX", "ControlStage", "Sealed", "body_of", "on_control_stage", "processes"]

#: Databases of Redis that no other suite uses: the broker's, and the results of either stage.
BROKER_DB, RESULT_DBS = 25, {RedisServer: 26, RabbitServer: 27}
PIDBOX = "celery.pidbox"
#: Every command Celery has, for an operator; a developer may only look.
EVERYTHING, LOOKING = ["*"], ["ping", "conf"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A command as it goes over the wire: what whoever reads the broker can keep, and send again."""

    body: bytes
    headers: dict[str, Any]


@dataclass(slots=True)
class ControlStage:
    """What the tests of remote control act on."""

    broker: RedisServer | RabbitServer
    url: str
    results_url: str
    keys: Identities
    directory: Path
    app: SafeCelery = field(init=False, repr=False)
    """The operator's."""
    workers: dict[str, CeleryProcess] = field(default_factory=dict)

    def settings(self, owner: str, **changes: Any) -> SafeCelerySettings:
        """Settings of a service with that owner's key."""
        values: dict[str, Any] = {
            "broker": {"url": self.url, "ca_file": self.broker.ca_file},
            "results": {"url": self.results_url},
            "signing": {"key": self.keys.reference(owner), "trust_file": self.keys.trust_file},
        }
        return SafeCelerySettings(**(values | changes))

    def environment(self, owner: str, **more: str) -> dict[str, str]:
        """The same as variables, for a process."""
        return {
            "SAFECELERY_BROKER__URL": self.url,
            "SAFECELERY_BROKER__CA_FILE": str(self.broker.ca_file),
            "SAFECELERY_RESULTS__URL": self.results_url,
            "SAFECELERY_SIGNING__KEY": self.keys.reference(owner),
            "SAFECELERY_SIGNING__TRUST_FILE": str(self.keys.trust_file),
            "SAFECELERY_DEFAULT_QUEUE": "commanded",
        } | more

    def worker(
        self, name: str, *args: str, owner: str = "worker", app: str = "service.app", **more: str
    ) -> CeleryProcess:
        """A worker of that name, not started."""
        return CeleryProcess(
            app, "worker", ["-c", "1", "-n", f"{name}@stage", *args], directory=self.directory,
            env=self.environment(owner, **more), name=name,
        )  # fmt: skip

    def celery(self, *words: str, owner: str = "operator") -> subprocess.CompletedProcess[str]:
        """``celery -A service.app WORDS`` as a person types it."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(self.directory), *sys.path]),
            **self.environment(owner),
        }
        return subprocess.run(
            [sys.executable, "-m", "celery", "-A", "service.app", *words],
            cwd=self.directory, env=environment, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    # What an attacker does ----------------------------------------------------------------------------------------

    def seal(self, draft: Draft, owner: str = "operator", *, now: float | None = None) -> Sealed:
        """Seal anything with anybody's key."""
        ring = Keyring(load_private(self.keys.reference(owner)), TrustStore.empty())
        return Sealed(draft.body, {HEADER: seal(draft, ring, now=now or time.time())})

    def command(self, method: str, arguments: dict[str, Any] | None = None, **changes: Any) -> Sealed:
        """A command as ``app.control`` seals it; ``owner``, ``now`` and members of the draft may be others."""
        owner, now = changes.pop("owner", "operator"), changes.pop("now", None)
        addressed = {name: changes.pop(name) for name in ("destination", "ticket", "reply_to") if name in changes}
        draft = command_draft(method, arguments or {}, exchange=PIDBOX, **addressed)
        return self.seal(replace(draft, **changes), owner, now=now)

    def publish(self, sealed: Sealed, exchange: str = PIDBOX, key: str = "") -> None:
        """Send it again, as it is, to whoever listens."""
        if isinstance(self.broker, RedisServer):
            properties = {"body_encoding": "base64", "delivery_tag": str(uuid4()), "delivery_info": {}}
            item = {
                "body": base64.b64encode(sealed.body).decode(), "headers": sealed.headers, "properties": properties,
                "content-type": "application/json", "content-encoding": "utf-8",
            }  # fmt: skip
            self.publish_raw(json.dumps(item).encode(), exchange, key)
            return
        self._amqp(sealed.body, exchange, key, content_type="application/json", content_encoding="utf-8",
                   application_headers=sealed.headers)  # fmt: skip

    def publish_raw(self, item: bytes, exchange: str = PIDBOX, key: str = "") -> None:
        """Any bytes: PUBLISH on Redis, the body of a message without headers on RabbitMQ."""
        if isinstance(self.broker, RedisServer):
            with self.admin() as client:
                client.publish(f"/{BROKER_DB}.{exchange}" + (f"/{key}" if key else ""), item)
            return
        self._amqp(item, exchange, key)

    def _amqp(self, body: bytes, exchange: str, key: str, **properties: Any) -> None:
        with Connection(self.url, ssl=self.broker.broker_ssl) as connection:
            connection.default_channel.basic_publish(
                amqp.Message(body, **properties), exchange=exchange, routing_key=key
            )

    @contextmanager
    def admin(self) -> Iterator[redis.Redis]:
        """Redis as its administrator sees it."""
        assert isinstance(self.broker, RedisServer)
        url = self.broker.admin_url.rpartition("/")[0]
        with redis.Redis.from_url(f"{url}/{BROKER_DB}", **self.broker.broker_ssl or {}) as client:
            yield client

    # What is seen of it -------------------------------------------------------------------------------------------

    def refusals(self, reason: str, worker: str = "a") -> int:
        """How many commands the worker says that it refused for that reason."""
        return self.workers[worker].log.count(f"command refused: {reason} ")

    def until_refused(self, reason: str, before: int, worker: str = "a") -> None:
        """Wait until the worker has refused one more."""
        eventually(lambda: self.refusals(reason, worker) > before, what=f"a refusal as {reason} by {worker}")

    def ping(self, *names: str) -> list[str]:
        """The workers that answer."""
        wanted = [f"{name}@stage" for name in names] or None
        replies = self.app.control.ping(destination=wanted, timeout=10.0) if wanted else []
        return sorted(name for reply in replies for name in reply)

    def ask(self, command: str, worker: str = "a", **arguments: Any) -> Any:
        """What one worker answers."""
        name = f"{worker}@stage"
        replies = self.app.control.broadcast(command, arguments, destination=[name], reply=True, timeout=TIMEOUT)
        assert [list(reply) for reply in replies] == [[name]]
        return replies[0][name]


@contextmanager
def on_control_stage(
    broker: RedisServer | RabbitServer, results: RedisServer, directory: Path
) -> Iterator[ControlStage]:
    """Keys, two workers and the operator's app on this broker."""
    keys = Identities(directory)
    keys.add("worker", send=["service.*"], queues=["commanded"], results=["*"])
    keys.add("operator", send=["service.*"], queues=["commanded"], control=EVERYTHING)
    keys.add("developer", send=["service.*"], queues=["commanded"], control=LOOKING)
    keys.add("web", send=["*"], queues=["*"])
    url = broker.url_for(BROKER_DB) if isinstance(broker, RedisServer) else broker.url
    stage = ControlStage(broker, url, results.url_for(RESULT_DBS[type(broker)]), keys, directory)
    stage.app = make_app(stage.settings("operator", default_queue="commanded"), set_as_current=False)
    stage.workers = {name: stage.worker(name) for name in ("a", "b")}
    with stage.workers["a"], stage.workers["b"]:
        eventually(lambda: stage.ping("a", "b") == ["a@stage", "b@stage"], what="both workers answer")
        yield stage
    let_go(stage.app)


def processes(stage: ControlStage) -> int:
    """How many pool processes worker ``a`` has."""
    return len(stage.ask("stats")["pool"]["processes"])


def body_of(method: str, arguments: dict[str, Any]) -> bytes:
    """What Celery would send, unsigned."""
    return command_draft(method, arguments, exchange=PIDBOX).body
