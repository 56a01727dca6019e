"""The tasks of a live app, as facts."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from types import CodeType
from typing import Any, Final

from celery import Celery, Task

from safecelery.audit.places import task_place
from safecelery.policy.facts import TaskFacts
from safecelery.policy.vocabulary import TASK_MEMBERS, TASK_OPTIONS, misspelt_task_options

__all__ = ["EFFECTIVE", "effective_options", "project_tasks", "seconds", "task_facts", "unknown_options"]

_MADE_BY_CELERY: Final = frozenset({"app", "name", "run"})
"""What ``Celery._task_from_fun`` puts into the class of a decorated task beside the options (celery/app/base.py)."""

EFFECTIVE: Final = (
    "time_limit", "soft_time_limit", "acks_late", "reject_on_worker_lost", "max_retries", "autoretry_for",
    "retry_backoff", "retry_backoff_max", "retry_jitter", "serializer", "ignore_result", "rate_limit", "expires",
    "default_retry_delay", "track_started",
)  # fmt: skip
"""Options of the facts document; the two limits carry the suffix ``_effective`` there."""


_ROUTING: Final = ("queue", "exchange", "exchange_type", "routing_key", "delivery_mode", "priority")


def project_tasks(app: Celery) -> list[Task]:
    """Every task that is not Celery's own, in order of name."""
    return [
        task
        for name, task in sorted(app.tasks.items())
        if not name.startswith("celery.") and not type(task).__module__.startswith("celery.app.")
    ]


def effective_options(task: Task, app: Celery) -> dict[str, Any]:
    """What really holds: attributes after binding, limits from the app's settings where the task has none."""
    found = {name: getattr(task, name, None) for name in EFFECTIVE}
    for limit in ("time_limit", "soft_time_limit"):
        if found[limit] is None:
            found[limit] = app.conf[f"task_{limit}"]
    if found["autoretry_for"] is not None:
        found["autoretry_for"] = [_dotted(error) for error in _each(found["autoretry_for"])]
    return found


def task_facts(task: Task, app: Celery) -> TaskFacts:
    """The task as a worker would run it."""
    options = effective_options(task, app)
    retry_kwargs = getattr(task, "retry_kwargs", None)
    max_retries = task.max_retries
    if options["autoretry_for"] and isinstance(retry_kwargs, dict):  # celery/app/autoretry.py
        max_retries = retry_kwargs.get("max_retries", max_retries)
    return TaskFacts(
        name=task.name,
        where=task_place(task),
        serializer=options["serializer"],
        time_limit=options["time_limit"],
        soft_time_limit=options["soft_time_limit"],
        acks_late=options["acks_late"],
        reject_on_worker_lost=options["reject_on_worker_lost"],
        retry_on_worker_lost=getattr(task, "retry_on_worker_lost", None),
        autoretry_for=tuple(options["autoretry_for"] or ()),
        retry_backoff=getattr(task, "retry_backoff", False),
        retry_backoff_max=getattr(task, "retry_backoff_max", 600),
        retry_jitter=getattr(task, "retry_jitter", True),
        max_retries=max_retries,
        unknown_options=unknown_options(task),
        acks_on_timeout=getattr(task, "acks_on_timeout", None),
        retry_kwargs=dict(retry_kwargs) if isinstance(retry_kwargs, dict) else {},
        dont_autoretry_for=tuple(map(_dotted, _each(getattr(task, "dont_autoretry_for", ())))),
        default_retry_delay=task.default_retry_delay,
        expires_s=seconds(task.expires),
        routing_options=tuple(name for name in _ROUTING if _states(task, name, app)),
        imported=True,  # by this process
    )


def _states(task: Task, name: str, app: Celery) -> bool:
    """The declaration says it; binding puts ``priority`` there too (celery/app/task.py, ``from_config``)."""
    value = vars(type(task)).get(name)
    return value is not None and not (name == "priority" and value == app.conf.task_default_priority)


def seconds(value: Any) -> object:
    """A timedelta as seconds, anything else as it is."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def unknown_options(task: Task) -> tuple[str, ...]:
    """Options that nothing reads: neither Celery, nor a base class of the project, nor the task itself."""
    cls = type(task)
    attributes = {name for name in vars(cls) if not name.startswith("_")}
    if "_decorated_fun" not in vars(cls):
        return misspelt_task_options(attributes)
    given = attributes - _MADE_BY_CELERY - TASK_OPTIONS - TASK_MEMBERS
    bases = [base for base in cls.__mro__[1:] if not base.__module__.startswith(("celery.", "builtins"))]
    declared = {name for base in bases for name in (*vars(base), *vars(base).get("__annotations__", {}))}
    left = given - declared - set(Task.__dict__)
    if left:
        left -= {name for base in bases for name in _names_used(base)} | set(_names_in(task.run))
    return tuple(sorted(left))


def _names_used(cls: type) -> Iterator[str]:
    """Names and texts in the methods of a class: ``self.lock_timeout``, ``getattr(self, "lock_timeout")``."""
    for member in vars(cls).values():
        yield from _names_in(getattr(member, "__func__", getattr(member, "fget", member)))


def _names_in(function: Any) -> Iterator[str]:
    try:
        code = inspect.unwrap(function).__code__
    except (AttributeError, ValueError):
        return
    pending = [code]
    while pending:
        one = pending.pop()
        yield from one.co_names
        yield from (text for text in one.co_consts if isinstance(text, str))
        pending += [inner for inner in one.co_consts if isinstance(inner, CodeType)]


def _each(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list | set | frozenset) else (value,)


def _dotted(error: Any) -> str:
    return f"{getattr(error, '__module__', '?')}.{getattr(error, '__qualname__', error)}"
