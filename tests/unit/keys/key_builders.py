"""Keys and trust documents for tests. Secrets are fixed, so that failures repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from safecelery.keys.generate import trust_entry
from safecelery.keys.private import PrivateKey, make_private
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustedKey, TrustStore

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
T = NOW.timestamp()


def a_private(
    owner: str = "web", *, scheme: str = "ed25519", secret: bytes = bytes(range(32)), **more: Any
) -> PrivateKey:
    times = {"created": NOW, "expires": NOW + timedelta(days=30), **more}
    return make_private(scheme=scheme, owner=owner, secret=secret, where="test", **times)


def an_entry(**changes: str | None) -> str:
    """The trust entry of ``a_private()``, with members changed, added, or (``None``) left out. Values are TOML."""
    head, *lines = trust_entry(a_private(), send=["orders.*"], queues=["orders"]).splitlines()
    members = dict(line.split(" = ", 1) for line in lines) | changes
    return "\n".join([head, *(f"{name} = {value}" for name, value in members.items() if value is not None)]) + "\n"


def a_trusted(**changes: str | None) -> TrustedKey:
    (key,) = TrustStore.parse(an_entry(**changes), "test").keys.values()
    return key


def keys_in(directory: Path, **texts: str) -> Path:
    """A directory with these files, each of mode 0600."""
    directory.mkdir(mode=0o700, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
        (directory / name).chmod(0o600)
    return directory


def a_ring() -> Keyring:
    return Keyring(a_private(), TrustStore.parse(an_entry(), "test"))
