"""``safecelery keys show``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from safecelery.errors import KeyringError, did_you_mean

__all__ = ["show"]


@click.command()
@click.argument("key")
@click.option(
    "--trust", envvar="SAFECELERY_SIGNING__TRUST_FILE", show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False), help="The trust file, for a key id.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON, for tools.")
def show(key: str, trust: Path | None, as_json: bool) -> None:
    """One key: KEY is the id of one in the --trust file, or the path of a private key file. Never shows the secret.

    \b
    Examples:
      safecelery keys show web-3f9a2c1b --trust trust.toml
      safecelery keys show /run/secrets/web.key
    """
    found = _private(Path(key)) if Path(key).is_file() else _trusted(key, trust)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {(' '.join(value) or '-') if isinstance(value, list) else value}")


def _private(path: Path) -> dict[str, Any]:
    from safecelery.keys import base64url
    from safecelery.keys.document import read_document
    from safecelery.keys.encryption.interface import EncryptionScheme
    from safecelery.keys.encryption.private import DecryptionKey, parse_decryption_key
    from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
    from safecelery.keys.interface import Scheme
    from safecelery.keys.private import PrivateKey, parse_private
    from safecelery.keys.schemes import scheme_named
    from safecelery.keys.sources import read_secret_text

    where = f"file:{path}"
    text = read_secret_text(where)
    key: PrivateKey | DecryptionKey
    scheme: Scheme | EncryptionScheme
    if (name := read_document(text, where)["scheme"]) in ENCRYPTION_SCHEMES:
        key, scheme = parse_decryption_key(text, where), ENCRYPTION_SCHEMES[name]
    else:
        key, scheme = parse_private(text, where), scheme_named(name, str(path))
    public = base64url.encode(scheme.public(key.secret.reveal()))
    return {
        "kid": key.kid,
        "owner": key.owner,
        "scheme": key.scheme,
        "created": key.created.isoformat(),
        "expires": key.expires.isoformat(),
        "fingerprint" if scheme.symmetric else "public": public,
        "file": str(path),
    }


def _trusted(kid: str, trust: Path | None) -> dict[str, Any]:
    from safecelery.cli.keys.describe import describe, describe_encryption
    from safecelery.keys.trust import TrustStore

    if trust is None:
        raise KeyringError(f"{kid!r} is no file; to look up a key id, name the trust file with --trust")
    store = TrustStore.load(trust)
    key = store.lookup(kid)
    if key is None and kid in store.encryption:
        return describe_encryption(store.encryption[kid], datetime.now(UTC))
    if key is None:
        known = [*store.keys, *store.encryption]
        raise KeyringError(f"trust store {trust}: no key {kid!r}{did_you_mean(kid, known)}")
    return describe(key, datetime.now(UTC))
