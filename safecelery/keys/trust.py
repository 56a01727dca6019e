"""The trust store: which keys are believed, whose they are, and what each may send."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from safecelery.errors import KeyringError, Reason
from safecelery.keys import base64url
from safecelery.keys.document import key_id
from safecelery.keys.encryption.trusted import EncryptionKey, encryption_entry
from safecelery.keys.entry import glob_matches, granted, grants, head_of_entry, material
from safecelery.keys.interface import SignatureMismatch, Verifier
from safecelery.keys.private import parse_private
from safecelery.keys.schemes import scheme_named
from safecelery.keys.sources import read_secret_text, secret_files

__all__ = ["TrustStore", "TrustedKey", "glob_matches"]

_REQUIRED = {"owner", "scheme", "expires", "send", "queues"}
_OPTIONAL = {"public", "secret", "not_before", "revoked", "control", "results", "mode"}
_MODES = ("enforce", "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """One key that is believed, within its grants and its time."""

    kid: str
    owner: str
    scheme: str
    not_before: float | None
    """Seconds since the epoch."""
    expires: float
    revoked: bool
    send: tuple[str, ...]
    queues: tuple[str, ...]
    control: tuple[str, ...]
    verifier: Verifier = field(repr=False, compare=False)
    results: tuple[str, ...] = ()
    mode: Literal["enforce", "report"] = "enforce"
    """``report``: what this key may not send is admitted all the same, counted and logged; for adoption."""

    def check_validity(self, now: float, *, max_skew_s: float = 0) -> Reason | None:
        """Why the key is not valid at ``now`` (seconds since the epoch), or ``None``.

        Args:
            max_skew_s: seconds by which the clock that wrote ``not_before`` may be ahead of this one.
        """
        if self.revoked:
            return Reason.KEY_REVOKED
        if now >= self.expires or (self.not_before is not None and now < self.not_before - max_skew_s):
            return Reason.KEY_EXPIRED
        return None

    def is_valid(self, now: float) -> bool:
        """Nothing is against it at ``now`` (seconds since the epoch)."""
        return self.check_validity(now) is None

    def may_send_task(self, task: str) -> bool:
        """The owner may send this task."""
        return granted(task, self.send)

    def may_use_queue(self, queue: str) -> bool:
        """The owner may send to this queue."""
        return granted(queue, self.queues)

    def may_answer(self, task: str) -> bool:
        """The owner's word counts as the result of this task."""
        return granted(task, self.results)

    def may_command(self, command: str) -> bool:
        """The owner may give this remote command."""
        return granted(command, self.control)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """All keys that are believed, by id."""

    keys: Mapping[str, TrustedKey]
    encryption: Mapping[str, EncryptionKey] = field(default_factory=lambda: MappingProxyType({}))
    """Keys that bodies and results are encrypted to, by id. They sign nothing."""
    files: tuple[Path, ...] = field(default=(), compare=False)
    """Files of the secrets that it refers to: another secret there is another store."""

    @classmethod
    def empty(cls) -> TrustStore:
        """Believes nobody: for a process that only sends."""
        return cls(MappingProxyType({}))

    @classmethod
    def load(cls, path: Path) -> TrustStore:
        """Read the TOML file.

        Raises:
            KeyringError: unreadable, writable by others, or anything in it unknown, missing or wrong.
        """
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read().decode("utf-8")
        except OSError as error:
            raise KeyringError(f"trust store {path}: cannot be read: {error.strerror}") from None
        except ValueError:
            raise KeyringError(f"trust store {path}: cannot be read: not UTF-8, or no path") from None
        if mode & 0o022:
            raise KeyringError(
                f"trust store {path}: mode {mode:04o} lets others write it, and so grant themselves anything; "
                f"chmod go-w {path}"
            )
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> TrustStore:
        """Read the TOML text; ``where`` names it in errors.

        Raises:
            KeyringError: anything in it is unknown, missing or wrong, or there is no key in it.
        """
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise KeyringError(f"trust store {where}: not TOML: {error}") from None
        if odd := document.keys() - {"keys", "encryption"}:
            raise KeyringError(
                f'trust store {where}: unknown table {sorted(odd)[0]!r}; keys stand under [keys."ID"], '
                'those for encryption under [encryption."ID"]'
            )
        entries = document.get("keys")
        if not isinstance(entries, dict) or not entries:
            raise KeyringError(f"trust store {where}: no keys; an empty store would refuse everything in silence")
        encryption = document.get("encryption", {})
        if not isinstance(encryption, dict):
            raise KeyringError(f"trust store {where}: 'encryption' is not a table")
        return cls(
            MappingProxyType({kid: _entry(kid, entry, f"trust store {where}: key {kid!r}")
                              for kid, entry in entries.items()}),
            MappingProxyType({kid: encryption_entry(kid, entry, f"trust store {where}: encryption key {kid!r}")
                              for kid, entry in encryption.items()}),
            tuple(path for entry in [*entries.values(), *encryption.values()] if isinstance(entry.get("secret"), str)
                  for path in secret_files(entry["secret"])),
        )  # fmt: skip

    def lookup(self, kid: str) -> TrustedKey | None:
        """The key of that id, valid or not."""
        return self.keys.get(kid)

    def commanders(self) -> tuple[TrustedKey, ...]:
        """The keys that may give any remote command at all; revoked ones are none of them, expired ones may be."""
        return tuple(key for key in self.keys.values() if key.control and not key.revoked)


def _entry(kid: str, entry: Any, where: str) -> TrustedKey:
    head = head_of_entry(entry, where, _REQUIRED, _OPTIONAL)
    if entry.get("mode", "enforce") not in _MODES:
        raise KeyringError(f"{where}: mode must be 'enforce' or 'report'")
    verifier, public = _verifier(entry, where)
    if public is not None and key_id(head.owner, public) != kid:
        raise KeyringError(f"{where}: is not the id of this key and owner ({key_id(head.owner, public)!r})")
    return TrustedKey(
        kid=kid,
        owner=head.owner,
        scheme=entry["scheme"],
        not_before=head.not_before,
        expires=head.expires,
        revoked=head.revoked,
        send=grants(entry, "send", where),
        queues=grants(entry, "queues", where),
        control=grants(entry, "control", where) if "control" in entry else (),
        results=grants(entry, "results", where) if "results" in entry else (),
        verifier=verifier,
        mode=entry.get("mode", "enforce"),
    )


class _Nothing:
    """Verifies nothing: of a revoked key whose secret nobody should have to keep."""

    def verify(self, signature: bytes, data: bytes) -> None:
        raise SignatureMismatch


def _verifier(entry: dict[str, Any], where: str) -> tuple[Verifier, bytes | None]:
    """The verifier and the public bytes that the key's id is made of."""
    scheme = scheme_named(entry["scheme"], where)
    given = material(entry, scheme, where)
    try:
        if scheme.symmetric and entry.get("revoked") is True:
            return _Nothing(), None
        if scheme.symmetric:
            key = parse_private(read_secret_text(given), given)
            if key.scheme != scheme.name:
                raise KeyringError(f"{where}: the key behind 'secret' is of scheme {key.scheme!r}, not {scheme.name!r}")
            secret = key.secret.reveal()
            return scheme.verifier(secret), scheme.public(secret)
        public = base64url.decode(given)
        return scheme.verifier(public), public
    except ValueError:
        wanted = "secret" if scheme.symmetric else "public"
        raise KeyringError(f"{where}: {wanted!r} is no key of scheme {scheme.name!r}") from None
