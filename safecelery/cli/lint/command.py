"""``safecelery lint``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from safecelery.cli.lint.options import judging, reporting

__all__ = ["lint"]


def _explain(ctx: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is not None and not ctx.resilient_parsing:
        from safecelery.cli.rules.command import show_page

        show_page(code, "auto")
        ctx.exit()


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@judging
@reporting
@click.option(
    "--baseline", type=click.Path(dir_okay=False, path_type=Path), help="Findings listed in this file do not count."
)
@click.option("--update-baseline", is_flag=True, help="Write what is found now to the --baseline file.")
@click.option("--fix", is_flag=True, help="Write the fixes that change nothing but what the rule asks for.")
@click.option("--unsafe-fixes", is_flag=True, help="Fix also where behaviour may change in other ways.")
@click.option("--diff", is_flag=True, help="Print what --fix (or --unsafe-fixes) would write, and write nothing.")
@click.option("--exclude", multiple=True, metavar="PATTERNS", help="Files and directories not to look at.")
@click.option("--include-tests", is_flag=True, help="Look at test code, too.")
@click.option("--no-cache", is_flag=True, help="Read every file anew, and keep nothing.")
@click.option("--no-progress", is_flag=True, help="Nothing on standard error while it runs.")
@click.option("--show-config", is_flag=True, help="Print the configuration in effect, and where each value is from.")
@click.option(
    "--explain", metavar="RULE", is_eager=True, expose_value=False, callback=_explain,
    help="The page of one rule: why, bad and good code, how to fix it.",
)  # fmt: skip
@click.pass_context
def lint(ctx: click.Context, /, paths: tuple[str, ...], **given: Any) -> None:
    """Find unsafe tasks, settings and deployment files in PATHS (default: the current directory).

    The code is read, never imported or run; no broker is needed. What cannot be read is said, not taken as fine.

    \b
    Examples:
      safecelery lint                             the project you are in
      safecelery lint src --policy migration      an old project's first day: most rules only warn
      safecelery lint --explain SFC401            what a rule wants, and why
      safecelery lint --baseline known.json --update-baseline
      safecelery lint --baseline known.json       from now on only new findings fail
      safecelery lint --diff                      what --fix would write
      safecelery lint --format sarif --output-file lint.sarif

    \b
    Exit status:
      0  no findings of level error (warnings do not fail; see --fail-on-warnings)
      1  findings
      2  not everything could be checked: unread files, wrong configuration or usage
    """
    from safecelery.cli.lint.run import run

    ctx.exit(run(paths or (".",), given))
