"""Running a task that has an idempotency key, in a process of the pool: begin, run, keep what came of it."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from celery.exceptions import Ignore, Reject, Retry
from kombu.utils import json

from safecelery.errors import OutcomeUnavailable, SettingsError, StoreUnavailable
from safecelery.runtime.guard import guard_of
from safecelery.runtime.idempotency import Idempotency
from safecelery.runtime.ledger import open_ledger
from safecelery.runtime.outcome_code import OutcomeCode
from safecelery.stores.interface import Busy, Known, Store

__all__ = ["run_once"]

logger = logging.getLogger("safecelery")

#: Seconds that a call waits for another one of the same operation, at least and at most, before it asks again.
_LEAST_WAIT_S, _MOST_WAIT_S = 1.0, 5.0
#: How often an outcome is offered to a store that does not answer. What was done is done.
_ATTEMPTS, _PAUSE_S = 3, 1.0
#: Process id -> store: a process of the pool must not share a connection with its parent.
_STORES: dict[tuple[int, int], Store] = {}


def run_once(task: Any, declared: Idempotency, name: str, call: Callable[[], Any]) -> Any:
    """What the operation ``name`` returns: run here, or told from the first time.

    Raises:
        celery.exceptions.Retry: another call is at it, or the store does not answer; this one comes again.
        OutcomeUnavailable: it was done, and what came of it could not be kept.
        SettingsError: the ledger, which would keep it, is turned off.
    """
    guard = guard_of(task.app)
    store = _store(task.app)
    code = OutcomeCode(guard, task, name, declared.ttl_s)
    lease_s = guard.settings.ledger.lease
    try:
        found = store.begin(name, f"{task.request.hostname}/{os.getpid()}/{task.request.id}"[:255], lease_s=lease_s)
    except StoreUnavailable as error:
        logger.error("operation of %s waits: %s", task.name, error)
        _come_again(task, _MOST_WAIT_S)
    if isinstance(found, Known):
        logger.info("operation of %s was done before; its outcome is told again", task.name)
        return _told(declared, code.read(found.outcome))
    if isinstance(found, Busy):
        _come_again(task, found.for_s)
    with _renewed(store, name, found.token, lease_s):
        try:
            value = call()
        except (Retry, Ignore, Reject):
            _abandon(store, name, found.token)
            raise
        except declared.errors as error:
            outcome = _encoded({"error": _name_of(type(error)), "args": list(error.args)}, guard.policy.limits)
            _keep(store, name, found.token, code.written(outcome), declared)
            raise
        except BaseException:
            _abandon(store, name, found.token)
            raise
        _keep(store, name, found.token, code.written(_encoded({"value": value}, guard.policy.limits)), declared)
        return value


def _store(app: Any) -> Store:
    key = (os.getpid(), id(app))
    if key not in _STORES:
        opened = open_ledger(app)
        if opened is None:
            raise SettingsError("ledger.url turns off the store that idempotency keys need, so the task does not run")
        _STORES[key] = opened
    return _STORES[key]


def _come_again(task: Any, for_s: float) -> NoReturn:
    """The same call once more, a little later; it does not count as a retry, since nothing was tried.

    Raises:
        Retry: always, once the message is sent.
    """
    countdown = min(max(for_s, _LEAST_WAIT_S), _MOST_WAIT_S) + secrets.randbelow(1000) / 1000
    request = task.request
    again = task.signature_from_request(
        request, request.args, request.kwargs, countdown=countdown, retries=request.retries
    )
    again.apply_async()
    raise Retry("another call of the same operation is at it", when=countdown, sig=again)


@contextmanager
def _renewed(store: Store, name: str, token: int, lease_s: float) -> Iterator[None]:
    """A thread keeps the lease while the task runs; it dies with the process, and then the lease ends."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(lease_s / 3):
            try:
                if not store.extend(name, token, lease_s):
                    logger.error("the lease of an operation was lost while it runs; another call may run it too")
                    return
            except StoreUnavailable as error:
                logger.error("the lease of an operation was not renewed: %s", error)

    thread = threading.Thread(target=renew, name="safecelery-operation", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=10)


def _abandon(store: Store, name: str, token: int) -> None:
    try:
        store.abandon(name, token)
    except StoreUnavailable as error:
        logger.error("an operation that failed was not given back, its lease ends by itself: %s", error)


def _keep(store: Store, name: str, token: int, outcome: bytes, declared: Idempotency) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            if not store.keep(name, token, outcome, ttl_s=declared.ttl_s):
                logger.error("operation of %s: its lease was lost, so its outcome is not kept", declared.task)
            return
        except StoreUnavailable as error:
            logger.error("operation of %s: its outcome was not kept: %s", declared.task, error)
            if attempt + 1 < _ATTEMPTS:
                threading.Event().wait(_PAUSE_S)


def _encoded(outcome: dict[str, Any], limits: Any) -> bytes:
    """As JSON. One that is too large or no JSON is kept as that: the operation was done, and is not done again."""
    try:
        data: bytes = json.dumps(outcome).encode()
    except (TypeError, ValueError, RecursionError):
        return b'{"lost": "it is no JSON"}'
    if len(data) > limits.max_message_bytes:
        return json.dumps({"lost": f"it has {len(data)} bytes, the policy allows {limits.max_message_bytes}"}).encode()  # type: ignore[no-any-return]
    return data


def _name_of(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _made(kind: type[Exception], args: list[Any]) -> Exception:
    try:
        return kind(*args)
    except Exception as error:  # noqa: BLE001  # its constructor is somebody else's code
        return OutcomeUnavailable(
            f"it ended with {kind.__qualname__}, which cannot be made again ({type(error).__name__})"
        )


def _told(declared: Idempotency, data: bytes) -> Any:
    outcome = json.loads(data)
    if "value" in outcome:
        return outcome["value"]
    if "error" in outcome:
        # Of the declared classes only: the store does not choose what is raised.
        for kind in declared.errors:
            if _name_of(kind) == outcome["error"]:
                raise _made(kind, outcome["args"])
    why = outcome.get("lost", "it is an exception that the task does not declare any more")
    raise OutcomeUnavailable(
        f"task {declared.task!r}: the operation was done before, and its outcome is not known: {why}"
    )
