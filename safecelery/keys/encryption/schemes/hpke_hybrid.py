"""HPKE with ML-KEM-768 and X25519 together: what is recorded today stays closed unless both are broken (N2.4)."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from safecelery.errors import KeyringError
from safecelery.keys.encryption.interface import CONTENT_KEY_BYTES
from safecelery.keys.encryption.schemes.hpke import Opener, Sealer, hpke, suite

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

__all__ = ["HpkeMlKem768X25519"]

_SEED_BYTES = 32
#: FIPS 203, table 3.
_MLKEM_PUBLIC_BYTES, _MLKEM_CIPHERTEXT_BYTES = 1184, 1088
_X25519_BYTES, _TAG_BYTES = 32, 16
_KEM = "MLKEM768_X25519"


def _mlkem() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import mlkem
    except ImportError:
        raise KeyringError("ML-KEM needs cryptography 50 or later: pip install 'safecelery[hpke]'") from None
    return mlkem


def _parts(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """Both private keys of one seed, as X-Wing makes them (draft-connolly-cfrg-xwing-kem, section 5.2)."""
    if len(seed) != _SEED_BYTES:
        raise ValueError(f"a hpke-mlkem768-x25519 key has {_SEED_BYTES} bytes")
    expanded = hashlib.shake_256(seed).digest(96)
    try:
        inner: MLKEM768PrivateKey = _mlkem().MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    except UnsupportedAlgorithm:
        raise KeyringError("this installation of cryptography has no ML-KEM-768") from None
    return inner, X25519PrivateKey.from_private_bytes(expanded[64:])


class HpkeMlKem768X25519:
    """MLKEM768-X25519 (draft-ietf-hpke-pq), HKDF-SHA256, AES-256-GCM. 32 secret bytes, 1216 public bytes."""

    name = "hpke-mlkem768-x25519"
    symmetric = False
    wrapped_bytes = _MLKEM_CIPHERTEXT_BYTES + _X25519_BYTES + CONTENT_KEY_BYTES + _TAG_BYTES

    def generate(self) -> bytes:
        """A new seed, 32 bytes."""
        return secrets.token_bytes(_SEED_BYTES)

    def public(self, secret: bytes) -> bytes:
        """Both public keys, ML-KEM's first. Raises ValueError unless given 32 bytes."""
        inner, outer = _parts(secret)
        return inner.public_key().public_bytes_raw() + outer.public_key().public_bytes_raw()

    def wrapper(self, material: bytes) -> Sealer:
        """The public keys. Raises ValueError unless given both, the second no point of low order."""
        if len(material) != _MLKEM_PUBLIC_BYTES + _X25519_BYTES:
            raise ValueError("a hpke-mlkem768-x25519 public key has 1216 bytes")
        outer = X25519PublicKey.from_public_bytes(material[_MLKEM_PUBLIC_BYTES:])
        X25519PrivateKey.generate().exchange(outer)
        try:
            inner = _mlkem().MLKEM768PublicKey.from_public_bytes(material[:_MLKEM_PUBLIC_BYTES])
        except UnsupportedAlgorithm:
            raise KeyringError("this installation of cryptography has no ML-KEM-768") from None
        return Sealer(suite(_KEM), hpke().MLKEM768X25519PublicKey(inner, outer))

    def unwrapper(self, secret: bytes) -> Opener:
        """The private keys. Raises ValueError unless given 32 bytes."""
        return Opener(suite(_KEM), hpke().MLKEM768X25519PrivateKey(*_parts(secret)), self.wrapped_bytes)
