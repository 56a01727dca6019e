"""What came encrypted is not shown: arguments, results and exceptions of such messages, wherever Celery tells them.

A message that was encrypted, or whose task must be, is marked when it is taken from the broker. From then on
its arguments print as ``(encrypted)``, and whatever Celery itself logs while it works on the message (behind a *veil*)
says that something happened, and not with what. What the task itself logs, stores and sends is its own business.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from safecelery.runtime.chord_binding import Header, chord_digest, ids_in

__all__ = [
    "HIDDEN",
    "Hidden",
    "HiddenBytes",
    "HiddenDict",
    "HiddenList",
    "Veil",
    "behind_veil",
    "draw_veil",
    "gathered_for",
    "gathering",
    "is_hidden",
    "is_veiled",
    "veil",
    "veil_is_down",
]

#: Stands for what is not shown. As ``argsrepr`` it also marks the message.
HIDDEN: Final = "(encrypted)"


def is_hidden(request: Mapping[str, Any]) -> bool:
    """The request's arguments are not for showing."""
    return request.get("argsrepr") == HIDDEN


class HiddenList(list[Any]):
    """A list that does not print."""

    def __repr__(self) -> str:
        return HIDDEN


class HiddenDict(dict[str, Any]):
    """A dict that does not print."""

    def __repr__(self) -> str:
        return HIDDEN


class HiddenBytes(bytes):
    """Bytes that do not print."""

    def __repr__(self) -> str:
        return HIDDEN


class Hidden(Exception):
    """Stands in a log for an exception whose text could tell something."""


# The veil ---------------------------------------------------------------------------------------------------------

_BEHIND = threading.local()
#: Members of a request that hold arguments.
_EMBEDDED: Final = ("args", "kwargs", "callbacks", "errbacks", "chain", "chord")
#: First parts of the names of loggers that are not the project's.
_FOREIGN: Final = frozenset({"amqp", "billiard", "celery", "kombu", "multiprocessing", "vine"})
#: What the project prints goes through this one, and warnings through the other: only Celery's own words are hidden.
_MIXED: Final = frozenset({"celery.redirected", "py.warnings"})
#: The project's own words are safe, the frames of what it caught are not.
_OWN: Final = "safecelery"
#: Celery's task that completes a chord where the result backend does not (celery/app/builtins.py).
_UNLOCK: Final = "celery.chord_unlock"
#: Loggers of modules that Celery may import, and that may speak, in the midst of a message: one that is made behind
#: the veil would not be covered yet.
LOGGERS: Final = (
    "celery", "celery.app.amqp", "celery.app.base", "celery.app.builtins", "celery.app.control", "celery.app.trace",
    "celery.backends.asynchronous", "celery.backends.base", "celery.backends.cache", "celery.backends.database",
    "celery.backends.database.session", "celery.backends.redis", "celery.backends.rpc",
    "celery.concurrency.asynpool", "celery.concurrency.prefork", "celery.pool",
    "celery.utils.dispatch.signal", "celery.utils.functional", "celery.utils.log", "celery.utils.time",
    "celery.worker", "celery.worker.control", "celery.worker.request", "celery.worker.strategy",
    "kombu", "kombu.common", "kombu.connection", "kombu.pidbox", "kombu.transport.redis",
    "kombu.transport.virtual.base", "kombu.utils.url", "amqp", "multiprocessing",
)  # fmt: skip
#: celery/app/trace.py, ``report_internal_error``.
_OUTSIDE: Final = "Exception raised outside body"


@contextmanager
def veil(task_id: str, name: str) -> Iterator[None]:
    """Celery works on the message of that id, of the task of that name, in this thread. Both may be told."""
    _cover_loggers()
    before: tuple[tuple[str, str], ...] = _behind()
    _BEHIND.messages = (*before, (task_id, name))
    try:
        yield
    finally:
        _BEHIND.messages = before


@contextmanager
def gathering(header: Header) -> Iterator[None]:
    """This thread gathers what the tasks of a chord came to, to hand it on in another task's name."""
    before, gathered = _behind(), gathered_for()
    _BEHIND.gathering = header
    try:
        yield
    finally:
        _BEHIND.messages, _BEHIND.gathering = before, gathered


def gathered_for() -> Header | None:
    """The chord's header that this thread gathers results for: what a task came to would be told to another one."""
    return getattr(_BEHIND, "gathering", None)


def draw_veil(name: str) -> None:
    """Something of an encrypted task was gathered: the veil is down until that is over. No message is veiled by it."""
    _cover_loggers()
    _BEHIND.messages = (*_behind(), ("", name))


