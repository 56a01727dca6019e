"""The keys that this process reads with, and where they are."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from safecelery.errors import KeyringError
from safecelery.keys.encryption.private import DecryptionKey, parse_decryption_key
from safecelery.keys.encryption.schemes.aes_256_gcm import Aes256Gcm
from safecelery.keys.sources import read_secret_text

__all__ = ["DecryptionKeys", "load_operations_key"]

logger = logging.getLogger("safecelery")

#: Reference of a directory with one key in each file ``*.key``.
_DIRECTORY = "directory:"


class DecryptionKeys:
    """The private keys of one process, by id. A key that is asked for and not there is looked for again.

    So a new key can be laid beside the old one while a worker runs: the first message that is encrypted to it makes the
    worker look. It reads the files only if they changed since: a message names a key, so anybody who may send can ask.

    Args:
        references: ``file:PATH``, ``env:NAME``, or ``directory:PATH`` for each file ``*.key`` in it.

    Raises:
        KeyringError: a reference leads to no key, or two keys have one id.
    """

    def __init__(self, references: Sequence[str] = ()) -> None:
        self._references = tuple(references)
        self._seen = _state(self._references)
        self._keys: Mapping[str, DecryptionKey] = _load(self._references)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, for people."""
        return tuple(self._keys)

    def first_of(self, kids: Iterable[str]) -> DecryptionKey | None:
        """The key of the first of these ids that there is one of."""
        wanted = tuple(kids)
        found = next((self._keys[kid] for kid in wanted if kid in self._keys), None)
        if found is None and self._look_again():
            return next((self._keys[kid] for kid in wanted if kid in self._keys), None)
        return found

    def _look_again(self) -> bool:
        """Whether there is something new. What cannot be read is said once, and the keys that there are stay."""
        state = _state(self._references)
        if state == self._seen:
            return False
        self._seen = state
        try:
            self._keys = _load(self._references)
        except KeyringError as error:
            logger.error("decryption keys were not read again, the last ones stay: %s", error)
            return False
        return True


def _state(references: Sequence[str]) -> tuple[object, ...]:
    """What changes when a file behind a reference does."""
    return tuple(_stamp(place) for reference in references for place in (reference, *_places(reference, missing=())))


def _stamp(place: str) -> object:
    source, _, path = place.partition(":")
    if source not in ("file", "directory"):
        return place
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return place
    return place, found.st_mtime_ns, found.st_ino, found.st_size


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


def _places(reference: str, missing: Sequence[str] | None = None) -> Sequence[str]:
    if not reference.startswith(_DIRECTORY):
        return (reference,)
    directory = Path(reference.removeprefix(_DIRECTORY))
    if not directory.is_dir():
        if missing is not None:
            return missing
        raise KeyringError(f"decryption keys {reference}: not a directory")
    return tuple(f"file:{path}" for path in sorted(directory.glob("*.key")) if not path.name.startswith("."))
