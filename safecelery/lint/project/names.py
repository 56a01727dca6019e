"""Names of Celery's that mean something to the reader, as tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from safecelery.lint.model.values import Class, Ext
from safecelery.policy.defaults import SAFETASK_DEFAULTS

__all__ = [
    "APP_CLASSES",
    "CURRENT_APPS",
    "KNOWN_BASES",
    "LEGACY_TASK_CLASSES",
    "SAFE_APPS",
    "SAFE_TASKS",
    "SHARED_TASKS",
    "is_celery_class",
    "looks_like_celery",
]

APP_CLASSES: Final = frozenset(
    {"celery.Celery", "celery.app.Celery", "celery.app.base.Celery", "tenant_schemas_celery.app.CeleryApp"}
)
SAFE_APPS: Final = frozenset({"safecelery.create_app", "safecelery.app.create_app"})
SAFE_TASKS: Final = frozenset({"safecelery.SafeTask", "safecelery.task.SafeTask"})
CURRENT_APPS: Final = frozenset(
    {"celery.current_app", "celery._state.current_app", "celery.app.current_app", "celery.app.app_or_default"}
)
SHARED_TASKS: Final = frozenset(
    {
        "celery.shared_task", "celery.app.shared_task", "safecelery.shared_task", "celery.task", "celery.task.task",
        "celery.task.base.task", "celery.decorators.task", "celery.task.periodic_task",
        "celery.decorators.periodic_task", "celery.task.base.periodic_task",
    }
)  # fmt: skip
LEGACY_TASK_CLASSES: Final = frozenset(
    {"celery.task.Task", "celery.task.base.Task", "celery.task.PeriodicTask", "celery.task.base.PeriodicTask"}
)
"""Celery 3's, whose subclasses register themselves."""

_PLAIN: Final[Mapping[str, Any]] = {}
KNOWN_BASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "celery.Task": _PLAIN,
    "celery.app.task.Task": _PLAIN,
    "celery.app.base.Task": _PLAIN,
    "celery.app.Task": _PLAIN,
    "celery.contrib.django.task.Task": _PLAIN,
    "celery.contrib.django.task.DjangoTask": _PLAIN,
    "celery.task.Task": _PLAIN,
    "celery.task.base.Task": _PLAIN,
    "celery.task.PeriodicTask": _PLAIN,
    "celery.contrib.abortable.AbortableTask": _PLAIN,
    "celery_once.QueueOnce": _PLAIN,
    "celery_once.tasks.QueueOnce": _PLAIN,
    "celery_singleton.Singleton": _PLAIN,
    "celery_singleton.singleton.Singleton": _PLAIN,
    "celery_batches.Batches": _PLAIN,
    "celery_utils.logged_task.LoggedTask": _PLAIN,
    "celery_utils.persist_on_failure.PersistOnFailureTask": _PLAIN,
    "celery_utils.persist_on_failure.LoggedPersistOnFailureTask": _PLAIN,
    "flask_celeryext.AppContextTask": _PLAIN,
    "flask_celeryext.RequestContextTask": _PLAIN,
    "celery_progress.backend.ProgressTask": _PLAIN,
    "tenant_schemas_celery.task.TenantTask": _PLAIN,
    "ddtrace.contrib.celery.task.Task": _PLAIN,
    "user_tasks.tasks.UserTask": _PLAIN,
    "builtins.object": _PLAIN,
    "abc.ABC": _PLAIN,
    "typing.Generic": _PLAIN,
    **dict.fromkeys(SAFE_TASKS, SAFETASK_DEFAULTS),
}
"""Base classes outside the tree, each with the task options it sets."""

_CELERY = re.compile(r"celery", re.IGNORECASE)


def looks_like_celery(dotted: str) -> bool:
    """An app or decorator that is not in the tree, but is called after Celery."""
    return _CELERY.search(dotted) is not None


def is_celery_class(cls: Class) -> bool:
    """Does the class derive from Celery's application?"""
    return any(isinstance(base, Ext) and base.name in APP_CLASSES for base in cls.mro())
