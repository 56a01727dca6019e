"""9xx: whether a worker ever hears of a task, under a name that stays; whether an app ever hears of its settings."""

from __future__ import annotations

from safecelery.policy.facts import UNKNOWN, SettingsFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]


def _named(task: TaskFacts, _: Limits) -> Verdict:
    if task.named is UNKNOWN:
        return unreadable("name")
    return PASS if task.named is not False else Fail("no name= is stated")


def _imported(task: TaskFacts, _: Limits) -> Verdict:
    if task.imported is UNKNOWN:
        return unreadable("the list of modules that workers import")
    return (
        PASS if task.imported is not False else Fail("neither include, imports, autodiscovery nor any import names it")
    )


def _filled(app: SettingsFacts, _: Limits) -> Verdict:
    if app.source_empty is not True:
        return PASS  # one that cannot be read makes settings unknown, which their own rules say
    space = app.namespace
    if isinstance(space, str) and space:
        return Fail(f"no name there begins with {space.rstrip('_')}_")
    return Fail("no name there is that of a setting")


RULES = (
    Rule(
        code="SFC928",
        name="task-named-after-its-module",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_named,
        message="takes its name from the place of its function, so messages under way fail when it moves",
        fix="state name='shop.charge' on the task",
    ),
    Rule(
        code="SFC929",
        name="task-module-not-imported",
        subject=TaskFacts,
        severity=Severity.HIGH,
        check=_imported,
        message="is in a module that no worker imports, so its messages are thrown away as unregistered",
        fix="add the module to include or imports, or let autodiscover_tasks find it",
    ),
    Rule(
        code="SFC931",
        name="configuration-without-settings",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_filled,
        message="reads its configuration from where no setting of Celery is, and runs with the defaults",
        fix="correct the object or the namespace given to config_from_object",
    ),
)
