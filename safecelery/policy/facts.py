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
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final, Literal, TypeAlias

from safecelery.policy.setting_defaults import SETTING_DEFAULTS

__all__ = [
    "ABSENT",
    "UNKNOWN",
    "Absent",
    "AppFacts",
    "CallFacts",
    "CodeFacts",
    "DeployFacts",
    "Facts",
    "FileFacts",
    "PackageFacts",
    "Place",
    "ScheduleFacts",
    "SettingsFacts",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFacts:
    """Every Celery setting of one app, by lower-case name (``task_time_limit``), whatever way it was written."""

    app: str
    where: Place
    production: Tri
    stated: Mapping[str, Stated]
    """The settings somebody stated, UNKNOWN where the value cannot be read."""
    complete: bool = True
    """False: part of the configuration cannot be read, so a setting not in ``stated`` is UNKNOWN, not its default."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each of ``stated`` was written."""
    celery: tuple[int, ...] | Unknown = UNKNOWN
    """The version of Celery that is required or installed, as far as it is known: ``(5, 4)``."""
    tasks: int | Unknown = UNKNOWN
    """How many tasks the project declares."""
    results_read: Tri = UNKNOWN
    """Some code of the project reads results (``.get()``, ``AsyncResult``, a chord)."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"app {self.app}"

    def value(self, name: str) -> Stated:
        """The setting as it will be used: as stated, else Celery's default, else UNKNOWN.

        Raises KeyError for a name that Celery has no setting for.
        """
        if name in self.stated:
            return self.stated[name]
        return SETTING_DEFAULTS[name] if self.complete else UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFacts:
    """One entry of ``beat_schedule`` (or ``add_periodic_task``)."""

    entry: str
    where: Place
    task: str | Unknown
    registered: Tri
    """The task is declared somewhere in the project."""
    period_s: Stated
    """Seconds between two runs; for a crontab the shortest gap; UNKNOWN if it cannot be told."""
    task_time_limit: Stated
    expires_s: Stated = ABSENT
    """The entry's ``expires`` option, in seconds."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"beat entry {self.entry}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """One place in the code that does a thing of a given ``kind``; a rule of family 7 asks for one kind."""

    kind: str
    """A kebab name out of safecelery.policy.kinds."""
    where: Place
    task: str
    """The task the code is in; "" outside of one."""
    detail: str
    """What was met, in a few words: ``requests.get without timeout``."""
    certain: bool = True
    """False: it looks like it, but a part that would decide cannot be seen."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return self.task or self.where.file


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployFacts:
    """One process that some deployment file starts: a worker, a beat, a user interface.

    ABSENT for what its command line does not say.
    """

    role: Literal["worker", "beat", "flower", "other"]
    where: Place
    command: str
    """As written, secrets masked."""
    pool: Stated = ABSENT
    concurrency: Stated = ABSENT
    time_limit: Stated = ABSENT
    soft_time_limit: Stated = ABSENT
    prefetch_multiplier: Stated = ABSENT
    max_tasks_per_child: Stated = ABSENT
    max_memory_per_child: Stated = ABSENT
    statedb: Stated = ABSENT
    schedule_file: Stated = ABSENT
    scheduler: Stated = ABSENT
    embedded_beat: Tri = False
    """``-B``: beat inside a worker."""
    queues: tuple[str, ...] | Unknown | Absent = ABSENT
    options: tuple[str, ...] = ()
    """Every long option of the command line as written, values left out: ``--pool``."""
    authenticated: Tri = UNKNOWN
    """Of a user interface: it asks who you are."""
    root: Tri = UNKNOWN
    """It runs as root."""
    forces_root: Tri = UNKNOWN
    """``C_FORCE_ROOT`` is set."""
    health_check: Tri = UNKNOWN
    replicas: int | Unknown = UNKNOWN
    restarts: Tri = UNKNOWN
    """Something starts it again when it ends."""
    stop_grace_s: Stated = UNKNOWN
    """How long it may take to stop before it is killed."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"{self.role} process"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """A package that a requirements or lock file names."""

    name: str
    """Normalised (PEP 503)."""
    where: Place
    version: tuple[int, ...] | Unknown
    """The version pinned or locked, or the highest that the range admits when that is what was written."""
    specifier: str
    """As written."""
    extras: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"requirement {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file that is a secret or holds one."""

    where: Place
    kind: Literal["private-key", "state-file", "trust-store"]
    detail: str
    mode: int | Unknown = UNKNOWN
    """The permission bits."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"file {self.where.file}"


Facts: TypeAlias = (
    TaskFacts
    | CallFacts
    | TransportFacts
    | AppFacts
    | WaiverFacts
    | SettingsFacts
    | ScheduleFacts
    | CodeFacts
    | DeployFacts
    | PackageFacts
    | FileFacts
)
