"""Ed25519 signatures: RFC 8032, through ``cryptography``."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safecelery.keys.interface import SignatureMismatch

__all__ = ["Ed25519"]


class _Verifier:
    __slots__ = ("_key",)

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    def verify(self, signature: bytes, data: bytes) -> None:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            raise SignatureMismatch from None


class Ed25519:
    """32 secret bytes, 32 public bytes, 64 bytes of signature."""

    name = "ed25519"
    symmetric = False

    def generate(self) -> bytes:
        """A new private key, 32 bytes."""
        return Ed25519PrivateKey.generate().private_bytes_raw()

    def public(self, secret: bytes) -> bytes:
        """The public key, 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    def signer(self, secret: bytes) -> Ed25519PrivateKey:
        """The private key. Raises ValueError unless given 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(secret)

    def verifier(self, material: bytes) -> _Verifier:
        """The public key. Raises ValueError unless given 32 bytes."""
        return _Verifier(Ed25519PublicKey.from_public_bytes(material))
