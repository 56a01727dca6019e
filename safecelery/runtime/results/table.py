"""The result backends that can be sealed, and what becomes of any other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from celery.backends.base import DisabledBackend
from celery.utils.imports import symbol_by_name

from safecelery.errors import SettingsError
from safecelery.runtime.results.sealed import SealedBackend
from safecelery.settings import ResultSettings

__all__ = ["BACKENDS", "check_task_backend", "sealed_class"]

logger = logging.getLogger("safecelery")

#: Celery's class -> ours. Named, since each needs a driver that need not be there.
BACKENDS: Final[Mapping[str, str]] = {
    "celery.backends.redis:RedisBackend": "safecelery.runtime.results.redis:SealedRedisBackend",
    "celery.backends.redis:SentinelBackend": "safecelery.runtime.results.redis:SealedSentinelBackend",
    "celery.backends.database:DatabaseBackend": "safecelery.runtime.results.database:SealedDatabaseBackend",
    "celery.backends.rpc:RPCBackend": "safecelery.runtime.results.rpc:SealedRPCBackend",
    "celery.backends.cache:CacheBackend": "safecelery.runtime.results.memory:SealedMemoryBackend",
    "celery.backends.base:DisabledBackend": "safecelery.runtime.results.disabled:NoResultsBackend",
}
_SUPPORTED: Final = "redis://, rediss://, sentinel://, db+DRIVER://, rpc:// and disabled://"


def sealed_class(theirs: type[Any], settings: ResultSettings) -> type[Any]:
    """The class to use in place of Celery's.

    Raises:
        SettingsError: there is none, so anybody who can write to that store could forge results.
    """
    name = f"{theirs.__module__}:{theirs.__qualname__}"
    if name in BACKENDS:
        ours: type[Any] = symbol_by_name(BACKENDS[name])
        return ours
    if name in BACKENDS.values():
        return theirs
    if settings.unsealed_backend is None:
        raise SettingsError(
            f"the result backend {name} is not one that safecelery can seal, so whoever can write to it could forge "
            f"results; supported are {_SUPPORTED}"
        )
    logger.warning(
        "ANYONE CAN FORGE RESULTS: the result backend %s is not sealed (results.unsealed_backend). Supported are %s",
        name, _SUPPORTED,
    )  # fmt: skip
    return theirs


def check_task_backend(task: type[Any], settings: ResultSettings) -> None:
    """A task may bring a backend of its own, which has to be a sealed one, too.

    Raises:
        SettingsError: it is not.
    """
    backend = next((vars(base)["backend"] for base in task.__mro__ if "backend" in vars(base)), None)
    if backend is None or isinstance(backend, property | SealedBackend | DisabledBackend):
        return
    if settings.unsealed_backend is None:
        raise SettingsError(
            f"task {getattr(task, 'name', task)!r} has a result backend of its own, {type(backend).__qualname__}, that "
            "does not seal; leave it out, or give it app.backend"
        )
