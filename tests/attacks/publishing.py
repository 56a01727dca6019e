"""What an attacker sends beside the task queues: the vocabulary of ``[[publish]]``.

Workers listen to two more exchanges: ``celery.pidbox`` (remote control) and ``celeryev`` (events, gossip, mingle). On
Redis they are PUBLISH channels, on RabbitMQ a fanout and a topic exchange.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.attacks.operations import Sent

__all__ = ["ACTIONS", "CONTROL", "EVENTS", "REPLIES", "Action", "Airwaves"]

CONTROL, EVENTS = "celery.pidbox", "celeryev"
#: Queue in which the attacker waits for answers of workers.
REPLIES = "attackers-replies"


class Airwaves(Protocol):
    """What actions use of a stage."""

    def sign_control(self, body: bytes, signer: str) -> Sent:
        """A control message in the subject's own manner, signed by that key; unsigned where it is "none"."""
        ...

    def broadcast(self, exchange: str, key: str, sent: Sent) -> None:
        """To whoever listens to the exchange."""
        ...

    def broadcast_raw(self, exchange: str, key: str, data: bytes) -> None:
        """The same without the transport's own envelope."""
        ...


@dataclass(frozen=True, slots=True)
class Action:
    """One action, with the members that it takes besides ``do``."""

    run: Callable[[Airwaves, Mapping[str, Any]], None]
    takes: frozenset[str] = field(default=frozenset())


def _control(air: Airwaves, given: Mapping[str, Any]) -> None:
    """A remote control command (kombu/pidbox.py, ``Mailbox._publish``), its answer for the attacker."""
    body = {
        "method": given["method"], "arguments": given["arguments"], "destination": None, "pattern": None,
        "matcher": None, "ticket": "attacker", "reply_to": {"exchange": "", "routing_key": REPLIES},
    }  # fmt: skip
    air.broadcast(CONTROL, "", air.sign_control(json.dumps(body).encode(), given["signer"]))


def _body(air: Airwaves, given: Mapping[str, Any]) -> None:
    """Any body and headers, in a sound transport envelope."""
    headers = {"hostname": "attacker@nowhere"} if given["headers"] == "event" else given["headers"]
    air.broadcast(
        given["exchange"],
        given["key"],
        Sent(given["text"].encode(), headers, {}, "", content_type=given["type"], content_encoding="utf-8"),
    )


def _raw(air: Airwaves, given: Mapping[str, Any]) -> None:
    """No transport envelope, or a broken one."""
    air.broadcast_raw(given["exchange"], given["key"], given["text"].encode("utf-8", "surrogateescape"))


ACTIONS: Mapping[str, Action] = {
    "control": Action(_control, frozenset({"method", "arguments", "signer"})),
    "body": Action(_body, frozenset({"exchange", "key", "text", "headers", "type"})),
    "raw": Action(_raw, frozenset({"exchange", "key", "text"})),
}
