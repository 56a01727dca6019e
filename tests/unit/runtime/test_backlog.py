"""What waits for the ledger waits in order, is looked at with growing pauses, and is not kept beyond its connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from safecelery.errors import StoreUnavailable
from safecelery.runtime.backlog import _UNCOUNTED, Backlog
from tests.unit.runtime.ledger_fakes import FakeConsumer, FakeMessage


class Looked:
    """What was looked at, by a look that may find the store down."""

    def __init__(self) -> None:
        self.down = False
        self.attempts = 0
        self.seen: list[object] = []

    def __call__(self, message: object) -> None:
        self.attempts += 1
        if self.down:
            raise StoreUnavailable("down")
        self.seen.append(message)

    def action(self, name: str) -> Callable[[], None]:
        return lambda: self(name)


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


@pytest.fixture
def look() -> Looked:
    return Looked()


def test_a_message_is_looked_at_at_once(consumer: FakeConsumer, look: Looked) -> None:
    message = FakeMessage()
    Backlog(consumer, look).message(message)
    assert look.seen == [message]
    assert consumer.timers == []


def test_while_the_store_is_down_it_is_asked_less_and_less_often_and_then_in_order(
    consumer: FakeConsumer, look: Looked
) -> None:
    backlog = Backlog(consumer, look)
    look.down = True
    messages = [FakeMessage() for _ in range(5)]
    for message in messages:
        backlog.message(message)
    assert look.attempts == 1, "one found out for all"
    consumer.passes(60)
    assert 5 < look.attempts < 15
    look.down = False
    consumer.passes(10)
    assert look.seen == messages
    backlog.message(messages[0])
    assert look.seen == [*messages, messages[0]]


def test_a_failure_of_another_kind_takes_its_own_message_only(consumer: FakeConsumer) -> None:
    seen: list[str] = []
    down = [True]

    def fails() -> None:
        if down[0]:
            raise StoreUnavailable("down")
        raise ValueError("of another kind")

    backlog = Backlog(consumer, lambda message: None)
    backlog.run(fails, of_connection=True)
    backlog.run(lambda: seen.append("next"), of_connection=True)
    down[0] = False
    with pytest.raises(ValueError, match="another kind"):
        consumer.passes(1)
    consumer.passes(10)
    assert seen == ["next"]


def test_with_the_connection_go_the_messages_but_not_what_the_store_must_still_be_told(
    consumer: FakeConsumer, look: Looked
) -> None:
    backlog = Backlog(consumer, look)
    look.down = True
    backlog.run(look.action("completed"), of_connection=False)
    backlog.message(FakeMessage())
    backlog.hold(FakeMessage(), 5)
    backlog.connection_lost()
    look.down = False
    consumer.passes(60)
    assert look.seen == ["completed"]


def test_a_held_message_waits_for_the_end_of_the_lease_and_does_not_count_against_the_prefetch_limit(
    consumer: FakeConsumer, look: Looked
) -> None:
    backlog = Backlog(consumer, look)
    message = FakeMessage()
    backlog.hold(message, 3)
    assert (consumer.prefetch, message.waited) == (1, True)
    consumer.passes(2.9)
    assert look.seen == []
    consumer.passes(0.2)
    assert look.seen == [message]
    assert consumer.prefetch == 0


def test_a_long_lease_is_looked_at_in_between(consumer: FakeConsumer, look: Looked) -> None:
    backlog = Backlog(consumer, look)
    backlog.hold(FakeMessage(), 3600)
    consumer.passes(11)
    assert look.attempts == 1


def test_more_held_messages_than_it_may_keep_count_against_the_prefetch_limit(
    consumer: FakeConsumer, look: Looked
) -> None:
    backlog = Backlog(consumer, look)
    messages = [FakeMessage() for _ in range(_UNCOUNTED + 50)]
    for message in messages:
        backlog.hold(message, 5)
    assert consumer.prefetch == _UNCOUNTED
    consumer.passes(6)
    assert consumer.prefetch == 0
    assert len(look.seen) == len(messages)


def test_the_end_of_the_worker_is_one_last_attempt(consumer: FakeConsumer, look: Looked) -> None:
    backlog = Backlog(consumer, look)
    look.down = True
    backlog.run(look.action("a"), of_connection=False)
    backlog.run(look.action("b"), of_connection=False)
    look.down = False
    backlog.last_attempt()
    assert look.seen == ["a", "b"]
    consumer.passes(60)
    assert look.seen == ["a", "b"]


def test_the_last_attempt_ends_where_the_store_is_still_down(consumer: FakeConsumer, look: Looked) -> None:
    backlog = Backlog(consumer, look)
    look.down = True
    backlog.run(look.action("a"), of_connection=False)
    backlog.last_attempt()
    attempts = look.attempts
    consumer.passes(60)
    assert look.attempts == attempts


def test_without_an_event_loop_timers_only_say_so_to_the_consumer(look: Looked) -> None:
    consumer = FakeConsumer(hub=None)
    Backlog(consumer, look).hold(FakeMessage(), 1)
    consumer.passes(5)
    assert look.seen == []
    (action,) = consumer.soon
    action()
    assert len(look.seen) == 1
