"""What is stored in place of a result that is too large: a failure that says so, and what to do."""

from __future__ import annotations

import logging
from typing import Any

from celery import states

from safecelery.errors import ResultTooLarge

__all__ = ["lost", "too_large"]

logger = logging.getLogger("safecelery")

#: Members of a result that are kept beside the failure.
_KEPT = ("children", "date_done", "group_id", "parent_id", "task_id")


def too_large(error: ResultTooLarge, task: str) -> ResultTooLarge:
    """What the caller of the task sees."""
    return ResultTooLarge(
        f"task {task!r} ran, and its result is lost: {error}. Return a reference to the data, set results.claim_check, "
        "or raise results.max_bytes on every worker and caller"
    )


def lost(backend: Any, error: ResultTooLarge, meta: dict[str, Any], task: str) -> dict[str, Any]:
    """The result of a task whose own was too large; the log says so, too."""
    told = too_large(error, task)
    logger.error("%s (id=%s)", told, meta["task_id"])
    kept = {name: meta.get(name) for name in _KEPT if name in meta}
    return {**kept, "status": states.FAILURE, "traceback": None, "result": backend.prepare_exception(told)}
