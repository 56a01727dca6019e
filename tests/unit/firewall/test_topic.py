"""Topic patterns mean what AMQP says: compared with a model that tries everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.firewall.checks.audience import topic_matches

WORDS = st.lists(st.sampled_from(["a", "b", "*", "#"]), min_size=1, max_size=6)
KEYS = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=6)


def model(pattern: list[str], key: list[str]) -> bool:
    """AMQP 0-9-1, section 3.1.3.3, word by word."""
    if not pattern:
        return not key
    first, rest = pattern[0], pattern[1:]
    if first == "#":
        return any(model(rest, key[taken:]) for taken in range(len(key) + 1))
    return bool(key) and first in ("*", key[0]) and model(rest, key[1:])


@given(WORDS, KEYS)
def test_it_agrees_with_the_model(pattern: list[str], key: list[str]) -> None:
    assert topic_matches(".".join(pattern), ".".join(key)) is model(pattern, key)


@given(KEYS)
def test_a_pattern_without_wildcards_matches_itself_only(key: list[str]) -> None:
    text = ".".join(key)
    assert topic_matches(text, text)
    assert not topic_matches(text, text + ".more")


@pytest.mark.timeout(5)
def test_a_hostile_key_does_not_take_exponential_time() -> None:
    assert not topic_matches(".".join(["#", "a"] * 20) + ".b", ".".join(["a"] * 2000))
