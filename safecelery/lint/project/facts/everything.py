"""All subjects of a project, in one order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from safecelery.lint.aside import Begin, later
from safecelery.lint.deploy import Deployment, matched
from safecelery.lint.model.values import Val
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.facts.calls import call_subjects
from safecelery.lint.project.facts.code import code_subjects
from safecelery.lint.project.facts.command_limits import CommandLimits
from safecelery.lint.project.facts.evidence import Subject
from safecelery.lint.project.facts.mentions import read_by_code
from safecelery.lint.project.facts.parts import kinds_of_broker, only_sends, serves
from safecelery.lint.project.facts.periodic import periodic_subjects
from safecelery.lint.project.facts.programs import programs
from safecelery.lint.project.facts.registration import Registration
from safecelery.lint.project.facts.routes import queue_subjects, route_subjects
from safecelery.lint.project.facts.schedules import schedule_subjects
from safecelery.lint.project.facts.settings import app_subjects, derived, settings_facts
from safecelery.lint.project.facts.tasks import task_subjects
from safecelery.lint.project.objects import App
from safecelery.policy.broker import visibility_timeout
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, ScheduleFacts, SettingsFacts, TaskFacts
from safecelery.policy.reading import is_duration
from safecelery.policy.vocabulary import POOLS_ENFORCING_LIMITS

__all__ = ["subjects_of"]


def subjects_of(
    analysis: Analysis, deployment: Deployment, celery: tuple[int, ...] | None, begin: Begin = later
) -> Iterator[Subject]:
    """Tasks, apps with their connections, schedules, queues and routes, calls, places in code, deployment.

    ``begin``: starts work whose result is asked for later, in another process perhaps.
    """
    processes = [*deployment.processes, *programs(analysis)]
    visibility: dict[int, object] = {}
    settings: list[tuple[App, Configuration, SettingsFacts, list[Subject]]] = []
    version = celery or _celery_version(deployment)
    apps = analysis.judged_apps()
    commands = CommandLimits(processes, version, sorted({app.module.path for app in apps}))
    for app in apps:
        conf = analysis.conf(app)
        if conf is None:
            continue
        schedule = [*schedule_subjects(analysis, app, conf), *periodic_subjects(analysis, app)]
        facts = settings_facts(analysis, app, conf, celery=version, tasks=len(analysis.tasks),
                               results_read=analysis.results_read,
                               commands_bound_children=_bounded(commands.workers(app)),
                               commands_limit=commands.all_set("time_limit", app),
                               names_hours=_names_hours(conf, schedule))  # fmt: skip
        visibility[id(app)] = UNKNOWN if app.safe else visibility_timeout(facts)
        settings.append((app, conf, facts, schedule))
    strange = [name for app, conf, _, _ in settings if not app.safe for name in conf.unknown_names]
    code = [file.absolute for file in analysis.modules.tree.python_files if not file.is_test] if strange else []
    in_use = cache((begin if strange else later)(read_by_code, code, strange))
    registration = Registration(analysis, processes)
    tasks = list(task_subjects(analysis, visibility, registration, commands))
    yield from tasks
    longest = _longest([subject.facts for subject in tasks if isinstance(subject.facts, TaskFacts)])
    for app, conf, facts, schedule in settings:
        yield from app_subjects(analysis, app, conf, in_use)
        if not app.safe:
            values = dict(conf.values)
            for name, at in conf.strays.items():
                values.setdefault(name, Val(None, (), (at,)))
            late = ABSENT if only_sends(app, apps, processes) else longest
            yield Subject(replace(facts, longest_limit_s=late), values, points_at_value=True, concluded=derived(conf))
            yield from queue_subjects(app, conf, facts)
        yield from schedule
        if not app.safe:
            yield from route_subjects(analysis, app, conf, facts, processes)
    yield from call_subjects(analysis, visibility)
    yield from code_subjects(analysis)
    kinds = {kind for app, conf, _, _ in settings for kind in kinds_of_broker(app, conf)}
    limited = _limited(tasks) if len(settings) == 1 else 0
    for process in processes:
        if process.role != "broker" or serves(process, kinds):
            found = matched(process, [facts for _, _, facts, _ in settings], longest)
            yield Subject(replace(found, tasks_with_limits=limited) if process.role == "worker" else found)
    for package in deployment.packages:
        yield Subject(package)
    for file in deployment.files:
        yield Subject(file)
    for key in deployment.trust:
        yield Subject(key)


def _names_hours(conf: Configuration, schedule: Iterable[Subject]) -> Any:
    """Some crontab names an hour, a day or a month."""
    stated = [subject.facts.crontab for subject in schedule if isinstance(subject.facts, ScheduleFacts)]
    if any(isinstance(names, tuple) and set(names) - {"minute"} for names in stated):
        return True
    return UNKNOWN if UNKNOWN in stated or conf.value("beat_schedule").is_unknown else False


def _celery_version(deployment: Deployment) -> Any:
    """The version that the project's own files pin, else the lowest its range admits."""
    for package in deployment.packages:
        if package.name == "celery":
            return package.version if package.version is not UNKNOWN else package.lowest
    return UNKNOWN


def _bounded(workers: Sequence[DeployFacts]) -> Any:
    """Every worker of an app that has child processes replaces them; UNKNOWN where none of its workers is seen."""
    if not workers:
        return UNKNOWN
    return all(
        worker.max_tasks_per_child is not ABSENT
        or worker.max_memory_per_child is not ABSENT
        or (isinstance(worker.pool, str) and worker.pool not in POOLS_ENFORCING_LIMITS)
        for worker in workers
    )


def _limited(tasks: Iterable[Subject]) -> int:
    """How many tasks have a limit that a worker's pool would have to enforce."""
    facts = [subject.facts for subject in tasks if isinstance(subject.facts, TaskFacts)]
    return sum(is_duration(task.time_limit) or is_duration(task.soft_time_limit) for task in facts)


def _longest(tasks: list[TaskFacts]) -> object:
    late = [task for task in tasks if task.acks_late is True]
    if any(task.acks_late is UNKNOWN or task.time_limit is UNKNOWN for task in tasks if task.acks_late is not False):
        return UNKNOWN
    if not late:
        return ABSENT
    limits = [task.time_limit for task in late]
    if any(limit is None for limit in limits):
        return None
    numbers = [limit for limit in limits if isinstance(limit, int | float)]
    return max(numbers) if len(numbers) == len(limits) else UNKNOWN
