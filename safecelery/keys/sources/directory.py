"""Private keys in a directory: the one in use, and beside it the next. As Kubernetes and Docker mount secrets."""

from __future__ import annotations

import os
from pathlib import Path

from safecelery.errors import KeyringError
from safecelery.keys.sources.file import read_private_file
from safecelery.keys.sources.interface import Document

__all__ = ["directory_files", "read_directory"]

#: Keys of one identity: the one in use, the next, and some that were forgotten.
_MOST = 64


def _names(place: str) -> list[str]:
    """Everything whose name does not begin with a dot: Kubernetes keeps ``..data`` and its like there."""
    return sorted(name for name in os.listdir(place) if not name.startswith("."))  # noqa: PTH208


def read_directory(place: str) -> tuple[Document, ...]:
    """The documents of all files. Each is judged as a file of its own, and a stranger among them is an error: a key
    that was left out in silence would be missed when it is needed.

    Raises:
        KeyringError: no directory, nothing in it, too much in it, others may write to it, or anything in it that is
            no private file.
    """
    try:
        mode = os.stat(place).st_mode & 0o7777  # noqa: PTH116
        names = _names(place)
    except OSError as error:
        raise KeyringError(f"private keys {place}: {error.strerror}") from None
    except ValueError:
        raise KeyringError("private keys: the path has a NUL in it") from None
    if mode & 0o022 and not mode & 0o1000:
        raise KeyringError(f"private keys {place}: mode {mode:04o} lets others put keys there; chmod go-w {place}")
    if not names:
        raise KeyringError(f"private keys {place}: the directory is empty")
    if len(names) > _MOST:
        raise KeyringError(f"private keys {place}: more than {_MOST} files; this takes a directory of its own")
    paths = [os.path.join(place, name) for name in names]  # noqa: PTH118  # "." and links stay as they were given
    return tuple(Document(f"file:{path}", read_private_file(path)) for path in paths)


def directory_files(place: str) -> tuple[Path, ...]:
    """The directory itself, which changes when a name in it does, and all that is in it."""
    directory = Path(place)
    try:
        return (directory, *(directory / name for name in _names(place)[:_MOST]))
    except (OSError, ValueError):
        return (directory,)
