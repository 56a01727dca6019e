"""Errbacks that Celery calls in place, where that place is the thread that consumes.

Celery sends an errback of one parameter as a message, and calls any other one where the failure was noticed
(celery/backends/base.py, ``_call_task_errbacks``). After a hard limit or the loss of a child that is the worker's main
process: an errback that takes long would make the worker stand still, and one that raises ``SystemExit`` would end it.
There they are called by threads of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from copy import copy
from functools import partial
from queue import Full, Queue
from typing import Any, Final

from celery._state import get_current_task
from celery.signals import worker_shutdown

__all__ = ["ErrbacksAside", "consumes_here"]

logger = logging.getLogger("safecelery")

#: Threads that call errbacks; how many failures may wait for one of them.
THREADS: Final = 4
WAITING: Final = 1_000
#: Seconds that a worker which stops leaves to errbacks that are called just then.
GRACE_S: Final = 5.0

_consuming: int | None = None
_threads: list[threading.Thread] = []
_calls: Queue[tuple[str, Callable[[], None]]] = Queue(WAITING)


def consumes_here() -> None:
    """This thread turns a worker's event loop."""
    global _consuming
    _consuming = threading.get_ident()


class ErrbacksAside:
    """Mixin for a backend of Celery's; stands before it in the MRO."""

    def _call_task_errbacks(self: Any, request: Any, exc: Any, traceback: Any) -> None:
        """As Celery's; what it would call in place on the thread that consumes is called on another one."""
        now: list[Any] = []
        later: list[Any] = []
        consumes = threading.get_ident() == _consuming and get_current_task() is None  # in a task, only that one waits
        for errback in request.errbacks:
            (later if consumes and self._is_called_in_place(errback) else now).append(errback)
        call = super()._call_task_errbacks  # type: ignore[misc]
        if later:
            _call_aside(request.id, partial(call, _with(request, later), exc, traceback))
        if now:
            call(_with(request, now), exc, traceback)

    def _is_called_in_place(self: Any, errback: Any) -> bool:
        """By what Celery decides it; what is not registered here is sent."""
        signature = self.app.signature(errback)
        header = getattr(self.app.tasks.get(signature.task), "__header__", None)
        return header is not None and not isinstance(header, partial) and self._errback_arity_greater(signature, 1)


def _with(request: Any, errbacks: list[Any]) -> Any:
    changed = copy(request)
    changed.errbacks = errbacks
    return changed


def _call_aside(task_id: str, call: Callable[[], None]) -> None:
    """Soon. With too many waiting it is not, and the log says so."""
    try:
        _calls.put_nowait((task_id, call))
    except Full:
        logger.error("the errbacks of task %s are not called: %d failures wait for theirs", task_id, WAITING)
        return
    if len(_threads) < THREADS:
        if not _threads:
            worker_shutdown.connect(_let_finish)
        thread = threading.Thread(target=_call_all, name="safecelery-errbacks", daemon=True)
        _threads.append(thread)
        thread.start()


def _call_all() -> None:
    while True:
        task_id, call = _calls.get()
        try:
            call()
        except BaseException:  # also SystemExit: nobody is to end a worker by it
            logger.exception("an errback of task %s failed", task_id)
        finally:
            _calls.task_done()


def _let_finish(**_: object) -> None:
    with _calls.all_tasks_done:
        if not _calls.all_tasks_done.wait_for(lambda: not _calls.unfinished_tasks, GRACE_S):
            logger.error("the worker stops before the errbacks of %d failures have ended", _calls.unfinished_tasks)
