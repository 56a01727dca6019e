"""The shape of a subject: how its worker starts, and how its messages are made and signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from celery import Celery

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.case import Case
from tests.attacks.operations import Scene, Sent

__all__ = ["Do", "Lines", "Ready", "Sealer", "Subject"]

Do = Callable[[Sent, Scene, Mapping[str, Any]], None]


class Sealer(Protocol):
    """Signs messages in the subject's manner, with any key of the stage."""

    def kid(self, owner: str) -> str:
        """Name of the owner's key."""
        ...

    def reduce(self, case: Case) -> Case | None:
        """The nearest equivalent of the case: without what has no meaning here; ``None`` if nothing is left."""
        ...

    def operation(self, step: Mapping[str, Any]) -> Do:
        """What does a step of ``[[wire]]``; only steps that :meth:`reduce` has left are asked for."""
        ...

    def inside(self, sent: Sent, signer: str, signed: Mapping[str, Any]) -> None:
        """Before the body is compressed."""
        ...

    def outside(self, sent: Sent, signer: str, signed: Mapping[str, Any], compression: str | None) -> None:
        """After that."""
        ...

    def control(self, body: bytes, signer: str) -> Sent:
        """A remote control message; signed if the subject signs those and the signer is not "none"."""
        ...


@dataclass(frozen=True, slots=True)
class Lines:
    """Where a subject lives during a run."""

    broker: RedisServer | RabbitServer
    broker_url: str
    results_url: str
    results: RedisServer
    directory: Path
    witness_file: Path
    dead_letters: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A subject that is set up: what starts its worker, what an honest service beside it uses."""

    make_worker: Callable[[], CeleryProcess]
    app: Celery
    """Lends Celery's message format, and reads results."""
    sealer: Sealer


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to run Celery."""

    name: str
    words: str
    """For the matrix: what it is."""
    keeps_refused: bool
    """Whether refused messages can be looked at: only then the reason is judged."""
    open: Callable[[Lines], AbstractContextManager[Ready]]
