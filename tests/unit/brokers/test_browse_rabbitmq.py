"""What a browser asks RabbitMQ, in which order. Whether the broker then forgets is tested on a real one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from safecelery.brokers.browse.rabbitmq import BARRIER, WINDOW, RabbitMQBrowser


class _Broker:
    """A queue with so many items that writes down what its channels are told."""

    channel_errors = ()

    def __init__(self, items: int) -> None:
        self.ready, self.channels = items, 0
        self.said: list[tuple[int, str]] = []
        self.drain_events: Any = None

    def channel(self) -> _Channel:
        self.channels += 1
        return _Channel(self, self.channels)

    def words(self, number: int) -> list[str]:
        """Of one channel, without what came before its first acknowledgement."""
        own = [word for channel, word in self.said if channel == number]
        return own[own.index("ack") :] if "ack" in own else []


class _Channel:
    def __init__(self, broker: _Broker, number: int) -> None:
        self._broker, self._number, self._held = broker, number, 0
        self.is_open = True
        self.connection = SimpleNamespace(client=broker)

    def queue_declare(self, queue: str, *, passive: bool) -> Any:
        return SimpleNamespace(message_count=self._broker.ready)

    def basic_qos(self, size: int, count: int, everybody: bool) -> None:
        pass

    def basic_consume(self, queue: str, *, no_ack: bool, callback: Any) -> str:
        self._broker.drain_events = lambda timeout: callback(self._deliver())
        return "tag"

    def _deliver(self) -> Any:
        self._held += 1
        self._broker.ready -= 1
        return SimpleNamespace(body=b"x", headers={}, delivery_tag=self._held)

    def basic_cancel(self, tag: str) -> None:
        pass

    def basic_ack(self, tag: int) -> None:
        self._held -= 1
        self._broker.said.append((self._number, "ack"))

    def basic_get(self, queue: str) -> Any:
        self._broker.said.append((self._number, "get"))
        return self._deliver() if self._broker.ready else None

    def close(self) -> None:
        self.is_open = False
        self._broker.ready += self._held
        self._broker.said.append((self._number, "close"))


def _browser(items: int) -> tuple[_Broker, RabbitMQBrowser]:
    broker = _Broker(items)
    return broker, RabbitMQBrowser(broker.channel(), "q")


@pytest.mark.parametrize("items", [1, WINDOW, 2 * WINDOW + 1])
def test_a_channel_with_acknowledgements_is_asked_behind_them_before_it_closes(items: int) -> None:
    broker, browser = _browser(items)
    assert browser.remove_all([found.handle for found in browser.walk()]) == items
    before_closing = list(broker.said)
    browser.close()
    acknowledging = [number for number in range(broker.channels + 1) if broker.words(number)]
    assert len(acknowledging) == -(-items // WINDOW)
    for number in acknowledging:
        acks = sum(1 for said in before_closing if said == (number, "ack"))
        assert broker.words(number) == ["ack"] * acks + ["get"] * BARRIER + ["close"]
    assert sum(word == "get" for _, word in before_closing) == BARRIER * len(acknowledging), "before it says: removed"


def test_a_walk_broken_off_closes_no_channel_before_it_was_asked() -> None:
    broker, browser = _browser(3)
    for found in browser.walk():
        assert browser.remove(found)
        break
    broker.ready = 0
    browser.close()
    (number,) = {channel for channel, word in broker.said if word == "ack"}
    assert broker.words(number) == ["ack", *["get"] * BARRIER, "close"]


def test_nothing_is_fetched_where_nothing_was_removed() -> None:
    broker, browser = _browser(5)
    assert len(list(browser.walk())) == 5
    browser.close()
    assert "get" not in {word for _, word in broker.said}
    assert broker.ready == 5


def test_a_new_letter_that_the_asking_fetches_goes_back() -> None:
    broker, browser = _browser(2)
    handles = [found.handle for found in browser.walk()]
    broker.ready = 1
    assert browser.remove_all(handles) == 2
    assert broker.ready == 0, "held by the channel that asked"
    browser.close()
    assert broker.ready == 1
