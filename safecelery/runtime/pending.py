"""What a caller gets: the result of a task that may not have run yet, with its type."""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = ["PendingResult"]

R_co = TypeVar("R_co", covariant=True)


class PendingResult(Protocol[R_co]):
    """What a caller gets: Celery's ``AsyncResult`` with the task's return type."""

    id: str

    def get(self, timeout: float | None = None, propagate: bool = True, interval: float = 0.5) -> R_co:
        """Wait for the result. Raises what the task raised."""
        ...

    def ready(self) -> bool:
        """Has the task finished?"""
        ...

    def successful(self) -> bool:
        """Has it returned?"""
        ...

    def failed(self) -> bool:
        """Has it raised?"""
        ...

    @property
    def state(self) -> str:
        """Celery's state name."""
        ...

    def forget(self) -> None:
        """Delete the stored result."""
        ...
