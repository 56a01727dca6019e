"""``safecelery dlq list``."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from safecelery.cli.dlq.options import Progress, app_option, load, selected, selecting

if TYPE_CHECKING:
    from safecelery.runtime.dead_letters.stream import Entry

__all__ = ["list_letters"]


@click.command("list")
@app_option
@selecting
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Show the oldest so many.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def list_letters(ctx: click.Context, /, name: str | None, limit: int, form: str, **given: Any) -> None:
    """What was refused, when and why, oldest first. Payloads are never shown here.

    TASK ends with '?' where nobody signed it. SEALED BY is the worker that vouches for the letter: where it says
    nobody, anybody who reaches the broker may have put it there.

    \b
    Examples:
      safecelery dlq list -A shop
      safecelery dlq list -A shop --reason stale --task 'orders.*' --older-than 2h
      safecelery dlq list -A shop --reason not-a-dead-letter
      safecelery dlq list -A shop --limit 10000 --format json | jq -r '.[] | select(.sealed_by == null) | .id'
    """
    from safecelery.cli.dlq.describe import HEAD, cut
    from safecelery.cli.table import render
    from safecelery.runtime.dead_letters.stream import open_letters

    selection, progress = selected(given), Progress()
    app = load(ctx, name)
    shown, reasons, total = _Oldest(limit), Counter[str](), 0
    with open_letters(app, progress) as letters:
        queue = letters.queue
        for entry in letters.walk():
            total += 1
            if selection.takes(entry):
                reasons[entry.reason] += 1
                shown.add(entry)
    progress.clear()
    if form == "json":
        click.echo(json.dumps([known for _, known in shown.sorted()], indent=2))
        return
    if rows := [row for row, _ in shown.sorted()]:
        click.echo(render(HEAD, rows))
        click.echo()
    found = reasons.total()
    some = f", the oldest {limit} shown" if found > limit else ""
    which = "" if selection.everything else f" of {total:,}"
    click.echo(f"{found:,}{which} dead letters in {cut(queue)}{some}")
    for reason, count in reasons.most_common():
        click.echo(f"  {count:>7,}  {cut(reason)}")


class _Oldest:
    """The oldest so many, without the others in memory: a quorum queue does not hand them out in order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[float, int, tuple[str, ...], dict[str, Any]]] = []
        self._count = 0

    def add(self, entry: Entry) -> None:
        from safecelery.cli.dlq.describe import describe, row

        self._count += 1
        at = 0.0 if entry.letter is None else entry.letter.at.timestamp()
        item = (-at, -self._count, row(entry), describe(entry))
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def sorted(self) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
        """Oldest first; what has no time comes before them."""
        return [(row, known) for _, _, row, known in sorted(self._heap, key=lambda item: item[:2], reverse=True)]
