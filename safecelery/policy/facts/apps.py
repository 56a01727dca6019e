"""An app: its settings as a whole, what create_app checks of them, its connections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from safecelery.deferred import dataclass
from safecelery.policy.facts.values import UNKNOWN, Place, Stated, Tri, Unknown
from safecelery.policy.setting_defaults import SETTING_DEFAULTS

__all__ = [
    "AppFacts",
    "SettingsFacts",
    "TransportFacts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFacts:
    """One connection of the app: a broker (each failover member is one), the result backend, or the ledger's store."""

    role: Literal["broker", "results", "ledger"]
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
    report_mode: tuple[str, ...] | Unknown
    """Senders whose forbidden messages run all the same, in a worker of this app."""

    @property
    def subject(self) -> str:
        """The name violations and waivers use."""
        return "app"


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
    beside: tuple[str, ...] = ()
    """Those of ``names`` that stand beside what ``config_from_object`` reads, or are arguments of the app: Celery takes
    them under either age's name."""
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
