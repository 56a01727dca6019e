"""The document of ``safecelery facts``: every app and task with its values, judged by nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from safecelery.lint.finding import Because, Unread
from safecelery.lint.model.reading import describe, env_of, plain
from safecelery.lint.model.values import Unknown, Val
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.objects import Task
from safecelery.lint.project.options import Options, exceptions
from safecelery.policy.facts import UNKNOWN
from safecelery.policy.vocabulary import TASK_OPTIONS

__all__ = ["SCHEMA", "TASK_FIELDS", "facts_document", "value_document"]

SCHEMA: Final = 1
TASK_FIELDS: Final = {
    "time_limit_effective": "time_limit",
    "soft_time_limit_effective": "soft_time_limit",
    "acks_late": "acks_late",
    "reject_on_worker_lost": "reject_on_worker_lost",
    "max_retries": "max_retries",
    "autoretry_for": "autoretry_for",
    "retry_backoff": "retry_backoff",
    "retry_backoff_max": "retry_backoff_max",
    "retry_jitter": "retry_jitter",
    "serializer": "serializer",
    "ignore_result": "ignore_result",
    "rate_limit": "rate_limit",
    "expires": "expires",
    "default_retry_delay": "default_retry_delay",
    "track_started": "track_started",
}
"""Name in the document -> option of the task."""


def facts_document(analysis: Analysis, unread: Iterable[Unread] = ()) -> dict[str, Any]:
    """The whole document; paths are relative to the argument that led to them. ``unread`` is what the reader left."""
    document = _document(analysis, sorted({*unread, *analysis.unread}, key=lambda part: (part.path, part.line)))
    paths = {module.path: module.record.file.path for module in analysis.modules.all_modules()}
    _relate(document, paths)
    _mask(document)
    return document


def _mask(document: dict[str, Any]) -> None:
    """Take the secrets out, for whoever asked for the document may print it."""
    from safecelery.lint.report.masked_values import masked_value

    values = [(name, value) for app in document["apps"] for name, value in app["conf"].items()]
    values += [(name, value) for task in document["tasks"] for name, value in task["options"].items()]
    for name, value in values:
        value["value"] = masked_value(name, value["value"])
        for link in value["because"]:
            link["what"] = masked_value("", link["what"])


def _relate(part: Any, paths: dict[str, str]) -> None:
    """Replace the paths of messages by those of the document."""
    if isinstance(part, dict):
        if "file" in part:
            part["file"] = paths.get(part["file"], part["file"])
        for value in part.values():
            _relate(value, paths)
    elif isinstance(part, list):
        for value in part:
            _relate(value, paths)


def _document(analysis: Analysis, unread: Iterable[Unread]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "apps": [
            {
                "name": app.label,
                "file": app.module.path,
                "line": app.line,
                "conf": {name: value_document(value) for name, value in sorted(_conf(analysis, app).items())},
            }
            for app in analysis.apps
        ],
        "tasks": [_task(analysis, task) for task in sorted(analysis.tasks, key=lambda t: (t.module.path, t.line))],
        "unparsed": [{"file": part.path, "line": part.line, "why": part.message} for part in unread],
    }


def _conf(analysis: Analysis, app: Any) -> dict[str, Val]:
    conf = analysis.conf(app)
    if conf is None:
        return {}
    values = dict(conf.values)
    if conf.open is not None:
        values["*"] = Val(Unknown(describe(conf.open)), conf.open.env, conf.open.because)
    return values


def _task(analysis: Analysis, task: Task) -> dict[str, Any]:
    app = analysis.primary(task)
    options = analysis.options(task, app)
    unread = options.unknown_options(TASK_OPTIONS)
    return {
        "name": options.name,
        "file": task.module.path,
        "line": task.line,
        "app": app.label if app is not None else None,
        "form": task.form,
        "options": {field: _option(analysis, options, option) for field, option in TASK_FIELDS.items()},
        "unknown_options": unread if unread is not None else [],
    }


def _option(analysis: Analysis, options: Options, option: str) -> dict[str, Any]:
    value = options.effective(option)
    if option == "autoretry_for" and not value.is_unknown and value.data is not None:
        names = exceptions(analysis.it, value)
        if names is UNKNOWN or (isinstance(names, tuple) and UNKNOWN in names):
            return value_document(Val(Unknown(describe(value)), value.env, value.because))
        return _known(list(names) if isinstance(names, tuple) else [], value)
    return value_document(value)


def value_document(value: Val) -> dict[str, Any]:
    """One value: its state, itself, the environment it depends on, the places it came from."""
    data = plain(value)
    if data is UNKNOWN:
        return {
            "state": "unknown",
            "value": None,
            "env": list(env_of(value)),
            "because": [*_because(value.because), {"file": "", "line": 0, "what": describe(value)}],
        }
    return _known(data, value)


def _known(data: Any, value: Val) -> dict[str, Any]:
    env = env_of(value)
    return {
        "state": "default" if env else "known",
        "value": _jsonable(data),
        "env": list(env),
        "because": _because(value.because),
    }


def _jsonable(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    if isinstance(data, dict):
        return {str(key): _jsonable(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [_jsonable(item) for item in data]
    return data


def _because(chain: tuple[Because, ...]) -> list[dict[str, Any]]:
    return [{"file": link.file, "line": link.line, "what": link.what} for link in chain]
