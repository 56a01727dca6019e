"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from safecelery.policy.durations import in_words, seconds


@pytest.mark.parametrize(
    ("text", "length"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d12h", 129_600), ("1w", 604_800)]
)
def test_a_duration_is_numbers_with_units(text: str, length: int) -> None:
    assert seconds(text) == length
    assert seconds(in_words(length)) == length


@pytest.mark.parametrize("text", ["", "5", "d", "1x", "1 d", "-1d", "1.5h", "9999999999d"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("length", "words"), [(0, "0s"), (0.4, "0s"), (604_800, "7d"), (90_061, "1d1h"), (3661, "1h1m")]
)
def test_words_have_two_units_at_most(length: float, words: str) -> None:
    assert in_words(length) == words
