"""The ring: the key that signs now, and the store of those that are believed."""

from __future__ import annotations

from datetime import UTC, datetime

from safecelery.errors import SealError
from safecelery.keys.private import PrivateKey
from safecelery.keys.trust import TrustStore

__all__ = ["EARLY_S", "Keyring"]

#: Seconds by which a key may be used before its ``created``: clocks of whoever made it and of whoever uses it differ.
EARLY_S = 60.0


class Keyring:
    """What one process signs with and believes. This one stays as it is; ``keys.live.LiveKeyring`` follows files."""

    __slots__ = ("_active", "_trust")

    def __init__(self, active: PrivateKey | None, trust: TrustStore) -> None:
        self._active, self._trust = active, trust

    @property
    def active(self) -> PrivateKey | None:
        """The key that signs now. Ask again for each operation: it may be another one the next time."""
        return self._active

    @property
    def trust(self) -> TrustStore:
        """The keys that are believed now. Ask again for each operation."""
        return self._trust

    def signer(self, now: float) -> PrivateKey:
        """The active key.

        Args:
            now: seconds since the epoch.

        Raises:
            SealError: there is none, it has expired, or its time has not come: whoever got the message would refuse it.
        """
        key = self.active
        if key is None:
            raise SealError(
                "no key to sign with, so nothing was sent; set SAFECELERY_SIGNING__KEY to a private key "
                "(make one with `safecelery keys generate OWNER`)"
            )
        if now >= key.expires.timestamp():
            raise SealError(
                f"key {key.kid!r} expired on {key.expires:%Y-%m-%d}, so nothing was sent; "
                "make the next one (`safecelery keys rotate`)"
            )
        if now < key.created.timestamp() - EARLY_S:
            raise SealError(
                f"key {key.kid!r} is not to be used before {_moment(key.created)}, so nothing was sent; "
                "keep the old one until then, in a directory with the new one (directory:...)"
            )
        return key

    def signed_by(self, key: PrivateKey) -> Keyring:
        """A ring that signs with another key and believes what this one does, at any time."""
        return _Borrowed(key, self)


class _Borrowed(Keyring):
    __slots__ = ("_lender",)

    def __init__(self, active: PrivateKey, lender: Keyring) -> None:
        super().__init__(active, TrustStore.empty())
        self._lender = lender

    @property
    def trust(self) -> TrustStore:
        return self._lender.trust


def _moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
