"""Encrypted bodies of the attacks: to whoever, bound to whatever, spoilt before they are signed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecelery.keys.encryption.generate import encryption_trust_entry, generate_encryption_key
from safecelery.keys.encryption.private import DecryptionKey, render_decryption_key
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.keys.generate import write_document
from safecelery.message.encrypted import ENCRYPTED, Recipient, content_context, head_of, wrap_context

__all__ = ["CLAIMS", "MEMBERS", "SECRET_TASK", "Recipients", "encrypted"]

#: The worker knows that this one must be encrypted.
SECRET_TASK = "service.vault"
#: What the claims of an encrypted message say.
CLAIMS = {"ct": ENCRYPTED[0], "ce": ENCRYPTED[1]}
#: Of ``[signed.encrypt]``: to whom ("worker", "stranger"); what it is bound to, where that is not the message itself;
#: what is done to it then.
MEMBERS = {"to", "task", "id", "typ", "spoil"}


@dataclass(slots=True)
class Recipients:
    """``worker`` reads what comes in its queues; ``stranger`` is a key that nobody entered anywhere."""

    directory: Path
    keys: dict[str, DecryptionKey] = field(default_factory=dict)

    def create(self) -> str:
        """Make both; the entry of the worker's for the trust file."""
        self.keys = {name: generate_encryption_key(name, scheme="hpke-x25519") for name in ("worker", "stranger")}
        write_document(self.directory / "worker.enc.key", render_decryption_key(self.keys["worker"]))
        return encryption_trust_entry(self.keys["worker"], queues=("orders", "other"), results=("service.*",))

    @property
    def reference(self) -> str:
        """What ``SAFECELERY_ENCRYPTION__KEYS`` takes."""
        return f"file:{self.directory / 'worker.enc.key'}"


def encrypted(plain: bytes, recipients: Recipients, headers: Mapping[str, Any], how: Mapping[str, Any]) -> bytes:
    """The container that ``how`` describes."""
    bound = {
        "typ": how.get("typ", "task"), "task": how.get("task", headers["task"]),
        "task_id": how.get("id", headers["id"]),
    }  # fmt: skip
    content_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    to = [recipients.keys[name] for name in how["to"]]
    wraps = [_wrapped(key, content_key, bound) for key in to]
    head = head_of(wraps)
    data = head + nonce + AESGCM(content_key).encrypt(nonce, plain, content_context(head, **bound))
    match how.get("spoil"):
        case "cut":
            return data[:-1]
        case "cut-within-the-recipients":
            return data[:40]
        case "recipient-added":
            return head_of([*wraps, _wrapped(recipients.keys["stranger"], content_key, bound)]) + data[len(head) :]
        case "byte":
            return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]
        case None:
            return data
    raise AssertionError(f"no way to spoil it: {how['spoil']!r}")


def _wrapped(key: DecryptionKey, content_key: bytes, bound: Mapping[str, str]) -> Recipient:
    scheme = ENCRYPTION_SCHEMES[key.scheme]
    context = wrap_context(scheme=key.scheme, kid=key.kid, **bound)
    return Recipient(key.kid, scheme.wrapper(scheme.public(key.secret.reveal())).wrap(content_key, context))
