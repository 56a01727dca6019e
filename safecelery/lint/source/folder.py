"""The folder of the cache: who may own it, and how a file of it is read and written.

A file is written under another name and moved into place, so that runs at the same time cannot mix; the last one wins.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterable
from enum import Enum
from typing import Final

__all__ = ["DEFAULT_CACHE", "DefaultCache", "open_folder", "read_own", "write_own"]

_KEPT_DAYS: Final = 30
_TAG: Final = "Signature: 8a477f597d28d172789f06886806bc55\n# What safecelery lint found; may be deleted at any time.\n"


class DefaultCache(Enum):
    """The type of :data:`DEFAULT_CACHE`."""

    DEFAULT = "default"


DEFAULT_CACHE: Final = DefaultCache.DEFAULT
"""``$XDG_CACHE_HOME/safecelery``, else ``~/.cache/safecelery``."""


def open_folder(directory: str | DefaultCache) -> tuple[str | None, str | None]:
    """The folder, made if need be; or None, and a note why there can be none."""
    folder = _default_folder() if isinstance(directory, DefaultCache) else os.path.abspath(directory)
    if folder is None:
        return None, "no cache: neither XDG_CACHE_HOME nor a home folder is known; use --no-cache or a cache folder"
    problem = _prepare(folder, private=isinstance(directory, DefaultCache))
    return (None, f"no cache: {problem}") if problem is not None else (folder, None)


def read_own(path: str) -> bytes:
    """What is in a file of the folder; nothing for one that is missing, a link, no file, not ours alone to write, or
    not as it was written."""
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY"):  # a pipe in its place is not waited for
        flags |= getattr(os, name, 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status):
                return b""
            checksum, _, data = file.read().partition(b"\n")
    except OSError:
        return b""
    return data if checksum == _checksum(data) else b""


def write_own(path: str, parts: Iterable[bytes]) -> str | None:
    """Write a file of the folder, in one step, and forget old ones; gives a note if that failed."""
    temporary = f"{path}.{os.getpid()}.{time.monotonic_ns()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        data = b"".join(parts)
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.writelines((_checksum(data), b"\n", data))
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return f"the cache was not written: {error.strerror or error}"
    _forget_old(os.path.dirname(path))
    return None


def _checksum(data: bytes) -> bytes:
    """Tells a damaged file. Not one that was forged: whoever may write here can write checksums, too."""
    return b"%08x" % zlib.crc32(data)


def _default_folder() -> str | None:
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the specification says to ignore a relative one
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "safecelery")


def _prepare(folder: str, *, private: bool) -> str | None:
    """Make the folder if need be; says why it cannot be used."""
    try:
        status = os.lstat(folder)
    except FileNotFoundError:
        try:
            if private:
                os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
            os.mkdir(folder, mode=0o700)
            for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
                with open(os.path.join(folder, name), "x", encoding="ascii") as file:
                    file.write(text)
            status = os.lstat(folder)
        except FileExistsError:  # another run was faster
            return _prepare(folder, private=private) if os.path.isdir(folder) else f"{folder} cannot be made"
        except OSError as error:
            return f"{folder} cannot be made: {error.strerror or error}"
    except (OSError, ValueError) as error:
        return f"{folder}: {error}"
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a folder"
    if not _is_ours(status):
        return f"{folder} belongs to somebody else or others may write to it; chown it to yourself and chmod it to 700"
    return None


def _is_ours(status: os.stat_result) -> bool:
    if sys.platform == "win32":
        return True
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _forget_old(folder: str) -> None:
    """Delete what no run has written for a month: trees that are gone, and temporary files of runs that died."""
    oldest = time.time() - _KEPT_DAYS * 86_400
    with contextlib.suppress(OSError), os.scandir(folder) as listing:
        for entry in listing:
            if entry.name.startswith(("lint-", "result-")) and entry.stat(follow_symlinks=False).st_mtime < oldest:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
