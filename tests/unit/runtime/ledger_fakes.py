"""A consumer's loop, a store that can fail, and messages, for tests of the ledger without a broker."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import StoreUnavailable
from safecelery.stores.memory import MemoryStore

__all__ = ["FakeConsumer", "FakeMessage", "FallibleStore"]


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

    def _entry(self, jti: str) -> Any:
        self.asked += 1
        if self.down:
            raise StoreUnavailable("it is switched off")
        return super()._entry(jti)


def claims_of(jti: str, exp: float) -> Any:
    return SimpleNamespace(jti=jti, exp=exp, hdr={"task": "orders.t"})
