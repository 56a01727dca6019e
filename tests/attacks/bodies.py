"""Bodies that are not JSON: what a worker that decodes by the message's word would run or choke on."""

from __future__ import annotations

import bz2
import lzma
import pickle
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["BODIES", "compressed", "compressed_zeros"]


class _Exploit:
    """Unpickling this leaves a line in the witness file."""

    def __init__(self, witness: Path, canary: str) -> None:
        self._code = f'open({str(witness)!r}, \'a\').write(\'{{"task": "PWNED", "canary": "{canary}"}}\\n\')'

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self._code,)


def _pickle(value: Any, witness: Path, canary: str) -> bytes:
    return pickle.dumps([[_Exploit(witness, canary)], {}, {}], protocol=value)


def _yaml(value: Any, witness: Path, canary: str) -> bytes:
    return f"!!python/object/apply:os.system ['echo {value} {canary} >> {witness}']\n".encode()


def _msgpack(value: Any, witness: Path, canary: str) -> bytes:
    """``[[canary], {}, {}]``, by hand: fixarray of three, fixarray of one, str8 (msgpack specification, "Formats")."""
    text = f"{value}{canary}".encode()
    return b"\x93\x91\xd9" + bytes([len(text)]) + text + b"\x80\x80"


def _nested(value: Any, witness: Path, canary: str) -> bytes:
    return b'[["%b", %b%b], {}, {}]' % (canary.encode(), b"[" * value, b"]" * value)


#: Kind -> maker, given the member's value, the witness file and the canary.
BODIES: dict[str, Callable[[Any, Path, str], bytes]] = {
    "pickle": _pickle,
    "yaml": _yaml,
    "msgpack": _msgpack,
    "nested": _nested,
}

#: As kombu names and makes them (kombu/compression.py).
_COMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": zlib.compressobj,
    "bzip2": bz2.BZ2Compressor,
    "lzma": lzma.LZMACompressor,
}
_MIB = 1 << 20


def compressed(kind: str, data: bytes) -> bytes:
    """``data``, as kombu compresses."""
    compressor = _COMPRESSORS[kind]()
    return bytes(compressor.compress(data) + compressor.flush())


@lru_cache
def compressed_zeros(kind: str, mib: int) -> bytes:
    """A bomb: a few kilobytes that become ``mib`` MiB of zeros."""
    compressor = _COMPRESSORS[kind]()
    return b"".join([*(compressor.compress(bytes(_MIB)) for _ in range(mib)), compressor.flush()])
