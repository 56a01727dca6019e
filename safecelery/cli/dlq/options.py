"""What the ``dlq`` commands have in common: the app, which letters, and how far the reading is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from celery import Celery

    from safecelery.runtime.dead_letters.selection import Selection

__all__ = ["Progress", "app_option", "load", "selected", "selecting"]

F = TypeVar("F", bound=Callable[..., Any])


def app_option(command: F) -> F:
    """``-A``: the app whose dead letters these are."""
    return click.option(
        "-A", "--app", "name", metavar="APP",
        help="As for celery: proj, proj.app:app. Needed unless this is `celery -A APP safecelery dlq ...`.",
    )(command)  # fmt: skip


_SELECTING = (
    click.option("--id", "ids", multiple=True, metavar="ID", help="A letter's id, or how it begins. May be repeated."),
    click.option("--reason", "reasons", multiple=True, help="Why it was refused. May be repeated."),
    click.option("--task", "tasks", multiple=True, metavar="GLOB", help="Task; '*' is any text. May be repeated."),
    click.option("--queue", "queues", multiple=True, metavar="GLOB", help="Queue it was refused on. May be repeated."),
    click.option("--older-than", metavar="TIME", help="Refused longer ago than that: 90s, 2h, 7d, 1d12h."),
    click.option("--newer-than", metavar="TIME", help="Refused since then."),
)


def selecting(command: F) -> F:
    """The filters."""
    for option in reversed(_SELECTING):
        command = option(command)
    return command


def selected(given: dict[str, Any]) -> Selection:
    """What the filters say.

    Raises:
        DeadLetterError: a duration that is none, an id that is too short.
    """
    from safecelery.runtime.dead_letters.selection import Selection, seconds

    now = time.time()
    older, newer = given["older_than"], given["newer_than"]
    return Selection(
        ids=tuple(given["ids"]),
        reasons=tuple(given["reasons"]),
        tasks=tuple(given["tasks"]),
        queues=tuple(given["queues"]),
        before=None if older is None else now - seconds(older),
        after=None if newer is None else now - seconds(newer),
    )


def load(ctx: click.Context, name: str | None) -> Celery:
    """The app of ``-A``, or the one that ``celery -A`` loaded already, with its tasks.

    Raises:
        SettingsError: there is no such app, or it cannot be imported.
        KeyringError: it was not made by ``create_app``.
    """
    from safecelery.audit.load import finalize, load_app, no_broker
    from safecelery.runtime.guard import guard_of

    app: Any = getattr(ctx.obj, "app", None)
    if name is None and app is None:
        raise click.UsageError("Missing option '-A': the app whose dead letters these are.")
    with no_broker():
        if name is not None:
            app = load_app(name)
        finalize(app, name or "")
    guard_of(app)
    loaded: Celery = app
    return loaded


class Progress:
    """One line on a terminal while a long queue is read, gone when it is over."""

    PATIENCE_S, PACE_S = 0.5, 0.1

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._next = time.monotonic() + self.PATIENCE_S
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """Write, if it is time to."""
        now = time.monotonic()
        if not self._terminal or now < self._next:
            return
        self._next = now + self.PACE_S
        text = f"reading dead letters: {done:,} of {total:,}"
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0
