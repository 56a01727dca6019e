"""What is done to the bytes of an encrypted container by somebody who cannot open it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from safecelery.message.encrypted import MAGIC, Container, parse_container

__all__ = ["SPOILT"]

_TAG_BYTES = 16
#: One byte says how many recipients there are, and how long an id is; two say how long a wrap is.
_MOST, _LONGEST_WRAP = 255, 65_535
_Wraps = list[tuple[bytes, bytes]]


def _with(change: Callable[[_Wraps], _Wraps]) -> Callable[[bytes], bytes]:
    """Other recipients before the same ciphertext, as no honest sender would write them."""

    def spoil(data: bytes) -> bytes:
        container = parse_container(data)
        wraps = change([(one.kid.encode(), one.wrapped) for one in container.recipients])
        head = [MAGIC, bytes([len(wraps)])]
        for kid, wrapped in wraps:
            head += [bytes([len(kid)]), kid, len(wrapped).to_bytes(2, "big"), wrapped]
        return b"".join([*head, _sealed(container)])

    return spoil


def _each(change: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> Callable[[bytes], bytes]:
    return _with(lambda wraps: [change(kid, wrapped) for kid, wrapped in wraps])


def _sealed(container: Container) -> bytes:
    return container.nonce + container.ciphertext


def _crowd(wraps: _Wraps) -> _Wraps:
    (_, wrapped), *_ = wraps
    return [*wraps, *((b"nobody-%d" % number, wrapped) for number in range(_MOST - len(wraps)))]


def _nonceless(data: bytes) -> bytes:
    container = parse_container(data)
    return container.head + container.ciphertext


#: Name -> what becomes of the bytes.
SPOILT: Mapping[str, Callable[[bytes], bytes]] = {
    "byte": lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
    "cut": lambda data: data[:-1],
    "tagless": lambda data: data[:-_TAG_BYTES],
    "nonceless": _nonceless,
    "version-2": lambda data: MAGIC[:-1] + b"\x02" + data[len(MAGIC) :],
    "cut-within-the-recipients": lambda data: data[:40],
    "nobody": _with(lambda wraps: []),
    "crowd": _with(_crowd),
    "twice": _with(lambda wraps: [wraps[0], *wraps]),
    "reversed": _with(lambda wraps: wraps[::-1]),
    "renamed": _each(lambda kid, wrapped: (kid[:-1] + b"_", wrapped)),
    "name-of-escapes": _each(lambda kid, wrapped: (b"\x1b[2J\n" + kid, wrapped)),
    "wrap-of-nothing": _each(lambda kid, wrapped: (kid, b"")),
    "wrap-huge": _each(lambda kid, wrapped: (kid, wrapped.ljust(_LONGEST_WRAP, b"A"))),
}
