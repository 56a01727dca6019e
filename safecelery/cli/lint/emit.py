"""A result in the format asked for, to the terminal or a file; and what the exit status says of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from safecelery.cli.colour import wants_colour
from safecelery.cli.exitcodes import COULD_NOT, NO, OK
from safecelery.lint.config import LintConfig

if TYPE_CHECKING:
    from safecelery.lint.finding import LintResult

__all__ = ["emit", "exit_status", "write"]

_AT_ONCE: Final = 1 << 16
"""Characters that are written together."""


def emit(result: LintResult, config: LintConfig, given: dict[str, Any]) -> None:
    """Print the report, or write it to ``--output-file``. Raises OSError if that cannot be written."""
    from safecelery.lint.report import render
    from safecelery.lint.report.options import RenderOptions

    target: Path | None = given["output_file"]
    colour = target is None and wants_colour(given["colour"], sys.stdout)
    options = RenderOptions(
        colour=colour,
        width=0 if target else _width(),
        base=str(Path.cwd()),
        statistics=given["statistics"],
        summary=not given["quiet"],
    )
    write(render(config.output_format, result, options), target, colour=colour)


def write(pieces: Iterable[str], target: Path | None = None, *, colour: bool = False) -> None:
    """The pieces, one after the other: into a file as UTF-8, or to standard output as far as it can say them."""
    if target is not None:
        with target.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.writelines(pieces)
        return
    encoding = sys.stdout.encoding or "utf-8"
    for piece in _gathered(pieces):
        click.echo(piece.encode(encoding, "backslashreplace").decode(encoding), nl=False, color=colour)


def _gathered(pieces: Iterable[str]) -> Iterator[str]:
    """Fewer pieces: each is written at once, and a report has thousands of lines."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _AT_ONCE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def exit_status(result: LintResult, config: LintConfig, given: dict[str, Any]) -> int:
    """2 if not everything could be read; else 1 for what the options count as failure, unless ``--exit-zero``."""
    if result.unread:
        return COULD_NOT
    failed = (
        result.exit_status == NO
        or (given["fail_on_warnings"] and bool(result.findings))
        or (config.fail_on_undecided and bool(result.undecided))
    )
    return NO if failed and not given["exit_zero"] else OK


def _width() -> int:
    """Columns of the terminal; 0, which does not wrap, for anything else."""
    if not sys.stdout.isatty():
        return 0
    import shutil

    return shutil.get_terminal_size().columns
