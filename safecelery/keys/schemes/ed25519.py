"""Ed25519 signatures: RFC 8032, through ``cryptography``."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safecelery.keys.interface import SignatureMismatch

__all__ = ["Ed25519"]

_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
#: Encodings, without the sign bit, of the points of order 1, 2, 4 and 8, canonical and not (RFC 8032, 5.1.3; Cremers
#: and Jackson, "Prime, Order Please!"). As a public key such a point lets everybody sign: OpenSSL takes the signature
#: "neutral element, S = 0" over any message from the first one.
_LOW_ORDER = frozenset(
    number.to_bytes(32, "little")
    for number in (
        0,
        1,
        _ORDER_8,
        _P - _ORDER_8,
        _P - 1,
        _P,
        _P + 1,
    )
)


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
        """The public key. Raises ValueError unless given 32 bytes that are no point of low order."""
        if len(material) == 32 and material[:31] + bytes([material[31] & 0x7F]) in _LOW_ORDER:
            raise ValueError("a point of low order, with which everybody could sign")
        return _Verifier(Ed25519PublicKey.from_public_bytes(material))
