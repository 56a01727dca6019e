"""A symmetric ring: whoever encrypts with it can also read. For systems whose services share a secret anyway (N2.2)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecelery.keys.encryption.interface import CONTENT_KEY_BYTES, UnwrapFailed

__all__ = ["Aes256Gcm"]

_KEY_BYTES = 32
_SALT_BYTES = 32
_TAG_BYTES = 16
#: The key of a wrap is used once, so its nonce needs no chance.
_NONCE = bytes(12)
_DERIVE = b"safecelery/aes-256-gcm/wrap "


class _Key:
    """Wraps under a key of its own for each message: GCM with random nonces under one key would wear out after 2^32
    messages (NIST SP 800-38D, section 8.3), a 256-bit salt does not."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _KEY_BYTES:
            raise ValueError(f"an aes-256-gcm key has {_KEY_BYTES} bytes")
        self._secret = secret

    def _once(self, salt: bytes) -> AESGCM:
        """HKDF-Expand to one block (RFC 5869, section 2.3): the secret is uniformly random already."""
        return AESGCM(hmac.digest(self._secret, _DERIVE + salt + b"\x01", "sha256"))

    def wrap(self, content_key: bytes, context: bytes) -> bytes:
        salt = secrets.token_bytes(_SALT_BYTES)
        return salt + self._once(salt).encrypt(_NONCE, content_key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        if len(wrapped) != Aes256Gcm.wrapped_bytes:
            raise UnwrapFailed
        salt = wrapped[:_SALT_BYTES]
        try:
            return self._once(salt).decrypt(_NONCE, wrapped[_SALT_BYTES:], context)
        except InvalidTag:
            raise UnwrapFailed from None

    def __reduce__(self) -> str:
        raise TypeError("secret key material is not pickled or copied")


class Aes256Gcm:
    """32 secret bytes, 80 bytes for each recipient."""

    name = "aes-256-gcm"
    symmetric = True
    wrapped_bytes = _SALT_BYTES + CONTENT_KEY_BYTES + _TAG_BYTES

    def generate(self) -> bytes:
        """A new secret, 32 bytes."""
        return secrets.token_bytes(_KEY_BYTES)

    def public(self, secret: bytes) -> bytes:
        """A fingerprint that tells keys apart and gives nothing away, 32 bytes. Raises ValueError as ``wrapper``."""
        _Key(secret)
        return hashlib.sha256(b"safecelery/aes-256-gcm/fingerprint " + secret).digest()

    def wrapper(self, material: bytes) -> _Key:
        """The key. Raises ValueError unless given 32 bytes."""
        return _Key(material)

    def unwrapper(self, secret: bytes) -> _Key:
        """The same key. Raises ValueError unless given 32 bytes."""
        return _Key(secret)
