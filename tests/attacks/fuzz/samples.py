"""Valid messages of every kind, captured where a real producer has put them: the originals of all mutants."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kombu import Connection
from service.factory import make_app

from safecelery import SafeCelery, SafeCelerySettings
from safecelery.message.claims import TYPES, Audience
from safecelery.message.codec import decode_json, split
from safecelery.message.seal import HEADER, Draft, seal
from tests.attacks.keys import Keys
from tests.integration.stage import let_go

__all__ = ["Sample", "capture", "memory_app"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One captured message."""

    name: str
    item: dict[str, Any]
    """kombu's envelope, as it stands in a list of Redis."""
    queue: str

    @property
    def body(self) -> bytes:
        """As signed."""
        return base64.b64decode(self.item["body"])

    @property
    def signed(self) -> tuple[bytes, bytes]:
        """Claims and body: what the signature covers."""
        return split(self.item["headers"][HEADER])[0], self.body

    @property
    def claims(self) -> Any:
        """The claims, read."""
        return decode_json(self.signed[0])


@contextmanager
def memory_app(keys: Keys, owner: str) -> Iterator[SafeCelery]:
    """An app of that key's owner, whose broker is in memory."""
    settings = SafeCelerySettings(
        broker={"url": "memory://"},
        signing={"key": keys.reference(owner), "trust_file": keys.trust_file},
        default_queue="orders",
    )
    app = make_app(settings)
    try:
        yield app
    finally:
        let_go(app)


Send = Callable[[SafeCelery], Any]


def _note(app: SafeCelery, *args: Any, **options: Any) -> Any:
    return app.tasks["service.note"].apply_async(args, **options)


def _sig(app: SafeCelery, name: str = "note", *args: Any) -> Any:
    return app.tasks[f"service.{name}"].si(*args)


#: Name -> what an honest service sends. Whoever holds the limited key may send all of these.
SENDS: dict[str, Send] = {
    "plain": lambda app: _note(app, "plain"),
    "keywords": lambda app: app.tasks["service.note"].apply_async((), {"a": 1, "b": [None, "é", 1.5]}),
    "add": lambda app: app.tasks["service.add"].apply_async((2, 3)),
    "callback": lambda app: _note(app, link=_sig(app, "note", "linked")),
    "errback": lambda app: _note(app, link_error=_sig(app, "note", "failed")),
    "chain": lambda app: _note(app, chain=[_sig(app, "note", "third"), _sig(app, "add", 1, 2)]),
    "group in a callback": lambda app: _note(
        app, link={**dict(_sig(app)), "task": "celery.group", "subtask_type": "group", "args": [],
                   "kwargs": {"tasks": [dict(_sig(app, "note", "member"))]}},
    ),
    "chord": lambda app: _note(app, chord=dict(_sig(app, "note", "body")), group_id="g", group_index=0),
    "map": lambda app: app.send_task("celery.map", (), {"task": dict(_sig(app)), "it": [1, 2]}),
    "retry": lambda app: _note(app, "again", retries=2),
    "due soon": lambda app: _note(app, "later", countdown=2),
    "expires": lambda app: _note(app, "brief", expires=600),
    "limits": lambda app: _note(app, "limited", time_limit=10, soft_time_limit=5),
    "gzip": lambda app: _note(app, "compressed " * 50, compression="gzip"),
    "bzip2": lambda app: _note(app, "compressed " * 50, compression="bzip2"),
    "lzma": lambda app: _note(app, "compressed " * 50, compression="lzma"),
    "headers": lambda app: _note(app, headers={"tenant": "acme", "n": {"a": [1]}}),
    "properties": lambda app: _note(app, priority=5, reply_to="replies", shadow="a name"),
    "stamps": lambda app: _note(app, stamped_headers=["who"], who="me"),
}  # fmt: skip


def capture(keys: Keys) -> list[Sample]:
    """Everything in ``SENDS`` under both keys, on the other queue too, and sealed messages of the other types."""
    found: list[Sample] = []
    for owner in ("limited", "full"):
        with memory_app(keys, owner) as app:
            found += [_captured(app, f"{owner}: {name}", send) for name, send in SENDS.items()]
            found += [_other_type(app, kind) for kind in TYPES if kind != "task"]
    with memory_app(keys, "full") as app:
        found.append(_captured(app, "full: other queue", lambda app: _note(app, "other", queue="other"), "other"))
    return found


def _captured(app: SafeCelery, name: str, send: Send, queue: str = "orders") -> Sample:
    send(app)
    with app.connection_for_read() as connection:
        return Sample(name, _taken(connection, queue), queue)


def _taken(connection: Connection, queue: str) -> dict[str, Any]:
    """The one message in the queue, through JSON as Redis has it."""
    channel = connection.default_channel
    item: dict[str, Any] = json.loads(json.dumps(channel._get(queue)))
    assert channel._size(queue) == 0
    return item


def _other_type(app: SafeCelery, kind: Any) -> Sample:
    """A command, a result or an event with a valid signature, where only tasks belong."""
    body = b'[["x"], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
    headers = {"task": "service.note", "id": "an-id"}
    envelope = seal(
        Draft(typ=kind, aud=Audience(queue="orders"), ct="application/json", ce="utf-8", cmp=None, hdr=headers,
              props={}, body=body, lifetime_s=3600),
        app.guard.ring, now=time.time(),
    )  # fmt: skip
    item = {
        "body": base64.b64encode(body).decode(), "headers": {**headers, HEADER: envelope},
        "content-type": "application/json", "content-encoding": "utf-8",
        "properties": {"body_encoding": "base64", "delivery_tag": "t",
                       "delivery_info": {"exchange": "", "routing_key": ""}},
    }  # fmt: skip
    return Sample(f"a {kind}", item, "orders")
