"""Worker start: the live configuration and the pool really chosen face the policy before anything is consumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import bootsteps
from celery.apps.worker import Worker
from celery.exceptions import SecurityError

from safecelery.errors import SafeCeleryError
from safecelery.runtime.guard import guard_of

__all__ = ["PolicyStep", "SafeWorker"]


class SafeWorker(Worker):
    """``celery worker``: tasks that break the policy end it with a message instead of a traceback."""

    def on_before_init(self, *args: Any, **kwargs: Any) -> None:
        """Finalize the app before Celery does (celery/apps/worker.py).

        Raises:
            SecurityError: as in :class:`PolicyStep`.
        """
        with _refusing_to_start():
            self.app.finalize()
        super().on_before_init(*args, **kwargs)


class PolicyStep(bootsteps.Step):
    """First step of the worker's blueprint. Runs when the worker is built, before its pool is."""

    label = "safecelery policy"

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        """Refuse to start.

        Raises:
            SecurityError: the one exception that ``celery worker`` prints without a traceback
                (celery/bin/worker.py), with every violation.
        """
        super().__init__(worker, **kwargs)
        with _refusing_to_start():
            guard_of(worker.app).enforce_configuration(pool=pool_name(worker.pool_cls), consumes=True)


@contextmanager
def _refusing_to_start() -> Iterator[None]:
    try:
        yield
    except SafeCeleryError as error:
        raise SecurityError(f"this worker does not start.\n{error}") from error


def pool_name(pool_cls: Any) -> str:
    """Celery's short name of a pool, wherever it came from: ``-P``, ``worker_pool`` or the environment.

    A pool that Celery does not know is named by its path, which no policy allows by accident.
    """
    if isinstance(pool_cls, str):
        return pool_cls
    module, name = pool_cls.__module__, pool_cls.__qualname__
    return _POOLS.get(f"{module}:{name}", f"{module}:{name}")


#: celery/concurrency/__init__.py, ``ALIASES``, read backwards.
_POOLS = {
    "celery.concurrency.prefork:TaskPool": "prefork",
    "celery.concurrency.eventlet:TaskPool": "eventlet",
    "celery.concurrency.gevent:TaskPool": "gevent",
    "celery.concurrency.solo:TaskPool": "solo",
    "celery.concurrency.thread:TaskPool": "threads",
}
