"""A body too large for memory: it waits in an unnamed file until it is put aside."""

from __future__ import annotations

import tempfile
from typing import IO, Any, SupportsIndex

__all__ = ["Spool"]


class Spool:
    """Bytes in a temporary file that has no name and ends with this object.

    Reads like bytes as far as amqp's frame writer reads them: ``len()`` and slices (amqp/method_framing.py).
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the object
        self._size = 0

    def append(self, chunk: bytes) -> None:
        """Add to the end.

        Raises:
            OSError: the disk is full.
        """
        self._file.seek(self._size)
        self._file.write(chunk)
        self._size += len(chunk)

    def close(self) -> None:
        """Free the disk."""
        self._file.close()

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice[SupportsIndex | None, SupportsIndex | None, Any]) -> bytes:
        start, stop, _ = part.indices(self._size)
        self._file.seek(start)
        return self._file.read(max(0, stop - start))
