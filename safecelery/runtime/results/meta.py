"""A task's result as Celery keeps it in memory: made of a verified one, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from celery import states
from dateutil.parser import isoparse  # type: ignore[import-untyped]  # a dependency of Celery

from safecelery.errors import Reason, Rejected
from safecelery.runtime.results.exceptions import rebuild
from safecelery.runtime.results.seal import Opened

__all__ = ["PENDING", "Believed", "are_results", "checked_meta"]


def PENDING() -> dict[str, Any]:  # noqa: N802  # a constant that nobody can change
    """What is known of a task that has no result."""
    return {"status": states.PENDING, "result": None}


class Believed(dict[str, Any]):
    """A result as Celery keeps it, with the name of the task that was signed."""

    def __init__(self, meta: Mapping[str, Any], task: str) -> None:
        super().__init__(meta)
        self.task = task


def are_results(found: Iterable[Any]) -> bool:
    """Results as Celery writes them, ``[[id, parent], members]``, however nested: nothing else is made into results."""
    pending = list(found)
    while pending:
        node = pending.pop()
        if not isinstance(node, list) or len(node) != 2:
            return False
        own, members = node
        task_id, parent = own if isinstance(own, list) and len(own) == 2 else (own, None)
        if not isinstance(task_id, str) or not isinstance(members, list | None):
            return False
        pending += [] if parent is None else [parent]
        pending += members or []
    return True


def _is_moment(found: Any) -> bool:
    """None, a date, or one as text (celery/result.py, ``date_done``)."""
    if not isinstance(found, str):
        return found is None or isinstance(found, datetime)
    try:
        isoparse(found)
    except (ValueError, OverflowError):
        return False
    return True


def checked_meta(opened: Opened, allowed: Mapping[str, type[Exception]], throws: Iterable[Any]) -> dict[str, Any]:
    """The members that Celery reads, each of the type that it assumes; a failure with its exception.

    Raises:
        Rejected: it is not a task's result, or says another id than was signed.
    """
    value = opened.value
    if not isinstance(value, dict) or not isinstance(value.get("status"), str) or "result" not in value:
        raise Rejected(Reason.BODY_MALFORMED, "not the result of a task")
    if opened.id and value.get("task_id", opened.id) != opened.id:
        raise Rejected(Reason.BODY_MALFORMED, "a result that names another task than its seal")
    if not opened.id and not isinstance(value.get("task_id"), str):
        raise Rejected(Reason.BODY_MALFORMED, "a result of no task")
    if not isinstance(value.get("traceback"), str | None) or not isinstance(value.get("children"), list | None):
        raise Rejected(Reason.BODY_MALFORMED, "a traceback or children of the wrong type")
    if not are_results(value.get("children") or ()):
        raise Rejected(Reason.BODY_MALFORMED, "children that are no results")
    if not _is_moment(value.get("date_done")):
        raise Rejected(Reason.BODY_MALFORMED, "an end that is no date")
    meta = {**value, "task_id": opened.id or value.get("task_id")}
    if meta["status"] in states.EXCEPTION_STATES:
        failed = meta["status"] in states.PROPAGATE_STATES
        meta["result"] = None if meta["result"] is None and not failed else rebuild(meta["result"], allowed, throws)
    return meta
