"""What is asked for within one turn of the event loop, done together when the next one begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Together"]

T = TypeVar("T")
#: More than that in one turn is done at once.
MOST = 500


class Together(Generic[T]):
    """Gathers while the loop turns; where none does, each is done at once.

    A loop with something to do begins its next turn in the next moment, so nothing waits for company.

    Args:
        do: gets what was gathered, in order.
        hub: kombu's event loop (``kombu.asynchronous.Hub``); ``None``: there is none.
    """

    def __init__(self, do: Callable[[list[T]], None], hub: Any = None) -> None:
        self._do = do
        self._hub = hub
        self._gathered: list[T] = []

    def add(self, item: T) -> None:
        """Have it done, now or in the next turn."""
        self._gathered.append(item)
        if self._hub is None or len(self._gathered) >= MOST:
            self.flush()
        elif len(self._gathered) == 1:
            self._hub.call_soon(self.flush)

    def flush(self) -> None:
        """Do what was gathered. Raises what ``do`` raises; nothing is done twice."""
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        try:
            self._do(gathered)
        finally:
            # What it left for the loop's next turn (Celery acknowledges so) is not to wait for the loop to wake up.
            for action in self._hub._pop_ready() if self._hub is not None else ():
                action()

    def end(self) -> None:
        """The loop turns no more: do what was gathered, and each from now on at once."""
        self.flush()
        self._hub = None
