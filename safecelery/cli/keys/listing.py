"""``safecelery keys list``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from safecelery.cli.durations import DURATION
from safecelery.cli.exitcodes import NO
from safecelery.cli.table import render

if TYPE_CHECKING:
    from safecelery.keys.encryption.trusted import EncryptionKey
    from safecelery.keys.trust import TrustedKey

__all__ = ["list_keys"]

K = TypeVar("K", "TrustedKey", "EncryptionKey")


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
    from safecelery.cli.keys.describe import describe, describe_encryption
    from safecelery.keys.trust import TrustStore

    now = datetime.now(UTC)
    store = TrustStore.load(trust)
    keys, encryption_keys = list(store.keys.values()), list(store.encryption.values())
    if expiring is not None:
        end = (now + expiring).timestamp()
        keys, encryption_keys = _ending(keys, end, now.timestamp()), _ending(encryption_keys, end, now.timestamp())
    found = [describe(key, now) for key in keys]
    encryption = [describe_encryption(key, now) for key in encryption_keys]
    if as_json:
        click.echo(json.dumps(found + encryption, indent=2))
    elif tables := [table for table in (_table(found), _encryption_table(encryption)) if table]:
        click.echo("\n\n".join(tables))
    if (found or encryption) and expiring is not None:
        ctx.exit(NO)


def _ending(keys: list[K], end: float, now: float) -> list[K]:
    """Those that nobody has replaced, the first to end first."""
    from safecelery.keys.expiry import succeeded

    ending = (key for key in keys if not key.revoked and key.expires <= end)
    return sorted((key for key in ending if not succeeded(key, keys, now)), key=lambda key: key.expires)


def _table(found: list[dict[str, Any]]) -> str:
    if not found:
        return ""
    rows = [
        (
            key["kid"], key["owner"], key["scheme"], key["state"], key["expires"][:10],
            " ".join(key["send"]) or "-", " ".join(key["queues"]) or "-", " ".join(key["control"]) or "-",
            " ".join(key["results"]) or "-", key["mode"],
        )
        for key in found
    ]  # fmt: skip
    return render(
        ("KEY", "OWNER", "SCHEME", "STATE", "EXPIRES", "MAY SEND", "TO QUEUES", "CONTROL", "MAY ANSWER", "MODE"), rows
    )


def _encryption_table(found: list[dict[str, Any]]) -> str:
    if not found:
        return ""
    rows = [
        (
            key["kid"], key["owner"], key["scheme"], key["state"], key["expires"][:10],
            " ".join(key["queues"]) or "-", " ".join(key["read_results"]) or "-",
        )
        for key in found
    ]  # fmt: skip
    return render(("ENCRYPTION KEY", "OWNER", "SCHEME", "STATE", "EXPIRES", "READS QUEUES", "READS RESULTS OF"), rows)
