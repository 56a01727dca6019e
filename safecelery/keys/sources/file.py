"""A private key in a file that only its owner may read; or root's, that one group of this process may read, too."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from safecelery.errors import KeyringError

__all__ = ["read_private_file"]

_LARGEST = 16_384


def read_private_file(place: str) -> str:
    """The file's text.

    The mode is checked on the opened file, so that nobody can exchange it in between. A symbolic link is judged by what
    it leads to: Kubernetes mounts every secret behind two of them.

    Raises:
        KeyringError: not a regular file, not ours, open to others, too large, or not UTF-8.
    """
    path = Path(place)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyringError(f"private key {place}: {error.strerror}") from None
    except ValueError:
        raise KeyringError("private key: the path has a NUL in it") from None
    try:
        _only_ours(os.fstat(descriptor), place)
        data = os.read(descriptor, _LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(data) > _LARGEST:
        raise KeyringError(f"private key {place}: larger than {_LARGEST} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyringError(f"private key {place}: not a private key of safecelery (not UTF-8)") from None


def _only_ours(found: os.stat_result, place: str) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        raise KeyringError(f"private key {place}: not a regular file")
    if found.st_uid not in (os.geteuid(), 0):
        raise KeyringError(f"private key {place}: belongs to user {found.st_uid}, not to this one or root")
    # As PostgreSQL judges its server key: what is root's own may be shown to one group, such as fsGroup of Kubernetes.
    if mode & (0o077 if found.st_uid == os.geteuid() else 0o037):
        raise KeyringError(f"private key {place}: mode {mode:04o} lets others read it; chmod 600 {place}")
