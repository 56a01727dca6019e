"""Files that are a secret: private keys, trust stores that hold one, pickled state of workers and beat.

Nothing of what such a file contains leaves this module, except what kind of file it is.
"""

from __future__ import annotations

import posixpath
import re
import stat
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from safecelery.lint.source.beside import Beside
from safecelery.policy.facts import UNKNOWN, FileFacts, Place, Tri, Unknown

__all__ = ["Repository", "may_be_secret", "read_secret"]

_LARGEST = 65_536
_PEM = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----")
_ENCRYPTED = re.compile(rb"ENCRYPTED|DEK-Info")
_SUFFIXES = (".pem", ".key", ".p8", ".pk8", ".crt", ".cert", ".rsa", ".ed25519", ".asc", ".gpg")
_NAMES = frozenset({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "private_key", "privkey"})
_STATE = re.compile(
    r"celerybeat-schedule(?:\.(?:db|dat|dir|bak|pag))?$|(?:celery|worker)[\w-]*\.(?:state|statedb)(?:\.db)?$"
)
_EXAMPLE = re.compile(
    r"(?:^|[/_.-])(?:tests?|testing|unittests?|testdata|fixtures?|examples?|samples?|demos?|mocks?|docs?|dev|development"
    r"|local|localhost|snakeoil|dummy|e2e|ci|cassettes)(?=[/_.-]|$)"
)
_OURS = ("kid", "scheme", "owner", "secret")


def may_be_secret(relative: str) -> bool:
    """Whether the name is one that :func:`read_secret` looks into."""
    name = posixpath.basename(relative).lower()
    return name.endswith(_SUFFIXES) or name in _NAMES or _STATE.search(name) is not None or name.endswith(".toml")


def read_secret(relative: str, absolute: str, repository: Repository, inside: str = "") -> FileFacts | None:
    """What secret the file is or holds; None for none. Raises OSError if it cannot be read.

    ``inside`` is the path within the project, which tells examples from the rest; ``relative`` by default.
    """
    found = _secret(relative, absolute, repository)
    return found and replace(found, example=_EXAMPLE.search((inside or relative).lower()) is not None)


def _secret(relative: str, absolute: str, repository: Repository) -> FileFacts | None:
    path = Path(absolute)
    name = posixpath.basename(relative).lower()
    if _STATE.search(name):
        return _fact(relative, path, "state-file", "a pickled schedule or worker state", repository)
    with path.open("rb") as file:
        head = file.read(_LARGEST)
    if b"\0" in head[:1024]:
        return None
    match = _PEM.search(head)
    if match is not None:
        encrypted = "an encrypted " if _ENCRYPTED.search(head[match.start() : match.start() + 400]) else "a "
        kind = match["kind"].decode("ascii").strip().removeprefix("ENCRYPTED").strip()
        detail = f"{encrypted}{kind + ' ' if kind else ''}private key"
        store: Literal["private-key", "trust-store"] = "trust-store" if b"[keys." in head else "private-key"
        return _fact(relative, path, store, detail, repository, holds=True)
    return _ours(relative, path, head, repository) if name.endswith((".toml", ".key")) else None


def _ours(relative: str, path: Path, head: bytes, repository: Repository) -> FileFacts | None:
    """A private key or a trust store of safecelery (safecelery/keys/private.py, trust.py)."""
    if b"scheme" not in head:
        return None
    import tomllib

    try:
        document = tomllib.loads(head.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if all(isinstance(document.get(member), str) for member in _OURS):
        return _fact(relative, path, "private-key", "a private key of safecelery", repository)
    keys = document.get("keys")
    entries = [entry for entry in keys.values() if isinstance(entry, dict)] if isinstance(keys, dict) else []
    if not any("scheme" in entry and "owner" in entry for entry in entries):
        return None
    # In a trust store, "secret" refers to where a shared secret lies: file:PATH or env:NAME.
    held = any(
        isinstance(secret := entry.get("secret"), str) and not secret.startswith(("file:", "env:")) for entry in entries
    )
    return _fact(relative, path, "trust-store", "a trust store of safecelery", repository, holds=held)


def _fact(
    relative: str,
    path: Path,
    kind: Literal["private-key", "state-file", "trust-store"],
    detail: str,
    repository: Repository,
    *,
    holds: bool = False,
) -> FileFacts:
    mode: int | Unknown
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mode = UNKNOWN
    return FileFacts(
        where=Place(relative),
        kind=kind,
        detail=detail,
        mode=mode,
        in_repository=repository.holds(path),
        holds_private_key=holds,
    )


class Repository:
    """What Git's index says of files. Read as bytes, without Git: ``.git/index`` holds every tracked path."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        """Is told what this looks at."""
        self._roots: dict[Path, Path | None] = {}
        self._indexes: dict[Path, bytes | None] = {}

    def holds(self, path: Path) -> Tri:
        """The file is tracked, or the next ``git add .`` takes it along. UNKNOWN without a work tree."""
        try:
            path = path.absolute()
            root = self._root(path.parent)
            if root is None:
                return UNKNOWN
            relative = path.relative_to(root).as_posix()
        except (OSError, ValueError):
            return UNKNOWN
        index = self._index(root)
        if index is None:
            return UNKNOWN
        if relative.encode("utf-8", "surrogateescape") + b"\0" in index:
            return True
        return not self._ignored(root, relative)

    def _root(self, folder: Path) -> Path | None:
        if folder not in self._roots:
            if self._beside.exists(str(folder / ".git")):
                self._roots[folder] = folder
            else:
                self._roots[folder] = None if folder == folder.parent else self._root(folder.parent)
        return self._roots[folder]

    def _index(self, root: Path) -> bytes | None:
        if root not in self._indexes:
            file = root / ".git" / "index"
            self._beside.note(str(file))
            try:
                data = file.read_bytes()
            except OSError:
                data = b""
            # Version 4 shortens paths by what they share with the one before, so they cannot be searched for.
            self._indexes[root] = None if data[4:8] == b"\0\0\0\4" or not data.startswith(b"DIRC") else data
        return self._indexes[root]

    def _ignored(self, root: Path, relative: str) -> bool:
        """A plain pattern of a ``.gitignore`` on the way names the file or a folder above it."""
        parts = relative.split("/")
        for depth in range(len(parts)):
            file = root.joinpath(*parts[:depth]) / ".gitignore"
            self._beside.note(str(file))
            try:
                lines = file.read_text("utf-8", "replace").splitlines()
            except OSError:
                continue
            below = parts[depth:]
            for line in lines:
                pattern = line.strip().rstrip("/")
                if not pattern or pattern[0] in "#!":
                    continue
                if "/" in pattern:
                    whole = pattern.lstrip("/").removeprefix("**/")
                    if any(fnmatchcase("/".join(below[: n + 1]), whole) for n in range(len(below))):
                        return True
                elif any(fnmatchcase(part, pattern) for part in below):
                    return True
        return False
