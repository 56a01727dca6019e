"""Time limits end where the task's own begin."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.runtime.execute import ClampedRequest, clamp

ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just({"a": 1})
)
LIMIT = st.floats(min_value=0.1, max_value=1e6)


@given(ANYTHING, LIMIT)
def test_no_value_asked_for_gives_more_than_granted_or_nothing(asked: Any, granted: float) -> None:
    got = clamp(asked, granted)
    assert got is not None
    assert 0 < got <= granted


@given(st.floats(min_value=0.1, max_value=1e6), LIMIT)
def test_less_may_be_asked_for(asked: float, granted: float) -> None:
    assert clamp(asked, granted) == min(asked, granted)


def test_where_nothing_is_granted_what_is_asked_for_counts() -> None:
    assert clamp(5, None) == 5
    assert clamp(None, None) is None
    assert clamp(math.nan, 10) == 10


def request(granted: tuple[float | None, float | None], asked: Any) -> ClampedRequest:
    made = ClampedRequest.__new__(ClampedRequest)
    made._task = SimpleNamespace(granted_limits=granted, name="orders.t")
    if asked is not None:
        made.time_limits = asked
    return made


@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        (None, (30, 25)),
        ([None, None], (30, 25)),
        ([10, 5], (10, 5)),
        ([600, 500], (30, 25)),
        ([10, None], (10, 10)),
        ([None, 5], (30, 5)),
        ([-1, 0], (30, 25)),
        (["x", True], (30, 25)),
        ([1], (30, 25)),
        ([1, 2, 3], (30, 25)),
    ],
)
def test_the_limits_of_a_request(asked: Any, limits: tuple[float, float]) -> None:
    assert request((30, 25), asked).time_limits == limits


@given(ANYTHING, ANYTHING)
def test_soft_never_exceeds_hard(hard: Any, soft: Any) -> None:
    got_hard, got_soft = request((30, 25), [hard, soft]).time_limits
    assert got_hard is not None
    assert got_soft is not None
    assert 0 < got_soft <= got_hard <= 30
