"""The keys that this process reads with, and where they are."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from safecelery.errors import KeyringError
from safecelery.keys.encryption.private import DecryptionKey, parse_decryption_key
from safecelery.keys.encryption.schemes.aes_256_gcm import Aes256Gcm
from safecelery.keys.sources import read_secret_text

__all__ = ["DecryptionKeys", "load_operations_key"]

logger = logging.getLogger("safecelery")

#: Reference of a directory with one key in each file ``*.key``.
_DIRECTORY = "directory:"
#: Seconds between two looks for a key that this process does not have: a message names it, so anybody can ask.
LOOK_AGAIN_S = 5.0


class DecryptionKeys:
    """The private keys of one process, by id. A key that is asked for and not there is looked for again.

    So a new key can be laid beside the old one while a worker runs: the first message that is encrypted to it makes the
    worker look.

    Args:
        references: ``file:PATH``, ``env:NAME``, or ``directory:PATH`` for each file ``*.key`` in it.
        clock: seconds, for the time between two looks.

    Raises:
        KeyringError: a reference leads to no key, or two keys have one id.
    """

    def __init__(self, references: Sequence[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._references = tuple(references)
        self._clock = clock
        self._keys: Mapping[str, DecryptionKey] = _load(self._references)
        self._looked = clock()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, for people."""
        return tuple(self._keys)

    def first_of(self, kids: Iterable[str]) -> DecryptionKey | None:
        """The key of the first of these ids that there is one of."""
        wanted = tuple(kids)
        for kid in wanted:
            if kid in self._keys:
                return self._keys[kid]
        if self._look_again():
            return next((self._keys[kid] for kid in wanted if kid in self._keys), None)
        return None

    def _look_again(self) -> bool:
        """Whether it was time to, and the keys could be read. If not, those that there are stay."""
        if not self._references or self._clock() - self._looked < LOOK_AGAIN_S:
            return False
        self._looked = self._clock()
        try:
            self._keys = _load(self._references)
        except KeyringError as error:
            logger.error("decryption keys were not read again, the last ones stay: %s", error)
            return False
        return True


def load_operations_key(reference: str) -> bytes:
    """The secret under which operations of encrypted tasks are named.

    Raises:
        KeyringError: there is no key, or it is of another scheme than ``aes-256-gcm``.
    """
    key = parse_decryption_key(read_secret_text(reference), reference)
    if key.scheme != Aes256Gcm.name:
        raise KeyringError(f"{reference}: operations are named under a key of scheme {Aes256Gcm.name!r}")
    return hmac.digest(key.secret.reveal(), b"safecelery/operations/v1", "sha256")


def _load(references: Sequence[str]) -> Mapping[str, DecryptionKey]:
    found: dict[str, DecryptionKey] = {}
    for reference in references:
        for place in _places(reference):
            key = parse_decryption_key(read_secret_text(place), place)
            if key.kid in found and found[key.kid].secret.reveal() != key.secret.reveal():
                raise KeyringError(f"{place}: another decryption key has the id {key.kid!r}, too")
            found[key.kid] = key
    return found


def _places(reference: str) -> Sequence[str]:
    if not reference.startswith(_DIRECTORY):
        return (reference,)
    directory = Path(reference.removeprefix(_DIRECTORY))
    if not directory.is_dir():
        raise KeyringError(f"decryption keys {reference}: not a directory")
    return tuple(f"file:{path}" for path in sorted(directory.glob("*.key")) if not path.name.startswith("."))
