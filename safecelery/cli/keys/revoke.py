"""``safecelery keys revoke``."""

from __future__ import annotations

from pathlib import Path

import click

from safecelery.cli.keys.files import read_trust, replace_trust
from safecelery.cli.keys.rotate import show_difference
from safecelery.errors import KeyringError, did_you_mean

__all__ = ["revoke"]


@click.command()
@click.argument("kid")
@click.option(
    "--trust", required=True, envvar="SAFECELERY_SIGNING__TRUST_FILE", show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False), help="The trust file.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Write nothing: show the change of the trust file.")
def revoke(kid: str, trust: Path, dry_run: bool) -> None:
    """Revoke the key KID: whatever it signs or signed is refused, as soon as the trust file is where workers read it.
    To a key that others encrypt to, nothing is encrypted any more.

    Running workers follow the file within seconds. Its comments and its mode stay. To revoke twice does nothing.

    \b
    Examples:
      safecelery keys revoke web-3f9a2c1b --trust trust.toml
      safecelery keys revoke web-3f9a2c1b --trust trust.toml --dry-run
    """
    from safecelery.keys.editing import set_member
    from safecelery.keys.trust import TrustStore

    before = read_trust(trust)
    store = TrustStore.parse(before, str(trust))
    key = store.lookup(kid) or store.encryption.get(kid)
    if key is None:
        known = [*store.keys, *store.encryption]
        raise KeyringError(f"trust store {trust}: no key {kid!r}{did_you_mean(kid, known)}")
    encrypts = kid not in store.keys
    if key.revoked:
        click.echo(f"{kid} is revoked in {trust} already")
        return
    after = set_member(before, str(trust), kid, "revoked", True, "encryption" if encrypts else "keys")
    if dry_run:
        show_difference(before, after, trust)
        return
    replace_trust(trust, before, after)
    click.echo(f"{kid} is revoked in {trust}")
    steps = _encryption_steps(trust) if encrypts else _steps(kid, key.owner, trust, symmetric="hmac" in key.scheme)
    click.echo("\n".join(["", "Next:", *steps]))


def _steps(kid: str, owner: str, trust: Path, *, symmetric: bool) -> list[str]:
    return [
        f"  1. Bring {trust} to everybody who verifies. It holds there when the log says",
        f"     `changed and was read again ... revoked: {kid}`; an error there means that it does not.",
        f"  2. {owner} can send nothing now, unless it has another key:",
        f"     safecelery keys rotate {kid} --trust {trust} --use-in 0s",
        "  3. What a worker had taken before goes on: tasks that run or wait in its memory (prefetched, or due within",
        "     park_ahead). Restart the worker if that matters.",
        "  4. What is refused is kept: `safecelery dlq list -A APP --reason key-revoked`. A revoked key vouches for",
        "     nothing, also not for what it signed before it leaked.",
        *(["  5. Everybody who could verify with this secret can sign with it, too."] if symmetric else []),
    ]


def _encryption_steps(trust: Path) -> list[str]:
    return [
        f"  1. Bring {trust} to everybody who sends. Where no other key is valid, nothing encrypted is sent:",
        f"     safecelery keys generate OWNER --scheme SCHEME --queue QUEUE --trust {trust}",
        "  2. The private key still opens what was encrypted to it. Keep it where it is until nothing of that is left.",
        "  3. If it leaked, whoever has it reads what they recorded: treat that as known.",
    ]
