"""The shape of an encryption scheme: how the key of one message is wrapped for one recipient."""

from __future__ import annotations

from typing import Protocol

__all__ = ["CONTENT_KEY_BYTES", "EncryptionScheme", "UnwrapFailed", "Unwrapper", "Wrapper"]

#: Of the key of one message: AES-256.
CONTENT_KEY_BYTES = 32


class UnwrapFailed(Exception):
    """This is no wrap for this key and this context."""


class Wrapper(Protocol):
    """Wraps content keys for one recipient."""

    def wrap(self, content_key: bytes, context: bytes) -> bytes:
        """The content key for the recipient's eyes, bound to ``context``: it opens with the same context only."""
        ...


class Unwrapper(Protocol):
    """A recipient."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The content key, 32 bytes.

        Raises:
            UnwrapFailed: changed, cut short, for another recipient, or of another context. Nothing says which.
        """
        ...


class EncryptionScheme(Protocol):
    """One algorithm, named where the key is kept and never in a message (N2.1)."""

    name: str
    symmetric: bool
    """Whoever encrypts can also read."""
    wrapped_bytes: int
    """Bytes of one wrapped content key."""

    def generate(self) -> bytes:
        """A new secret."""
        ...

    def public(self, secret: bytes) -> bytes:
        """What may be shown: the public key, or for a symmetric scheme a fingerprint of the secret.

        Raises:
            ValueError: the secret is none of this scheme's.
        """
        ...

    def wrapper(self, material: bytes) -> Wrapper:
        """Load a public key (symmetric: the secret) for encrypting.

        Raises:
            ValueError: it is none of this scheme's.
        """
        ...

    def unwrapper(self, secret: bytes) -> Unwrapper:
        """Load a secret for decrypting.

        Raises:
            ValueError: it is none of this scheme's.
        """
        ...
