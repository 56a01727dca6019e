"""One audit: a live app in, its facts and a lint result out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from celery import Celery, Task

from safecelery.audit.findings import judge, refusals
from safecelery.audit.load import finalize, load_app, no_broker
from safecelery.audit.places import app_place, task_place
from safecelery.audit.queues import queue_facts, route_facts
from safecelery.audit.schedule import names_hours, schedule_facts
from safecelery.audit.settings import app_facts, app_name, package_facts, settings_facts
from safecelery.audit.tasks import project_tasks, task_facts
from safecelery.errors import PolicyViolationError
from safecelery.lint.finding import LintResult, TaskRow, Unread
from safecelery.policy.broker import visibility_timeout
from safecelery.policy.facts import UNKNOWN, CallFacts, Facts, Place
from safecelery.policy.profile import Policy

__all__ = ["LiveApp", "audit", "live_app", "live_facts", "read_app"]


@dataclass(frozen=True, slots=True)
class LiveApp:
    """An app as a worker would have it: imported, finalized, every task bound."""

    app: Celery
    where: Place
    tasks: tuple[Task, ...]


def read_app(name: str) -> LiveApp:
    """Import the app that ``celery -A name`` would use, and its tasks; nothing is connected.

    Raises:
        SettingsError: it cannot be imported; the text says where.
        PolicyViolationError: a hardened app refuses itself.
    """
    with no_broker():
        app = load_app(name)
        finalize(app, name)
        return live_app(app, name)


def live_app(app: Celery, name: str) -> LiveApp:
    """An app that is already imported and finalized."""
    return LiveApp(app, app_place(app, name), tuple(project_tasks(app)))


def live_facts(live: LiveApp) -> Iterator[Facts]:
    """Everything that rules can be asked about."""
    tasks = [task_facts(task, live.app) for task in live.tasks]
    settings = replace(settings_facts(live.app, live.where, tasks), names_hours=names_hours(live.app))
    again = visibility_timeout(settings)
    app = app_facts(live.app, live.where)
    yield app
    if app.brokers is not UNKNOWN:
        yield from app.brokers
    if app.results is not None:
        yield app.results
    yield settings
    yield from (replace(task, visibility_timeout_s=again) for task in tasks)
    for fact in schedule_facts(live.app, live.where):
        yield replace(fact, visibility_timeout_s=again) if isinstance(fact, CallFacts) else fact
    yield from queue_facts(live.app, settings)
    yield from route_facts(live.app, settings, live.tasks)
    yield from package_facts(live.where)


def audit(name: str, policy: Policy, live: LiveApp | None = None) -> LintResult:
    """Judge the app by the policy; ``live`` saves the import.

    A hardened app that refuses its own import is a result too: its violations, and the rest as unread.

    Raises:
        SettingsError: the app cannot be imported.
    """
    started = time.monotonic()
    try:
        live = live or read_app(name)
    except PolicyViolationError as error:
        stopped = Unread(f"app {name}", 0, "it refuses itself, so what comes after was not looked at")
        return LintResult(
            findings=refusals(error, policy),
            unread=(stopped,),
            policy=policy.name,
            seconds=time.monotonic() - started,
        )
    judged = judge(live_facts(live), policy, today=datetime.now(UTC).date())
    rows = [(task_place(task), task.name) for task in live.tasks]
    rows.sort(key=lambda row: (row[0].file, row[0].line, row[1]))
    return LintResult(
        findings=judged.findings,
        undecided=judged.undecided,
        suppressed=judged.waived,
        tasks=tuple(
            TaskRow(name=task, path=place.file, line=place.line, app=app_name(live.app)) for place, task in rows
        ),
        rules=tuple(sorted(judged.rules)),
        policy=policy.name,
        files=len({place.file for place, _ in rows}),
        seconds=time.monotonic() - started,
        notes=(f"read from the live app {app_name(live.app)} ({live.where})",),
    )
