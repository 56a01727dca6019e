"""kombu's in-memory transport: one process, no network; for tests and eager development."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kombu.transport import memory, virtual

from safecelery.brokers.interface import Tls, Wire
from safecelery.brokers.undecoded import Undecoded
from safecelery.policy.limits import Limits

__all__ = ["MemoryBroker"]


class _Message(virtual.Message, Undecoded):
    pass


class _Channel(memory.Channel):
    Message = _Message


class MemoryTransport(memory.Transport):
    """kombu's memory transport, decompressing nothing."""

    Channel = _Channel


class MemoryBroker:
    """Not a broker in production: what it holds dies with the process (a policy rule says so)."""

    name = "memory"
    transports: Mapping[str, type[Any]] = {"memory": MemoryTransport}

    def ssl_options(self, tls: Tls) -> dict[str, Any]:
        """There is no wire to protect."""
        return {}

    def settings(self, limits: Limits) -> dict[str, Any]:
        """No special settings."""
        return {}

    def parked(self, connection: Any, queues: Sequence[str]) -> int:
        """Nothing is parked here: a worker holds what is due later."""
        return 0

    def wire(self, url: str, ssl: object) -> Wire:
        """Local by nature."""
        return Wire(
            tls=False,
            verified=False,
            host_checked=False,
            tls_floor=None,
            local=True,
            password="none",  # noqa: S106  # a fact, not a secret
        )
