"""The ``safecelery`` command: the table of its commands, and nothing that would slow down its start."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

import click

from safecelery.cli.lazy import CommandTable, LazyGroup

__all__ = ["COMMANDS", "main", "safecelery"]

COMMANDS: CommandTable = {
    "lint": ("safecelery.cli.lint.command:lint", "Find unsafe tasks and settings in source code, for CI."),
    "audit": ("safecelery.cli.audit:audit", "The same checks on the live app, and where source and live differ."),
    "facts": ("safecelery.cli.facts:facts", "What the linter knows of apps and tasks, without judging it."),
    "rules": ("safecelery.cli.rules.command:rules", "Every rule of the linter, or the page of one."),
    "reasons": ("safecelery.cli.reasons:reasons", "Why a message was refused, and what to do about it."),
    "init": ("safecelery.cli.init.command:init", "Make a service that runs: package, settings, keys, policy."),
    "keys": ("safecelery.cli.keys.group:keys", "Make, rotate, revoke and look at signing keys and what they may send."),
    "dlq": ("safecelery.cli.dlq.group:dlq", "Dead letters: what was refused; look, replay, export, purge."),
    "broker": ("safecelery.cli.broker:broker", "Start, stop or look at the development profile's broker."),
    "demo": ("safecelery.cli.demo.command:demo", "A real worker at work, then under attack. Takes half a minute."),
    "version": ("safecelery.cli.version:version", "Versions of safecelery and of what it stands on."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, 1 the answer is no, 2 it could not be done. "
    "Also available as `celery safecelery ...`.",
)
def safecelery() -> None:
    """The hardened Celery framework: signed messages, verified TLS, mandatory limits.

    \b
    Examples:
      safecelery lint --policy migration   what is unsafe in the project you are in
      safecelery demo --compare            see it work, and see it attacked
      safecelery init ./shop --name shop   a new service, ready to run
      safecelery keys generate web --send 'orders.*' --queue orders --trust trust.toml
    """


def main() -> None:
    """Entry point of the console script."""
    _open_what_is_closed()
    lints = sys.argv[1:2] == ["lint"]
    if lints:
        _keep_freed_memory()
        gc.disable()  # to the end: there is next to no garbage, and a last look for it takes a twelfth of the time
    try:
        safecelery(prog_name="safecelery")
    except SystemExit as end:
        _say_all()
        if lints and isinstance(end.code, int) and "coverage" not in sys.modules:
            # Not taken apart: the linter's trees would cost a tenth of its time to give back.
            os._exit(end.code)
        raise


def _keep_freed_memory() -> None:
    """Let the allocator keep what is freed, up to 48 MB, instead of giving it back and asking for it again with each
    file that is read: a sixth of a run's page faults.

    Where a block as large as this has been freed, glibc takes that for a program's usual size (mallopt(3),
    ``M_MMAP_THRESHOLD`` and ``M_TRIM_THRESHOLD``). Nothing writes to it, so it costs no memory; elsewhere this does
    nothing.
    """
    with suppress(MemoryError):  # where so little may be had, it is not to be kept either
        bytes(24 << 20)


def _open_what_is_closed() -> None:
    """A stream that was closed at the start (``>&-``) is None to Python; the next file to be opened gets its number."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _say_all() -> None:
    """Write what is held back. Where that fails, it was said before; Python's own try would cost the exit status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
