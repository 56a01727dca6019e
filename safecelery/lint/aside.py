"""Work for a second process while this one goes on: what is independent need not wait in line."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from safecelery.lint.source.second import can_fork, fork

__all__ = ["Begin", "aside", "later"]

Result = TypeVar("Result")
Begin: TypeAlias = Callable[[Callable[[], Result]], Callable[[], Result]]
"""Takes work, perhaps begins it, and gives what waits for its result."""


def later(work: Callable[[], Result]) -> Callable[[], Result]:
    """Nothing is begun: the work is done when its result is asked for."""
    return work


def aside(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begin ``work`` in a forked child, and return what waits for its result.

    The result comes back pickled over a pipe that only the child can write to. Where forking is not safe, or the child
    does not deliver, the work is done here when the result is asked for; so what it raises is raised here.
    """
    if not can_fork():
        return work
    try:
        read, write = os.pipe()
    except OSError:
        return work
    try:
        pid = fork()
    except OSError:
        os.close(read)
        os.close(write)
        return work
    if pid == 0:
        _deliver(work, read, write)

    def result() -> Result:
        import contextlib
        import pickle

        with os.fdopen(read, "rb") as answer:
            data = answer.read()
        with contextlib.suppress(OSError):  # somebody else's handler waited for it
            os.waitpid(pid, 0)
        try:
            delivered: Result = pickle.loads(data)  # noqa: S301  (written by our own child, through a private pipe)
        except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError, IndexError):
            return work()
        return delivered

    os.close(write)
    return result


def _deliver(work: Callable[[], object], read: int, write: int) -> None:
    """The child's whole life."""
    status = 1
    try:
        import pickle

        os.close(read)
        data = pickle.dumps(work(), pickle.HIGHEST_PROTOCOL)
        with os.fdopen(write, "wb") as answer:
            answer.write(data)
        status = 0
    finally:
        os._exit(status)
