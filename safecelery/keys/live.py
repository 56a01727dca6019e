"""The ring of a running process: it follows the trust file and the private keys while they change."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from safecelery.keys.private import PrivateKey, key_in_use
from safecelery.keys.ring import Keyring
from safecelery.keys.sources import absolute, load_privates, secret_files
from safecelery.keys.trust import TrustStore
from safecelery.keys.watched import Told, Watched

__all__ = ["LiveKeyring"]


def _nothing(before: TrustStore, after: TrustStore) -> None:
    return None


class LiveKeyring(Keyring):
    """What one process signs with and believes, as the files say now.

    They are looked at when the ring is used, no more than once a second. Each process does that by itself, so a forked
    one needs nothing. What cannot be used is not used: the last good key and store stay, and ``told`` hears of it.

    Args:
        key: reference to the private key; ``None`` signs nothing.
        trust_file: the trust store; ``None`` believes nobody.
        told: hears of changes and failures.

    Raises:
        KeyringError: a key or the trust store cannot be used. Later, this is told instead of raised.
    """

    __slots__ = ("_choice", "_keys", "_store", "approve")

    def __init__(
        self,
        key: str | None,
        trust_file: Path | None,
        told: Told,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.approve: Callable[[TrustStore, TrustStore], None] = _nothing
        """Has the last word on a store that is to replace another; raises where it may not."""
        self._keys: Watched[tuple[PrivateKey, ...]] | None = None
        self._choice: tuple[tuple[PrivateKey, ...], float, PrivateKey | None] = ((), 0.0, None)
        """Of which keys, until when, which one: worked out only where it can have changed."""
        self._store: Watched[TrustStore] | None = None
        if key is not None:
            reference = absolute(key)
            self._keys = Watched(
                "key", reference, lambda: load_privates(reference), lambda _: secret_files(reference), told, clock=clock
            )
        if trust_file is not None:
            path = Path(os.path.abspath(trust_file))  # noqa: PTH100  # a link stays one: it may lead elsewhere tomorrow
            self._store = Watched(
                "trust", str(path), lambda: TrustStore.load(path), lambda store: (path, *store.files), told,
                lambda before, after: self.approve(before, after), clock,
            )  # fmt: skip
        super().__init__(None, TrustStore.empty())

    @property
    def active(self) -> PrivateKey | None:
        """The key that signs now: of several, the newest whose time has begun."""
        if self._keys is None:
            return None
        keys = self._keys.value
        if len(keys) == 1:
            return keys[0]
        now = time.time()
        of, until, chosen = self._choice
        if of is not keys or now >= until:
            chosen = key_in_use(keys, now)
            times = (when.timestamp() for key in keys for when in (key.created, key.expires))
            self._choice = keys, min((when for when in times if when > now), default=math.inf), chosen
        return chosen

    @property
    def trust(self) -> TrustStore:
        """The keys that are believed now."""
        return self._trust if self._store is None else self._store.value

    @property
    def privates(self) -> tuple[PrivateKey, ...]:
        """All of the own keys: the one that signs, those before it, and those to come."""
        return () if self._keys is None else self._keys.value

    @property
    def good_since(self) -> dict[str, float]:
        """When ``trust`` and ``key``, as far as they come from files, were last read and found good (epoch seconds)."""
        watched = {"trust": self._store, "key": self._keys}
        return {what: each.good_since for what, each in watched.items() if each is not None}

    def look(self) -> None:
        """Look at the files now, if it is time to: for a process that waits for work."""
        _ = self.active, self.trust
