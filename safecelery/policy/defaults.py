"""What a task option is worth when a declaration does not state it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

__all__ = ["CELERY_DEFAULTS", "OPTION_SETTINGS", "SAFETASK_DEFAULTS"]

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

OPTION_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "serializer": "task_serializer",
        "time_limit": "task_time_limit",
        "soft_time_limit": "task_soft_time_limit",
        "acks_late": "task_acks_late",
        "reject_on_worker_lost": "task_reject_on_worker_lost",
        "retry_on_worker_lost": "task_retry_on_worker_lost",
    }
)
"""Where an option that is None comes from instead (celery/app/task.py, ``Task.from_config``)."""

CELERY_DEFAULTS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "task_serializer": "json",
        "task_time_limit": None,
        "task_soft_time_limit": None,
        "task_acks_late": False,
        "task_reject_on_worker_lost": None,
        "task_retry_on_worker_lost": False,
        "task_annotations": None,
    }
)
"""Those settings where an app states nothing (celery/app/defaults.py)."""
