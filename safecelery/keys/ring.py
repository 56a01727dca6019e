"""The ring: the key that signs now, and the store of those that are believed."""

from __future__ import annotations

from dataclasses import dataclass

from safecelery.errors import SealError
from safecelery.keys.private import PrivateKey
from safecelery.keys.trust import TrustStore

__all__ = ["Keyring"]


@dataclass(frozen=True, slots=True)
class Keyring:
    """What one process signs with and believes."""

    active: PrivateKey | None
    trust: TrustStore

    def signer(self, now: float) -> PrivateKey:
        """The active key.

        Raises:
            SealError: there is none, or it has expired: whoever got the message would refuse it.
        """
        key = self.active
        if key is None:
            raise SealError(
                "no key to sign with, so nothing was sent; set SAFECELERY_SIGNING__KEY to a private key "
                "(make one with `safecelery keys generate OWNER`)"
            )
        if now >= key.expires.timestamp():
            raise SealError(f"key {key.kid!r} expired on {key.expires:%Y-%m-%d}, so nothing was sent; make a new one")
        return key
