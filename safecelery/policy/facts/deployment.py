"""How the program is run: processes, packages, secret files, trusted keys."""

from __future__ import annotations

from typing import Literal

from safecelery.deferred import dataclass
from safecelery.policy.facts.values import ABSENT, UNKNOWN, Absent, Place, Stated, Tri, Unknown

__all__ = [
    "DeployFacts",
    "FileFacts",
    "PackageFacts",
    "TrustFacts",
]


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
    hardened: Tri = False
    """The app is made by ``create_app``, so its state files are JSON."""

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
