"""The commands that were obeyed, until nobody can send them again (E11.4)."""

from __future__ import annotations

import heapq

from safecelery.errors import Reason, Rejected

__all__ = ["CAPACITY", "Memory"]

#: Most commands to remember: some 80 a second for as long as each can be valid, far more than people give. 3 MB.
CAPACITY = 10_000


class Memory:
    """Remembers ids until they expire, and forgets no other: what does not fit is refused."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: set[tuple[str, str]] = set()
        self._by_expiry: list[tuple[float, tuple[str, str]]] = []

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, kid: str, jti: str, until: float, now: float) -> None:
        """From now on this id of this key is known.

        Args:
            until: seconds since the epoch; a message of this id is refused as stale from then on.
            now: seconds since the epoch.

        Raises:
            Rejected: it was known (``COMMAND_REPLAYED``), or there is no room (``COMMANDS_TOO_MANY``).
        """
        while self._by_expiry and self._by_expiry[0][0] <= now:
            self._known.discard(heapq.heappop(self._by_expiry)[1])
        if (kid, jti) in self._known:
            raise Rejected(Reason.COMMAND_REPLAYED, "this command was given before")
        if len(self._known) >= self._capacity:
            raise Rejected(Reason.COMMANDS_TOO_MANY, f"{self._capacity} commands are still valid, no more are taken")
        self._known.add((kid, jti))
        heapq.heappush(self._by_expiry, (until, (kid, jti)))
