"""The shape of an admission check, and what a check may know."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from safecelery.message.stages import VerifiedMessage
from safecelery.policy.limits import Limits

__all__ = ["Binding", "Body", "Check", "Context"]


@dataclass(frozen=True, slots=True)
class Binding:
    """Why a queue gets messages of an exchange: AMQP 0-9-1, section 3.1.3."""

    exchange: str
    kind: str
    """``direct``, ``topic`` or ``fanout``."""
    pattern: str


@dataclass(frozen=True, slots=True)
class Body:
    """A task message's body as Celery's protocol 2 lays it out: ``[args, kwargs, embed]``."""

    args: list[Any]
    kwargs: dict[str, Any]
    embed: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks may know besides the message. Nothing here comes from the message."""

    limits: Limits
    now: float
    """Seconds since the epoch."""
    registered: Container[str]
    """Names of the tasks this worker can run."""
    bindings: Callable[[str], Sequence[Binding]]
    """Bindings of a queue this worker consumes."""


class Check(Protocol):
    """One reason to refuse a message."""

    def __call__(self, message: VerifiedMessage, body: Body, context: Context) -> None:
        """Return if the message may pass.

        Raises:
            Rejected: it may not; every other exception counts as ``Reason.INTERNAL``.
        """
        ...
