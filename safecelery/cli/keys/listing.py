"""``safecelery keys list``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from safecelery.cli.durations import DURATION
from safecelery.cli.exitcodes import NO
from safecelery.cli.table import render

__all__ = ["list_keys"]


@click.command("list")
@click.option(
    "--trust", required=True, envvar="SAFECELERY_SIGNING__TRUST_FILE", show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False), help="The trust file.",
)  # fmt: skip
@click.option(
    "--expiring", type=DURATION, is_flag=False, flag_value="30d", metavar="[TIME]",
    help="Only those that expire within that time, or have expired; 30d if no TIME. Exit status 1 if there are any.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON, for tools.")
@click.pass_context
def list_keys(ctx: click.Context, trust: Path, expiring: timedelta | None, as_json: bool) -> None:
    """All keys of a trust file: whose, until when, for what.

    `expiring` means less than 30 days left.

    With --expiring it is a check for cron and CI: status 0 and no output if nothing ends soon, 1 if something does, 2
    if the file cannot be read. Revoked keys do not count, and neither do expired ones whose owner has another key that
    is valid.

    \b
    Examples:
      safecelery keys list --trust trust.toml
      safecelery keys list --trust trust.toml --expiring
      safecelery keys list --trust trust.toml --expiring 60d || mail -s 'keys expire' ops@example.org
      safecelery keys list --trust trust.toml --json | jq -r '.[] | select(.state != "valid") | .kid'
    """
    from safecelery.cli.keys.describe import describe
    from safecelery.keys.expiry import succeeded
    from safecelery.keys.trust import TrustStore

    now = datetime.now(UTC)
    keys = list(TrustStore.load(trust).keys.values())
    if expiring is not None:
        end = (now + expiring).timestamp()
        ending = (key for key in keys if not key.revoked and key.expires <= end)
        keys = sorted((key for key in ending if not succeeded(key, keys, now.timestamp())), key=lambda key: key.expires)
    found = [describe(key, now) for key in keys]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif found:
        _print(found)
    if found and expiring is not None:
        ctx.exit(NO)


def _print(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            key["kid"], key["owner"], key["scheme"], key["state"], key["expires"][:10],
            " ".join(key["send"]) or "-", " ".join(key["queues"]) or "-", " ".join(key["control"]) or "-",
            " ".join(key["results"]) or "-", key["mode"],
        )
        for key in found
    ]  # fmt: skip
    click.echo(
        render(
            ("KEY", "OWNER", "SCHEME", "STATE", "EXPIRES", "MAY SEND", "TO QUEUES", "CONTROL", "MAY ANSWER", "MODE"),
            rows,
        )
    )
