"""What waits for the ledger: messages that nobody may run yet, and accounts that cannot be written yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import StoreUnavailable
from safecelery.telemetry.deliveries import Happened, note

__all__ = ["Backlog"]

#: Seconds between two attempts at a store that does not answer: first, and at most.
_FIRST_S, _MOST_S = 0.5, 10.0
#: A message that another worker runs is looked at again when the lease ends, or after this many seconds: its holder may
#: give it back before.
_LOOK_S = 10.0
#: So many of those do not count against the prefetch limit. More of them do: a worker takes no more than it can hold.
_UNCOUNTED = 100


@dataclass(frozen=True, slots=True)
class _Thunk:
    run: Callable[[], None]
    of_connection: bool
    """It concerns a message that the broker delivers again when the connection is lost."""


class Backlog:
    """One per worker. Everything runs in the consumer's own loop, by its timer; nothing here is a busy loop.

    Args:
        consumer: Celery's worker consumer: its ``timer``, ``call_soon`` and ``qos``.
        look: what to do with a message whose time has come; may raise StoreUnavailable.
    """

    def __init__(self, consumer: Any, look: Callable[[Undecoded], None]) -> None:
        self._consumer = consumer
        self._look = look
        self._thunks: deque[_Thunk] = deque()
        self._delay = 0.0
        self._held: set[int] = set()
        self._generation = 0

    def hold(self, message: Undecoded, for_s: float) -> None:
        """Look at a message again when its holder's lease would end."""
        uncounted = len(self._held) < _UNCOUNTED
        if uncounted:
            self._held.add(id(message))
            self._consumer.qos.increment_eventually()
        generation = self._generation

        def again() -> None:
            if generation != self._generation:
                return
            if uncounted:
                self._held.discard(id(message))
                self._consumer.qos.decrement_eventually()
            self.message(message)

        message.waited = True
        self._after(min(for_s, _LOOK_S) + 0.05, again)

    def message(self, message: Undecoded) -> None:
        """Look at a message now, or once the store answers again."""
        self.run(lambda: self._look(message), of_connection=True)

    def run(self, action: Callable[[], None], *, of_connection: bool) -> None:
        """Do it now, or once the store answers again; in the order in which it was asked for."""
        thunk = _Thunk(action, of_connection)
        if self._thunks:
            self._thunks.append(thunk)
            return
        try:
            action()
        except StoreUnavailable as error:
            self._thunks.append(thunk)
            self._delay = _FIRST_S
            note(Happened.STORE_UNAVAILABLE, f"{error}; nothing runs until it answers")
            self._try_later()

    def _try_later(self) -> None:
        generation = self._generation
        self._after(self._delay, lambda: self._try(generation))

    def _after(self, delay_s: float, action: Callable[[], None]) -> None:
        """In the consumer's own loop; without a hub, timers run in a thread of theirs (celery/utils/timer2.py)."""
        consumer = self._consumer
        if consumer.hub:
            consumer.timer.call_after(delay_s, action)
        else:
            consumer.timer.call_after(delay_s, consumer.call_soon, (action,))

    def _try(self, generation: int) -> None:
        if generation != self._generation or not self._thunks:
            return
        waiting = len(self._thunks)
        try:
            while self._thunks:
                # Kept until it is done: whoever comes meanwhile stands behind it.
                self._thunks[0].run()
                self._thunks.popleft()
        except StoreUnavailable as error:
            self._delay = min(2 * self._delay, _MOST_S)
            note(Happened.STORE_UNAVAILABLE, f"{error}; {len(self._thunks)} messages wait")
            self._try_later()
        except BaseException:
            self._thunks.popleft()  # it was tried, and failed of something else
            if self._thunks:
                self._try_later()
            raise
        else:
            note(Happened.STORE_AGAIN, f"{waiting} messages waited")

    def connection_lost(self) -> None:
        """The broker delivers again what was not acknowledged; what only concerns the store goes on."""
        self._generation += 1
        self._held.clear()
        self._thunks = deque(thunk for thunk in self._thunks if not thunk.of_connection)
        if self._thunks:
            self._try_later()

    def last_attempt(self) -> None:
        """The worker ends: try once more what only concerns the store."""
        self.connection_lost()
        while self._thunks:
            try:
                self._thunks[0].run()
            except StoreUnavailable:
                break
            self._thunks.popleft()
        self._generation += 1
        self._thunks.clear()
