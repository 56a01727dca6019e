"""HMAC-SHA256: RFC 2104. For closed systems with high rates: whoever can verify can also sign."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from safecelery.keys.interface import SignatureMismatch

__all__ = ["HmacSha256"]

#: RFC 2104, section 3: less than the hash's length weakens the function.
_KEY_BYTES = 32


class _Key:
    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _KEY_BYTES:
            raise ValueError(f"an hmac-sha256 key has at least {_KEY_BYTES} bytes")
        self._secret = secret

    def sign(self, data: bytes) -> bytes:
        return hmac.digest(self._secret, data, "sha256")

    def verify(self, signature: bytes, data: bytes) -> None:
        if not hmac.compare_digest(signature, self.sign(data)):
            raise SignatureMismatch

    def __reduce__(self) -> str:
        raise TypeError("secret key material is not pickled or copied")


class HmacSha256:
    """32 secret bytes, 32 bytes of tag."""

    name = "hmac-sha256"
    symmetric = True

    def generate(self) -> bytes:
        """A new secret, 32 bytes."""
        return secrets.token_bytes(_KEY_BYTES)

    def public(self, secret: bytes) -> bytes:
        """A fingerprint that tells keys apart and gives nothing away, 32 bytes."""
        return hashlib.sha256(b"safecelery/hmac-sha256/fingerprint " + secret).digest()

    def signer(self, secret: bytes) -> _Key:
        """The key. Raises ValueError for fewer than 32 bytes."""
        return _Key(secret)

    def verifier(self, material: bytes) -> _Key:
        """The same key. Raises ValueError for fewer than 32 bytes."""
        return _Key(material)
