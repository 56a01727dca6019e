"""What ends in one turn of the worker's loop: one round trip to the ledger, and then every answer to the broker."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.runtime.together import MOST
from safecelery.stores.interface import Held, Replayed
from safecelery.telemetry.deliveries import DELIVERIES
from tests.unit.runtime.ledger_fakes import JTI, World


class Hub:
    """kombu's event loop, which turns when the test says so."""

    def __init__(self) -> None:
        self.ready: set[Any] = set()

    def call_soon(self, action: Any) -> None:
        self.ready.add(action)

    def _pop_ready(self) -> set[Any]:
        ready, self.ready = self.ready, set()
        return ready

    def turn(self) -> None:
        for action in self._pop_ready():
            action()


@pytest.fixture
def turning() -> tuple[World, Hub]:
    DELIVERIES.clear()
    hub = Hub()
    return World(hub), hub


def test_what_ends_in_one_turn_is_completed_in_one_trip_at_the_beginning_of_the_next(
    turning: tuple[World, Hub],
) -> None:
    world, hub = turning
    told: list[str] = []
    for name in "abc":
        world.mine(JTI + name).settle(lambda name=name: told.append(name), soon=True)  # type: ignore[misc]
    assert told == []
    assert isinstance(world.elsewhere(JTI + "a"), Held)
    hub.turn()
    assert told == ["a", "b", "c"]
    assert world.store.completions == [3]
    assert world.elsewhere(JTI + "c") == Replayed()
    assert not hub.ready


def test_what_an_answer_leaves_for_the_next_turn_is_done_in_this_one(turning: tuple[World, Hub]) -> None:
    """Celery acknowledges so, and an idle loop sleeps before its next turn."""
    world, hub = turning
    told: list[str] = []
    world.mine().settle(lambda: hub.call_soon(lambda: told.append("acknowledged")), soon=True)
    hub.turn()
    assert told == ["acknowledged"]


def test_an_answer_that_fails_keeps_no_other_back(turning: tuple[World, Hub]) -> None:
    world, hub = turning
    told: list[str] = []

    def fails() -> None:
        raise OSError("the connection is gone")

    world.mine(JTI + "a").settle(fails, soon=True)
    world.mine(JTI + "b").settle(lambda: told.append("b"), soon=True)
    with pytest.raises(OSError, match="is gone"):
        hub.turn()
    assert told == ["b"]
    assert world.elsewhere(JTI + "a") == Replayed()


def test_celerys_second_answer_does_not_overtake_the_ledger(turning: tuple[World, Hub]) -> None:
    world, hub = turning
    delivery, told = world.mine(), list[str]()
    delivery.settle(lambda: told.append("first"), soon=True)
    delivery.settle(lambda: told.append("second"))
    assert told == []
    hub.turn()
    assert told == ["first"]


@pytest.mark.parametrize("ends", ["lost", "stopped", "closed"])
def test_what_is_gathered_is_told_before_the_loop_ends(turning: tuple[World, Hub], ends: str) -> None:
    world, _ = turning
    told: list[str] = []
    world.mine().settle(lambda: told.append("answered"), soon=True)
    if ends == "lost":
        world.deliveries.connection_lost(set(), set())
    elif ends == "stopped":
        world.deliveries.settle_at_once()
        world.mine(JTI + "2").settle(lambda: told.append("at once"), soon=True)
    else:
        world.deliveries.close(set())
    assert told == (["answered", "at once"] if ends == "stopped" else ["answered"])
    assert world.elsewhere() == Replayed()


def test_a_store_that_is_down_is_told_later_and_the_broker_after_it(turning: tuple[World, Hub]) -> None:
    world, hub = turning
    told: list[str] = []
    for name in "ab":
        world.mine(JTI + name).settle(lambda name=name: told.append(name), soon=True)  # type: ignore[misc]
    world.store.down = True
    hub.turn()
    assert told == []
    world.store.down = False
    world.consumer.passes(15)
    assert told == ["a", "b"]


def test_no_more_is_gathered_than_one_trip_may_carry(turning: tuple[World, Hub]) -> None:
    world, hub = turning
    for n in range(MOST + 1):
        world.mine(f"{JTI}{n}").settle(lambda: None, soon=True)
    assert world.store.completions == [MOST]
    hub.turn()
    assert world.store.completions == [MOST, 1]
