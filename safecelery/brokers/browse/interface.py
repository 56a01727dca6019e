"""Looking at a queue without taking anything out of it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Browser", "Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """One item of the queue. Whoever reaches the broker may have put it there."""

    body: bytes
    headers: Mapping[str, Any]
    handle: Hashable
    """By which the browser finds it again: small, whatever the item's size."""
    item: Any = field(default=None, repr=False)
    """What the browser needs to remove exactly this one."""


class Browser(Protocol):
    """One look at one queue, on one connection. Until :meth:`close` no other browser may see the items."""

    def count(self) -> int:
        """About how many items there are."""
        ...

    def walk(self) -> Iterator[Found]:
        """Every item that is there now, in bounded memory. To be called once; items may be removed on the way."""
        ...

    def remove(self, found: Found) -> bool:
        """Take out the item that :meth:`walk` gave last; whether it was still there."""
        ...

    def remove_all(self, handles: Collection[Hashable]) -> int:
        """After the walk: take out these items. Returns how many were still there."""
        ...

    def close(self) -> None:
        """Everything that was not removed is in the queue."""
        ...
