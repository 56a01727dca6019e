"""Holding refused messages while their dead letters cannot be published: the worker neither dies, spins nor drops one.

What is held stays unacknowledged, so it fills the prefetch window, and a worker that can keep nothing takes nothing
more. If the process ends, the broker still has every original.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Holding", "Later"]

logger = logging.getLogger("safecelery")
T = TypeVar("T")
#: ``later(seconds, function)``, as ``kombu.asynchronous.timer.Timer.call_after``.
Later = Callable[[float, Callable[[], None]], Any]

FIRST_S = 1.0
"""Seconds until the first new attempt; each further one waits twice as long."""
LONGEST_S = 60.0


class Holding(Generic[T]):
    """Publishes, then settles, in the order of arrival; what cannot be published waits for the next attempt.

    Args:
        publish: raises whatever is amiss.
        settle: runs after ``publish`` returned.
        later: see :data:`Later`.
    """

    def __init__(self, publish: Callable[[T], None], settle: Callable[[T], None], later: Later) -> None:
        self._publish, self._settle, self._later = publish, settle, later
        self._held: deque[T] = deque()
        self._delay = FIRST_S
        self._waiting = False

    def __len__(self) -> int:
        return len(self._held)

    def take(self, item: T) -> None:
        """Publish and settle, at once unless others wait already. Raises what ``settle`` raises."""
        self._held.append(item)
        if not self._waiting:
            self._flush()

    def forget(self) -> None:
        """Hold nothing any more."""
        self._held.clear()

    def _flush(self) -> None:
        try:
            while self._held:
                try:
                    self._publish(self._held[0])
                except Exception as error:  # noqa: BLE001  # whatever it is, the message must not be lost by it
                    # The text of the exception comes from the broker, not from the message.
                    logger.warning(
                        "dead letters cannot be kept (%s: %s); %d refused messages stay unacknowledged, "
                        "next attempt in %g s",
                        type(error).__name__, error, len(self._held), self._delay,
                    )  # fmt: skip
                    return
                self._delay = FIRST_S
                self._settle(self._held.popleft())
        finally:
            if self._held:
                self._wait()

    def _wait(self) -> None:
        self._waiting = True
        self._later(self._delay, self._again)
        self._delay = min(self._delay * 2, LONGEST_S)

    def _again(self) -> None:
        self._waiting = False
        self._flush()
