"""What a task option is worth when a declaration does not state it, and a setting when an app of ours does not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

__all__ = ["SAFETASK_DEFAULTS", "SAFE_SETTINGS"]

SAFETASK_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "serializer": "json",
        # Limits have no default: the right number depends on the task, so a task must state it.
        "time_limit": None,
        "soft_time_limit": None,
        # Acknowledge after the run, and give the message back if the worker dies...
        "acks_late": True,
        "reject_on_worker_lost": True,
        # ...but as a counted retry, so that a task that kills its worker does not come back for ever.
        "retry_on_worker_lost": True,
        # Faults of the network pass; faults of the program do not, so only these are tried again.
        "autoretry_for": ("safecelery.errors.TransientError", "builtins.ConnectionError", "builtins.TimeoutError"),
        "retry_backoff": True,
        # Celery's own ceiling (celery/app/autoretry.py).
        "retry_backoff_max": 600,
        "retry_jitter": True,
        "max_retries": 5,
    }
)
"""The options of SafeTask."""

SAFE_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": ("json",),
        "result_accept_content": ("json",),
        "task_protocol": 2,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": True,
        "worker_pool": "prefork",
        # With late acks, prefetched messages wait behind a long task though another worker is idle.
        "worker_prefetch_multiplier": 1,
        # A late-acked task whose connection is lost will be redelivered: stop the copy that cannot be acked any more.
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "broker_connection_retry_on_startup": True,
        "worker_consumer": "safecelery.runtime.consume:SafeWorkerConsumer",
        # Celery's own keeps a pickle, under a name that this one must not collide with.
        "beat_scheduler": "safecelery.runtime.beat:SafeScheduler",
        "beat_schedule_filename": "celerybeat-schedule.json",
    }
)
"""What holds in an app of ours unless the project says otherwise; whatever it says then faces the policy."""
