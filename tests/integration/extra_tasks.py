"""Tasks that only these tests need; the worker gets them with ``--include``."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from service.factory import witness

from safecelery import SafeTask


@shared_task(name="service.elsewhere", bind=True, time_limit=20, soft_time_limit=15)
def elsewhere(self: SafeTask[..., Any]) -> None:
    """Its retry goes to a queue that nobody reads."""
    raise self.retry(queue="idle", countdown=0)


@shared_task(name="service.stubborn", time_limit=20, soft_time_limit=15, autoretry_for=(Exception,))
def stubborn(count: int) -> int:
    """Retries after any exception of its own."""
    witness("stubborn", count=count)
    return count
