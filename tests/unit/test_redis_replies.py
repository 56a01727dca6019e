"""The bounded parser reads what redis-py's reads, however it comes in pieces, and keeps nothing that is too long."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis._parsers import Encoder, _RESP3Parser
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import InvalidResponse, NoPermissionError, ResponseError
from redis.exceptions import TimeoutError as WaitedInVain

from safecelery.redis_replies import DEEPEST, LONGEST_LINE, BoundedParser, Oversized, parser

LONGEST, MOST = 100, 250


class Pieces:
    """A socket that gives these pieces, never more than it is asked for; then there is nothing to read, or the end."""

    def __init__(self, pieces: Sequence[bytes], *, ends: bool = True) -> None:
        self.pieces, self.ends = list(pieces), ends
        self.largest = 0

    def settimeout(self, seconds: float | None) -> None:
        """Nothing here waits."""

    def recv(self, size: int) -> bytes:
        if not self.pieces:
            if self.ends:
                return b""
            raise socket.timeout  # noqa: UP041  # as redis-py looks for it
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]


def reading(read: Any, sock: Any, *, text: bool = False) -> Any:
    encoder = Encoder("utf-8", "replace", text)
    read.on_connect(SimpleNamespace(_sock=sock, socket_timeout=None, encoder=encoder))
    return read


def ours(data: bytes | Sequence[bytes], *, ends: bool = True, most: int | None = None, text: bool = False) -> Any:
    pieces = [data] if isinstance(data, bytes) else data
    return reading(parser(LONGEST, most)(socket_read_size=64), Pieces(pieces, ends=ends), text=text)


def plain(value: Any) -> Any:
    """Errors compare by class and text."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items()}
    return (type(value), str(value)) if isinstance(value, Exception) else value


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


def many(kind: bytes, values: Sequence[bytes]) -> bytes:
    return b"%b%d\r\n%b" % (kind, len(values), b"".join(values))


