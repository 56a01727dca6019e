"""``safecelery keys rotate``."""

from __future__ import annotations

import difflib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safecelery.cli.durations import DURATION
from safecelery.cli.keys.files import config_home, read_trust, refuse_git_worktree, replace_trust

if TYPE_CHECKING:
    from safecelery.keys.private import PrivateKey
    from safecelery.keys.rotation import Rotation

__all__ = ["rotate", "show_difference"]


@click.command()
@click.argument("key", metavar="OWNER|KID")
@click.option(
    "--trust", required=True, envvar="SAFECELERY_SIGNING__TRUST_FILE", show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False), help="The trust file: both keys will be in it.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="File of the new private key, or directory for it. [default: ~/.config/safecelery/keys/ID.key]",
)  # fmt: skip
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long it is valid.")
@click.option(
    "--use-in", default="15m", show_default=True, type=DURATION, metavar="TIME",
    help="When it is first used. Until then the trust file must have reached everybody who verifies.",
)  # fmt: skip
@click.option(
    "--keep-old", type=DURATION, metavar="TIME",
    help="How long the old key is valid after that. [default: as long as a message may live by the policy]",
)  # fmt: skip
@click.option(
    "--policy", default="baseline", show_default=True, envvar="SAFECELERY_POLICY", show_envvar=True,
    metavar="NAME|FILE", help="The workers' policy, which says how long a message may live.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Write nothing: show the change of the trust file and what would follow.")
@click.option("--allow-inside-git-worktree", is_flag=True, help="Write the secret where `git add` can reach it.")
def rotate(
    key: str,
    trust: Path,
    out: Path | None,
    days: int,
    use_in: timedelta,
    keep_old: timedelta | None,
    policy: str,
    dry_run: bool,
    allow_inside_git_worktree: bool,
) -> None:
    """Replace a key: make the next one, with the same grants, and let the old one end.

    KID is the id of the key to replace; OWNER does where the owner has one key. Nothing is refused in between:

    \b
      now                the new public key is in the trust file; bring that to everybody who verifies
      after --use-in     the sender signs with the new private key; both keys are believed
      after --keep-old   the old key ends; it had that long for the messages that it signed

    The new private key's `created` is its first use, and lies ahead. A sender whose key is a directory
    (SAFECELERY_SIGNING__KEY=directory:/run/secrets/web-keys) can be given the file at once, and changes over by itself.
    Workers and senders follow changed files within seconds. The trust file keeps its comments and its mode.

    \b
    Examples:
      safecelery keys rotate web --trust trust.toml --dry-run
      safecelery keys rotate web --trust trust.toml --out /run/secrets/web-keys
      safecelery keys rotate web-3f9a2c1b --trust trust.toml --days 90 --use-in 1h --keep-old 2d
      safecelery keys rotate web-3f9a2c1b --trust trust.toml --use-in 0s      it leaked; then `keys revoke` it
    """
    from safecelery.keys.rotation import begin, key_to_rotate, publish
    from safecelery.keys.schemes import scheme_named
    from safecelery.keys.trust import TrustStore
    from safecelery.policy.profile import load_policy

    life = timedelta(seconds=load_policy(policy).limits.max_message_age_s)
    before, now = read_trust(trust), datetime.now(UTC)
    old = key_to_rotate(TrustStore.parse(before, str(trust)), key, now)
    plan = begin(
        old, lifetime=timedelta(days=days), use_in=use_in, keep_old=life if keep_old is None else keep_old, now=now
    )
    path = _place(out, plan.new.kid)
    if not allow_inside_git_worktree:
        refuse_git_worktree(path, "--allow-inside-git-worktree")
    shared = f"file:{path}" if scheme_named(old.scheme, old.kid).symmetric else None
    after = publish(before, str(trust), plan, shared)
    if dry_run:
        show_difference(before, after, trust)
        click.echo(f"\nwould write the private key to {path}, under an id made anew each time")
    else:
        if out is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(plan.new, path, trust, before, after)
    for line in (*_warnings(plan, life, now), *_steps(plan, path, trust, shared)):
        click.echo(line)


def _write(new: PrivateKey, path: Path, trust: Path, before: str, after: str) -> None:
    from safecelery.keys.generate import write_private

    write_private(path, new)
    try:
        replace_trust(trust, before, after)
    except BaseException:
        path.unlink()  # half a rotation would only be in the way
        raise
    click.echo(f"new private key {new.kid}: {path} (mode 0600)")


def _place(out: Path | None, kid: str) -> Path:
    if out is None:
        return config_home() / "keys" / f"{kid}.key"
    path = Path(os.path.abspath(out))  # noqa: PTH100  # keeps links
    return path / f"{kid}.key" if path.is_dir() else path


def show_difference(before: str, after: str, path: Path) -> None:
    """The change of a trust file, as `diff -u` shows it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="", n=1)
    click.echo("\n".join(lines))


def _warnings(plan: Rotation, life: timedelta, now: datetime) -> list[str]:
    from safecelery.policy.durations import in_words

    old, overlap, found = plan.old.kid, plan.overlap_s(), list[str]()
    if plan.old.revoked:
        found.append(f"warning: {old} is revoked, so nothing can be sent until the new key is used")
    elif overlap < 0 or plan.old_ends <= now:
        found.append(
            f"warning: {old} ends {_at(plan.old_ends)}, before the new key is used: nothing can be sent in between; "
            "a shorter --use-in closes the gap"
        )
    elif overlap < life.total_seconds():
        found.append(
            f"warning: {old} is valid for {in_words(overlap)} after the new key's first use, but a message may live "
            f"for {in_words(life.total_seconds())}: what it signed and nobody has taken by {_at(plan.old_ends)} is "
            "refused" + ("; a longer --keep-old avoids that" if plan.shortened else "")
        )
    return found


def _steps(plan: Rotation, path: Path, trust: Path, shared: str | None) -> list[str]:
    old, new, use = plan.old.kid, plan.new.kid, _at(plan.new.created)
    return [
        "",
        "Next, in this order:",
        f"  1. Before {use}: bring {trust} to everybody who verifies: workers, and services that",
        "     read it. They follow it by themselves; each says in its log `changed and was read again ...",
        f"     added: {new}`. One that does not have it by then refuses the new key as key-unknown.",
        *(
            [f"     The new entry's secret is {shared}: it must be there first, readable for each of them."]
            if shared
            else []
        ),
        f"  2. Also before {use}: bring {path}",
        f"     to {plan.old.owner}, into the directory that its SAFECELERY_SIGNING__KEY=directory:... names,",
        f"     beside the old one. It signs with {new} from then on.",
        "     (With file:... put it in the old file's place at that time, not sooner. With env:... set it",
        "     then, and restart.)",
        f"  3. Until {_at(plan.old_ends)} both keys are believed. What {old} signed",
        "     with an ETA beyond that is refused; --keep-old can be longer.",
        f"  4. After that: remove the old private key's file. The entry of {old} may go, too; while it",
        "     stays, dead letters that it signed or sealed can still be verified.",
    ]


def _at(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
