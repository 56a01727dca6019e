"""``safecelery keys generate --scheme hpke-x25519``: a key that others encrypt to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safecelery.cli.keys.files import config_home, keep_key

if TYPE_CHECKING:
    from safecelery.keys.encryption.private import DecryptionKey

__all__ = ["generate_encryption"]


def generate_encryption(
    owner: str,
    *,
    scheme: str,
    days: int,
    queues: tuple[str, ...],
    results: tuple[str, ...],
    out: Path | None,
    trust: Path | None,
    inside_git_worktree: bool,
) -> None:
    """Make the key, its file and its entry; say what to do with them.

    Raises:
        KeyringError: as ``generate_encryption_key``, and where the files cannot be written.
    """
    from safecelery.keys.encryption.generate import generate_encryption_key
    from safecelery.keys.encryption.private import render_decryption_key

    key = generate_encryption_key(owner, scheme=scheme, lifetime=timedelta(days=days))
    path = out or config_home() / "keys" / f"{key.kid}.key"
    path, entry = keep_key(
        path, render_decryption_key(key), lambda where: _entry(key, where, queues, results),
        trust=trust, inside_git_worktree=inside_git_worktree, own_place=out is None,
    )  # fmt: skip
    click.echo(
        f"decryption key {key.kid}: {path} (mode 0600, until {key.expires:%Y-%m-%d} others encrypt to it)", err=True
    )
    click.echo(f"read with it: SAFECELERY_ENCRYPTION__KEYS=file:{path}", err=True)
    if not (queues or results):
        click.echo("note: without --queue and --read-results nothing is encrypted to it", err=True)
    if trust is not None:
        click.echo(f"encrypted to by: {trust}", err=True)
    else:
        click.echo("add this to the senders' trust file, once the readers have the key:\n", err=True)
        click.echo(entry, nl=False)


def _entry(key: DecryptionKey, path: Path, queues: tuple[str, ...], results: tuple[str, ...]) -> str:
    from safecelery.keys.encryption.generate import encryption_trust_entry
    from safecelery.keys.encryption.schemes import encryption_scheme_named

    shared = f"file:{path}" if encryption_scheme_named(key.scheme, key.kid).symmetric else None
    return encryption_trust_entry(key, queues=queues, results=results, secret_reference=shared)
