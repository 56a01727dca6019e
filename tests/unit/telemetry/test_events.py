"""Events reach every sink, whatever one of them does."""

from __future__ import annotations

import pytest

from safecelery.errors import Reason
from safecelery.telemetry import events
from safecelery.telemetry.events import REJECTIONS, MessageRejected, emit

EVENT = MessageRejected(reason=Reason.STALE, detail="expired", queue="orders", key="web-1", task="shop.charge")


def test_a_rejection_is_counted_by_its_reason() -> None:
    before = REJECTIONS[Reason.STALE]
    emit(EVENT)
    emit(EVENT)
    assert REJECTIONS[Reason.STALE] == before + 2


def test_one_line_names_reason_queue_key_and_task(caplog: pytest.LogCaptureFixture) -> None:
    emit(EVENT)
    (record,) = caplog.records
    assert record.getMessage() == "message refused: stale (expired) queue=orders key=web-1 task=shop.charge"
    assert record.levelname == "WARNING"


def test_a_sink_that_fails_does_not_silence_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[MessageRejected] = []

    def broken(event: MessageRejected) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(events, "SINKS", (broken, heard.append))
    emit(EVENT)
    assert heard == [EVENT]
    assert "a telemetry sink failed" in caplog.text


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVENT.task = "other"  # type: ignore[misc]
