"""Encrypted bodies and results of the attacks: to whoever, bound to whatever, spoilt before they are signed."""

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
from tests.attacks.spoilt import SPOILT

__all__ = ["CLAIMS", "MEMBERS", "SECRET_TASK", "Recipients", "encrypted"]

#: The worker knows that this one must be encrypted.
SECRET_TASK = "service.vault"
#: What the claims of an encrypted message say.
CLAIMS = {"ct": ENCRYPTED[0], "ce": ENCRYPTED[1]}
#: Of ``encrypt``: to whom (owners of `Recipients`); what it is bound to, where that is not the message itself; by which
#: scheme, where that is not the key's; and what is done to it then, by `spoilt.py` or "recipient-added".
MEMBERS = {"to", "task", "id", "typ", "scheme", "spoil"}
#: Owner -> the queues whose bodies are encrypted to its key. All are recipients of results.
QUEUES: Mapping[str, tuple[str, ...]] = {"worker": ("orders", "other"), "caller": ()}


@dataclass(slots=True)
class Recipients:
    """``worker`` reads what comes in its queues, ``caller`` what it asked for; ``stranger`` is entered nowhere."""

    directory: Path
    keys: dict[str, DecryptionKey] = field(default_factory=dict)

    def create(self, *owners: str) -> str:
        """Make theirs and the stranger's; the entries of theirs for the trust file."""
        self.keys = {name: generate_encryption_key(name, scheme="hpke-x25519") for name in (*owners, "stranger")}
        for owner in owners:
            write_document(self.directory / f"{owner}.enc.key", render_decryption_key(self.keys[owner]))
        return "\n".join(
            encryption_trust_entry(self.keys[owner], queues=QUEUES[owner], results=("service.*",)) for owner in owners
        )

    def reference(self, owner: str) -> str:
        """What ``SAFECELERY_ENCRYPTION__KEYS`` takes."""
        return f"file:{self.directory / f'{owner}.enc.key'}"


def encrypted(plain: bytes, recipients: Recipients, headers: Mapping[str, Any], how: Mapping[str, Any]) -> bytes:
    """The container that ``how`` describes."""
    bound = {
        "typ": how.get("typ", "task"), "task": how.get("task", headers["task"]),
        "task_id": how.get("id", headers["id"]),
    }  # fmt: skip
    content_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    to = [recipients.keys[name] for name in how["to"]]
    wraps = [_wrapped(key, how.get("scheme", key.scheme), content_key, bound) for key in to]
    head = head_of(wraps)
    data = head + nonce + AESGCM(content_key).encrypt(nonce, plain, content_context(head, **bound))
    match how.get("spoil"):
        case None:
            return data
        case "recipient-added":
            stranger = recipients.keys["stranger"]
            return head_of([*wraps, _wrapped(stranger, stranger.scheme, content_key, bound)]) + data[len(head) :]
        case way:
            return SPOILT[way](data)


def _wrapped(key: DecryptionKey, scheme: str, content_key: bytes, bound: Mapping[str, str]) -> Recipient:
    """By that scheme, with what is public of the key."""
    public = ENCRYPTION_SCHEMES[key.scheme].public(key.secret.reveal())
    context = wrap_context(scheme=scheme, kid=key.kid, **bound)
    return Recipient(key.kid, ENCRYPTION_SCHEMES[scheme].wrapper(public).wrap(content_key, context))
