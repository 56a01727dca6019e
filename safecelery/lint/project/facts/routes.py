"""Queues, and the ways to them, as facts."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Any

from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Frame
from safecelery.lint.model.values import ExtInstance, Seq, Table, Val
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.facts.evidence import Subject, place_of, stated
from safecelery.lint.project.facts.schedules import task_name
from safecelery.lint.project.facts.settings import app_place, derived
from safecelery.lint.project.objects import App, Task
from safecelery.lint.project.options import Options
from safecelery.policy.broker import broker_scheme
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, Place, QueueFacts, RouteFacts, SettingsFacts, Tri

__all__ = ["queue_of", "queue_subjects", "route_subjects"]


def queue_subjects(app: App, conf: Configuration, settings: SettingsFacts) -> Iterator[Subject]:
    """Every queue that the app declares."""
    scheme = broker_scheme(settings)
    default_type = settings.value("task_default_queue_type")
    delivery = settings.value("task_default_delivery_mode")
    declared = conf.value("task_queues")
    queues = declared.data.items if isinstance(declared.data, Seq) else []
    if isinstance(declared.data, Table):
        queues = []
    if declared.data is None:
        arguments: Any = UNKNOWN if default_type is UNKNOWN else {"x-queue-type": default_type}
        name = settings.value("task_default_queue")
        where = place_of(conf.value("task_default_queue"), app_place(app))
        facts = QueueFacts(
            name=name if isinstance(name, str) else "celery", where=where, broker=scheme, arguments=arguments,
            delivery_mode=delivery,
        )  # fmt: skip
        yield Subject(
            facts, {"task_default_queue_type": conf.value("task_default_queue_type")}, concluded=derived(conf)
        )
        return
    for queue in queues:
        data = queue.data
        if not isinstance(data, ExtInstance) or not data.name.endswith("Queue"):
            continue
        name = plain(data.args[0] if data.args else data.kwargs.get("name"))
        given = data.kwargs.get("queue_arguments")
        arguments = {} if given is None or given.data is None else stated(given)
        facts = QueueFacts(
            name=name if isinstance(name, str) else "?",
            where=place_of(queue, place_of(declared, app_place(app))),
            broker=scheme,
            arguments=arguments if isinstance(arguments, dict) else UNKNOWN,
            durable=stated(data.kwargs["durable"]) if "durable" in data.kwargs else True,
            delivery_mode=_delivery_mode(data, delivery),
        )
        yield Subject(facts, {"queue_arguments": given} if given is not None else {}, concluded=derived(conf))


def _delivery_mode(queue: ExtInstance, otherwise: object) -> object:
    """That of ``Queue(name, Exchange(..., delivery_mode=1))``, if it states one (kombu/entity.py)."""
    given = queue.args[1] if len(queue.args) > 1 else queue.kwargs.get("exchange")
    exchange = given.data if given is not None else None
    if not isinstance(exchange, ExtInstance) or "delivery_mode" not in exchange.kwargs:
        return otherwise
    mode = stated(exchange.kwargs["delivery_mode"])
    return {"transient": 1, "persistent": 2}.get(mode, mode) if isinstance(mode, str) else mode


def route_subjects(
    analysis: Analysis, app: App, conf: Configuration, settings: SettingsFacts, processes: Sequence[DeployFacts]
) -> Iterator[Subject]:
    """Every way to a queue that the settings or a task name."""
    declared = _declared(conf, settings)
    created = settings.value("task_create_missing_queues")
    consumed = _consumed(processes)
    names = [analysis.options(task, app).name for task in analysis.tasks]
    for pattern, queue, where in _routes(analysis, app, conf):
        known = queue if isinstance(queue, str) else UNKNOWN
        facts = RouteFacts(
            task=pattern,
            where=where,
            queue=known,
            declared=_among(known, declared),
            created=created if isinstance(created, bool) else UNKNOWN,
            consumed=_read_by_some(known, consumed, declared, settings),
            matches=_matches(analysis, pattern, names),
        )
        yield Subject(facts)


def _routes(analysis: Analysis, app: App, conf: Configuration) -> Iterator[tuple[str, object, Place]]:
    routes = conf.value("task_routes")
    tables = [routes] if isinstance(routes.data, Table) else routes.data.items if isinstance(routes.data, Seq) else []
    for table in tables:
        if isinstance(table.data, Table):
            for pattern, value in table.data.items.items():
                queue = value.data.items.get("queue") if isinstance(value.data, Table) else value
                if queue is not None and isinstance(pattern, str):
                    yield pattern, plain(queue), place_of(value, place_of(routes, app_place(app)))
    for task in analysis.tasks:
        queue = task.options.get("queue")
        if queue is not None and queue.data is not None:
            yield analysis.options(task, app).name, plain(queue), Place(task.module.path, task.line)
    yield from _of_entries(app, conf)
    yield from _of_calls(analysis, app, {analysis.options(task, app).name for task in analysis.tasks})


def _of_entries(app: App, conf: Configuration) -> Iterator[tuple[str, object, Place]]:
    """The queues that entries of ``beat_schedule`` name in their options."""
    table = conf.value("beat_schedule")
    for value in table.data.items.values() if isinstance(table.data, Table) else ():
        options = value.data.items.get("options") if isinstance(value.data, Table) else None
        queue = options.data.items.get("queue") if options is not None and isinstance(options.data, Table) else None
        if queue is not None and queue.data is not None:
            name = task_name(value.data.items.get("task", Val(None)))
            yield name if isinstance(name, str) else "a task", plain(queue), place_of(value, app_place(app))


def _of_calls(analysis: Analysis, app: App, ours: set[str]) -> Iterator[tuple[str, object, Place]]:
    """The queues that calls name: ``task.apply_async(queue="slow")``, ``app.send_task(name, queue="slow")``.

    A task that the project does not have is run by somebody else's workers, whose queues nobody here declares.
    """
    for module in analysis.modules.running():
        for _, _, _, imports, call in module.calls:
            _, line, function, args, keywords = call
            node = next((value for key, value in keywords if key == "queue"), None)
            method = function[3] if function[0] == "a" else ""
            if node is None or method not in ("apply_async", "apply_async_on_commit", "send_task", "signature"):
                continue
            frame = Frame(module, {})
            analysis.it.block(imports, frame)
            queue = plain(analysis.it.evaluate(node, frame))
            owner = analysis.it.evaluate(function[2], frame).data
            if isinstance(owner, Task):
                apps, name = analysis.judging(owner), analysis.options(owner, app).name
            else:
                apps = [owner] if isinstance(owner, App) else analysis.judged_apps()
                read = plain(analysis.it.evaluate(args[0], frame)) if args and method == "send_task" else None
                name = read if isinstance(read, str) else ""
            if (
                isinstance(queue, str)
                and (isinstance(owner, Task) or name in ours)
                and app in apps
                and (len(apps) == 1 or isinstance(owner, Task))
            ):
                yield name, queue, Place(module.path, line)


def queue_of(conf: Configuration, options: Options) -> object:
    """The queue that a task is sent to where a call says nothing else; UNKNOWN if that cannot be told.

    As ``celery.app.routes.Router``: the task's own, then the exact name in ``task_routes``, then the first pattern.
    """
    own = options.effective("queue")
    if own.data is not None:
        return plain(own)
    routes = conf.value("task_routes")
    default = plain(conf.value("task_default_queue"))
    if routes.data is None:
        return default
    tables = routes.data.items if isinstance(routes.data, Seq) else [routes]
    for table in tables:
        if not isinstance(table.data, Table) or table.data.open:
            return UNKNOWN
        found = table.data.items.get(options.name)
        if found is None:
            matching = (p for p in table.data.items if isinstance(p, str) and fnmatch.fnmatchcase(options.name, p))
            found = table.data.items.get(next(matching, None))
        if found is not None:
            queue = found.data.items.get("queue") if isinstance(found.data, Table) else found
            return UNKNOWN if queue is None else plain(queue)
    return default


def _declared(conf: Configuration, settings: SettingsFacts) -> set[str] | None:
    """The names of the declared queues; None if they cannot be told."""
    default = settings.value("task_default_queue")
    found = {default} if isinstance(default, str) else set()
    queues = conf.value("task_queues")
    if queues.data is None:
        return found
    if isinstance(queues.data, Table) and not queues.data.open:
        return found | {key for key in queues.data.items if isinstance(key, str)}
    if not isinstance(queues.data, Seq) or queues.data.open:
        return None
    for queue in queues.data.items:
        data = queue.data
        if not isinstance(data, ExtInstance):
            return None
        name = plain(data.args[0] if data.args else data.kwargs.get("name"))
        if not isinstance(name, str):
            return None
        found.add(name)
    return found


def _among(queue: Any, declared: set[str] | None) -> Tri:
    if declared is None or queue is UNKNOWN:
        return UNKNOWN
    return queue in declared


def _consumed(processes: Sequence[DeployFacts]) -> tuple[set[str], bool] | None:
    """The queues that workers name, and whether one names none; None if no worker, or not all of it, can be seen."""
    workers = [process for process in processes if process.role == "worker"]
    if not workers or any(process.queues is UNKNOWN for process in workers):
        return None
    named: set[str] = set()
    for process in workers:
        if isinstance(process.queues, tuple):
            named.update(process.queues)
    return named, any(process.queues is ABSENT for process in workers)


def _read_by_some(queue: Any, consumed: tuple[set[str], bool] | None, declared: set[str] | None, settings: Any) -> Tri:
    if consumed is None or queue is UNKNOWN:
        return UNKNOWN
    named, any_reads_all = consumed
    if queue in named:
        return True
    if not any_reads_all:
        return False
    return _among(queue, declared)


def _matches(analysis: Analysis, pattern: str, names: list[str]) -> Tri:
    if any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in names):
        return True
    top = pattern.partition(".")[0]
    ours = any(module.name.partition(".")[0] == top for module in analysis.modules.running())
    return False if ours and not analysis.unread else UNKNOWN
