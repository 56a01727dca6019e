"""Tasks that only these tests need; the worker gets them with ``--include``."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from service.factory import witness

from safecelery import SafeTask


@shared_task(name="service.elsewhere", bind=True, time_limit=20, soft_time_limit=15)
def elsewhere(self: SafeTask[..., Any]) -> None:
    """Its retry goes to a queue that nobody reads."""
    raise self.retry(queue="idle", countdown=0)


@shared_task(name="service.stubborn", time_limit=20, soft_time_limit=15, autoretry_for=(TypeError,))
def stubborn(count: int) -> int:
    """Retries after what a wrong argument raises, too."""
    witness("stubborn", count=count)
    return count


@shared_task(name="service.doze", time_limit=15, soft_time_limit=2)
def doze(seconds: float) -> str:
    """Sleeps; a loaded machine has the time to wake it between the soft limit and the hard one."""
    time.sleep(seconds)
    return "rested"


@shared_task(name="service.deaf", time_limit=3, soft_time_limit=2)
def deaf(seconds: float) -> None:
    """Ignores the soft limit."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(SoftTimeLimitExceeded):
            time.sleep(0.1)


@shared_task(name="service.homing", bind=True, time_limit=20, soft_time_limit=15)
def homing(self: SafeTask[..., Any], seen: list[str]) -> list[str]:
    """Retries twice and tells from which queue it came each time."""
    seen = [*seen, self.request.delivery_info["routing_key"]]
    if self.request.retries < 2:
        raise self.retry(args=(seen,), countdown=self.request.retries)
    return seen
