"""Decompression stops at the limit, whatever the compressed bytes promise."""

from __future__ import annotations

import bz2
import lzma
import tracemalloc
import zlib
from collections.abc import Callable

import kombu.compression
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.message.inflate import COMPRESSIONS, inflate

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"gzip": zlib.compress, "bzip2": bz2.compress, "lzma": lzma.compress}
MIB = 1024 * 1024


def reason(data: bytes, compression: str, most: int) -> Reason:
    with pytest.raises(Rejected) as caught:
        inflate(data, compression, most)
    return caught.value.reason


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_bomb_is_refused_and_costs_little_memory(name: str) -> None:
    bomb = COMPRESSORS[name](bytes(64 * MIB))
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        assert reason(bomb, name, MIB) is Reason.TOO_LARGE
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("name", COMPRESSORS)
def test_exactly_the_limit_passes_and_one_byte_more_does_not(name: str) -> None:
    data = bytes(range(256)) * 8
    assert inflate(COMPRESSORS[name](data), name, len(data)) == data
    assert reason(COMPRESSORS[name](data + b"!"), name, len(data)) is Reason.TOO_LARGE


@given(st.binary(max_size=2000), st.sampled_from(sorted(COMPRESSORS)))
def test_what_kombu_compresses_comes_back(data: bytes, name: str) -> None:
    compressed, content_type = kombu.compression.compress(data, name)
    assert inflate(compressed, content_type, 2000) == data


@given(st.binary(max_size=200), st.sampled_from(sorted(COMPRESSIONS)))
def test_rubbish_is_refused_or_yields_no_more_than_the_limit(data: bytes, name: str) -> None:
    try:
        plain = inflate(data, name, 100)
    except Rejected:
        return
    assert len(plain) <= 100


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_cut_off_stream_is_refused(name: str) -> None:
    whole = COMPRESSORS[name](bytes(range(256)) * 40)
    assert reason(whole[: len(whole) // 2], name, MIB) is Reason.BODY_MALFORMED


@pytest.mark.parametrize("name", ["zstd", "brotli", "application/zstd", "", "rot13", "gzip "])
def test_a_compression_without_a_limit_is_refused(name: str) -> None:
    assert reason(b"x", name, MIB) is Reason.CONTENT_DISALLOWED


def test_without_compression_the_bytes_are_themselves() -> None:
    assert inflate(b"as it is", None, 3) == b"as it is"
