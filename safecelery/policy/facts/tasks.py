"""A task, and what one call of it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.deferred import dataclass
from safecelery.policy.facts.values import ABSENT, UNKNOWN, Absent, Place, Stated, Tri, Unknown

__all__ = [
    "CallFacts",
    "TaskFacts",
]


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
