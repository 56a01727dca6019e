"""``safecelery keys generate``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safecelery.cli.keys.files import config_home, keep_key
from safecelery.cli.keys.generate_encryption import generate_encryption

if TYPE_CHECKING:
    from safecelery.keys.private import PrivateKey

__all__ = ["generate"]


@click.command()
@click.argument("owner")
@click.option(
    "--scheme", default="ed25519", show_default=True,
    help="To sign: ed25519, or hmac-sha256 for a closed system. To encrypt: hpke-x25519, hpke-mlkem768-x25519, "
    "aes-256-gcm.",
)  # fmt: skip
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long the key is valid.")
@click.option("--send", multiple=True, metavar="GLOB", help="Task it may send; '*' is any text. May be repeated.")
@click.option(
    "--queue", "queues", multiple=True, metavar="GLOB", help="Queue it may send to, or whose messages it reads."
)
@click.option("--read-results", multiple=True, metavar="GLOB", help="Task whose encrypted results it reads.")
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
    read_results: tuple[str, ...],
    control: tuple[str, ...],
    results: tuple[str, ...],
    out: Path | None,
    trust: Path | None,
    allow_inside_git_worktree: bool,
) -> None:
    """Make a key for OWNER, a service or a team, and its entry for the trust file.

    The private key goes to a new file of mode 0600, never over an existing one, and not into a git work tree. The entry
    is added to the --trust file, or printed. Without --send and --queue the key is believed and may send nothing.

    With a scheme that encrypts, the key is for reading: messages to its --queue of tasks that say encrypt=True, and
    results of the tasks in --read-results, are encrypted to it.

    \b
    Examples:
      safecelery keys generate web --send 'orders.*' --queue orders --trust trust.toml
      safecelery keys generate orders-worker --send 'orders.*' --queue orders --result 'orders.*' --trust trust.toml
      safecelery keys generate ci --days 30 --out /run/secrets/ci.key
      safecelery keys generate orders --scheme hpke-x25519 --queue orders --trust trust.toml
      safecelery keys generate batch --scheme hmac-sha256 --send 'batch.*' --queue batch
    """
    from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
    from safecelery.keys.generate import generate_key
    from safecelery.keys.private import render_private

    _refuse_mixed(scheme in ENCRYPTION_SCHEMES, send=send, control=control, read_results=read_results)
    if scheme in ENCRYPTION_SCHEMES:
        generate_encryption(
            owner, scheme=scheme, days=days, queues=queues, results=read_results, out=out, trust=trust,
            inside_git_worktree=allow_inside_git_worktree,
        )  # fmt: skip
        return
    key = generate_key(owner, scheme=scheme, lifetime=timedelta(days=days))
    path, entry = keep_key(
        out or config_home() / "keys" / f"{key.kid}.key", render_private(key),
        lambda where: _entry(key, where, send, queues, control, results),
        trust=trust, inside_git_worktree=allow_inside_git_worktree, own_place=out is None,
    )  # fmt: skip
    click.echo(f"private key {key.kid}: {path} (mode 0600, valid until {key.expires:%Y-%m-%d})", err=True)
    click.echo(f"sign with it: SAFECELERY_SIGNING__KEY=file:{path}", err=True)
    if not (send and queues):
        click.echo("note: without both --send and --queue it may send nothing", err=True)
    if trust is not None:
        click.echo(f"trusted by: {trust}", err=True)
    else:
        click.echo("add this to the workers' trust file:\n", err=True)
        click.echo(entry, nl=False)


def _refuse_mixed(encrypts: bool, **given: tuple[str, ...]) -> None:
    """A key signs or decrypts, never both."""
    wrong = [name for name, values in given.items() if values and (name == "read_results") is not encrypts]
    if wrong:
        option = wrong[0].replace("_", "-")
        raise click.UsageError(f"--{option} is of no meaning for a key that {'encrypts' if encrypts else 'signs'}")


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
