"""A store in this process' own memory: for tests and the memory broker. What it knows ends with the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safecelery.stores.interface import Admitted, Begun, Busy, Claim, Held, Known, Operation, Poison, Replayed

__all__ = ["MemoryStore"]


@dataclass(slots=True)
class _Entry:
    token: int
    expires: float
    deliveries: int = 1
    holder: str = ""
    lease_until: float = 0.0
    """Zero: nobody holds it."""
    done: bool = False


@dataclass(slots=True)
class _Outcome:
    token: int
    holder: str
    until: float
    """End of the lease, or of the outcome's life."""
    outcome: bytes | None = None


class MemoryStore:
    """Dictionaries behind one lock. ``clock`` gives seconds that never run backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._outcomes: dict[str, _Outcome] = {}
        self._last = 0

    def _token(self) -> int:
        self._last += 1
        return self._last

    def _entry(self, jti: str) -> _Entry | None:
        entry = self._entries.get(jti)
        if entry is not None and entry.expires <= self._clock():
            del self._entries[jti]
            return None
        return entry

    def claim(self, jti: str, holder: str, *, lease_s: float, ttl_s: float, max_deliveries: int) -> Claim:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        with self._lock:
            now, entry = self._clock(), self._entry(jti)
            if entry is None:
                entry = self._entries[jti] = _Entry(0, now, deliveries=0)
            elif entry.done:
                return Replayed()
            elif entry.lease_until > now:
                return Held(entry.lease_until - now, entry.holder)
            elif entry.deliveries >= max_deliveries:
                return Poison(entry.deliveries)
            entry.token, entry.holder, entry.lease_until = self._token(), holder, now + lease_s
            entry.deliveries += 1
            entry.expires = max(entry.expires, now + max(ttl_s, 2 * lease_s))
            return Admitted(entry.token, entry.deliveries)

    def _held(self, jti: str, token: int) -> _Entry | None:
        entry = self._entry(jti)
        return entry if entry is not None and entry.token == token and entry.lease_until and not entry.done else None

    def renew(self, held: Sequence[tuple[str, int]], lease_s: float) -> list[bool]:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        with self._lock:
            now, answers = self._clock(), []
            for jti, token in held:
                entry = self._held(jti, token)
                if entry is not None:
                    entry.lease_until = now + lease_s
                    entry.expires = max(entry.expires, now + 2 * lease_s)
                answers.append(entry is not None)
            return answers

    def complete(self, ended: Sequence[tuple[str, int]]) -> list[bool]:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        with self._lock:
            answers = []
            for jti, token in ended:
                entry = self._entry(jti)
                mine = entry is not None and entry.token == token and (entry.done or bool(entry.lease_until))
                if entry is not None and mine:
                    entry.done = True
                answers.append(mine)
            return answers

    def release(self, jti: str, token: int, *, counts: bool) -> bool:
        """See :class:`~safecelery.stores.interface.Ledger`."""
        with self._lock:
            entry = self._held(jti, token)
            if entry is None:
                return False
            entry.lease_until = 0.0
            entry.deliveries -= not counts
            return True

    def begin(self, key: str, holder: str, *, lease_s: float) -> Operation:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        with self._lock:
            now, found = self._clock(), self._outcomes.get(key)
            if found is not None and found.until > now:
                return Busy(found.until - now, found.holder) if found.outcome is None else Known(found.outcome)
            token = self._token()
            self._outcomes[key] = _Outcome(token, holder, now + lease_s)
            return Begun(token)

    def _begun(self, key: str, token: int) -> _Outcome | None:
        found = self._outcomes.get(key)
        return found if found is not None and found.token == token and found.outcome is None else None

    def extend(self, key: str, token: int, lease_s: float) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        with self._lock:
            found = self._begun(key, token)
            if found is not None:
                found.until = self._clock() + lease_s
            return found is not None

    def keep(self, key: str, token: int, outcome: bytes, *, ttl_s: float) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        with self._lock:
            found = self._begun(key, token)
            if found is not None:
                found.outcome, found.until = outcome, self._clock() + ttl_s
            return found is not None

    def abandon(self, key: str, token: int) -> bool:
        """See :class:`~safecelery.stores.interface.Outcomes`."""
        with self._lock:
            if self._begun(key, token) is None:
                return False
            del self._outcomes[key]
            return True

    def ping(self) -> None:
        """It is always there."""

    def sweep(self) -> int:
        """See :class:`~safecelery.stores.interface.Store`."""
        with self._lock:
            now = self._clock()
            old = [jti for jti, entry in self._entries.items() if entry.expires <= now]
            done = [key for key, found in self._outcomes.items() if found.until <= now]
            for jti in old:
                del self._entries[jti]
            for key in done:
                del self._outcomes[key]
            return len(old) + len(done)

    def close(self) -> None:
        """Nothing to close."""
