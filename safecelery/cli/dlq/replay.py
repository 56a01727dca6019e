"""``safecelery dlq replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from safecelery.cli.dlq.options import Progress, app_option, load, selected, selecting
from safecelery.cli.exitcodes import NO, OK

if TYPE_CHECKING:
    from celery import Celery

    from safecelery.runtime.dead_letters.replay import Allowed, Plan, Replayer

__all__ = ["replay"]


@click.command()
@app_option
@selecting
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--key", metavar="REF", help="Your private key: file:PATH or env:NAME. [default: the app's own]")
@click.option("--to", metavar="QUEUE", help="Queue to send to. [default: the one the original was signed for]")
@click.option("--dry-run", is_flag=True, help="Only say what would happen. This is the default; --yes sends.")
@click.option("--yes", is_flag=True, help="Really send, and remove each letter once its message is out.")
@click.option("--run-again", "ran_before", is_flag=True, help="Also what was refused because it had run before.")
@click.option("--run-expired", "expired", is_flag=True, help="Also calls that their sender wanted not to run any more.")
@click.option(
    "--i-vouch-for-unsigned", "unsigned", is_flag=True,
    help="Also what nobody validly signed, or no trusted worker vouches for. It runs on your word alone.",
)  # fmt: skip
@click.option(
    "--record", type=click.Path(path_type=Path, dir_okay=False),
    help="The book of replays. [default: ~/.local/state/safecelery/replays.jsonl]",
)  # fmt: skip
@click.pass_context
def replay(ctx: click.Context, /, name: str | None, limit: int | None, **given: Any) -> None:
    """Send messages again, under your own key: it needs a grant for each task and queue, and for every callback inside.

    Says what would happen, and does it with --yes. The original has to be validly signed; who signed it is shown. It
    becomes a new message with a new id and lifetime, its task id and arguments unchanged. What workers would refuse
    is not sent. Each replay is written down, with your name, before it is sent.

    Exits with 1 if any of the chosen letters was not, or would not be, sent.

    \b
    Examples:
      safecelery dlq replay -A shop --reason stale --newer-than 1d --key file:operator.key
      safecelery dlq replay -A shop --reason stale --newer-than 1d --key file:operator.key --yes
      safecelery dlq replay -A shop --id 4f9a01 --to orders --i-vouch-for-unsigned --yes
    """
    from safecelery.runtime.dead_letters.replay import Allowed

    if given["dry_run"] and given["yes"]:
        raise click.UsageError("--dry-run and --yes contradict each other.")
    selection_given = {key: given.pop(key) for key in ("ids", "reasons", "tasks", "queues", "older_than", "newer_than")}
    allowed = Allowed(
        unsigned=given["unsigned"], ran_before=given["ran_before"], expired=given["expired"], to=given["to"]
    )
    app = load(ctx, name)
    replayer = _replayer(app, allowed, given)
    refused = _run(app, replayer, selection_given, limit, really=given["yes"])
    ctx.exit(NO if refused else OK)


def _replayer(app: Celery, allowed: Allowed, given: dict[str, Any]) -> Replayer:
    from safecelery.keys.sources import load_private
    from safecelery.runtime.dead_letters.book import ReplayBook, default_book
    from safecelery.runtime.dead_letters.replay import Replayer

    key = None if given["key"] is None else load_private(given["key"])
    return Replayer(app, key, allowed, ReplayBook(given["record"] or default_book()))


def _run(app: Celery, replayer: Replayer, given: dict[str, Any], limit: int | None, *, really: bool) -> int:
    """Returns how many of the chosen letters were not, or would not be, sent."""
    from safecelery.runtime.dead_letters.stream import open_letters

    selection, progress = selected(given), Progress()
    chosen = sent = 0
    with open_letters(app, progress) as letters, app.connection_for_write(heartbeat=0) as connection:
        for entry in letters.walk():
            if limit is not None and chosen >= limit:
                break
            if not selection.takes(entry) or (entry.letter is None and selection.everything):
                continue
            chosen += 1
            plan = replayer.plan(entry)
            if not plan.why_not:
                if really:
                    replayer.send(plan, connection)
                    letters.browser.remove(entry.found)
                sent += 1
            progress.clear()
            click.echo(_line(plan, really=really))
    done = "sent again" if really else "would be sent again"
    click.echo(f"{sent:,} of {chosen:,} {done} under key {replayer.kid}" + ("" if really else "; --yes sends"))
    return chosen - sent


def _line(plan: Plan, *, really: bool) -> str:
    from safecelery.cli.dlq.describe import cut
    from safecelery.lint.report.characters import visible

    short = plan.entry.id[:12]
    if plan.why_not:
        return f"{short}  not sent: {visible(plan.why_not)}"
    signer = f"signed by {cut(plan.signed_by)}" if plan.signed_by else "SIGNED BY NOBODY, you vouch for it"
    verb = "sent" if really else "would send"
    return f"{short}  {verb} {cut(plan.task)} to {cut(plan.queue)}, {signer}, message {plan.jti}"
