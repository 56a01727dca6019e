"""Executing: the time limits a message may ask for end where its task's own begin."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from celery.worker.request import Request

from safecelery.runtime.hidden import HIDDEN, HiddenBytes, HiddenDict, HiddenList, is_hidden, veil

__all__ = ["ClampedRequest", "clamp"]


def clamp(asked: object, granted: float | None) -> float | None:
    """The lower of both, in seconds. What is not a positive number asks for nothing."""
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not asked > 0:
        return granted
    return asked if granted is None else min(asked, granted)


#: Celery's tasks that run another one once per item, in their own process.
_MAPS = ("celery.map", "celery.starmap")


#: Fields of events that show what went in or came out.
_TELLING = ("args", "kwargs", "result", "exception", "traceback")


def _lower(most: float | None, each: float | None, times: int) -> float | None:
    return most if each is None else clamp(each * times, most)


class ClampedRequest(Request):
    """``Request`` of a SafeTask: ``time_limits`` never exceed those the task was registered with.

    Celery lets the header win over the task (celery/worker/request.py, ``execute_using_pool``), and the remote
    command ``time_limit`` change the task itself; neither can lift the limits kept by ``SafeTask.on_bound``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hidden = is_hidden(self._request_dict)
        if self.hidden:  # it is printed whole in a log at DEBUG (celery/concurrency/base.py, ``apply_async``)
            known: Any = self
            known._body = HiddenBytes(known._body)
            known._args = self._request_dict["args"] = HiddenList(known._args)
            known._kwargs = self._request_dict["kwargs"] = HiddenDict(known._kwargs)

    def info(self, safe: bool = False) -> Any:
        """As Celery's: what ``inspect active``, ``reserved``, ``scheduled`` and ``query_task`` answer with."""
        return super().info(safe=safe or self.hidden)

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002  # Celery's name
        """As Celery's; of an encrypted message it tells that it happened."""
        if self.hidden:
            fields |= {name: HIDDEN for name in _TELLING if name in fields}
        super().send_event(type, **fields)

    def _veil(self) -> AbstractContextManager[None]:
        return veil(self.id, self.name) if self.hidden else nullcontext()

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """As Celery's, behind the veil."""
        with self._veil():
            super().on_timeout(soft, timeout)

    def on_retry(self, exc_info: Any) -> None:
        """As Celery's, behind the veil."""
        with self._veil():
            super().on_retry(exc_info)

    @property
    def time_limits(self) -> tuple[float | None, float | None]:
        """Hard and soft limit in seconds."""
        hard, soft = self._asked
        granted_hard, granted_soft = self._granted()
        hard, soft = clamp(hard, granted_hard), clamp(soft, granted_soft)
        if hard is not None and soft is not None and soft > hard:
            soft = hard
        return hard, soft

    @time_limits.setter
    def time_limits(self, asked: Sequence[Any]) -> None:
        self._asked = tuple(asked) if len(asked) == 2 else (None, None)

    def _granted(self) -> tuple[float | None, float | None]:
        """The task's limits. Of a map, its target's for every item: it calls the target inside itself, where nobody
        else would keep them (celery/app/builtins.py).
        """
        hard, soft = self._task.granted_limits
        if self._task.name not in _MAPS:
            return hard, soft
        given = dict(zip(("task", "it"), self._args, strict=False)) | self._kwargs
        target, items = given.get("task"), given.get("it")
        name = target.get("task") if isinstance(target, dict) else target
        known = isinstance(name, str) and name in self._app.tasks
        each = self._app.tasks[name].granted_limits if known else (None, None)
        times = max(1, len(items)) if isinstance(items, list) else 1
        return _lower(hard, each[0], times), _lower(soft, each[1], times)

    def acknowledge(self) -> None:
        """Complete in the ledger, then acknowledge: it ran, failed, was revoked, or a retry took its place."""
        answer = super().acknowledge
        if self.acknowledged or self.message.delivery is None:
            answer()
        else:
            self.message.delivery.settle(answer, soon=True)

    def reject(self, requeue: bool = False) -> None:
        """Back into the queue counts as a delivery that was not completed; away is completed."""
        answer = partial(super().reject, requeue=requeue)
        if self.acknowledged or self.message.delivery is None:
            answer()
        elif requeue:
            self.message.delivery.give_back(counts=True)
            answer()
        else:
            self.message.delivery.settle(answer)

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """A pool process has begun, perhaps after the consumer gave up on it with its connection."""
        if self.message.delivery is not None:
            self.message.delivery.accepted()
        super().on_accepted(pid, time_accepted)

    def on_failure(self, *args: Any, **kwargs: Any) -> Any:
        """As Celery's, which leaves a task that it cancelled unanswered, for the broker to deliver again."""
        try:
            with self._veil():
                return super().on_failure(*args, **kwargs)
        finally:
            if not self.acknowledged and self.message.delivery is not None:
                self.message.delivery.give_back(counts=False)

    _asked: tuple[Any, Any] = (None, None)
    hidden = False
    """It came encrypted, or should have."""
