"""Making the messages of a case: sealed by whoever's key, over whatever claims."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery import Celery

from safecelery.keys import base64url
from safecelery.keys.schemes import scheme_named
from safecelery.message.codec import join
from safecelery.message.pae import pae
from tests.attacks.bodies import BODIES, compressed, compressed_zeros
from tests.attacks.case import Case
from tests.attacks.keys import Keys
from tests.attacks.operations import ENVELOPE, OPERATIONS, Scene, Sent
from tests.attacks.placeholders import Resolver

__all__ = ["Forger"]


class Forger:
    """Makes the message of one case.

    Args:
        app: any app; lends Celery's own message format.
        keys: the stage's keys.
        witness: file that hostile bodies try to write to.
        case: what to make.
    """

    def __init__(self, app: Celery, keys: Keys, witness: Path, case: Case) -> None:
        self._app = app
        self._keys = keys
        self._witness = witness
        self._case = case
        self.canary = f"canary{uuid4().hex}"
        self.id = str(uuid4())
        self._other_id = str(uuid4())

    def message(self) -> Sent:
        """The message as it goes over the wire."""
        case, names = self._case, {"CANARY": self.canary, "ID": self.id, "OTHER_ID": self._other_id}
        resolve = Resolver(names, self._keys.kid)
        sent = self._sealed(resolve(case.message), resolve(case.signed), self.id)
        other = None if case.other is None else self._sealed(resolve(case.other), {}, self._other_id)
        names["ENVELOPE"] = sent.headers.get(ENVELOPE, "")
        if other is not None:
            names["OTHER_ENVELOPE"] = other.headers.get(ENVELOPE, "")
        scene = Scene(other, self._make_body)
        for step in case.wire:
            OPERATIONS[step["op"]].do(sent, scene, resolve(step))
        return sent

    def resolve(self, value: Any) -> Any:
        """Placeholders in an expectation."""
        names = {"CANARY": self.canary, "ID": self.id, "OTHER_ID": self._other_id}
        return Resolver(names, self._keys.kid)(value)

    def _make_body(self, kind: str, value: Any) -> bytes:
        return BODIES[kind](value, self._witness, self.canary)

    def _sealed(self, message: Mapping[str, Any], signed: Mapping[str, Any], task_id: str) -> Sent:
        honest = self._app.amqp.as_task_v2(
            task_id, message["task"], args=message.get("args", []), kwargs=message.get("kwargs", {})
        )
        queue = message.get("queue", "orders")
        headers = {**honest.headers, **signed.get("headers", {})}
        headers = {name: value for name, value in headers.items() if name not in signed.get("drop_headers", ())}
        props = {"correlation_id": task_id, "priority": 0, **signed.get("props", {})}
        body, compression = self._body(message, signed)
        outer = {**headers, "compression": compression} if compression else dict(headers)
        sent = Sent(body, outer, dict(props), queue)
        if message["signer"] != "none":
            claims = self._claims(message["signer"], queue, headers, props, compression, signed)
            sent.headers[ENVELOPE] = self._envelope(message["signer"], claims, body, signed.get("signature"))
        return sent

    def _body(self, message: Mapping[str, Any], signed: Mapping[str, Any]) -> tuple[bytes, str | None]:
        given = signed.get("body")
        if isinstance(given, dict):
            ((kind, value),) = given.items()
            body = self._make_body(kind, value)
        elif given is not None:
            body = given.encode()
        else:
            embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None, **message.get("embed", {})}
            body = json.dumps([message.get("args", []), message.get("kwargs", {}), embed]).encode()
        if kind := signed.get("compress"):
            data = compressed_zeros(kind, signed["bomb_mib"]) if "bomb_mib" in signed else compressed(kind, body)
            return data, f"application/x-{kind}"
        return body, None

    def _claims(
        self,
        signer: str,
        queue: str,
        headers: Mapping[str, Any],
        props: Mapping[str, Any],
        compression: str | None,
        signed: Mapping[str, Any],
    ) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "v": 1, "typ": "task", "kid": self._keys.kid(signer), "iat": now, "exp": now + 3600, "jti": uuid4().hex,
            "aud": {"queue": queue}, "ct": "application/json", "ce": "utf-8", "cmp": compression, "hdr": dict(headers),
            "props": dict(props), **signed.get("claims", {}),
        }  # fmt: skip
        return {name: value for name, value in claims.items() if name not in signed.get("drop_claims", ())}

    def _envelope(self, signer: str, claims: Mapping[str, Any], body: bytes, signature: str | None) -> str:
        text = json.dumps(claims, separators=(",", ":")).encode()
        data = pae(str(claims.get("typ", "task")), text, body)
        key = self._keys.private(signer)
        if signature is None:
            return join(text, key.sign(data))
        if signature == "empty":
            return f"{base64url.encode(text)}."
        assert signature == "hmac-public", f"no signature {signature!r}"
        public = scheme_named(key.scheme, key.kid).public(key.secret.reveal())
        return join(text, hmac.digest(public, data, hashlib.sha256))
