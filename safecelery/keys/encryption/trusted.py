"""Entries ``[encryption."ID"]`` of the trust store: whom senders encrypt to (docs/spec/encryption-v1.md, section 6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from safecelery.errors import KeyringError
from safecelery.keys import base64url
from safecelery.keys.document import key_id
from safecelery.keys.encryption.interface import EncryptionScheme, Wrapper
from safecelery.keys.encryption.private import parse_decryption_key
from safecelery.keys.encryption.schemes import encryption_scheme_named
from safecelery.keys.entry import granted, grants, head_of_entry, material
from safecelery.keys.sources import read_secret_text

__all__ = ["EncryptionKey", "encryption_entry"]

_REQUIRED = {"owner", "scheme", "expires", "queues"}
_OPTIONAL = {"public", "secret", "not_before", "revoked", "results"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """One key that is encrypted to, within its time."""

    kid: str
    owner: str
    scheme: str
    not_before: float | None
    """Seconds since the epoch."""
    expires: float
    """Senders encrypt to it no more from then on; it still reads."""
    revoked: bool
    queues: tuple[str, ...]
    """Bodies of encrypted tasks to these queues are encrypted to it."""
    results: tuple[str, ...] = ()
    """Results of these tasks are, where results are encrypted."""
    wrapper: Wrapper = field(repr=False, compare=False)

    def is_valid(self, now: float, *, max_skew_s: float = 0) -> bool:
        """Senders may encrypt to it at ``now`` (seconds since the epoch)."""
        begun = self.not_before is None or now >= self.not_before - max_skew_s
        return not self.revoked and begun and now < self.expires

    def reads_queue(self, queue: str) -> bool:
        """Its owner consumes this queue."""
        return granted(queue, self.queues)

    def reads_result_of(self, task: str) -> bool:
        """Its owner may read what this task returns."""
        return granted(task, self.results)


class _Ring:
    """A symmetric key, whose secret is read at its first use: a trust store is for all services, and those that send
    nothing to these queues need not hold the secret."""

    __slots__ = ("_kid", "_reference", "_scheme", "_where", "_wrapper")

    def __init__(self, kid: str, scheme: EncryptionScheme, reference: str, where: str) -> None:
        self._kid, self._scheme, self._reference, self._where = kid, scheme, reference, where
        self._wrapper: Wrapper | None = None

    def wrap(self, content_key: bytes, context: bytes) -> bytes:
        """As ``Wrapper.wrap``. Raises KeyringError where the secret cannot be had, or is another."""
        if self._wrapper is None:
            key = parse_decryption_key(read_secret_text(self._reference), self._reference)
            if (key.scheme, key.kid) != (self._scheme.name, self._kid):
                raise KeyringError(f"{self._where}: the key behind 'secret' is {key.kid!r} of scheme {key.scheme!r}")
            self._wrapper = self._scheme.wrapper(key.secret.reveal())
        return self._wrapper.wrap(content_key, context)


def encryption_entry(kid: str, entry: Any, where: str) -> EncryptionKey:
    """Read one entry, strictly.

    Raises:
        KeyringError: anything in it is unknown, missing or wrong.
    """
    head = head_of_entry(entry, where, _REQUIRED, _OPTIONAL)
    return EncryptionKey(
        kid=kid,
        owner=head.owner,
        scheme=encryption_scheme_named(entry["scheme"], where).name,
        not_before=head.not_before,
        expires=head.expires,
        revoked=head.revoked,
        queues=grants(entry, "queues", where),
        results=grants(entry, "results", where) if "results" in entry else (),
        wrapper=_wrapper(kid, entry, where),
    )


def _wrapper(kid: str, entry: dict[str, Any], where: str) -> Wrapper:
    scheme = encryption_scheme_named(entry["scheme"], where)
    given = material(entry, scheme, where)
    if scheme.symmetric:
        return _Ring(kid, scheme, given, where)
    try:
        public = base64url.decode(given)
        wrapper = scheme.wrapper(public)
    except ValueError:
        raise KeyringError(f"{where}: 'public' is no key of scheme {scheme.name!r}") from None
    if key_id(entry["owner"], public) != kid:
        raise KeyringError(f"{where}: is not the id of this key and owner ({key_id(entry['owner'], public)!r})")
    return wrapper
