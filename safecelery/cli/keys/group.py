"""The table of ``safecelery keys`` commands."""

from __future__ import annotations

import click

from safecelery.cli.lazy import CommandTable, LazyGroup

__all__ = ["COMMANDS", "keys"]

COMMANDS: CommandTable = {
    "generate": ("safecelery.cli.keys.generate:generate", "Make a key and its entry for the trust file."),
    "list": ("safecelery.cli.keys.listing:list_keys", "All keys of a trust file: whose, until when, for what."),
    "rotate": ("safecelery.cli.keys.rotate:rotate", "Replace a key by a new one with the same grants."),
    "revoke": ("safecelery.cli.keys.revoke:revoke", "Revoke a key: whatever it signed is refused."),
    "show": ("safecelery.cli.keys.show:show", "One key, of a trust file or a private key file; never its secret."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def keys() -> None:
    """Make, replace, revoke and look at signing keys and what they may send.

    A service signs with its own private key. The trust file, which holds no secrets and belongs into version control,
    says which keys workers believe and what each may send where.

    \b
    Examples:
      safecelery keys generate web --send 'orders.*' --queue orders --trust trust.toml
      safecelery keys list --trust trust.toml
      safecelery keys rotate web --trust trust.toml --out /run/secrets/web-keys
      safecelery keys list --trust trust.toml --expiring 30d      for cron and CI: exit status 1 if any is
    """
