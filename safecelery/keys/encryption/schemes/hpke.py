"""HPKE (RFC 9180), base mode: whoever encrypts needs the public key alone, and cannot read what others sent (N2.3)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from safecelery.errors import KeyringError
from safecelery.keys.encryption.interface import CONTENT_KEY_BYTES, UnwrapFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import Suite

__all__ = ["HpkeX25519", "Opener", "Sealer", "hpke", "suite"]

_TAG_BYTES = 16


def hpke() -> Any:
    """``cryptography.hazmat.primitives.hpke``.

    Raises:
        KeyringError: this installation of cryptography has none.
    """
    try:
        from cryptography.hazmat.primitives import hpke as module
    except ImportError:
        raise KeyringError("HPKE needs cryptography 50 or later: pip install 'safecelery[hpke]'") from None
    return module


@cache
def suite(kem: str) -> Suite:
    """HKDF-SHA256 and AES-256-GCM with that KEM.

    Raises:
        KeyringError: this installation has no such KEM.
    """
    module = hpke()
    try:
        made: Suite = module.Suite(getattr(module.KEM, kem), module.KDF.HKDF_SHA256, module.AEAD.AES_256_GCM)
    except (AttributeError, UnsupportedAlgorithm):
        raise KeyringError(f"this installation of cryptography has no KEM {kem}") from None
    return made


class Sealer:
    """Single-shot HPKE to one public key. The context is HPKE's ``info``, so the key schedule depends on it."""

    __slots__ = ("_public", "_suite")

    def __init__(self, hpke_suite: Suite, public: Any) -> None:
        self._suite, self._public = hpke_suite, public

    def wrap(self, content_key: bytes, context: bytes) -> bytes:
        """``enc`` and ciphertext, one after the other."""
        return self._suite.encrypt(content_key, self._public, context)


class Opener:
    """Single-shot HPKE with one private key."""

    __slots__ = ("_bytes", "_private", "_suite")

    def __init__(self, hpke_suite: Suite, private: Any, wrapped_bytes: int) -> None:
        self._suite, self._private, self._bytes = hpke_suite, private, wrapped_bytes

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The content key. Raises UnwrapFailed."""
        if len(wrapped) != self._bytes:
            raise UnwrapFailed
        try:
            return self._suite.decrypt(wrapped, self._private, context)
        except (InvalidTag, ValueError):
            raise UnwrapFailed from None

    def __reduce__(self) -> str:
        raise TypeError("secret key material is not pickled or copied")


class HpkeX25519:
    """DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. 32 secret bytes, 32 public bytes."""

    name = "hpke-x25519"
    symmetric = False
    wrapped_bytes = 32 + CONTENT_KEY_BYTES + _TAG_BYTES

    def generate(self) -> bytes:
        """A new private key, 32 bytes."""
        return X25519PrivateKey.generate().private_bytes_raw()

    def public(self, secret: bytes) -> bytes:
        """The public key, 32 bytes. Raises ValueError unless given 32 bytes."""
        return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    def wrapper(self, material: bytes) -> Sealer:
        """The public key. Raises ValueError unless given 32 bytes that are no point of low order."""
        public = X25519PublicKey.from_public_bytes(material)
        # RFC 7748, section 6.1: with such a point everybody knows the shared secret. cryptography refuses it.
        X25519PrivateKey.generate().exchange(public)
        return Sealer(suite("X25519"), public)

    def unwrapper(self, secret: bytes) -> Opener:
        """The private key. Raises ValueError unless given 32 bytes."""
        return Opener(suite("X25519"), X25519PrivateKey.from_private_bytes(secret), self.wrapped_bytes)
