"""Hardened apps for tests without a server: real keys, a policy, and a broker that is only a URL (or in memory)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from safecelery import SafeCelery, SafeCelerySettings, create_app
from safecelery.keys.generate import generate_key, trust_entry, write_private

__all__ = ["BROKER", "PASSWORD", "an_app", "keys_in", "settings_in"]

PASSWORD = "correct-horse-battery"
BROKER = f"rediss://orders:{PASSWORD}@redis.example:6379/0"


def keys_in(directory: Path) -> dict[str, Any]:
    """Signing settings with a key of its own, which may send everything."""
    private, trust = directory / "orders.key", directory / "trust.toml"
    if not private.exists():
        key = generate_key("orders", lifetime=timedelta(days=1))
        write_private(private, key)
        trust.write_text(trust_entry(key, send=["*"], queues=["*"]))
    return {"key": f"file:{private}", "trust_file": trust}


def settings_in(directory: Path, **changes: Any) -> SafeCelerySettings:
    """Settings that keep the policy, with these sections changed."""
    values: dict[str, Any] = {
        "broker": {"url": BROKER, "ca_file": directory / "ca.pem"},
        "signing": keys_in(directory),
    }
    return SafeCelerySettings(**(values | changes))


def an_app(directory: Path, *, name: str = "orders", memory: bool = False, **changes: Any) -> SafeCelery:
    """An app; ``memory`` gives it kombu's in-memory broker, so that it can really publish."""
    if memory:
        changes.setdefault("broker", {"url": "memory://"})
    return create_app(name, settings_in(directory, **changes), set_as_current=False)
