"""``safecelery keys generate``."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safecelery.cli.keys.files import append_trust, config_home, refuse_git_worktree

if TYPE_CHECKING:
    from safecelery.keys.private import PrivateKey

__all__ = ["generate"]


@click.command()
@click.argument("owner")
@click.option("--scheme", default="ed25519", show_default=True, help="ed25519, or hmac-sha256 for a closed system.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long the key is valid.")
@click.option("--send", multiple=True, metavar="GLOB", help="Task it may send; '*' is any text. May be repeated.")
@click.option("--queue", "queues", multiple=True, metavar="GLOB", help="Queue it may send to. May be repeated.")
@click.option("--control", multiple=True, metavar="COMMAND", help="Remote command it may give. May be repeated.")
@click.option("--result", "results", multiple=True, metavar="GLOB", help="Task it may answer for. May be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Private key file. [default: ~/.config/safecelery/keys/ID.key]"
)
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), help="Trust file to add the key to.")
@click.option("--allow-inside-git-worktree", is_flag=True, help="Write the secret where `git add` can reach it.")
def generate(
    owner: str,
    scheme: str,
    days: int,
    send: tuple[str, ...],
    queues: tuple[str, ...],
    control: tuple[str, ...],
    results: tuple[str, ...],
    out: Path | None,
    trust: Path | None,
    allow_inside_git_worktree: bool,
) -> None:
    """Make a key for OWNER, a service or a team, and its entry for the trust file.

    The private key goes to a new file of mode 0600, never over an existing one, and not into a git work tree. The entry
    is added to the --trust file, or printed. Without --send and --queue the key is believed and may send nothing.

    \b
    Examples:
      safecelery keys generate web --send 'orders.*' --queue orders --trust trust.toml
      safecelery keys generate orders-worker --send 'orders.*' --queue orders --result 'orders.*' --trust trust.toml
      safecelery keys generate ci --days 30 --out /run/secrets/ci.key
      safecelery keys generate batch --scheme hmac-sha256 --send 'batch.*' --queue batch
    """
    from safecelery.keys.generate import generate_key, write_private

    key = generate_key(owner, scheme=scheme, lifetime=timedelta(days=days))
    path = Path(os.path.abspath(out)) if out else config_home() / "keys" / f"{key.kid}.key"  # noqa: PTH100  # keeps links
    if not allow_inside_git_worktree:
        refuse_git_worktree(path, "--allow-inside-git-worktree")
    entry = _entry(key, path, send, queues, control, results)
    if out is None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, key)
    if trust is not None:
        try:
            append_trust(trust, entry)
        except BaseException:
            path.unlink()  # half a key would only be in the way
            raise
    click.echo(f"private key {key.kid}: {path} (mode 0600, valid until {key.expires:%Y-%m-%d})", err=True)
    click.echo(f"sign with it: SAFECELERY_SIGNING__KEY=file:{path}", err=True)
    if not (send and queues):
        click.echo("note: without both --send and --queue it may send nothing", err=True)
    if trust is not None:
        click.echo(f"trusted by: {trust}", err=True)
    else:
        click.echo("add this to the workers' trust file:\n", err=True)
        click.echo(entry, nl=False)


def _entry(
    key: PrivateKey,
    path: Path,
    send: tuple[str, ...],
    queues: tuple[str, ...],
    control: tuple[str, ...],
    results: tuple[str, ...],
) -> str:
    from safecelery.keys.generate import trust_entry
    from safecelery.keys.schemes import scheme_named

    shared = f"file:{path}" if scheme_named(key.scheme, key.kid).symmetric else None
    return trust_entry(key, send=send, queues=queues, control=control, results=results, secret_reference=shared)
