"""Thousands of dead letters, on both brokers: what a look at them leaves behind, and what it takes."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from kombu import Connection

from safecelery.message.dead_letter import DeadLetter, Original
from safecelery.message.stages import RawMessage
from safecelery.runtime.dead_letters.stream import open_letters
from tests.integration.dlq_stage import DEAD, Desk
from tests.integration.stage import Stage, eventually


def fill(stage: Stage, items: list[bytes]) -> None:
    """All of them, over one connection, which waits for no confirmations."""
    with Connection(stage.broker.url, ssl=stage.broker.broker_ssl) as connection:
        producer = connection.Producer(auto_declare=False)
        for item in items:
            producer.publish(
                item, routing_key=DEAD, exchange="", content_type="application/json", content_encoding="utf-8"
            )
    eventually(lambda: stage.depth(DEAD) == len(items), timeout=120, what="all items")


def test_what_is_said_to_be_removed_is_removed(stage: Stage, desk: Desk) -> None:
    """Thousands of single acknowledgements right before the channel closes: RabbitMQ may forget the last ones."""
    count = 2_000
    for number in range(4):
        fill(stage, [b"{}"] * count)
        with open_letters(stage.app) as letters:
            every_other = [entry.found.handle for entry in letters.walk()][::2]
            assert letters.browser.remove_all(every_other) == count // 2
        eventually(lambda: stage.depth(DEAD) == count // 2, what=f"half of round {number}")
        assert len(stage.take(DEAD)) == count // 2
    assert desk.listed() == []


def test_a_look_that_is_broken_off_leaves_all_letters_for_the_next(stage: Stage, desk: Desk) -> None:
    """RabbitMQ has handed out more than was read by then, and puts it back when the channel is closed."""
    fill(stage, [b"{}"] * 300)
    with open_letters(stage.app) as letters:
        for _ in letters.walk():
            break
    with open_letters(stage.app) as letters:
        assert letters.browser.count() == 300


@pytest.mark.timeout(400)
def test_ten_thousand_letters_in_little_memory(stage: Stage, desk: Desk) -> None:
    count, size = 10_000, 4096
    raw = RawMessage(b"x" * size, {"task": "t"}, {}, None, None, "celery")

    def letter(number: int) -> bytes:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        return DeadLetter(
            id=f"{number:032x}", reason="stale", detail="", queue="celery", worker="w", at=at, key=None, task=None,
            task_id=None, claimed_task="t", deliveries=None, original=Original.of(raw),
        ).to_bytes()  # fmt: skip

    fill(stage, [letter(number) for number in range(count)])
    tracemalloc.start()
    with open_letters(stage.app) as letters:
        ids = [int(entry.id, 16) for entry in letters.walk()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sorted(ids) == list(range(count))
    assert ids == sorted(ids), "nobody has looked before, so they come in order"
    assert peak < 8 * 2**20, f"{peak} bytes for {count * size} bytes of bodies"
    shown = desk.listed("--limit", "3")
    assert [letter["id"] for letter in shown] == [f"{number:032x}" for number in range(3)]
    assert f"removed {count:,}" in desk.run("purge", "--yes").stdout
    assert desk.listed() == []
