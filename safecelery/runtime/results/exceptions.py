"""Which exceptions a stored result may become in its reader. A result names a class; this table has the classes.

Nothing is imported, and no attribute looked up, because a result says so.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import celery.exceptions
from celery.utils.imports import symbol_by_name

from safecelery import errors
from safecelery.errors import RemoteError, SettingsError, one_line

__all__ = ["ALLOWED", "named", "rebuild"]

#: Safe to make from plain arguments, and to be raised wherever somebody waits. Not among them: what ends a process or a
#: loop (SystemExit, KeyboardInterrupt, StopIteration), what opens the file that it names when it is printed
#: (SyntaxError), and what plain arguments cannot make (UnicodeDecodeError, ExceptionGroup).
_BUILTIN: Final = (
    "Exception", "ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError", "BrokenPipeError",
    "BufferError", "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError",
    "ConnectionResetError", "EOFError", "FileExistsError", "FileNotFoundError", "FloatingPointError", "ImportError",
    "IndexError", "InterruptedError", "IsADirectoryError", "KeyError", "LookupError", "MemoryError",
    "ModuleNotFoundError", "NameError", "NotADirectoryError", "NotImplementedError", "OSError", "OverflowError",
    "PermissionError", "ProcessLookupError", "RecursionError", "ReferenceError", "RuntimeError", "TimeoutError",
    "TypeError", "UnboundLocalError", "UnicodeError", "ValueError", "ZeroDivisionError",
)  # fmt: skip
#: What ``get()`` is documented to raise, and what a worker stores for a task. Not among them: what a worker takes
#: for the word of its own task, where that one waits and does not catch it (Retry, Ignore, Reject). It would be gone.
_CELERY: Final = (
    "CeleryError", "ChordError", "IncompleteStream", "InvalidTaskError", "MaxRetriesExceededError",
    "NotRegistered", "SoftTimeLimitExceeded", "TaskError", "TaskRevokedError", "Terminated",
    "TimeLimitExceeded", "TimeoutError", "WorkerLostError",
)  # fmt: skip
#: Characters of all arguments together, and how many there may be.
_LONGEST_TEXT: Final = 16_384
_MOST_ARGUMENTS: Final = 16
_DEEPEST: Final = 4


def _name_of(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _table() -> dict[str, type[Exception]]:
    found = [getattr(builtins, name) for name in _BUILTIN]
    found += [kind for name in _CELERY if (kind := getattr(celery.exceptions, name, None)) is not None]
    found += [getattr(errors, name) for name in errors.__all__]
    kinds = [kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception)]
    return {_name_of(kind): kind for kind in kinds}


#: Dotted name -> class: what may be made again for every task.
ALLOWED: Mapping[str, type[Exception]] = MappingProxyType(_table())


def named(names: Iterable[str]) -> dict[str, type[Exception]]:
    """The classes of the setting ``results.exceptions``, imported because this process' own settings say so.

    Raises:
        SettingsError: a name that is no exception, or one that would end the process.
    """
    found = {}
    for name in names:
        try:
            kind = symbol_by_name(name)
        except (ImportError, AttributeError, ValueError) as error:
            raise SettingsError(f"results.exceptions: {name!r} cannot be imported: {error}") from None
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            raise SettingsError(f"results.exceptions: {name!r} is no subclass of Exception")
        found[_name_of(kind)] = kind
    return found


def rebuild(stored: Any, allowed: Mapping[str, type[Exception]], throws: Iterable[Any] = ()) -> Exception:
    """The exception of a failed task, as its reader may see it.

    Args:
        stored: what the result says of it: ``exc_type``, ``exc_module``, ``exc_message`` (celery/backends/base.py).
        allowed: by dotted name, beside :data:`ALLOWED`.
        throws: what the task itself declares.
    """
    if not isinstance(stored, dict):
        return RemoteError("unknown", _cut(stored))
    module, name, message = stored.get("exc_module"), stored.get("exc_type"), stored.get("exc_message")
    known = isinstance(name, str) and isinstance(module, str)
    dotted = one_line(f"{module}.{name}" if known else str(name), 200)
    kind = (ALLOWED.get(dotted) or allowed.get(dotted) or _declared(dotted, throws)) if known else None
    arguments = message if isinstance(message, list) else [] if message is None else [message]
    if kind is None or len(arguments) > _MOST_ARGUMENTS or not _is_plain(arguments):
        return RemoteError(dotted, _cut(arguments))
    try:
        made = kind(*arguments)
    except Exception:  # noqa: BLE001  # its constructor is somebody else's code
        return RemoteError(dotted, _cut(arguments))
    return made if isinstance(made, Exception) else RemoteError(dotted, _cut(arguments))


def _declared(dotted: str, throws: Iterable[Any]) -> type[Exception] | None:
    for kind in throws:
        if isinstance(kind, type) and issubclass(kind, Exception) and _name_of(kind) == dotted:
            return kind
    return None


def _is_plain(value: Any, left: int = _DEEPEST) -> bool:
    """Small JSON: nobody's exception needs more, and some would carry megabytes into every log."""
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    if isinstance(value, list):
        return left > 0 and len(value) <= 1_000 and all(_is_plain(item, left - 1) for item in value)
    if isinstance(value, dict):
        return left > 0 and len(value) <= 1_000 and all(
            isinstance(name, str) and _is_plain(item, left - 1) for name, item in value.items()
        )  # fmt: skip
    return value is None or isinstance(value, bool | int | float)


def _cut(arguments: Any) -> str:
    """What the exception said, as text: a lone argument itself, else all of them."""
    if isinstance(arguments, list) and len(arguments) == 1:
        arguments = arguments[0]
    text = arguments if isinstance(arguments, str) else "" if arguments in (None, []) else repr(arguments)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."
