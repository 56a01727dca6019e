"""Decompression gives the whole body, within its limits, or nothing."""

from __future__ import annotations

import bz2
import lzma
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.message.inflate import COMPRESSIONS, inflate

PLAIN = b'[[1, 2], {}, {"chain": null}]' * 50
NAMES: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...]]] = {
    "zlib": (zlib.compress, ("gzip", "zlib", "application/x-gzip")),
    "bz2": (bz2.compress, ("bzip2", "bzip", "application/x-bz2", "application/x-bzip2")),
    "lzma": (lzma.compress, ("lzma", "xz", "application/x-lzma")),
}
EVERY = [pytest.param(compress, name, id=name) for compress, names in NAMES.values() for name in names]


def refusal(data: bytes, name: str | None, most: int) -> Reason:
    with pytest.raises(Rejected) as caught:
        inflate(data, name, most)
    return caught.value.reason


def test_every_compression_is_tested() -> None:
    assert {name for _, names in NAMES.values() for name in names} == COMPRESSIONS.keys()


def test_without_compression_the_body_is_as_it_came() -> None:
    assert inflate(PLAIN, None, 0) == PLAIN


@pytest.mark.parametrize(("compress", "name"), EVERY)
def test_a_body_within_the_limit_is_whole(compress: Callable[[bytes], bytes], name: str) -> None:
    assert inflate(compress(PLAIN), name, len(PLAIN)) == PLAIN
    assert inflate(compress(b""), name, 0) == b""


@pytest.mark.parametrize(("compress", "name"), EVERY)
def test_one_byte_beyond_the_limit_is_refused(compress: Callable[[bytes], bytes], name: str) -> None:
    assert refusal(compress(PLAIN), name, len(PLAIN) - 1) is Reason.TOO_LARGE


@pytest.mark.parametrize(("compress", "name"), EVERY)
def test_what_is_broken_is_refused(compress: Callable[[bytes], bytes], name: str) -> None:
    data = compress(PLAIN)
    for broken in (
        b"",
        b"garbage",
        data[:-1],
        data[: len(data) // 2],
        data[:1],
        data + b"x",
        data + data,
        b"\0" + data,
    ):
        assert refusal(broken, name, len(PLAIN) * 3) is Reason.BODY_MALFORMED


@pytest.mark.parametrize("name", ["", "GZIP", "zstd", "br", "brotli", "application/zstd", "identity", "deflate"])
def test_an_unknown_compression_is_refused(name: str) -> None:
    assert refusal(zlib.compress(PLAIN), name, 10**6) is Reason.CONTENT_DISALLOWED


@pytest.mark.parametrize(("compress", "name"), EVERY)
def test_a_bomb_costs_no_more_than_the_limit(compress: Callable[[bytes], bytes], name: str) -> None:
    bomb = compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        assert refusal(bomb, name, 100_000) is Reason.TOO_LARGE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000  # lzma's dictionary, 8 MiB, is the largest part


def test_a_stream_that_asks_for_a_huge_dictionary_is_refused() -> None:
    """The header alone would make the decoder take 1.5 GiB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**20}]
    small = lzma.compress(PLAIN, format=lzma.FORMAT_XZ, filters=filters)
    assert inflate(small, "xz", len(PLAIN)) == PLAIN
    alone = lzma.compress(PLAIN, format=lzma.FORMAT_ALONE)
    greedy = alone[:1] + (3 * 2**29).to_bytes(4, "little") + alone[5:]  # the dictionary's size: .lzma, bytes 1 to 4
    assert refusal(greedy, "lzma", len(PLAIN)) is Reason.BODY_MALFORMED


def test_the_highest_preset_is_read() -> None:
    assert inflate(lzma.compress(PLAIN, preset=9 | lzma.PRESET_EXTREME), "lzma", len(PLAIN)) == PLAIN
