"""Bytes from disk, and text from bytes, as Python itself would decode them (PEP 263)."""

from __future__ import annotations

import os
import stat
from typing import Final

__all__ = ["MAX_BYTES", "Stamp", "TooLargeError", "decode_source", "read_bytes", "stamp_of"]

MAX_BYTES: Final = 5_000_000
"""A larger source file is not parsed but reported, if it mentions Celery at all."""

Stamp = tuple[int, int, int, int]
"""mtime_ns, ctime_ns, size, inode: the same as long as the file was not touched."""


class TooLargeError(Exception):
    """A file above MAX_BYTES. ``parts`` gives its bytes in overlapping pieces."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def read_bytes(path: str) -> tuple[bytes, Stamp]:
    """All bytes of a regular file, and its stamp from before they were read.

    Raises OSError, TooLargeError, and ValueError for a path with a null byte.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is not a regular file")
        if status.st_size > MAX_BYTES:
            raise TooLargeError(status.st_size)
        data = os.read(descriptor, status.st_size + 1)
        if len(data) != status.st_size:  # it grew or shrank meanwhile, or the system gives it in parts
            data = _rest(descriptor, data)
        return data, stamp_of(status)
    finally:
        os.close(descriptor)


def _rest(descriptor: int, data: bytes) -> bytes:
    parts = [data]
    size = len(data)
    while parts[-1]:
        if size > MAX_BYTES:
            raise TooLargeError(size)
        parts.append(os.read(descriptor, 1 << 20))
        size += len(parts[-1])
    return b"".join(parts)


def decode_source(data: bytes) -> tuple[str, list[tuple[int, str]]]:
    """The text of a module, and what was wrong with its encoding: pairs of line and message.

    Bytes that the stated encoding does not know, an unknown encoding, and null bytes are reported, and the text is made
    readable all the same (latin-1, spaces), so that the rest of the module is not lost.
    """
    problems: list[tuple[int, str]] = []
    encoding = "utf-8"
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    else:
        encoding = _cookie(data) or encoding
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(
            (line, f"not {encoding}: {error.reason}; save the file as UTF-8 or state its encoding (PEP 263)")
        )
        text = data.decode("latin-1")
    except (LookupError, ValueError, TypeError):  # unknown, or a codec that is not for text
        problems.append((1, f"unknown encoding {encoding!r}; save the file as UTF-8"))
        text = data.decode("latin-1")
    if "\0" in text:
        problems.append((text.count("\n", 0, text.index("\0")) + 1, "a null byte: Python refuses this file"))
        text = text.replace("\0", " ")
    return text, problems


def _cookie(data: bytes) -> str | None:
    """The encoding that one of the first two lines states, as PEP 263 spells it."""
    head = data[:400].split(b"\n", 2)[:2]
    if not any(b"coding" in line for line in head):
        return None
    import re

    for line in head:
        match = re.match(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line)
        if match:
            return match[1].decode("ascii")
        if line.strip() and not line.lstrip().startswith(b"#"):
            return None
    return None
