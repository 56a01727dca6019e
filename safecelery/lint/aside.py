"""Work for a second process while this one goes on: what is independent need not wait in line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, Final, ParamSpec, Protocol, TypeVar

from safecelery.lint.source.child import Child, can_fork, start

__all__ = ["Aside", "Begin", "later"]

P = ParamSpec("P")
Result = TypeVar("Result")
_LENGTH: Final = 8
"""Bytes before each piece of work and each result."""


class Begin(Protocol):
    """Takes work, perhaps begins it, and gives what waits for its result."""

    def __call__(self, work: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Callable[[], Result]:
        """Both are what pickle can carry, except for the first work of a process."""
        ...


def later(work: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Callable[[], Result]:
    """Nothing is begun: the work is done when its result is asked for."""
    return partial(work, *args, **kwargs)


class Aside:
    """A second process that does one piece of work after the other, forked for the first of them.

    A fork copies page after page of what both go on to write to, so there is one for all. Results come back pickled
    over a pipe that only the child can write to. Where forking is not safe, or the child does not deliver, the work is
    done here when its result is asked for; so what it raises is raised here.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._open: list[_Waiting] = []
        """Begun, in order, and not delivered yet."""

    def begin(self, work: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Callable[[], Result]:
        """Begin ``work``, and return what waits for its result."""
        doing = partial(work, *args, **kwargs)
        while self._open:  # two who write and do not read would wait for each other
            self._receive()
        if self._child is None:
            self._child = start(partial(_serve, doing)) if can_fork() else None
            begun = self._child is not None
        else:
            begun = _send(self._child, doing)
        if not begun:
            return doing
        waiting = _Waiting(doing)
        self._open.append(waiting)

        def result() -> Result:
            while waiting in self._open:
                self._receive()
            found: Result = waiting.result()
            return found

        return result

    def close(self) -> None:
        """End the process, if there is one, and wait for it."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _receive(self) -> None:
        """The next result, if the child delivers it."""
        waiting = self._open.pop(0)
        delivered = _result_of(self._child) if self._child is not None else None
        if delivered is not None:
            waiting.result = delivered


class _Waiting:
    """Work that was begun. ``result`` does it here until it was delivered."""

    __slots__ = ("result",)

    def __init__(self, doing: Callable[[], Any]) -> None:
        self.result = doing


def _send(child: Child, doing: Callable[[], object]) -> bool:
    """False if the child is gone, or the work cannot be sent."""
    import pickle

    try:
        _write(child.told, pickle.dumps(doing, pickle.HIGHEST_PROTOCOL))
    except (OSError, pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _result_of(child: Child) -> Callable[[], Any] | None:
    """What gives the next result; None if there will be none."""
    import pickle

    try:
        data = child.heard.read(int.from_bytes(child.heard.read(_LENGTH), "big"))
        delivered = pickle.loads(data)  # noqa: S301  (written by our own child, through a private pipe)
    except (pickle.UnpicklingError, OSError, EOFError, ValueError, AttributeError, ImportError, IndexError):
        return None
    return lambda: delivered


def _serve(doing: Callable[[], object], more: BinaryIO, results: BinaryIO) -> None:
    """The child's part: until there is no more work, or the first that fails."""
    import pickle

    while True:
        _write(results, pickle.dumps(doing(), pickle.HIGHEST_PROTOCOL))
        given = more.read(_LENGTH)
        if not given:
            return
        doing = pickle.loads(more.read(int.from_bytes(given, "big")))  # noqa: S301  (written by our parent)


def _write(stream: BinaryIO, data: bytes) -> None:
    stream.write(len(data).to_bytes(_LENGTH, "big"))
    stream.write(data)
    stream.flush()
