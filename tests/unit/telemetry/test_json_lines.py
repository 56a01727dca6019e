"""The JSON formatter: one line for each record, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from safecelery.telemetry.logging import JsonFormatter


def formatted(message: object, *args: object, **extra: object) -> str:
    record = logging.LogRecord("safecelery", logging.WARNING, "x.py", 1, message, args, None)
    vars(record).update(extra)
    return JsonFormatter().format(record)


def test_keys_are_stable_and_our_fields_lose_their_prefix() -> None:
    line = json.loads(
        formatted("message refused: %s", "stale", safecelery_reason="stale", safecelery_queue=None, other=1)
    )
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning", "logger": "safecelery", "message": "message refused: stale", "reason": "stale",
        "queue": None,
    }  # fmt: skip


def test_a_field_does_not_replace_a_key_of_every_record() -> None:
    assert json.loads(formatted("x", safecelery_message="y"))["message"] == "x"


def test_an_exception_stays_in_the_line() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "ValueError: a\nb" in json.loads(line)["exception"]


@given(st.text(), st.text() | st.integers() | st.binary())
def test_whatever_is_in_it_is_one_line(text: str, value: object) -> None:
    line = formatted("%s", text, safecelery_task=value)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text
