"""What a rule may look at: frozen facts about a task, a call, an app, a transport, a waiver.

The same facts are filled from source by the linter and live by the running application, so a rule cannot say one
thing in CI and another in production. A field whose value could not be determined is :data:`UNKNOWN`; an option that
was not given at all is :data:`ABSENT`, which is not the same as an explicit ``None`` (in Celery an explicit ``None``
lifts a limit: ``Celery.send_task`` in celery/app/base.py).

Values are kept **as written**. ``time_limit=True`` arrives here as ``True``, so that a rule can refuse it; hence the
type :data:`Stated`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, Literal, TypeAlias

__all__ = [
    "ABSENT",
    "UNKNOWN",
    "Absent",
    "AppFacts",
    "CallFacts",
    "Facts",
    "Place",
    "Stated",
    "TaskFacts",
    "TransportFacts",
    "Tri",
    "Unknown",
    "WaiverFacts",
]


class Unknown(Enum):
    """The type of :data:`UNKNOWN`: the value exists but could not be determined."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Refused: an unknown value is neither true nor false. Raises TypeError."""
        raise TypeError("UNKNOWN is neither true nor false: compare with 'is UNKNOWN' first")

    def __repr__(self) -> str:
        return "UNKNOWN"


class Absent(Enum):
    """The type of :data:`ABSENT`: the option was not given."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        """Refused: ABSENT must not be mistaken for an explicit ``None`` or ``False``. Raises TypeError."""
        raise TypeError("ABSENT is neither true nor false: compare with 'is ABSENT' first")

    def __repr__(self) -> str:
        return "ABSENT"


UNKNOWN: Final = Unknown.UNKNOWN
ABSENT: Final = Absent.ABSENT

Tri: TypeAlias = bool | Unknown
"""True, False or UNKNOWN."""

Stated: TypeAlias = object
"""A value as somebody wrote it, of any type; UNKNOWN if unreadable. Durations are meant in seconds."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact was stated. ``line`` 0 means the file as a whole (or a place without lines)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """The options of one task, after defaults and bases have been applied."""

    name: str
    where: Place
    serializer: Stated
    time_limit: Stated
    soft_time_limit: Stated
    acks_late: Stated
    reject_on_worker_lost: Stated
    retry_on_worker_lost: Stated
    autoretry_for: tuple[str | Unknown, ...] | Unknown
    """Dotted names of the exception classes."""
    retry_backoff: Stated
    retry_backoff_max: Stated
    retry_jitter: Stated
    max_retries: Stated
    """``None`` means: for ever (celery/app/task.py, ``Task.max_retries``)."""
    unknown_options: tuple[str, ...] | Unknown

    @property
    def subject(self) -> str:
        """The name violations and waivers use."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What one ``apply_async``, ``send_task``, ``signature`` or beat entry asks for.

    ABSENT for what the caller did not ask. ``task_time_limit`` and ``task_soft_time_limit`` are the task's own, UNKNOWN
    where the task's code is not at hand (a service that only sends by name).
    """

    task: str
    where: Place
    time_limit: Stated
    soft_time_limit: Stated
    task_time_limit: Stated
    task_soft_time_limit: Stated
    serializer: Stated
    retries: Stated
    unknown_options: tuple[str, ...] | Unknown
    delay_s: Stated = ABSENT
    """How far ahead, in seconds, ``countdown`` or ``eta`` puts the run."""

    @property
    def subject(self) -> str:
        """The name violations and waivers use."""
        return self.task


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFacts:
    """One connection of the app: a broker (each failover member is one) or the result backend."""

    role: Literal["broker", "results"]
    where: Place
    production: Tri
    url: str
    """For messages only. The password must already be masked with asterisks; else ValueError."""
    scheme: str | Unknown
    tls: Tri
    verified: Tri
    """The server's certificate chain is checked."""
    host_checked: Tri
    """The host name is checked against the certificate."""
    tls_floor: str | Unknown | None
    """``"TLSv1.2"``; None when nothing sets one."""
    local: Tri
    """A unix socket or in-process transport: no network."""
    password: Literal["none", "default", "set"] | Unknown

    def __post_init__(self) -> None:
        for userinfo in re.findall(r"://([^@]*)@", self.url):
            if userinfo.partition(":")[2].strip("*"):
                raise ValueError("TransportFacts.url must have its password masked with asterisks")

    @property
    def subject(self) -> str:
        """The name violations and waivers use."""
        return f"{self.role} {self.url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """The settings of one app, as they will be used."""

    where: Place
    production: Tri
    task_serializer: Stated
    result_serializer: Stated
    event_serializer: Stated
    accept_content: frozenset[str] | Unknown
    result_accept_content: frozenset[str] | Unknown | None
    """None: Celery uses ``accept_content`` for results too."""
    signing: Tri
    trusted_keys: int | Unknown | None
    """None: this process only sends, so there is nothing to check with them."""
    brokers: tuple[TransportFacts, ...] | Unknown
    results: TransportFacts | None
    """None: results are not stored. An unreadable backend is a TransportFacts of UNKNOWNs."""
    worker_pool: str | Unknown
    task_protocol: Stated
    unknown_settings: tuple[str, ...] | Unknown

    @property
    def subject(self) -> str:
        """The name violations and waivers use."""
        return "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFacts:
    """A waiver on a given day."""

    where: Place
    waived: str
    """Code and name of the waived rule."""
    owner: str
    expires: date
    today: date

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"waiver of {self.waived} by {self.owner}"


Facts: TypeAlias = TaskFacts | CallFacts | TransportFacts | AppFacts | WaiverFacts
