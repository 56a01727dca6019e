"""A received message that nobody has decompressed yet.

``kombu.Message.__init__`` decompresses as soon as a ``compression`` header says so, whoever wrote it:
a few kilobytes become gigabytes before any check. Here the body stays as it came, until its signature holds.
"""

from __future__ import annotations

from typing import Any

from kombu.message import Message

from safecelery.brokers.spool import Spool
from safecelery.errors import Rejected

__all__ = ["Undecoded"]


class Undecoded(Message):
    """Mixin for a transport's ``Message``; stands after it in the MRO, before ``kombu.message.Message``."""

    consumed_queue: str
    """Name of the queue this came from, as the consumer knows it."""
    delivery: Any = None
    """Its place in the ledger, once it is claimed there (safecelery/runtime/deliveries.py)."""
    waited: bool = False
    """It was found to be running, and looked at again later."""
    amiss: Rejected | None = None
    """Why the transport could not read it. Such a message is refused before anything else is looked at."""
    spool: Spool | None = None
    """The whole body, where it is too large to be held in memory; ``body`` is empty then."""

    def __init__(self, body: Any = None, headers: Any = None, **kwargs: Any) -> None:
        kept = headers if isinstance(headers, dict) else {}
        super().__init__(body, headers={k: v for k, v in kept.items() if k != "compression"}, **kwargs)
        self.headers = kept
