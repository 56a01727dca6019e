"""Results under signatures: safecelery's envelope, and Celery's ``auth``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from safecelery.keys import base64url
from safecelery.message.codec import decode_json, join
from safecelery.message.encrypted import MAGIC
from safecelery.message.pae import pae
from safecelery.message.result_form import join_stored, take_apart
from tests.attacks.ciphertext import CLAIMS, encrypted
from tests.attacks.results.answer import Answer, PlainResultSealer
from tests.attacks.results.keys import AnswerKeys
from tests.attacks.subjects.auth import AuthSealer

__all__ = ["AuthResultSealer", "EnvelopeResultSealer"]

#: Owners of this stage -> those who hold a certificate. ``auth`` has no grants.
CERTIFICATES = {"caller": "full", "worker": "worker", "mute": "limited", "clerk": "limited", "narrow": "reported"}
#: Characters of an envelope that an honest sender does not make.
LARGE = 10_000


class EnvelopeResultSealer(PlainResultSealer):
    """The envelope stands in the JSON object, as its last member."""

    has_envelope = True

    def __init__(self, keys: AnswerKeys) -> None:
        self._keys = keys
        self._learned: dict[str, Any] = {}

    def learn(self, answer: Answer) -> None:
        """Its claims."""
        assert answer.envelope is not None, f"a true result without an envelope: {answer.body[:200]!r}"
        self._learned = decode_json(base64url.decode(answer.envelope.partition(".")[0]))

    def seal(self, body: bytes, signer: str, task_id: str, claims: Mapping[str, Any]) -> Answer:
        """Signed with the owner's key; by "none" not at all."""
        if signer == "none":
            return Answer(body)
        now = int(time.time())
        made = {
            **self._learned, "kid": self._keys.kid(signer), "iat": now, "exp": now + 3600, "jti": uuid4().hex,
            "aud": {"exchange": "safecelery.results", "routing_key": task_id},
            **(CLAIMS if body.startswith(MAGIC[:-1]) else {}), **claims,
        }  # fmt: skip
        text = json.dumps(made, separators=(",", ":")).encode()
        return Answer(body, join(text, self._keys.private(signer).sign(pae(made["typ"], text, body))))

    def encrypt(self, plain: bytes, task: str, task_id: str, how: Mapping[str, Any]) -> bytes:
        """As a worker does, but for what ``how`` says."""
        return encrypted(plain, self._keys.recipients, {"task": task, "id": task_id}, {"typ": "result", **how})

    def pack(self, answer: Answer) -> bytes:
        """Spliced, if there is one and a place for it."""
        if answer.envelope is None:
            return answer.body
        if len(answer.envelope) > LARGE:
            return answer.body[:-1] + b', "safecelery": "' + answer.envelope.encode() + b'"}'
        container = not answer.body.startswith((b"{", b"[1, "))
        return join_stored(answer.body, answer.envelope, container=container)

    def unpack(self, stored: bytes) -> Answer:
        """As a reader does."""
        return Answer(*take_apart(stored, len(stored)))

    def with_text(self, answer: Answer, text: bytes) -> Answer:
        """The old envelope."""
        return Answer(text, answer.envelope)


class AuthResultSealer(PlainResultSealer):
    """The body is packed with its signature."""

    content_type = "application/data"

    def __init__(self, sealer: AuthSealer) -> None:
        self._sealer = sealer

    def seal(self, body: bytes, signer: str, task_id: str, claims: Mapping[str, Any]) -> Answer:
        """By a certificate that is trusted, or by none that is."""
        if signer == "none":
            return Answer(body)
        own = self._sealer._by_owner[CERTIFICATES.get(signer, signer)]
        packed = own._pack(
            body, claims.get("ct", "application/json"), claims.get("ce", "utf-8"), own._cert.get_id(),
            own._key.sign(body, own._digest),
        )  # fmt: skip
        return Answer(packed.encode() if isinstance(packed, str) else packed)

    def _parts(self, answer: Answer) -> dict[str, Any] | None:
        try:
            return dict(self._sealer._by_owner["full"]._unpack(answer.body))
        except (ValueError, IndexError):
            return None

    def text(self, answer: Answer) -> bytes:
        """What is inside."""
        parts = self._parts(answer)
        return answer.body if parts is None else bytes(parts["body"])

    def with_text(self, answer: Answer, text: bytes) -> Answer:
        """Packed anew with the old signature."""
        parts = self._parts(answer)
        if parts is None:
            return Answer(text)
        packed = self._sealer._by_owner["full"]._pack(**{**parts, "body": text})
        return Answer(packed.encode() if isinstance(packed, str) else packed)
