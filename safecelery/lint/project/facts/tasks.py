"""Tasks as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import Seq, Val, unknown
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.causes import ROUTING, Cause, Causes
from safecelery.lint.project.facts.command_limits import CommandLimits
from safecelery.lint.project.facts.evidence import Subject, stated
from safecelery.lint.project.facts.registration import Registration
from safecelery.lint.project.facts.routes import queue_of
from safecelery.lint.project.objects import App, Task
from safecelery.lint.project.options import Options, exceptions
from safecelery.policy.facts import ABSENT, UNKNOWN, Place, TaskFacts, Tri
from safecelery.policy.vocabulary import JSON, TASK_OPTIONS, misspelt_task_options

__all__ = ["task_facts", "task_subjects"]

_PLAIN_OPTIONS = (
    "serializer", "time_limit", "soft_time_limit", "acks_late", "reject_on_worker_lost", "retry_on_worker_lost",
    "retry_backoff", "retry_backoff_max", "retry_jitter", "max_retries", "default_retry_delay",
)  # fmt: skip
_DECORATORS = frozenset({"task", "shared_task", "periodic_task"})
_AUTORETRY_DEFAULTS: Mapping[str, Any] = {"retry_backoff": False, "retry_backoff_max": 600, "retry_jitter": True}
"""celery/app/autoretry.py, ``add_autoretry_behaviour``."""


def task_subjects(
    analysis: Analysis, visibility: Mapping[int, object], registration: Registration, commands: CommandLimits
) -> Iterator[Subject]:
    """Every task under every app that may run it. ``visibility``: by id of the app, its visibility timeout."""
    causes = Causes()
    first: dict[tuple[str, int], tuple[Task, Place]] = {}
    for task in sorted(analysis.tasks, key=lambda t: (t.module.path, t.line)):
        apps: list[App | None] = [*analysis.judging(task)]
        for app in apps or [None]:
            options = analysis.options(task, app)
            key = (options.name, id(app))
            earlier = first.setdefault(key, (task, Place(task.module.path, task.line)))
            duplicate = None if earlier[0] is task else earlier[1]
            again = visibility.get(id(app), UNKNOWN)
            yield task_facts(analysis, task, options, causes.of(options), duplicate, again, commands, registration)


def task_facts(
    analysis: Analysis,
    task: Task,
    options: Options,
    cause: Cause,
    duplicate: Place | None,
    visibility: object,
    commands: CommandLimits,
    registration: Registration,
) -> Subject:
    """One task under one app."""
    values: dict[str, Val] = {name: options.effective(name) for name in _PLAIN_OPTIONS}
    queue = queue_of(options.conf, options) if options.conf is not None else UNKNOWN
    without: dict[str, str] = {}
    for name in ("time_limit", "soft_time_limit"):
        values[name], without[name] = commands.limit(name, options, queue)
    read: dict[str, Any] = {name: stated(value) for name, value in values.items()}
    read.update({name: value for name, value in _AUTORETRY_DEFAULTS.items() if options.declared(name) is None})
    for name in ("autoretry_for", "dont_autoretry_for", "retry_kwargs", "expires", "acks_on_timeout"):
        values[name] = options.effective(name)
    retry_for = values["autoretry_for"]
    retry_kwargs = values["retry_kwargs"]
    named = {} if retry_kwargs.data is None else stated(retry_kwargs)
    if isinstance(named, Mapping):
        # Automatic retries take the number from retry_kwargs, if it is there (celery/app/autoretry.py).
        if "max_retries" in named and not _is_empty(retry_for):
            read["max_retries"] = UNKNOWN if retry_for.is_unknown else named["max_retries"]
            values["max_retries"] = retry_kwargs
    elif not _is_empty(retry_for):
        read["max_retries"] = UNKNOWN
    routing = UNKNOWN if task.options_open is not None else tuple(name for name in ROUTING if name in task.options)
    expires = stated(values["expires"])
    if options.declared("serializer") is None:
        read["serializer"] = JSON  # it overrides nothing; what the setting says has a rule of its own
    if registration.blocker is not None:
        values["the list of modules that workers import"] = registration.blocker
    values["visibility_timeout"] = _redelivery(options)
    values |= {name: task.options[name] for name in ROUTING if name in task.options}
    facts = TaskFacts(
        name=options.name,
        where=Place(task.module.path, task.line),
        autoretry_for=_exceptions(analysis, retry_for),
        dont_autoretry_for=_exceptions(analysis, values["dont_autoretry_for"]),
        retry_kwargs=named if isinstance(named, Mapping) else UNKNOWN,
        unknown_options=_unknown_options(task, options),
        acks_on_timeout=_acks_on_timeout(options),
        expires_s=ABSENT if expires is None else expires,
        routing_options=routing,
        does_io=_does_io(analysis, task),
        visibility_timeout_s=visibility,
        duplicate_of=duplicate,
        named=_named(task, options),
        imported=registration.imported(task),
        no_hard_limit_at=without["time_limit"],
        no_soft_limit_at=without["soft_time_limit"],
        **read,
    )
    return Subject(facts, values, deciding=cause)


def _unknown_options(task: Task, options: Options) -> Any:
    found = options.unknown_options(TASK_OPTIONS)
    if found and _wrapped(task):
        return UNKNOWN  # a decorator of the project took them, and may have a use for them
    if task.cls is not None and found is not None:
        return tuple(misspelt_task_options(task.cls.attributes))
    return UNKNOWN if found is None else tuple(found)


def _redelivery(options: Options) -> Val:
    """What decides the visibility timeout: the broker, and an option of its transport."""
    if options.conf is None:
        return unknown("the app of a shared task")
    broker = options.conf.value("broker_url")
    return broker if broker.is_unknown else options.conf.value("broker_transport_options")


def _wrapped(task: Task) -> bool:
    """A function whose decorators are none of Celery's by their names."""
    if task.function is None or not task.function.decorators:
        return False
    return not _DECORATORS & set(task.function.decorators)


def _named(task: Task, options: Options) -> Tri:
    """``name=`` is stated, whether or not it can be read; or the app makes names that do not follow the module."""
    if options.name != f"{task.module.name}.{task.default_name}":
        return True
    stated_name = task.options.get("name")
    if stated_name is None and task.cls is not None:
        stated_name = task.cls.attributes.get("name")
    if stated_name is None and task.options_open is not None:
        return UNKNOWN
    return stated_name is not None and stated_name.data is not None


def _is_empty(retry_for: Val) -> bool:
    """Nothing is retried automatically."""
    data = retry_for.data
    return data is None or (isinstance(data, Seq) and not data.items and not data.open)


def _exceptions(analysis: Analysis, value: Val) -> Any:
    if value.is_unknown:
        return UNKNOWN
    return exceptions(analysis.it, value)


def _acks_on_timeout(options: Options) -> object:
    """``Task.bind``: the option, else the one for failure or timeout, else the settings of those names, else True."""
    for source in (options.declared("acks_on_timeout"), options.declared("acks_on_failure_or_timeout")):
        if source is not None and source.data is not None:
            return plain(source)
    if options.conf is None:
        return UNKNOWN
    for name in ("task_acks_on_timeout", "task_acks_on_failure_or_timeout"):
        value = options.conf.value(name)
        if value.is_unknown or value.data is not None:
            return plain(value)
    return True


def _does_io(analysis: Analysis, task: Task) -> Tri:
    """Whether its code talks to another machine; see the sites of kind ``network-call``."""
    return analysis.does_io(task)
