"""What kombu compresses, the firewall inflates; and no rubbish makes more than the limit. Bombs: tests/unit/message."""

from __future__ import annotations

import kombu.compression
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.message.inflate import COMPRESSIONS, inflate


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "bzip2", "lzma"]))
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


@pytest.mark.parametrize("name", ["zstd", "brotli", "application/zstd"])
def test_what_kombu_could_only_undo_without_a_limit_is_refused(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        inflate(b"x", name, 100)
    assert caught.value.reason is Reason.CONTENT_DISALLOWED
