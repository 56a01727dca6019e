"""Messages as they lie in Redis, for somebody who has the broker's password and reads and writes the list directly."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import uuid4

from safecelery.keys.private import PrivateKey
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.claims import Audience
from safecelery.message.seal import HEADER, Draft, seal

__all__ = ["QUEUE", "Item", "new_task"]

QUEUE = "orders"


@dataclass(frozen=True, slots=True)
class Item:
    """One element of the list: kombu's envelope (kombu/transport/virtual/base.py, ``Message.serializable``)."""

    body: bytes
    headers: Mapping[str, Any]
    content_type: str = "application/json"

    @classmethod
    def read(cls, data: bytes) -> Self:
        """What somebody who listens in gets."""
        envelope = json.loads(data)
        return cls(base64.b64decode(envelope["body"]), envelope["headers"], envelope["content-type"])

    def write(self, queue: str) -> bytes:
        """What somebody who pushes to the list puts there."""
        properties = {
            "body_encoding": "base64",
            "correlation_id": self.headers.get("id"),
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_mode": 2,
            "delivery_tag": str(uuid4()),
            "priority": 0,
        }
        envelope = {
            "body": base64.b64encode(self.body).decode(),
            "content-encoding": "utf-8",
            "content-type": self.content_type,
            "headers": dict(self.headers),
            "properties": properties,
        }
        return json.dumps(envelope).encode()

    def with_headers(self, **changes: Any) -> Self:
        """The outer headers changed, everything else as it was, the signature too."""
        return replace(self, headers={**self.headers, **changes})

    def with_arguments(self, *args: Any) -> Self:
        """Other arguments in the body."""
        _, kwargs, embed = json.loads(self.body)
        return replace(self, body=json.dumps([args, kwargs, embed]).encode())

    def with_claims(self, **changes: Any) -> Self:
        """Signed headers changed, the signature left as it was. Where nothing is signed, the outer headers."""
        if HEADER not in self.headers:
            return self.with_headers(**changes)
        text, _, signature = self.headers[HEADER].partition(".")
        claims = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        claims["hdr"].update(changes)
        forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return self.with_headers(**changes, **{HEADER: f"{forged}.{signature}"})

    def signed(self, key: PrivateKey) -> Self:
        """Sealed with this key, for the queue of orders."""
        headers = {name: value for name, value in self.headers.items() if name not in (HEADER, "compression")}
        draft = Draft(
            typ="task",
            aud=Audience(queue=QUEUE),
            ct=self.content_type,
            ce="utf-8",
            cmp=self.headers.get("compression"),
            hdr=headers,
            props={},
            body=self.body,
            lifetime_s=3600,
        )
        return self.with_headers(**{HEADER: seal(draft, Keyring(key, TrustStore.empty()), now=time.time())})


def new_task(task: str, *args: Any, embed: Mapping[str, Any] | None = None, **headers: Any) -> Item:
    """A task message as anybody can write it (celery/app/amqp.py, ``as_task_v2``)."""
    identity = str(uuid4())
    known = {
        "lang": "py", "task": task, "id": identity, "root_id": identity, "parent_id": None, "group": None,
        "retries": 0, "eta": None, "expires": None, "timelimit": [None, None], "ignore_result": False,
        "argsrepr": "()", "kwargsrepr": "{}", "origin": "attacker",
    }  # fmt: skip
    none = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return Item(json.dumps([args, {}, {**none, **(embed or {})}]).encode(), {**known, **headers})