def veil_is_down() -> bool:
    """This thread works on something encrypted."""
    return bool(_behind())


def _behind() -> tuple[tuple[str, str], ...]:
    return getattr(_BEHIND, "messages", ())


def is_veiled(task_id: object) -> bool:
    """This thread works on the message of that id: what is sent under it again is that message."""
    return any(task_id == known for known, _ in _behind())


def behind_veil(tracer: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Celery's tracer of one task (celery/app/trace.py, ``build_tracer``), showing nothing of encrypted messages."""

    def trace(uuid: str, args: Any, kwargs: Any, request: Any = None) -> Any:
        if not request or not is_hidden(request):
            with _unlocking(name, args, kwargs):
                return tracer(uuid, args, kwargs, request)
        for part in _EMBEDDED:
            value = request.get(part)
            if isinstance(value, list):
                request[part] = HiddenList(value)
            elif isinstance(value, dict):
                request[part] = HiddenDict(value)
        with veil(uuid, name), _unlocking(name, args, kwargs):
            return tracer(uuid, HiddenList(args), HiddenDict(kwargs), request)

    return trace


def _unlocking(name: str, args: Any, kwargs: Any) -> AbstractContextManager[None]:
    """Celery's task that gathers results does so for the callback that it was given."""
    if name != _UNLOCK:
        return nullcontext()
    callback = args[1] if len(args) > 1 else kwargs.get("callback")
    digest = chord_digest(callback) if isinstance(callback, Mapping) else ""
    return gathering(Header(digest, ids_in(kwargs.get("result"))))


class Veil(logging.Filter):
    """On every logger that is not the service's. Takes out of a record what it says, and leaves what happened."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True, unless the record was handed on already. None is left out, they are only made blank."""
        if not _behind():
            return True
        if record.name in _MIXED:
            if _OUTSIDE in record.getMessage():
                record.msg, record.args = f"{_OUTSIDE}: {HIDDEN}", ()
            return True
        if record.name != _OWN:
            _make_blank(record)
        elif record.exc_info:
            _hide_exception(record)
        else:
            return True
        if sys.exc_info()[1] is None:
            return True
        _aside(record)
        return False


def _make_blank(record: logging.LogRecord) -> None:
    context = record.args if isinstance(record.args, Mapping) else None
    if context is not None:
        # celery/app/trace.py: one mapping, which is also handed on as ``data``.
        blank = {name: value if name in _TOLD else HIDDEN for name, value in context.items()}
        record.args, record.data = blank, blank
    elif record.args:
        told = {text for message in _behind() for text in message}
        record.args = tuple(
            value if isinstance(value, _PLAIN) or (isinstance(value, str) and value in told) else HIDDEN
            for value in record.args
        )
        record.data = HIDDEN
    if record.exc_info:
        _hide_exception(record)


def _aside(record: logging.LogRecord) -> None:
    """Hand it to its handlers in a thread of its own. Here the task's exception is being handled: whatever goes wrong
    in a handler would have it as its context, and Python prints both."""
    logger = logging.getLogger(record.name)
    thread = threading.Thread(target=logger.callHandlers, args=(record,), name="safecelery-veiled-record")
    thread.start()
    thread.join()


#: Members of a log record's context that are the message's own words nowhere.
_TOLD: Final = frozenset({"id", "name", "hostname", "description", "internal", "runtime", "eta"})
_PLAIN: Final = (int, float, type(None))


def _hide_exception(record: logging.LogRecord) -> None:
    """Where it happened, and of what class it was. The frames are gone as well: who mails errors prints their
    variables (Django's ``AdminEmailHandler``)."""
    kind, _, frames = record.exc_info if isinstance(record.exc_info, tuple) else (None, None, None)
    said = f"{kind.__name__ if kind else 'Exception'}: {HIDDEN}"
    record.exc_text = "".join(["Traceback (most recent call last):\n", *traceback.format_tb(frames), said])
    record.exc_info = (Hidden, Hidden(said), None)


_COVER: Final = Veil("")
_COVERED: set[str] = set()


def _cover_loggers() -> None:
    """Add the filter to loggers that are new. A filter of a parent is not asked about its children's records."""
    known = logging.root.manager.loggerDict
    if not _COVERED:
        for name in (*LOGGERS, *_MIXED, _OWN):
            logging.getLogger(name)
    if len(known) == len(_COVERED):
        return
    for name in list(known):
        if name not in _COVERED:
            _COVERED.add(name)
            if name in _MIXED or name == _OWN or name.partition(".")[0] in _FOREIGN:
                logging.getLogger(name).addFilter(_COVER)
