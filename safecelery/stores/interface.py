"""What a store keeps for the workers: which messages were delivered, and which business operations were done.

A lease is held for a number of seconds of the **store's** clock; hosts need not agree on the time. A fencing token is
a number that grows with every holder of the same entry: whoever lost its lease cannot write any more, however late it
notices (Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from safecelery.errors import StoreUnavailable

__all__ = [
    "Admitted",
    "Begun",
    "Busy",
    "Claim",
    "Held",
    "Known",
    "Ledger",
    "Operation",
    "Outcomes",
    "Poison",
    "Replayed",
    "Store",
    "StoreUnavailable",
]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The message is this caller's to run, for as long as the lease is renewed."""

    token: int
    delivery: int
    """1 for the first time; grows with every claim that did not end in ``complete``."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """It was completed before."""


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody has it under a lease that lives."""

    for_s: float
    """Seconds until the lease ends, unless it is renewed."""
    holder: str


@dataclass(frozen=True, slots=True)
class Poison:
    """It was claimed as often as it may be, and never completed."""

    deliveries: int


Claim: TypeAlias = Admitted | Replayed | Held | Poison


class Ledger(Protocol):
    """Which messages were delivered. Every method is one atomic operation and one round trip.

    Raises:
        StoreUnavailable: nobody knows what the store holds; the caller must not go on as if it knew.
    """

    def claim(self, jti: str, holder: str, *, lease_s: float, ttl_s: float, max_deliveries: int) -> Claim:
        """Ask to run the message ``jti``.

        Args:
            holder: who asks, for those who find it held; says nothing about who may claim.
            lease_s: for how long it is the caller's unless renewed.
            ttl_s: for how long the entry is kept: longer than the message is valid.
            max_deliveries: how often it may be claimed without being completed.
        """
        ...

    def renew(self, held: Sequence[tuple[str, int]], lease_s: float) -> list[bool]:
        """Prolong the leases of these messages and tokens, in one round trip. False where the lease is another's, or
        its entry is gone."""
        ...

    def complete(self, ended: Sequence[tuple[str, int]]) -> list[bool]:
        """These messages ran and shall never run again; with their tokens, in one round trip. False where the lease
        was lost to another. Twice is as good as once."""
        ...

    def release(self, jti: str, token: int, *, counts: bool) -> bool:
        """Give it back, not completed, for whoever claims it next.

        Args:
            counts: it was tried; False for one that was only waiting here.
        """
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """The operation is this caller's to do."""

    token: int


@dataclass(frozen=True, slots=True)
class Known:
    """It was done before; this came of it."""

    outcome: bytes


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody is at it."""

    for_s: float
    """Seconds until the lease ends, unless it is renewed."""
    holder: str


Operation: TypeAlias = Begun | Known | Busy


class Outcomes(Protocol):
    """What came of operations that are named by an idempotency key.

    Raises:
        StoreUnavailable: as for :class:`Ledger`.
    """

    def begin(self, key: str, holder: str, *, lease_s: float) -> Operation:
        """Ask to do the operation ``key``."""
        ...

    def extend(self, key: str, token: int, lease_s: float) -> bool:
        """Prolong the lease. False if it was lost."""
        ...

    def keep(self, key: str, token: int, outcome: bytes, *, ttl_s: float) -> bool:
        """Store what came of it for ``ttl_s`` seconds. False, and nothing stored, if the lease was lost."""
        ...

    def abandon(self, key: str, token: int) -> bool:
        """Nothing came of it; whoever asks next may do it."""
        ...


class Store(Ledger, Outcomes, Protocol):
    """One server that keeps both."""

    def ping(self) -> None:
        """Raises StoreUnavailable if nobody answers."""
        ...

    def sweep(self) -> int:
        """Delete what has expired, where the server does not do so by itself. Returns how many entries."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
