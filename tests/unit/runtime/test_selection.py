"""Which dead letters a command is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from safecelery.brokers.browse import Found
from safecelery.errors import DeadLetterError
from safecelery.message.dead_letter import DeadLetter, Original
from safecelery.message.letter_seal import LetterSeal
from safecelery.message.stages import RawMessage
from safecelery.runtime.dead_letters.selection import Selection, seconds
from safecelery.runtime.dead_letters.stream import NOT_A_LETTER, Entry

AT = datetime(2027, 1, 1, tzinfo=UTC)
FOUND = Found(b"", {}, 1)


def entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "id": "abcdef" + "0" * 26, "reason": "stale", "detail": "", "queue": "orders", "worker": "w", "at": AT,
        "key": None, "task": "shop.pay", "task_id": None, "claimed_task": None, "deliveries": None,
        "original": Original.of(RawMessage(b"", {}, {}, None, None, "orders")),
    }  # fmt: skip
    letter = DeadLetter(**(values | changes))
    return Entry(letter.id, letter, "", LetterSeal(None), FOUND)


GARBAGE = Entry("x" + "0" * 31, None, "not JSON", LetterSeal(None), FOUND)
NOW = AT.timestamp()


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, True),
        ({"reasons": ("stale",)}, True), ({"reasons": ("internal", "stale")}, True),
        ({"reasons": ("internal",)}, False),
        ({"tasks": ("shop.*",)}, True), ({"tasks": ("shop",)}, False), ({"tasks": ("a", "*.pay")}, True),
        ({"queues": ("orders",)}, True), ({"queues": ("order",)}, False),
        ({"ids": ("abcdef",)}, True), ({"ids": ("abcdee",)}, False), ({"ids": ("abcdee", "abcdef0")}, True),
        ({"before": NOW + 1}, True), ({"before": NOW}, False), ({"after": NOW - 1}, True), ({"after": NOW}, False),
        ({"reasons": ("stale",), "tasks": ("other",)}, False),
    ],
)  # fmt: skip
def test_everything_that_is_given_must_hold(given: dict[str, Any], taken: bool) -> None:
    assert Selection(**given).takes(entry()) is taken


def test_a_claimed_name_is_looked_at_only_where_no_name_was_signed() -> None:
    wanted = Selection(tasks=("shop.refund",))
    assert wanted.takes(entry(task=None, claimed_task="shop.refund"))
    assert not wanted.takes(entry(task="shop.pay", claimed_task="shop.refund"))
    assert not wanted.takes(entry(task=None))


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, True), ({"reasons": (NOT_A_LETTER,)}, True), ({"ids": ("x00000",)}, True),
        ({"reasons": ("stale",)}, False),
        ({"before": NOW}, False), ({"queues": ("*",)}, False), ({"tasks": ("*",)}, False),
        ({"reasons": (NOT_A_LETTER,), "after": NOW}, False),
    ],
)  # fmt: skip
def test_what_is_no_letter_is_meant_only_by_name(given: dict[str, Any], taken: bool) -> None:
    assert Selection(**given).takes(GARBAGE) is taken


@pytest.mark.parametrize(
    ("text", "length"), [("90s", 90), ("2h", 7200), ("7d", 604_800), ("1d12h", 129_600), ("1w", 604_800)]
)
def test_durations(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "2h ", "2y", "1.5h", "2h\n", "٣h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(DeadLetterError, match="no duration"):
        seconds(text)


def test_an_id_that_could_be_anybodys_is_refused() -> None:
    with pytest.raises(DeadLetterError, match="too short"):
        Selection(ids=("abcdef", "abc"))
