"""The table of sources: where private keys come from. A new one is a module beside this and a line in ``SOURCES``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from safecelery.errors import KeyringError, did_you_mean
from safecelery.keys.private import PrivateKey, key_in_use, parse_private
from safecelery.keys.sources.directory import directory_files, read_directory
from safecelery.keys.sources.environment import read_environment
from safecelery.keys.sources.file import read_private_file
from safecelery.keys.sources.interface import Document, Source

__all__ = [
    "SOURCES",
    "Document",
    "absolute",
    "load_private",
    "load_privates",
    "read_documents",
    "read_secret_text",
    "secret_files",
]

#: Scheme of the reference -> how to read what is behind it.
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "file": Source(
            lambda place: (Document(f"file:{place}", read_private_file(place)),), lambda place: (Path(place),)
        ),
        "env": Source(lambda name: (Document(f"env:{name}", read_environment(name)),), lambda _: ()),
        "directory": Source(read_directory, directory_files),
    }
)


def _source(reference: str) -> tuple[Source, str]:
    name, colon, place = reference.partition(":")
    if not colon or name not in SOURCES or not place:
        # Not quoted: by mistake it could be the secret itself.
        raise KeyringError(
            f"a key reference must begin with {' or '.join(f'{s}:' for s in SOURCES)}"
            f"{did_you_mean(name, SOURCES) if colon else ''}, as in file:/run/secrets/web.key"
        )
    return SOURCES[name], place


def read_documents(reference: str) -> tuple[Document, ...]:
    """The documents behind ``file:/run/secrets/web.key``, ``env:WEB_KEY`` or ``directory:/run/secrets/web-keys``.

    Raises:
        KeyringError: unknown source, or nothing there, or a file that others may read.
    """
    source, place = _source(reference)
    return source.read(place)


def read_secret_text(reference: str) -> str:
    """The one document behind a reference.

    Raises:
        KeyringError: as :func:`read_documents`, or there are several.
    """
    first, *others = read_documents(reference)
    if others:
        raise KeyringError(
            f"{reference}: {len(others) + 1} private keys, where one is wanted; name its file (file:...)"
        )
    return first.text


def secret_files(reference: str) -> tuple[Path, ...]:
    """What to look at for a change of the documents; empty for a source that cannot be watched.

    Raises:
        KeyringError: unknown source.
    """
    source, place = _source(reference)
    return source.files(place)


def absolute(reference: str) -> str:
    """The reference with its path made absolute, as a process that changes its directory needs it."""
    name, _, place = reference.partition(":")
    return f"{name}:{os.path.abspath(place)}" if name in ("file", "directory") and place else reference  # noqa: PTH100  # keeps links


def load_privates(reference: str) -> tuple[PrivateKey, ...]:
    """Every private key behind a reference; all are of one owner.

    Raises:
        KeyringError: one cannot be had or is none, or they are of several owners. Never shows what was read.
    """
    keys = tuple(parse_private(document.text, document.where) for document in read_documents(reference))
    owners = sorted({key.owner for key in keys})
    if len(owners) > 1:
        raise KeyringError(f"{reference}: keys of several owners ({', '.join(owners)}); give each a place of its own")
    return keys


def load_private(reference: str) -> PrivateKey:
    """The private key behind a reference; of several, the one in use now (:func:`key_in_use`).

    Raises:
        KeyringError: as :func:`load_privates`.
    """
    return key_in_use(load_privates(reference))
