"""Garbage is counted each time and told once a second, with the number, and nothing of what it was."""

from __future__ import annotations

import logging

import pytest

from safecelery.brokers import garbage


def test_it_is_counted_each_time_and_said_once_a_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(garbage, "monotonic", lambda: now[0])
    with caplog.at_level(logging.WARNING, "safecelery"):
        for _ in range(5):
            garbage.found("test kind", "a place", what_now="dropped")
        now[0] += 1
        garbage.found("test kind", "a place", 2, what_now="dropped")
    assert garbage.GARBAGE["test kind"] == 7
    assert [record.getMessage() for record in caplog.records] == [
        "garbage in the broker: test kind at a place, 1; dropped",
        "garbage in the broker: test kind at a place, 6; dropped",
    ]