LEAF = st.one_of(
    st.binary(max_size=LONGEST).map(bulk),
    st.binary(max_size=40).map(lambda data: b"=%d\r\ntxt:%b\r\n" % (len(data) + 4, data)),
    st.integers().map(lambda n: b":%d\r\n" % n),
    st.floats(allow_nan=False).map(lambda n: b",%r\r\n" % n),
    st.sampled_from([b"+OK\r\n", b"_\r\n", b"#t\r\n", b"#f\r\n", b"(123\r\n", b"-ERR no\r\n", b"-NOPERM no\r\n"]),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.builds(many, st.sampled_from([b"*", b"~"]), st.lists(inner, max_size=4))
    | st.lists(inner, max_size=3).map(lambda values: b"%%%d\r\n" % len(values)
                                      + b"".join(bulk(b"%d" % n) + value for n, value in enumerate(values))),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(VALUE, min_size=1, max_size=4), st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_any_pieces_give_what_redis_py_reads(values: list[bytes], cuts: list[int], text: bool) -> None:
    data, pieces = b"".join(values), []
    while data:
        cuts.append(cuts.pop(0))
        pieces.append(data[: cuts[-1]])
        data = data[cuts[-1] :]
    ours_, theirs = ours(pieces, text=text), reading(_RESP3Parser(64), Pieces(pieces), text=text)  # type: ignore[no-untyped-call]
    for _ in values:
        assert plain(ours_.read_response()) == plain(theirs.read_response())
    with pytest.raises(ConnectionLost):
        ours_.read_response()


def test_nothing_of_the_older_dialect_is_unknown() -> None:
    read = ours(b"$-1\r\n*-1\r\n*0\r\n")
    assert [read.read_response() for _ in range(3)] == [None, None, []]


@given(st.integers(LONGEST + 1, 5_000), st.lists(st.integers(1, 300), min_size=1))
def test_a_long_string_is_read_past_and_what_follows_is_read(size: int, cuts: list[int]) -> None:
    data, pieces = many(b"*", [bulk(b"a"), bulk(b"x\r\n" * size), bulk(b"b")]) + b"+next\r\n", []
    while data:
        cuts.append(cuts.pop(0))
        pieces.append(data[: cuts[-1]])
        data = data[cuts[-1] :]
    read = ours(pieces)
    assert read.read_response() == [b"a", Oversized(3 * size), b"b"]
    assert read.read_response() == b"next"


def test_a_long_string_is_never_in_memory() -> None:
    read = ours(b"")
    read._sock.pieces[:] = [b"$%d\r\n" % (64 * 10_000), *[b"x" * 64] * 10_000, b"\r\n:1\r\n"]
    held = []
    theirs = read._buffer._read_from_socket

    def watched(*args: Any, **kwargs: Any) -> Any:
        held.append(len(read._buffer._buffer.getvalue()))
        return theirs(*args, **kwargs)

    read._buffer._read_from_socket = watched
    assert read.read_response() == Oversized(640_000)
    assert max(held) <= 64
    assert read.read_response() == 1


def test_many_strings_of_one_reply_are_bounded_together() -> None:
    read = ours(many(b"*", [bulk(b"x" * LONGEST)] * 4 + [bulk(b"y")]) + bulk(b"z" * LONGEST), most=MOST)
    assert read.read_response() == [b"x" * LONGEST] * 2 + [Oversized(LONGEST)] * 2 + [b"y"]
    assert read.read_response() == b"z" * LONGEST


def test_a_reply_that_is_not_whole_is_read_again_from_its_beginning() -> None:
    read = ours([b"*2\r\n:1\r\n$3\r\na"], ends=False)
    for _ in range(2):
        with pytest.raises(WaitedInVain):
            read.read_response(timeout=0)
    read._sock.pieces.append(b"bc\r\n")
    assert read.read_response() == [1, b"abc"]


def test_what_stops_in_a_long_string_ends_the_connection() -> None:
    """What was read past cannot be read again."""
    read = ours([b"*2\r\n$200\r\n" + b"x" * 100], ends=False)
    with pytest.raises(WaitedInVain):
        read.read_response(timeout=0)
    read._sock.pieces.append(b"x" * 100 + b"\r\n:1\r\n")
    with pytest.raises(ConnectionLost):
        read.read_response()


@pytest.mark.parametrize(
    "data",
    [b"+" + b"x" * (LONGEST_LINE + 100) + b"\r\n", b"*1\r\n" * (DEEPEST + 1) + b":1\r\n", b"*99999999999\r\n", b"?\r\n",
     b"\r\n"],
    ids=["line", "depth", "values", "unknown", "empty"],
)  # fmt: skip
def test_no_reply_of_redis_is_like_that(data: bytes) -> None:
    with pytest.raises(InvalidResponse):
        ours(data).read_response()


def test_errors_are_those_of_redis_py() -> None:
    read = ours(b"-NOPERM no\r\n-other\r\n!5\r\nERR x\r\n-ERR max number of clients reached\r\n")
    assert [type(read.read_response()) for _ in range(3)] == [NoPermissionError, ResponseError, ResponseError]
    with pytest.raises(ConnectionLost):
        read.read_response()


def test_a_push_is_an_answer_to_whoever_waits_for_one_and_to_nobody_else() -> None:
    push = many(b">", [bulk(b"message"), bulk(b"c"), bulk(b"x" * 500)])
    assert ours(push).read_response(push_request=True) == [b"message", b"c", Oversized(500)]
    assert ours(push * 5_000 + b":7\r\n").read_response() == 7


def test_a_flood_does_not_stay_in_the_buffer() -> None:
    """Something is always in it that was not read yet."""
    read: BoundedParser = parser(10_000)(socket_read_size=65_536)
    one = bulk(b"x" * 9_000)
    whole = one * 1_000
    reading(read, Pieces([whole[start : start + 13_337] for start in range(0, len(whole), 13_337)]))
    largest = 0
    for _ in range(1_000):
        read.read_response()
        assert read._buffer is not None
        largest = max(largest, len(read._buffer._buffer.getvalue()))
    assert largest < 1_500_000
