"""Dead letters: one record for every broker, published before the original is acknowledged."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery import SafeCelery
from safecelery.errors import Reason, Rejected
from safecelery.message.stages import RawMessage
from safecelery.runtime.reject import DeadLetters, dead_letter_queue, record
from safecelery.telemetry.events import REJECTIONS
from tests.unit.apps import an_app

NOW = datetime(2027, 1, 1, tzinfo=UTC)
SECRET = "4111-1111"


def raw(**changes: Any) -> RawMessage:
    values: dict[str, Any] = {
        "body": SECRET.encode(), "headers": {"task": "t"}, "properties": {}, "content_type": "application/json",
        "content_encoding": "utf-8", "queue": "orders",
    }  # fmt: skip
    return RawMessage(**(values | changes))


REFUSAL = Rejected(Reason.KEY_UNKNOWN, "no trusted key 'x'")


def test_the_record_has_these_members_and_no_others() -> None:
    letter = record(raw(), REFUSAL, "worker@h", NOW)
    assert letter == {
        "v": 1, "reason": "key-unknown", "detail": "no trusted key 'x'", "queue": "orders", "worker": "worker@h",
        "at": "2027-01-01T00:00:00+00:00",
        "original": {
            "body": base64.b64encode(SECRET.encode()).decode(), "headers": {"task": "t"}, "properties": {},
            "content_type": "application/json", "content_encoding": "utf-8",
        },
    }  # fmt: skip


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes() | st.decimals() | st.uuids(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=10,
)


@given(st.binary(), st.dictionaries(st.text(), ODD), ODD)
def test_any_message_can_be_recorded_and_its_bytes_come_back(body: bytes, headers: dict[str, Any], odd: Any) -> None:
    letter = record(raw(body=body, headers=headers, content_type=odd), REFUSAL, "w", NOW)
    again = json.loads(json.dumps(letter))
    assert base64.b64decode(again["original"]["body"]) == body


def test_what_json_cannot_hold_is_spelt_out() -> None:
    headers = {"bytes": b"\xff", "money": Decimal("1.5"), "at": NOW, "list": (b"a",), 5: None}
    kept = record(raw(headers=headers), REFUSAL, "w", NOW)["original"]["headers"]
    assert kept == {
        "bytes": {"base64": "/w=="}, "money": "1.5", "at": str(NOW), "list": [{"base64": "YQ=="}], "5": None,
    }  # fmt: skip


def test_nesting_does_not_exhaust_the_stack() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    json.dumps(record(raw(headers={"deep": deep}), REFUSAL, "w", NOW))


class Original:
    """What a refused message is asked to do."""

    def __init__(self, app: SafeCelery) -> None:
        self.app = app
        self.letters_when_acknowledged: int | None = None

    def ack(self) -> None:
        with self.app.connection_for_read() as connection:
            self.letters_when_acknowledged = connection.default_channel._size("safecelery.dead-letters")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[SafeCelery]:
    app = an_app(tmp_path, memory=True)
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete("safecelery.dead-letters")
    yield app
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete("safecelery.dead-letters")


def test_the_original_is_acknowledged_after_the_letter_is_there(app: SafeCelery) -> None:
    original: Any = Original(app)
    DeadLetters(app, app.guard).keep(raw(), original, REFUSAL, None)
    assert original.letters_when_acknowledged == 1


def test_if_the_letter_cannot_be_sent_the_original_stays(app: SafeCelery, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = REJECTIONS[Reason.KEY_UNKNOWN]

    def broken(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the broker is gone")

    monkeypatch.setattr("safecelery.runtime.reject.Producer.publish", broken)
    original: Any = Original(app)
    with pytest.raises(ConnectionError):
        DeadLetters(app, app.guard).keep(raw(), original, REFUSAL, None)
    assert original.letters_when_acknowledged is None
    assert REJECTIONS[Reason.KEY_UNKNOWN] == counted


def test_it_is_counted_and_logged_without_the_body(app: SafeCelery, caplog: pytest.LogCaptureFixture) -> None:
    counted = REJECTIONS[Reason.KEY_UNKNOWN]
    with caplog.at_level(logging.INFO, logger="safecelery"):
        DeadLetters(app, app.guard).keep(raw(headers={"argsrepr": SECRET}), Original(app), REFUSAL, None)  # type: ignore[arg-type]
    assert REJECTIONS[Reason.KEY_UNKNOWN] == counted + 1
    (line,) = [r for r in caplog.records if r.name == "safecelery"]
    assert "key-unknown" in line.getMessage()
    assert SECRET not in caplog.text
    assert line.safecelery_reason == "key-unknown"  # type: ignore[attr-defined]
    assert line.safecelery_queue == "orders"  # type: ignore[attr-defined]


def test_the_queue_is_of_the_type_that_the_apps_queues_have(app: SafeCelery) -> None:
    assert dead_letter_queue(app, "d").queue_arguments is None
    app.conf.task_default_queue_type = "quorum"
    assert dead_letter_queue(app, "d").queue_arguments == {"x-queue-type": "quorum"}
