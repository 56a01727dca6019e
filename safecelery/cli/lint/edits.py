"""``--fix``, ``--unsafe-fixes`` and ``--diff``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from safecelery.cli.colour import wants_colour
from safecelery.cli.exitcodes import COULD_NOT, NO, OK
from safecelery.cli.lint.emit import write
from safecelery.lint.config import LintConfig
from safecelery.lint.finding import LintResult

if TYPE_CHECKING:
    from safecelery.lint.fix.run import FixReport

__all__ = ["apply_fixes", "show_diff"]

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def apply_fixes(result: LintResult, config: LintConfig, given: dict[str, Any]) -> bool:
    """Write the fixes; True if any file changed, so that what is left must be found anew."""
    from safecelery.lint.fix.run import fix_files

    report = fix_files(result, config, unsafe=given["unsafe_fixes"], write=True)
    _say(report, given, "fixed")
    return bool(report.changed)


def show_diff(result: LintResult, config: LintConfig, given: dict[str, Any]) -> int:
    """Print what the fixes would change. Returns the exit status: 1 if there is anything, 2 for unread files."""
    from safecelery.lint.fix.run import fix_files

    report = fix_files(result, config, unsafe=given["unsafe_fixes"], write=False)
    colour = given["output_file"] is None and wants_colour(given["colour"], sys.stdout)
    write((_coloured(diff) if colour else diff for diff in report.diffs), given["output_file"], colour=colour)
    _say(report, given, "would fix")
    if result.unread:
        for item in result.unread:
            click.echo(f"not read: {item.path}:{item.line}: {item.message}", err=True)
        return COULD_NOT
    return NO if report.diffs and not given["exit_zero"] else OK


def _say(report: FixReport, given: dict[str, Any], verb: str) -> None:
    """On standard error: standard output is the report's."""
    for reason in report.refused:
        click.echo(f"not fixed: {reason}", err=True)
    if given["quiet"]:
        return
    count, files = sum(report.fixed.values()), len(report.changed)
    more = f"; {report.unsafe} more with --unsafe-fixes" if report.unsafe else ""
    if count:
        codes = ", ".join(f"{code} {number}" for code, number in report.fixed.items())
        click.echo(
            f"{verb} {count} finding{'' if count == 1 else 's'} in {files} file{'' if files == 1 else 's'} "
            f"({codes}){more}",
            err=True,
        )
    else:
        click.echo(f"nothing to fix{more}", err=True)


def _coloured(diff: str) -> str:
    return "".join(
        click.style(line, fg=_COLOURS[line[0]]) if line[:1] in _COLOURS else line for line in diff.splitlines(True)
    )
