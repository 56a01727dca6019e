"""What the settings and the tasks of an app add to the facts about its processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, SettingsFacts, Stated, Tri
from safecelery.policy.vocabulary import POOLS_ENFORCING_LIMITS

__all__ = ["joined", "matched", "starts"]


def joined(process: DeployFacts, settings: SettingsFacts, longest_task_s: Stated = ABSENT) -> DeployFacts:
    """The process, knowing its app: whether children are replaced, beat's scheduler and file, the longest task.

    ``longest_task_s``: the highest hard time limit of the tasks, UNKNOWN if one cannot be read, ABSENT if none has one.
    """
    return replace(
        process,
        settings_bound_children=_bounded(settings),
        settings_scheduler=_stated(settings, "beat_scheduler"),
        settings_schedule_file=_stated(settings, "beat_schedule_filename"),
        hardened=settings.signing is True,
        longest_task_s=longest_task_s,
    )


def matched(process: DeployFacts, apps: Sequence[SettingsFacts], longest_task_s: Stated = ABSENT) -> DeployFacts:
    """The process joined with the app it starts: the only one there is, or the one whose module ``-A`` names.

    With several apps and none of them named, what settings would say is UNKNOWN; without any app nothing is added.
    """
    if not apps:
        return process
    own = list(apps) if len(apps) == 1 else [app for app in apps if starts(process.app, app.where.file)]
    if len(own) == 1:
        return joined(process, own[0], longest_task_s)
    return replace(
        process,
        settings_bound_children=UNKNOWN,
        settings_scheduler=UNKNOWN,
        settings_schedule_file=UNKNOWN,
        hardened=_all(app.signing is True for app in apps),
        longest_task_s=longest_task_s,
    )


def starts(app: Stated, file: str) -> bool:
    """Whether ``-A`` names the module that makes an app (celery/app/utils.py, ``find_app``).

    ``-A shop``, ``shop.celery`` or ``shop.celery:app`` for ``src/shop/celery.py``.
    """
    return isinstance(app, str) and bool(app) and _starts(app, file)


@lru_cache(maxsize=1024)
def _starts(app: str, file: str) -> bool:
    module = "/" + file.removesuffix(".py").removesuffix("/__init__")
    path = "/" + app.partition(":")[0].replace(".", "/")
    return module.endswith((path, f"{path}/celery"))


def _all(answers: Iterable[bool]) -> Tri:
    """What is the same of each; UNKNOWN where they differ."""
    found = set(answers)
    return found.pop() if len(found) == 1 else UNKNOWN


def _stated(settings: SettingsFacts, name: str) -> Stated:
    """As somebody wrote it; ABSENT if nobody did, UNKNOWN if that cannot be told."""
    return settings.stated.get(name, ABSENT if settings.complete else UNKNOWN)


def _bounded(settings: SettingsFacts) -> Tri:
    """Child processes are replaced some day; or the pool of the settings has none."""
    pool = _stated(settings, "worker_pool")
    if isinstance(pool, str) and pool not in POOLS_ENFORCING_LIMITS:
        return True
    values = [_stated(settings, name) for name in ("worker_max_tasks_per_child", "worker_max_memory_per_child")]
    if any(value is not ABSENT and value is not UNKNOWN and value is not None for value in values):
        return True
    return UNKNOWN if UNKNOWN in values else False
