from __future__ import annotations

import pytest

from safecelery.keys import base64url


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8"), (bytes(3), "AAAA")],
)
def test_bytes_have_one_text(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@pytest.mark.parametrize(
    "text",
    ["A", "AAAAA", "Zg==", "Zg=", "=", "Zm9v====", "Zm9v\n", " Zm9v", "Zm 9v", "-_8=", "+/8", "Zm9v.", "é",
     "\N{FULLWIDTH LATIN CAPITAL LETTER A}", "\ud800", "Zm9v\0", "AA+A", "AA/A", "A=AA", "Z!", "Zm9vA=="],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not base64url"):
        base64url.decode(text)


@pytest.mark.parametrize("text", ["Zh", "Z_", "Zm9", "Zm-", "AAAAZh"])
def test_bits_that_stand_for_nothing_must_be_zero(text: str) -> None:
    with pytest.raises(ValueError, match="not canonical"):
        base64url.decode(text)
