"""Who takes part: two services, an intern with few grants, and somebody with a key that nobody trusts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from safecelery.cli.demo.wire import QUEUE
from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.private import PrivateKey

__all__ = ["GRANTS", "Identities"]

#: Owner -> tasks that owner may send to the queue of orders. The shop only sends; the worker sends on, and retries.
GRANTS: Mapping[str, tuple[str, ...]] = {
    "shop": ("orders.*",),
    "orders-worker": ("orders.*",),
    "intern": ("orders.print_label",),
}
#: Owner -> tasks that owner may answer for.
ANSWERS: Mapping[str, tuple[str, ...]] = {"orders-worker": ("orders.*",)}
#: Keys of a demo outlive it by little.
_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Identities:
    """Keys by owner, as files and for those who attack with them."""

    directory: Path
    keys: Mapping[str, PrivateKey]

    @property
    def trust_file(self) -> Path:
        """What the worker believes."""
        return self.directory / "trust.toml"

    @classmethod
    def create(cls, directory: Path) -> Identities:
        """Make every key; ``mallory``'s does not get into the trust file."""
        directory.mkdir(mode=0o700)
        keys = {owner: generate_key(owner, lifetime=_LIFETIME) for owner in (*GRANTS, "mallory")}
        for owner, key in keys.items():
            write_private(directory / f"{owner}.key", key)
        entries = [
            trust_entry(keys[owner], send=tasks, queues=[QUEUE], results=ANSWERS.get(owner, ()))
            for owner, tasks in GRANTS.items()
        ]
        trust = directory / "trust.toml"
        trust.touch(mode=0o600)
        trust.write_text("\n".join(entries))
        return cls(directory, keys)

    def reference(self, owner: str) -> str:
        """What ``SAFECELERY_SIGNING__KEY`` takes."""
        return f"file:{self.directory / f'{owner}.key'}"
