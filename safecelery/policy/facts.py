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
    "QueueFacts",
    "RouteFacts",
    "ScheduleFacts",
    "SettingsFacts",
    "Stated",
    "SuppressionFacts",
    "TaskFacts",
    "TransportFacts",
    "Tri",
    "TrustFacts",
    "Unknown",
    "VerdictFacts",
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
    acks_on_timeout: Stated = UNKNOWN
    """The effective one: the task's, else ``acks_on_failure_or_timeout``, else the settings of those names, else True
    (celery/app/task.py, ``Task.bind``)."""
    retry_kwargs: Mapping[str, Stated] | Unknown = UNKNOWN
    """Empty where the task has none."""
    dont_autoretry_for: tuple[str | Unknown, ...] | Unknown = UNKNOWN
    """Dotted names, empty where the task has none."""
    default_retry_delay: Stated = UNKNOWN
    """Seconds before ``self.retry()`` runs the task again; Celery's own is 180."""
    expires_s: Stated = UNKNOWN
    """The task's own ``expires``, in seconds; None or ABSENT where it has none."""
    routing_options: tuple[str, ...] | Unknown = UNKNOWN
    """Which of ``queue exchange exchange_type routing_key delivery_mode priority`` the declaration itself states."""
    does_io: Tri = UNKNOWN
    """Its code talks to another machine (HTTP, mail, sockets, object storage) and never calls ``self.retry``."""
    visibility_timeout_s: Stated = UNKNOWN
    """After how many seconds the app's broker delivers an unacknowledged message again
    (:func:`safecelery.policy.broker.visibility_timeout`); ABSENT where the broker waits for ever."""
    duplicate_of: Place | Unknown | None = UNKNOWN
    """Another task of the same name and app that is registered first, and therefore wins; None if there is none."""
    named: Tri = UNKNOWN
    """``name=`` is stated; else the name follows the place of the function."""
    imported: Tri | Absent = UNKNOWN
    """Some worker imports its module; ABSENT where no app of the project could."""
    no_hard_limit_at: str = ""
    """The worker command line under which it has no hard limit, where other workers are started with one."""
    no_soft_limit_at: str = ""

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
    expires_s: Stated = ABSENT
    """After how many seconds the message is thrown away unrun."""
    visibility_timeout_s: Stated = UNKNOWN
    """As in :class:`TaskFacts`."""
    task_expires_s: Stated = UNKNOWN
    """The task's own ``expires``, in seconds; None or ABSENT where it has none."""

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
    signing: Tri = UNKNOWN
    """The app signs and checks its messages, remote control included (``create_app`` with a key)."""
    names: tuple[str, ...] | Unknown = UNKNOWN
    """The names of ``stated`` as written: ``CELERY_TASK_TIME_LIMIT``, ``CELERYD_CONCURRENCY``, ``task_time_limit``."""
    namespace: str | Unknown | None = UNKNOWN
    """What ``config_from_object(..., namespace=)`` was given; None without one."""
    strays: tuple[str, ...] | Unknown = UNKNOWN
    """Names beside the app's settings that were meant for Celery and are not read, neither by Celery
    (:func:`safecelery.policy.setting_names.is_stray` says which) nor by any code of the project."""
    longest_limit_s: Stated = UNKNOWN
    """The highest hard time limit among the app's late-acknowledged tasks, in seconds; None if one of them has none,
    ABSENT if there is no such task."""
    commands_bound_children: Tri = UNKNOWN
    """Every worker command line of the project states ``--max-tasks-per-child`` or ``--max-memory-per-child``."""
    commands_limit: Tri = False
    """Every worker command line of the app states ``--time-limit``."""
    names_hours: Tri = UNKNOWN
    """Some crontab of its schedule names an hour, a day or a month."""
    source_empty: Tri = False
    """What ``config_from_object`` was given can be read and holds no setting."""

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
    task_expires_s: Stated = UNKNOWN
    """The task's own ``expires``, in seconds; None or ABSENT where it has none."""
    args_problem: str | Unknown | None = UNKNOWN
    """Why its ``args`` and ``kwargs`` cannot be passed to the task: ``missing 'order_id'``; None if they can."""
    unknown_keys: tuple[str, ...] | Unknown = UNKNOWN
    """Keys of the entry that ``celery.beat.ScheduleEntry`` does not take."""
    crontab: tuple[str, ...] | Unknown | Absent = ABSENT
    """The arguments that its ``crontab(...)`` states, by name (``("hour",)``; the first positional one is ``minute``);
    ABSENT for any other kind of schedule."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"beat entry {self.entry}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """One queue that ``task_queues`` declares (or the default one, where it declares none)."""

    name: str
    where: Place
    broker: str | Unknown
    """The scheme of the broker's URL: ``amqps``."""
    arguments: Mapping[str, Stated] | Unknown
    """``queue_arguments``, with ``x-queue-type`` filled in from ``task_default_queue_type`` for the default queue."""
    durable: Stated = True
    delivery_mode: Stated = ABSENT
    """The ``delivery_mode`` of its exchange, else the setting ``task_default_delivery_mode``."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"queue {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFacts:
    """One way a task is sent to a queue: an entry of ``task_routes``, a ``queue`` of a task, a call or a beat entry."""

    task: str
    """The task's name, or the pattern."""
    where: Place
    queue: str | Unknown
    declared: Tri
    """``task_queues`` names the queue (or it is the default one)."""
    created: Tri
    """``task_create_missing_queues``: sending to a queue that is not declared creates it."""
    consumed: Tri
    """Some worker of the project reads the queue: by ``-Q``, or by declaring it and having no ``-Q``.
    UNKNOWN where no worker command line can be seen."""
    matches: Tri = UNKNOWN
    """Some task of the project has this name, or fits the pattern."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"route of {self.task}"


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
    """One process that some deployment file starts: a worker, a beat, a user interface, a broker.

    Of an option, ABSENT means that the command line does not say it. Of what surrounds the command (user, health check,
    restart), ABSENT means that a file of this kind is not where it is said: a Procfile knows no health check.
    """

    role: Literal["worker", "beat", "flower", "broker", "other"]
    where: Place
    command: str
    """As written, secrets masked; of a broker, its image."""
    source: str = "other"
    """The kind of file: dockerfile, compose, kubernetes, procfile, systemd, supervisor, shell, python."""
    production: Tri = UNKNOWN
    """False: the file says by its name or place that it is for development or tests."""
    app: Stated = ABSENT
    """``-A``."""
    pool: Stated = ABSENT
    concurrency: Stated = ABSENT
    autoscale: Stated = ABSENT
    time_limit: Stated = ABSENT
    soft_time_limit: Stated = ABSENT
    prefetch_multiplier: Stated = ABSENT
    max_tasks_per_child: Stated = ABSENT
    max_memory_per_child: Stated = ABSENT
    statedb: Stated = ABSENT
    schedule_file: Stated = ABSENT
    scheduler: Stated = ABSENT
    loglevel: Stated = ABSENT
    pidfile: Stated = ABSENT
    embedded_beat: Tri = False
    """``-B``: beat inside a worker."""
    queues: tuple[str, ...] | Unknown | Absent = ABSENT
    options: tuple[str, ...] = ()
    """Every long option of the command line as written, values left out: ``--pool``."""
    unknown_options: tuple[str, ...] | Unknown = ()
    """Options that the command has none of, as written."""
    stray_words: tuple[str, ...] | Unknown = ()
    """Words of the command line that belong to no option: the second half of ``-Q a, b``."""
    environment: tuple[str, ...] = ()
    """Environment variables whose defaults were taken."""
    authenticated: Tri = UNKNOWN
    """Of a user interface: it asks who you are."""
    open_api: Tri = False
    """Of Flower: ``FLOWER_UNAUTHENTICATED_API`` is set."""
    published: tuple[str, ...] | Unknown = ()
    """Ports that any host may reach: ``0.0.0.0:5555``."""
    password: Literal["none", "default", "set"] | Unknown = UNKNOWN
    """Of a broker."""
    secrets_in_command: tuple[str, ...] = ()
    """Where a credential stands literally on the command line: ``--basic-auth``, ``--broker``."""
    secrets_in_environment: tuple[str, ...] = ()
    """The variables of this process that a file gives a credential literally."""
    plain_urls: tuple[str, ...] = ()
    """The variables or options that name a broker or backend on another host without TLS."""
    root: Tri | Absent = ABSENT
    """It runs as root."""
    forces_root: Tri | Absent = ABSENT
    """``C_FORCE_ROOT`` is set."""
    health_check: Tri | Absent = ABSENT
    replicas: int | Unknown = UNKNOWN
    beats: int | Unknown = 1
    """Of a beat: how many of the same app this deployment starts, itself included."""
    overlaps: Tri | Absent = ABSENT
    """At a new release a second one is started before the first has ended."""
    restarts: Tri | Absent = ABSENT
    """Something starts it again when it ends."""
    stop_grace_s: Stated = ABSENT
    """How long it may take to stop before it is killed."""
    longest_task_s: Stated = ABSENT
    """The longest hard time limit of the tasks it runs, if somebody worked it out."""
    tasks_with_limits: int = 0
    """Of a worker: how many tasks of its app state a time limit."""
    settings_bound_children: Tri = False
    """The settings of the app state ``worker_max_tasks_per_child`` or ``worker_max_memory_per_child``."""
    settings_scheduler: Stated = ABSENT
    """``beat_scheduler`` of the app, where its settings state it."""
    settings_schedule_file: Stated = ABSENT
    """``beat_schedule_filename`` of the app, where its settings state it."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"{self.role} process" if self.role != "broker" else "broker service"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """A package that a requirements or lock file names."""

    name: str
    """Normalised (PEP 503)."""
    where: Place
    version: tuple[int, ...] | Unknown
    """The version pinned or locked; UNKNOWN for a range."""
    specifier: str
    """As written."""
    extras: tuple[str, ...] = ()
    lowest: tuple[int, ...] | Unknown = UNKNOWN
    """The lowest version admitted."""
    below: tuple[int, ...] | Unknown = UNKNOWN
    """Every version admitted is lower than this; UNKNOWN: nothing bounds it, or it cannot be read."""
    locked: bool = False
    """A lock file says so, not a range."""

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
    in_repository: Tri = UNKNOWN
    """It lies in a version-controlled tree, and nothing there ignores it."""
    example: bool = False
    """Its place says that it is made for tests or examples."""
    holds_private_key: Tri = False
    """Of a trust store."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"file {self.where.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFacts:
    """One key of a trust store (TOML, ``[keys."ID"]``; safecelery/keys/trust.py), by what its text says."""

    kid: str
    where: Place
    expires_s: Stated
    """Seconds from now until ``expires``, negative if it is past; ABSENT if there is none; UNKNOWN if it is no date."""
    send: tuple[str, ...] | Unknown
    """The patterns of task names its owner may send."""
    queues: tuple[str, ...] | Unknown
    control: tuple[str, ...] | Unknown = ()
    """The patterns of remote commands its owner may give."""
    revoked: Tri = False

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"trusted key {self.kid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionFacts:
    """A comment that excuses findings: ``# safecelery: ignore[SFC401] reason``."""

    where: Place
    text: str
    """The comment as written, from ``safecelery:`` on, cut where it gets long."""
    problem: str = ""
    """Why it does nothing; empty if it does what it says."""
    unknown: tuple[str, ...] = ()
    """The codes that no rule has, each with the nearest one that exists."""
    unused: tuple[str, ...] | Unknown = ()
    """The codes, of active rules, that excused nothing; UNKNOWN where not everything could be read."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"the comment {self.text!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFacts:
    """What came of asking one rule about one subject."""

    where: Place
    rule: str
    """Code and name: ``SFC401 hard-time-limit-missing``."""
    about: str
    """The subject of the rule: ``shop.tasks.charge``."""
    because: str = ""
    """What could not be read; empty if the rule was decided."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"{self.rule} of {self.about}"


Facts: TypeAlias = (
    TaskFacts
    | CallFacts
    | TransportFacts
    | AppFacts
    | WaiverFacts
    | SettingsFacts
    | ScheduleFacts
    | QueueFacts
    | RouteFacts
    | CodeFacts
    | DeployFacts
    | PackageFacts
    | FileFacts
    | TrustFacts
    | SuppressionFacts
    | VerdictFacts
)
