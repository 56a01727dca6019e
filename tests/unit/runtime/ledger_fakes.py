"""A consumer's loop, a store that can fail, and messages, for tests of the ledger without a broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import StoreUnavailable
from safecelery.runtime.backlog import Backlog
from safecelery.runtime.deliveries import Deliveries, Delivery
from safecelery.stores.memory import MemoryStore

__all__ = ["JTI", "LEASE_S", "MOST", "FakeConsumer", "FakeMessage", "FallibleStore", "World", "claims_of"]

JTI = "a-message-with-an-id"
LEASE_S, MOST = 60, 2


class FakeMessage(Undecoded):
    """A message whose answers are written down."""

    def __init__(self, *, redelivered: bool = False) -> None:
        super().__init__(b"", delivery_info={"redelivered": redelivered})
        self.answers: list[str] = []

    def ack(self, multiple: bool = False) -> None:
        self.answers.append("ack")


class FakeConsumer:
    """Timers that fire when the test says how much time has passed."""

    def __init__(self, hub: object = True) -> None:
        self.hub = hub
        self.timer = self
        self.qos = self
        self.prefetch = 0
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.soon: list[Callable[..., Any]] = []

    def call_after(self, delay_s: float, action: Callable[..., None], args: tuple[Any, ...] = ()) -> None:
        self.timers.append((self.now + delay_s, lambda: action(*args)))

    def call_soon(self, action: Callable[[], None]) -> None:
        self.soon.append(action)

    def increment_eventually(self) -> None:
        self.prefetch += 1

    def decrement_eventually(self) -> None:
        self.prefetch -= 1

    def passes(self, seconds: float) -> None:
        """Fire what is due, in order; also what becomes due meanwhile."""
        end = self.now + seconds
        while due := sorted((timer for timer in self.timers if timer[0] <= end), key=lambda timer: timer[0]):
            self.timers.remove(due[0])
            self.now = due[0][0]
            due[0][1]()
        self.now = end


class FallibleStore(MemoryStore):
    """A store on the consumer's clock that can be switched off."""

    def __init__(self, consumer: FakeConsumer) -> None:
        super().__init__(clock=lambda: consumer.now)
        self.down = False
        self.asked = 0
        self.completions: list[int] = []

    def complete(self, ended: Sequence[tuple[str, int]]) -> list[bool]:
        self.completions.append(len(ended))
        return super().complete(ended)

    def _entry(self, jti: str) -> Any:
        self.asked += 1
        if self.down:
            raise StoreUnavailable("it is switched off")
        return super()._entry(jti)


def claims_of(jti: str, exp: float) -> Any:
    return SimpleNamespace(jti=jti, entry=jti, exp=exp, hdr={"task": "orders.t"})


class World:
    """One worker and its store."""

    def __init__(self, hub: Any = None) -> None:
        self.consumer = FakeConsumer()
        self.store = FallibleStore(self.consumer)
        self.looked: list[Any] = []
        self.backlog = Backlog(self.consumer, self.looked.append)
        self.deliveries = Deliveries(
            self.store, self.backlog, hostname="celery@h", lease_s=LEASE_S, max_deliveries=MOST, max_skew_s=60,
            hub=hub,
        )  # fmt: skip

    def claim(self, message: FakeMessage | None = None, jti: str = JTI) -> Delivery | None:
        return self.deliveries.claim(claims_of(jti, time.time() + 3600), message or FakeMessage())

    def mine(self, jti: str = JTI) -> Delivery:
        delivery = self.claim(jti=jti)
        assert delivery is not None
        return delivery

    def elsewhere(self, jti: str = JTI) -> Any:
        return self.store.claim(jti, "other", lease_s=LEASE_S, ttl_s=3600, max_deliveries=MOST)
