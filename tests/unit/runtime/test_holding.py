"""While dead letters cannot be published, refused messages wait: none is lost, nothing spins."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from safecelery.runtime.holding import FIRST_S, LONGEST_S, Holding


class Bench:
    """A broker that refuses while told to, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.broken = False
        self.settling_fails = False
        self.attempts = 0
        self.published: list[str] = []
        self.settled: list[str] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.holding = Holding(self.publish, self.settle, lambda s, call: self.timers.append((s, call)))

    def publish(self, item: str) -> None:
        self.attempts += 1
        if self.broken:
            raise ConnectionError("full")
        self.published.append(item)

    def settle(self, item: str) -> None:
        if self.settling_fails:
            raise ConnectionResetError
        self.settled.append(item)

    def wait(self) -> float:
        ((seconds, call),) = self.timers
        self.timers.clear()
        call()
        return seconds


def test_what_can_be_published_is_settled_at_once() -> None:
    bench = Bench()
    bench.holding.take("a")
    assert (bench.published, bench.settled, bench.timers) == (["a"], ["a"], [])


def test_nothing_is_settled_before_it_is_published_and_the_order_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.broken = True
    with caplog.at_level(logging.WARNING, logger="safecelery"):
        for item in "abc":
            bench.holding.take(item)
    assert bench.settled == []
    assert len(bench.holding) == 3
    assert bench.attempts == 1, "those that come later must not ask a broken broker each"
    assert "stay unacknowledged" in caplog.text
    bench.broken = False
    bench.wait()
    assert (bench.published, bench.settled, bench.timers) == (["a", "b", "c"], ["a", "b", "c"], [])


def test_it_waits_longer_each_time_but_not_for_ever_and_begins_anew() -> None:
    bench = Bench()
    bench.broken = True
    bench.holding.take("a")
    waits = [bench.wait() for _ in range(10)]
    assert waits[:3] == [FIRST_S, FIRST_S * 2, FIRST_S * 4]
    assert waits[-1] == LONGEST_S
    assert len(bench.timers) == 1
    bench.broken = False
    bench.wait()
    bench.broken = True
    bench.holding.take("b")
    assert bench.wait() == FIRST_S


def test_what_is_forgotten_is_neither_published_nor_settled() -> None:
    bench = Bench()
    bench.broken = True
    bench.holding.take("a")
    bench.holding.forget()
    bench.broken = False
    bench.wait()
    assert (bench.published, bench.settled, bench.timers) == ([], [], [])


def test_if_one_cannot_be_settled_the_others_still_are() -> None:
    bench = Bench()
    bench.broken = True
    for item in "ab":
        bench.holding.take(item)
    bench.broken, bench.settling_fails = False, True
    with pytest.raises(ConnectionResetError):
        bench.wait()
    bench.settling_fails = False
    bench.wait()
    assert bench.settled == ["b"]
