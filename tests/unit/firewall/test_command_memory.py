"""What was obeyed is remembered for as long as it could be sent again, and nothing makes it forgotten sooner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.firewall.control import Memory


def reason(memory: Memory, kid: str, jti: str, until: float, now: float) -> Reason | None:
    try:
        memory.remember(kid, jti, until, now)
    except Rejected as refusal:
        return refusal.reason
    return None


def test_an_id_is_known_until_it_expires() -> None:
    memory = Memory()
    assert reason(memory, "k", "a", 60, 0) is None
    assert reason(memory, "k", "a", 60, 59.9) is Reason.COMMAND_REPLAYED
    assert reason(memory, "k", "a", 120, 60) is None


def test_ids_of_two_keys_are_apart() -> None:
    memory = Memory()
    assert reason(memory, "k", "a", 60, 0) is None
    assert reason(memory, "l", "a", 60, 0) is None
    assert reason(memory, "k", "a", 60, 0) is Reason.COMMAND_REPLAYED


def test_what_does_not_fit_is_refused_and_pushes_nothing_out() -> None:
    memory = Memory(capacity=2)
    assert reason(memory, "k", "a", 60, 0) is None
    assert reason(memory, "k", "b", 30, 0) is None
    assert reason(memory, "k", "c", 60, 29) is Reason.COMMANDS_TOO_MANY
    assert reason(memory, "k", "a", 60, 29) is Reason.COMMAND_REPLAYED
    assert len(memory) == 2
    assert reason(memory, "k", "c", 60, 30) is None
    assert len(memory) == 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20), st.integers(0, 5)), max_size=40))
def test_no_id_is_taken_twice_before_its_end(steps: list[tuple[str, int, int]]) -> None:
    memory, now = Memory(capacity=2), 0.0
    ends: dict[str, float] = {}
    for jti, lifetime, passed in steps:
        now += passed
        if reason(memory, "k", jti, now + lifetime, now) is None:
            assert ends.get(jti, now) <= now
            ends[jti] = now + lifetime
        assert len(memory) <= 2


def test_a_full_memory_still_tells_a_replay() -> None:
    memory = Memory(capacity=1)
    memory.remember("k", "a", 60, 0)
    with pytest.raises(Rejected, match="command-replayed"):
        memory.remember("k", "a", 60, 1)
