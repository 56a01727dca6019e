"""Worker start: the live configuration and the pool really chosen face the policy before anything is consumed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import bootsteps
from celery.apps.worker import Worker
from celery.exceptions import SecurityError
from kombu.utils.imports import symbol_by_name

from safecelery.errors import SafeCeleryError, SettingsError
from safecelery.runtime.consume import SafeWorkerConsumer
from safecelery.runtime.facts import EVERYBODY, reported
from safecelery.runtime.guard import Guard, guard_of
from safecelery.runtime.ledger import StorePlace, approved_place
from safecelery.runtime.outcome_code import refuse_nameless
from safecelery.runtime.results.starting import check_results

__all__ = ["PolicyStep", "SafeWorker", "refusing_to_start"]

logger = logging.getLogger("safecelery")


#: Steps of Celery's worker that would open a pickle, and ours instead.
_REPLACED = {
    "celery.worker.components:StateDB": "safecelery.runtime.statedb:StateDBStep",
    "celery.worker.components:Beat": "safecelery.runtime.beat:BeatStep",
}


class SafeWorker(Worker):
    """``celery worker``: whatever breaks the policy ends it with a message instead of a traceback.

    Not all of it waits for :class:`PolicyStep`: tasks are finalized, and the broker's URL is asked for, before.
    """

    class Blueprint(Worker.Blueprint):
        """Celery's steps, but none that opens a pickle."""

        default_steps = (Worker.Blueprint.default_steps - set(_REPLACED)) | set(_REPLACED.values())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Raises SecurityError, as in :class:`PolicyStep`."""
        with refusing_to_start():
            super().__init__(*args, **kwargs)


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
        with refusing_to_start():
            guard_of(worker.app).enforce_configuration(pool=pool_name(worker.pool_cls), consumes=True)
            _refuse_another_consumer(worker.consumer_cls)
            _refuse_keys_without_store(worker.app, approved_place(worker.app))
            check_results(worker.app)
        _warn_of_report_mode(guard_of(worker.app))
        _warn_of_plain_text(guard_of(worker.app))


def _warn_of_plain_text(guard: Guard) -> None:
    if guard.settings.encryption.mode == "report" and guard.cipher.is_used:
        logger.warning(
            "REPORT MODE of encryption: messages that should be encrypted and are not are run all the same. Set "
            "encryption.mode to 'enforce' when all senders encrypt"
        )


def _warn_of_report_mode(guard: Guard) -> None:
    """At each start, whatever the policy says of it: nobody should find out by surprise."""
    who = reported(guard)
    if EVERYBODY in who:
        logger.warning(
            "REPORT MODE: the firewall of this worker keeps nobody out. Whoever can write to its queues runs any of "
            "its tasks, which then send under this worker's key. Set firewall.mode to 'enforce' when all senders sign"
        )
    elif who:
        logger.warning(
            'REPORT MODE for %s: what these may not send is run all the same. Remove mode = "report" from the trust '
            "store when their grants are complete",
            ", ".join(who),
        )


def _refuse_another_consumer(chosen: Any) -> None:
    """The firewall lives in our consumer: with another one, every message would be believed."""
    cls = symbol_by_name(chosen)
    if not (isinstance(cls, type) and issubclass(cls, SafeWorkerConsumer)):
        raise SettingsError(
            f"worker_consumer is {chosen!r}, so nothing would verify the messages; "
            "fix: leave worker_consumer out, or inherit safecelery.runtime.consume.SafeWorkerConsumer"
        )


def _refuse_keys_without_store(app: Any, place: StorePlace | None) -> None:
    named = sorted(name for name, task in app.tasks.items() if task._idempotency is not None)
    cipher = guard_of(app).cipher
    for name in filter(cipher.must_encrypt, named):
        refuse_nameless(cipher, name)
    if place is None and named:
        raise SettingsError(
            f"task {named[0]!r} has an idempotency_key, and ledger.url turns off the store that remembers it; "
            "fix: set ledger.url, or leave the key out"
        )


@contextmanager
def refusing_to_start() -> Iterator[None]:
    """Every error of ours within becomes the one that ends ``celery worker`` without a traceback."""
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
