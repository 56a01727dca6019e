"""What is taken in a turn of the event loop reaches the pool in the same turn."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from safecelery.brokers.redis_poller import TakingPoller


class Turn:
    """A loop with two parts, in either order: the poller's, which may take messages, and the pool's."""

    def __init__(self, takes: int, *, pool_first: bool) -> None:
        self.done: list[str] = []
        self.poller = TakingPoller()
        self.poller._register_BRPOP = self.ask  # type: ignore[method-assign]
        self.takes = takes
        channel = SimpleNamespace(
            active_queues={"q"},
            active_fanout_queues=(),
            qos=SimpleNamespace(can_consume=lambda: True),
            forget_acked=lambda: self.done.append("forget"),
        )
        self.poller._channels = [channel]  # type: ignore[assignment]
        self.poller._update_brpop_polling = lambda: None
        parts: list[Callable[[], None]] = [self.poller.on_poll_start, lambda: self.done.append("pool")]
        self.poller.loop = SimpleNamespace(on_tick=parts[::-1] if pool_first else parts)

    def ask(self, _channel: object) -> None:
        self.done += ["take"] * self.takes
        self.poller.taken += self.takes

    def run(self) -> list[str]:
        self.done.clear()
        for part in self.poller.loop.on_tick:
            part()
        return self.done


@pytest.mark.parametrize("pool_first", [True, False])
def test_the_pool_looks_again_after_something_was_taken(pool_first: bool) -> None:
    turn = Turn(2, pool_first=pool_first)
    for _ in range(2):
        done = turn.run()
        assert done.count("take") == 2
        assert done[-1] == "pool"


@pytest.mark.parametrize("pool_first", [True, False])
def test_nobody_looks_twice_where_nothing_was(pool_first: bool) -> None:
    assert sorted(Turn(0, pool_first=pool_first).run()) == ["forget", "pool"]


def test_what_was_acknowledged_has_the_chance_to_go_along_first() -> None:
    assert Turn(1, pool_first=False).run()[:2] == ["take", "forget"]


def test_a_part_that_fails_does_not_silence_the_poller() -> None:
    turn = Turn(1, pool_first=False)

    def fails() -> None:
        raise OSError

    turn.poller.loop.on_tick.append(fails)
    for _ in range(2):
        turn.done.clear()
        with pytest.raises(OSError):  # any will do
            turn.poller.on_poll_start()
        assert turn.done[0] == "take"
