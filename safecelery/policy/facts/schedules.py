"""What beat sends, and the queues and routes it takes."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.deferred import dataclass
from safecelery.policy.facts.values import ABSENT, UNKNOWN, Absent, Place, Stated, Tri, Unknown

__all__ = [
    "QueueFacts",
    "RouteFacts",
    "ScheduleFacts",
]


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
