"""The shape of an admission check, and what a check may know."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from safecelery.message.stages import UnverifiedButReported, VerifiedMessage
from safecelery.policy.limits import Limits

__all__ = ["Binding", "Body", "Check", "Context", "FormCheck", "Mode", "Received"]

#: What happens to a message that a check of permission objects to: it is refused, or admitted, counted and logged.
Mode: TypeAlias = Literal["enforce", "report"]
#: What a check of form may be asked about: it needs no key, because it asks what the message is, not who may send it.
Received: TypeAlias = VerifiedMessage | UnverifiedButReported


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
    mode: Mode = "enforce"
    """Of the whole app; a key may be in report mode by itself."""
    opened: Callable[[VerifiedMessage], bytes] | None = None
    """Decrypts a body; raises ``Rejected``. ``None``: this process reads no encrypted ones."""
    must_encrypt: Callable[[str], bool] | None = None
    """Which tasks must be encrypted; ``None``: none."""
    encryption_mode: Mode = "enforce"
    """What becomes of messages of such tasks that are not encrypted."""


class Check(Protocol):
    """One reason to refuse a message that somebody signed."""

    def __call__(self, message: VerifiedMessage, body: Body, context: Context) -> None:
        """Return if the message may pass.

        Raises:
            Rejected: it may not; every other exception counts as ``Reason.INTERNAL``.
        """
        ...


class FormCheck(Protocol):
    """As :class:`Check`, but also for a message that nobody signed. Being wider, each is a ``Check`` as well."""

    def __call__(self, message: Received, body: Body, context: Context) -> None:
        """As :class:`Check`'s."""
        ...
