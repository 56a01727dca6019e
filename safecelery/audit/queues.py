"""The queues a live app declares, and the ways to them, as facts. Nothing is declared on a broker."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from celery import Celery, Task

from safecelery.audit.places import setting_place, task_place
from safecelery.policy.broker import broker_scheme
from safecelery.policy.facts import UNKNOWN, Place, QueueFacts, RouteFacts, SettingsFacts, Tri

__all__ = ["queue_facts", "route_facts"]


def queue_facts(app: Celery, settings: SettingsFacts) -> Iterator[QueueFacts]:
    """Every queue of ``task_queues``, or the default one."""
    conf = app.conf
    where = setting_place(app, "task_queues", settings.where)
    for name, queue in list(app.amqp.queues.items()):
        arguments = dict(getattr(queue, "queue_arguments", None) or {})
        if name == conf.task_default_queue:
            arguments.setdefault("x-queue-type", conf.task_default_queue_type)
        yield QueueFacts(
            name=str(name),
            where=where,
            broker=broker_scheme(settings),
            arguments=arguments,
            durable=getattr(queue, "durable", True),
            delivery_mode=getattr(queue.exchange, "delivery_mode", None) or conf.task_default_delivery_mode,
        )


def route_facts(app: Celery, settings: SettingsFacts, tasks: Sequence[Task]) -> Iterator[RouteFacts]:
    """Every entry of ``task_routes`` that is data, and every task that names its queue."""
    declared = {*map(str, app.amqp.queues), app.conf.task_default_queue}
    created = app.conf.task_create_missing_queues
    for pattern, queue, where in _routes(app, settings, tasks):
        yield RouteFacts(
            task=getattr(pattern, "pattern", None) or str(pattern),
            where=where,
            queue=queue if isinstance(queue, str) else UNKNOWN,
            declared=queue in declared if isinstance(queue, str) else UNKNOWN,
            created=created if isinstance(created, bool) else UNKNOWN,
            consumed=UNKNOWN,  # which queues workers read is said on their command lines
            matches=_matches(pattern, [task.name for task in tasks]),
        )


def _routes(app: Celery, settings: SettingsFacts, tasks: Sequence[Task]) -> Iterator[tuple[Any, Any, Place]]:
    routes = app.conf.task_routes
    where = setting_place(app, "task_routes", settings.where)
    for table in routes if isinstance(routes, list | tuple) else (routes,):
        pairs = table.items() if isinstance(table, Mapping) else ()
        for pattern, route in pairs:
            queue = route.get("queue") if isinstance(route, Mapping) else route
            if queue is not None:
                yield pattern, getattr(queue, "name", queue), where
    for task in tasks:
        queue = vars(type(task)).get("queue")
        if queue is not None:
            yield task.name, getattr(queue, "name", queue), task_place(task)


def _matches(pattern: Any, names: Sequence[str]) -> Tri:
    """False only where the pattern is about this project: others may be another service's tasks."""
    if isinstance(pattern, re.Pattern):
        return True if any(pattern.match(name) for name in names) else UNKNOWN
    if any(fnmatch.fnmatchcase(name, str(pattern)) for name in names):
        return True
    top = str(pattern).partition(".")[0]
    return False if any(name.partition(".")[0] == top for name in names) else UNKNOWN
