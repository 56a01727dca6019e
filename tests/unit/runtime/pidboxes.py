"""A worker's mailbox without a worker: a node that gets messages by hand, and a broker in memory for its replies."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kombu.utils.json import loads

from safecelery import SafeCelery
from safecelery.firewall.control import Question, admit_reply
from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.control import command_draft
from safecelery.message.seal import HEADER, seal
from safecelery.message.unseal import unseal
from safecelery.runtime.consume import raw_message
from safecelery.runtime.pidbox import SafeNode
from tests.unit.apps import an_app

__all__ = ["ADDRESS", "HOST", "PIDBOX", "Pidbox", "a_pidbox", "message"]

PIDBOX, HOST = "celery.pidbox", "a@host"
ADDRESS = {"exchange": "reply.celery.pidbox", "routing_key": "caller"}


def message(body: Any, headers: Any) -> Any:
    """A message as the node's consumer hands it on."""
    return SimpleNamespace(
        body=body, headers=headers, properties={}, content_type="text/plain", content_encoding="rot13",
        consumed_queue=f"{HOST}.celery.pidbox",
    )  # fmt: skip


@dataclass(slots=True)
class Pidbox:
    """A node, and what it did."""

    app: SafeCelery
    node: SafeNode
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    published: list[tuple[bytes, dict[str, Any]]] = field(default_factory=list)

    def seal(self, method: str, arguments: Any = None, *, now: float | None = None, **changes: Any) -> Any:
        """A sealed command as a message."""
        addressed = {name: changes.pop(name) for name in ("destination", "ticket", "reply_to") if name in changes}
        draft = replace(command_draft(method, arguments or {}, exchange=PIDBOX, **addressed), **changes)
        return message(draft.body, {HEADER: seal(draft, self.app.guard.ring, now=now or time.time())})

    def ask(self, method: str, arguments: Any = None) -> Any:
        """Obey, and unseal the answer."""
        command = self.seal(method, arguments, ticket="t", reply_to=ADDRESS)
        self.node.receive(command)
        body, options = self.published.pop()
        assert options["routing_key"] == "caller"
        raw = raw_message(message(body, options["headers"]))
        verified = unseal(raw, self.app.guard.ring, now=time.time(), max_bytes=2**24, expect="control")
        sent = unseal(raw_message(command), self.app.guard.ring, now=time.time(), max_bytes=2**24, expect="control")
        assert admit_reply(verified, Question(sent.claims.jti, **ADDRESS)) == HOST
        return loads(body)[HOST]


class _Producer:
    def __init__(self, published: list[tuple[bytes, dict[str, Any]]]) -> None:
        self.published = published

    def __enter__(self) -> _Producer:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def publish(self, body: bytes, **options: Any) -> None:
        self.published.append((body, options))


def a_pidbox(directory: Path, monkeypatch: Any, *, control: list[str] | None = None) -> Pidbox:
    """A node whose own key may give these commands (all, if nothing is said); handlers of ours note their calls."""
    app = an_app(directory, memory=True, profile="development")
    key = generate_key("ops")
    if not (directory / "ops.key").exists():
        write_private(directory / "ops.key", key)
    trust = TrustStore.parse(trust_entry(key, send=[], queues=[], control=["*"] if control is None else control), "t")
    app.guard.ring = Keyring(key, trust)
    ran: list[tuple[str, dict[str, Any]]] = []

    def noting(name: str) -> Any:
        def handler(state: Any, **arguments: Any) -> Any:
            ran.append((name, arguments))
            return {"ok": name}

        return handler

    handlers = {name: noting(name) for name in ("ping", "shutdown", "mine", "election", "rate_limit")}
    node = app.control.mailbox.Node(HOST, handlers=handlers, state=SimpleNamespace(app=app))
    pidbox = Pidbox(app, node, ran)
    monkeypatch.setattr(app.control.mailbox, "producer_or_acquire", lambda *_: _Producer(pidbox.published))
    return pidbox
