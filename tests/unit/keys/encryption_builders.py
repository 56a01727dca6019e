"""Encryption keys and their entries for tests. Secrets are fixed, so that failures repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from safecelery.keys.encryption.generate import encryption_trust_entry
from safecelery.keys.encryption.private import DecryptionKey, make_decryption_key
from safecelery.keys.encryption.ring import DecryptionKeys
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.keys.encryption.trusted import EncryptionKey, encryption_entry
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.cipher import Cipher

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
T = NOW.timestamp()
SCHEME = "hpke-x25519"


def a_key(
    owner: str = "orders", *, scheme: str = SCHEME, secret: bytes = bytes(range(32)), **more: Any
) -> DecryptionKey:
    times = {"created": NOW, "expires": NOW + timedelta(days=30), **more}
    return make_decryption_key(scheme=scheme, owner=owner, secret=secret, where="test", **times)


def an_entry(key: DecryptionKey | None = None, **changes: str | None) -> str:
    """The trust entry, with members changed, added, or (``None``) left out. Values are TOML."""
    head, *lines = encryption_trust_entry(
        key or a_key(), queues=["orders"], results=["orders.*"], secret_reference="env:RING"
    ).splitlines()
    members = dict(line.split(" = ", 1) for line in lines) | changes
    return "\n".join([head, *(f"{name} = {value}" for name, value in members.items() if value is not None)]) + "\n"


def a_receiver(*keys: DecryptionKey) -> DecryptionKeys:
    held = DecryptionKeys()
    held._keys = {key.kid: key for key in keys}
    return held


def a_recipient(key: DecryptionKey, **members: Any) -> EncryptionKey:
    scheme = ENCRYPTION_SCHEMES[key.scheme]
    secret = key.secret.reveal()
    values = {
        "kid": key.kid, "owner": key.owner, "scheme": key.scheme, "not_before": T, "expires": T + 1000,
        "revoked": False, "queues": ("orders",), "results": ("orders.*",),
        "wrapper": scheme.wrapper(secret if scheme.symmetric else scheme.public(secret)),
    }  # fmt: skip
    return EncryptionKey(**(values | members))


def a_cipher(*keys: DecryptionKey, to: list[EncryptionKey] | None = None, **more: Any) -> Cipher:
    """One that holds these keys and encrypts to them, or to ``to``."""
    recipients = [a_recipient(key) for key in keys] if to is None else to
    ring = Keyring(None, TrustStore({}, {key.kid: key for key in recipients}))
    return Cipher(ring, a_receiver(*keys), **{"clock": lambda: T + 1, **more})


def parse(text: str) -> EncryptionKey:
    import tomllib

    ((kid, entry),) = tomllib.loads(text)["encryption"].items()
    return encryption_entry(kid, entry, "test")
