"""The shapes of keys. A scheme says how to sign and verify; a source says where a private key comes from."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Scheme", "SecretMaterial", "SignatureMismatch", "Signer", "Verifier"]


class SignatureMismatch(Exception):
    """The signature is not this key's over these bytes."""


class Signer(Protocol):
    """Makes signatures with one key."""

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``."""
        ...


class Verifier(Protocol):
    """Checks signatures of one key."""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if the signature holds.

        Raises:
            SignatureMismatch: it does not. There is no boolean that a caller could forget to look at.
        """
        ...


class Scheme(Protocol):
    """One algorithm, named in the trust store and never in a message."""

    name: str
    symmetric: bool
    """Signer and verifier hold the same secret."""

    def generate(self) -> bytes:
        """A new secret."""
        ...

    def public(self, secret: bytes) -> bytes:
        """What may be shown: the public key, or for a symmetric scheme a fingerprint of the secret."""
        ...

    def signer(self, secret: bytes) -> Signer:
        """Load a secret for signing.

        Raises:
            ValueError: it is none of this scheme's.
        """
        ...

    def verifier(self, material: bytes) -> Verifier:
        """Load a public key (symmetric: the secret) for verifying.

        Raises:
            ValueError: it is none of this scheme's.
        """
        ...


class SecretMaterial:
    """Secret bytes that do not print, copy or pickle."""

    __slots__ = ("_bytes",)

    def __init__(self, data: bytes) -> None:
        self._bytes = data

    def reveal(self) -> bytes:
        """The bytes themselves."""
        return self._bytes

    def __repr__(self) -> str:
        return "SecretMaterial(**)"

    def __reduce__(self) -> str:
        raise TypeError("secret key material is not pickled or copied")
