"""``safecelery keys list``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from safecelery.cli.table import render

__all__ = ["list_keys"]


@click.command("list")
@click.option(
    "--trust", required=True, envvar="SAFECELERY_SIGNING__TRUST_FILE", show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False), help="The trust file.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON, for tools.")
def list_keys(trust: Path, as_json: bool) -> None:
    """All keys of a trust file: whose, until when, for what.

    `expiring` means less than 30 days left.

    \b
    Examples:
      safecelery keys list --trust trust.toml
      safecelery keys list --trust trust.toml --json | jq -r '.[] | select(.state != "valid") | .kid'
    """
    from safecelery.cli.keys.describe import describe
    from safecelery.keys.trust import TrustStore

    now = datetime.now(UTC)
    found = [describe(key, now) for key in TrustStore.load(trust).keys.values()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    rows = [
        (
            key["kid"], key["owner"], key["scheme"], key["state"], key["expires"][:10],
            " ".join(key["send"]) or "-", " ".join(key["queues"]) or "-", " ".join(key["control"]) or "-", key["mode"],
        )
        for key in found
    ]  # fmt: skip
    click.echo(render(("KEY", "OWNER", "SCHEME", "STATE", "EXPIRES", "MAY SEND", "TO QUEUES", "CONTROL", "MODE"), rows))
