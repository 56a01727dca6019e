"""A bucket of lines for each kind, refilled by time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safecelery.telemetry.throttle import Throttle


def test_a_burst_passes_then_time_decides() -> None:
    now = [0.0]
    throttle = Throttle(burst=2, per_second=1, clock=lambda: now[0])
    assert [throttle.ask("a") for _ in range(4)] == [0, 0, None, None]
    now[0] = 1.0
    assert [throttle.ask("a"), throttle.ask("a")] == [2, None]
    assert throttle.ask("b") == 0
    now[0] = 1000.0
    assert [throttle.ask("a") for _ in range(3)] == [1, 0, None]


def test_a_clock_that_stands_still_lets_no_more_through() -> None:
    throttle = Throttle(burst=1, per_second=10, clock=lambda: 5.0)
    assert [throttle.ask("a"), throttle.ask("a")] == [0, None]


@given(st.lists(st.floats(0, 10), max_size=200))
def test_no_more_than_burst_and_rate_ever(steps: list[float]) -> None:
    now = [0.0]
    throttle = Throttle(burst=5, per_second=2, clock=lambda: now[0])
    written = suppressed = 0
    for step in steps:
        now[0] += step
        answer = throttle.ask("a")
        written += answer is not None
        suppressed += answer or 0
    assert written <= 5 + 2 * now[0] + 1
    assert written + suppressed <= len(steps)
