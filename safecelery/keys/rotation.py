"""Rotation (E6.6): a new key with the grants of an old one, and the old one's end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from safecelery.errors import KeyringError, did_you_mean
from safecelery.keys import base64url
from safecelery.keys.editing import add_entry, entry_of, set_member
from safecelery.keys.generate import generate_key
from safecelery.keys.private import PrivateKey
from safecelery.keys.schemes import scheme_named
from safecelery.keys.trust import TrustedKey, TrustStore

__all__ = ["Rotation", "begin", "key_to_rotate", "publish"]


def key_to_rotate(store: TrustStore, name: str, now: datetime) -> TrustedKey:
    """The key that ``name`` means: a key's id, or an owner who has one key that is not revoked or expired.

    Raises:
        KeyringError: no such key or owner; or the owner has several keys, all of which are named.
    """
    if (key := store.lookup(name)) is not None:
        return key
    owned = [key for key in store.keys.values() if key.owner == name]
    usable = [key for key in owned if not key.revoked and now.timestamp() < key.expires]
    if len(usable) == 1:
        return usable[0]
    if not owned:
        known = {*store.keys, *(key.owner for key in store.keys.values())}
        if (encrypts := store.encryption.get(name)) is not None:
            queues = "".join(f" --queue {queue}" for queue in encrypts.queues)
            raise KeyringError(
                f"{name} is a key that others encrypt to: the next one is made beside it, and both are in use "
                "until the old one is revoked or ends: "
                f"safecelery keys generate {encrypts.owner} --scheme {encrypts.scheme}{queues}"
            )
        raise KeyringError(f"no key and no owner {name!r} in the trust store{did_you_mean(name, known)}")
    listed = ", ".join(
        f"{key.kid} (until {datetime.fromtimestamp(key.expires, UTC):%Y-%m-%d})" for key in usable or owned
    )
    raise KeyringError(f"{name} has {len(usable) or 'no'} usable keys: {listed}; name the one to replace by its id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What is to be: the new key, and until when the old one holds."""

    old: TrustedKey
    new: PrivateKey
    old_ends: datetime
    """Never later than before."""

    @property
    def shortened(self) -> bool:
        """The old key ends sooner than its entry says."""
        return self.old_ends.timestamp() < self.old.expires

    def overlap_s(self) -> float:
        """Seconds for which the old key holds after the new one's first use; negative: a gap between them."""
        return (self.old_ends - self.new.created).total_seconds()


def begin(old: TrustedKey, *, lifetime: timedelta, use_in: timedelta, keep_old: timedelta, now: datetime) -> Rotation:
    """Make the new key. Nothing is written.

    Args:
        lifetime: of the new key, from its first use on.
        use_in: when it is first used; until then its public key can reach everybody who verifies.
        keep_old: how long the old key holds after that.

    Raises:
        KeyringError: the old key has not begun yet, so nothing could be signed with it in the meantime.
    """
    first_use = (now + use_in).replace(microsecond=0)
    ends = datetime.fromtimestamp(old.expires, UTC)
    ends = min(ends, first_use + keep_old)
    if old.not_before is not None and ends.timestamp() <= old.not_before:
        raise KeyringError(f"{old.kid} begins only when it would end; it needs no successor yet")
    return Rotation(
        old=old, new=generate_key(old.owner, scheme=old.scheme, lifetime=lifetime, now=first_use), old_ends=ends
    )


def publish(text: str, where: str, rotation: Rotation, secret_reference: str | None = None) -> str:
    """The trust file's text with the new key beside the old one, which has the same grants and ends when it shall.

    Args:
        text: of the trust file as it is.
        secret_reference: for a symmetric scheme, where verifiers find the new secret.

    Raises:
        KeyringError: the entry cannot be edited; nothing else of the text would have changed.
    """
    old, new = rotation.old, rotation.new
    after = text
    if rotation.shortened:
        after = set_member(after, where, old.kid, "expires", rotation.old_ends)
    return add_entry(after, where, new.kid, _members(entry_of(text, where, old.kid), new, secret_reference))


def _members(old: dict[str, Any], new: PrivateKey, secret_reference: str | None) -> dict[str, Any]:
    """Every member of the old entry, also those that this version does not know, but for what is the key's own."""
    scheme = scheme_named(new.scheme, new.kid)
    if scheme.symmetric:
        material = {"secret": secret_reference or ""}
    else:
        material = {"public": base64url.encode(scheme.public(new.secret.reveal()))}
    own = material | {"not_before": new.created, "expires": new.expires}
    return {name: value for name, value in (old | own).items() if name != "revoked"}
