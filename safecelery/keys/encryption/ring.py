"""The keys that this process reads with, and where they are."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Mapping, Sequence

from safecelery.errors import KeyringError
from safecelery.keys.encryption.private import DecryptionKey, parse_decryption_key
from safecelery.keys.encryption.schemes.aes_256_gcm import Aes256Gcm
from safecelery.keys.sources import absolute, read_documents, read_secret_text, secret_files
from safecelery.keys.watched import file_stamp

__all__ = ["DecryptionKeys", "load_operations_key"]

logger = logging.getLogger("safecelery")


class DecryptionKeys:
    """The private keys of one process, by id. A key that is asked for and not there is looked for again.

    So a new key can be laid beside the old one while a worker runs: the first message that is encrypted to it makes the
    worker look. It reads the files only if they changed since: a message names a key, so anybody who may send can ask.

    Args:
        references: as :data:`~safecelery.keys.sources.SOURCES` reads them; a directory holds nothing but such keys.

    Raises:
        KeyringError: a reference leads to no key, or two keys have one id.
    """

    def __init__(self, references: Sequence[str] = ()) -> None:
        self._references = tuple(absolute(reference) for reference in references)
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
    return tuple((reference, path, file_stamp(path)) for reference in references for path in secret_files(reference))


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
        for document in read_documents(reference):
            key = parse_decryption_key(document.text, document.where)
            if key.kid in found and found[key.kid].secret.reveal() != key.secret.reveal():
                raise KeyringError(f"{document.where}: another decryption key has the id {key.kid!r}, too")
            found[key.kid] = key
    return found
