"""safecelery: the hardened Celery framework.

Start at :func:`create_app` and :class:`SafeTask`. Names are loaded on first use, so that the command line and the
linter start without importing Celery.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from safecelery._version import __version__

if TYPE_CHECKING:
    from safecelery.app import SafeCelery, create_app
    from safecelery.errors import (
        ArgumentsRejected,
        PolicyViolationError,
        RemoteError,
        ResultRefused,
        ResultTooLarge,
        SafeCeleryError,
        SealError,
        SettingsError,
        TransientError,
        UnknownOptionError,
    )
    from safecelery.settings import SafeCelerySettings
    from safecelery.task import PendingResult, SafeTask

__all__ = [
    "ArgumentsRejected",
    "PendingResult",
    "PolicyViolationError",
    "RemoteError",
    "ResultRefused",
    "ResultTooLarge",
    "SafeCelery",
    "SafeCeleryError",
    "SafeCelerySettings",
    "SafeTask",
    "SealError",
    "SettingsError",
    "TransientError",
    "UnknownOptionError",
    "__version__",
    "create_app",
]

_HOMES = {
    "SafeCelery": "app",
    "create_app": "app",
    "SafeTask": "task",
    "PendingResult": "task",
    "SafeCelerySettings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'safecelery' has no attribute {name!r}")
    return getattr(import_module(f"safecelery.{_HOMES.get(name, 'errors')}"), name)
