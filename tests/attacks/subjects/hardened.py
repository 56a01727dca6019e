"""safecelery itself."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from service.factory import make_app

from safecelery import SafeCelerySettings
from safecelery.keys import base64url
from safecelery.keys.schemes import scheme_named
from safecelery.message.codec import join
from safecelery.message.pae import pae
from safecelery.testing.processes import CeleryProcess
from tests.attacks.case import Case
from tests.attacks.ciphertext import CLAIMS, SECRET_TASK, encrypted
from tests.attacks.keys import Keys
from tests.attacks.operations import ENVELOPE, OPERATIONS, Sent
from tests.attacks.subjects.interface import Do, Lines, Ready, Subject
from tests.integration.stage import let_go

__all__ = ["SAFECELERY", "EnvelopeSealer"]


class EnvelopeSealer:
    """The signed envelope: any claims, under anybody's key."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def kid(self, owner: str) -> str:
        """Id of the owner's key."""
        return self._keys.kid(owner)

    def reduce(self, case: Case) -> Case:
        """Cases are written for this subject."""
        return case

    def operation(self, step: Mapping[str, Any]) -> Do:
        """As the table has it."""
        return OPERATIONS[step["op"]].do

    def inside(self, sent: Sent, signer: str, signed: Mapping[str, Any]) -> None:
        """The signature covers the body as it travels, so it comes later."""

    def outside(self, sent: Sent, signer: str, signed: Mapping[str, Any], compression: str | None) -> None:
        """Claims over everything, in one header."""
        said = {}
        if (how := signed.get("encrypt")) is not None:
            sent.body = encrypted(sent.body, self._keys.recipients, sent.headers, how)
            said = CLAIMS
        headers = dict(sent.headers)
        if compression:
            sent.headers["compression"] = compression
        if signer == "none":
            return
        claims = self._claims(signer, {"queue": sent.queue}, headers, sent.properties)
        claims = {**claims, "cmp": compression, **said, **signed.get("claims", {})}
        claims = {name: value for name, value in claims.items() if name not in signed.get("drop_claims", ())}
        sent.headers[ENVELOPE] = self._envelope(signer, claims, sent.body, signed.get("signature"))

    def control(self, body: bytes, signer: str) -> Sent:
        """Sealed as typ ``control``."""
        sent = Sent(body, {"clock": 1, "expires": 0}, {}, "")
        if signer != "none":
            audience = {"exchange": "celery.pidbox", "routing_key": ""}
            claims = {**self._claims(signer, audience, sent.headers, {}), "typ": "control"}
            sent.headers[ENVELOPE] = self._envelope(signer, claims, body, None)
        return sent

    def _claims(
        self, signer: str, audience: Mapping[str, str], headers: Mapping[str, Any], props: Mapping[str, Any]
    ) -> dict[str, Any]:
        now = int(time.time())
        return {
            "v": 1, "typ": "task", "kid": self._keys.kid(signer), "iat": now, "exp": now + 3600, "jti": uuid4().hex,
            "aud": dict(audience), "ct": "application/json", "ce": "utf-8", "cmp": None, "hdr": dict(headers),
            "props": dict(props),
        }  # fmt: skip

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


@contextmanager
def _open(lines: Lines) -> Iterator[Ready]:
    keys = Keys.create(lines.directory)
    ca_file = lines.broker.ca_file
    settings = {
        "BROKER__URL": lines.broker_url,
        "BROKER__CA_FILE": str(ca_file),
        "RESULTS__URL": lines.results_url,
        "SIGNING__TRUST_FILE": str(keys.trust_file),
        "DEFAULT_QUEUE": "orders",
        "DEAD_LETTER_QUEUE": lines.dead_letters,
    }
    environment = {f"SAFECELERY_{name}": value for name, value in settings.items()}
    environment |= {
        "SAFECELERY_ENCRYPTION__TASKS": SECRET_TASK,
        "SAFECELERY_ENCRYPTION__KEYS": keys.recipients.reference("worker"),
    }
    own = {"SAFECELERY_SIGNING__KEY": keys.reference("worker"), "SERVICE_WITNESS": str(lines.witness_file)}

    def make_worker() -> CeleryProcess:
        return CeleryProcess(
            "service.app", "worker", ["-c", "2", "-Q", "orders,other", "-n", "attacked@%h"],
            directory=lines.directory, env={**environment, **own},
        )  # fmt: skip

    app = make_app(
        SafeCelerySettings(
            broker={"url": lines.broker_url, "ca_file": ca_file},
            results={"url": lines.results_url},
            encryption={"keys": (keys.recipients.reference("worker"),)},
            signing={"key": keys.reference("full"), "trust_file": keys.trust_file},
            default_queue="orders",
        )
    )
    try:
        yield Ready(make_worker, app, EnvelopeSealer(keys))
    finally:
        let_go(app)


SAFECELERY = Subject("safecelery", "safecelery: every message signed, Ed25519, grants per key", True, _open)
