"""The facts of a live app in the form of ``safecelery facts``: schema 1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from safecelery.audit.places import setting_place, task_place
from safecelery.audit.run import LiveApp
from safecelery.audit.secrets import without_secrets
from safecelery.audit.settings import app_name, stated_settings
from safecelery.audit.tasks import effective_options, unknown_options
from safecelery.policy.facts import Place
from safecelery.policy.setting_defaults import SETTING_DEFAULTS

__all__ = ["facts_document"]


def facts_document(live: LiveApp) -> dict[str, Any]:
    """``{"schema": 1, "apps": [...], "tasks": [...], "unparsed": []}``; secrets are masked."""
    return {
        "schema": 1,
        "apps": [
            {"name": app_name(live.app), "file": live.where.file, "line": live.where.line, "conf": _conf(live)}
        ],
        "tasks": [_task(task, live) for task in live.tasks],
        "unparsed": [],
    }  # fmt: skip


def _conf(live: LiveApp) -> dict[str, Any]:
    """Every setting of Celery's, as it is used."""
    stated = stated_settings(live.app)
    found = {}
    for name, default in SETTING_DEFAULTS.items():
        if name in stated:
            where = setting_place(live.app, name, live.where)
            found[name] = _value(_plain(stated[name]), where, f"the live value of {name}")
        else:
            found[name] = _value(_plain(default), None, "Celery's default")
    return found


def _task(task: Any, live: LiveApp) -> dict[str, Any]:
    where = task_place(task)
    options = {
        f"{name}_effective" if name.endswith("time_limit") else name: _value(_plain(value), where, "the live task")
        for name, value in effective_options(task, live.app).items()
    }
    return {
        "name": task.name,
        "file": where.file,
        "line": where.line,
        "app": app_name(live.app),
        "form": "decorator" if "_decorated_fun" in vars(type(task)) else "class",
        "options": options,
        "unknown_options": list(unknown_options(task)),
    }


def _value(value: Any, where: Place | None, what: str) -> dict[str, Any]:
    because = {"file": where.file if where else "", "line": where.line if where else 0, "what": what}
    return {"state": "known", "value": value, "env": [], "because": [because]}


def _plain(value: Any) -> Any:
    """As JSON has it: seconds for durations, lists for sequences and sets, text for everything else."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=str)
    return re.sub(r" at 0x[0-9a-f]+", "", without_secrets("", repr(value)))
