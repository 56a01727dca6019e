"""``safecelery dlq purge``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Hashable
from typing import Any

import click

from safecelery.cli.dlq.options import Progress, app_option, load, selected, selecting
from safecelery.cli.exitcodes import NO

__all__ = ["purge"]


@click.command()
@app_option
@selecting
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--garbage", is_flag=True, help="What is no dead letter, too. Otherwise only by --id or --reason.")
@click.pass_context
def purge(
    ctx: click.Context,
    /,
    name: str | None,
    limit: int | None,
    dry_run: bool,
    yes: bool,
    garbage: bool,
    **given: Any,
) -> None:
    """Remove letters for good. Asks you to type how many they are; --yes is for scripts.

    Removed is exactly what was counted: what comes in meanwhile stays. Think of `dlq export --remove` first.
    Exits with 1 if you say no.

    \b
    Examples:
      safecelery dlq purge -A shop --reason envelope-missing --dry-run
      safecelery dlq purge -A shop --older-than 30d --yes
      safecelery dlq purge -A shop --reason not-a-dead-letter
    """
    from safecelery.runtime.dead_letters.stream import open_letters

    selection, progress = selected(given), Progress()
    app = load(ctx, name)
    handles: list[Hashable] = []
    reasons = Counter[str]()
    with open_letters(app, progress) as letters:
        for entry in letters.walk():
            if limit is not None and len(handles) >= limit:
                break
            if selection.takes(entry) and (entry.letter is not None or garbage or not selection.everything):
                handles.append(entry.found.handle)
                reasons[entry.reason] += 1
        progress.clear()
        for reason, count in reasons.most_common():
            click.echo(f"  {count:>7,}  {reason}")
        if not handles:
            click.echo("nothing to remove")
        elif dry_run:
            click.echo(f"would remove {len(handles):,} of {letters.queue}")
        elif not (yes or _agreed(len(handles))):
            click.echo("nothing was removed", err=True)
            ctx.exit(NO)
        else:
            click.echo(f"removed {letters.browser.remove_all(handles):,} of {letters.queue}")


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{count:,} letters would be removed; say --yes where nobody can be asked.")
    typed: str = click.prompt(f"Type {count} to remove them for good", default="", show_default=False)
    return typed.strip() == str(count)
