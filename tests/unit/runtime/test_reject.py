"""Dead letters: one record for every broker, published before the original is acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safecelery import SafeCelery
from safecelery.errors import Reason, Rejected
from safecelery.message.stages import RawMessage
from safecelery.runtime.dead_letter_queue import QUORUM_ARGUMENTS, dead_letter_queue
from safecelery.runtime.reject import DeadLetters
from safecelery.telemetry.events import REJECTIONS
from tests.unit.apps import an_app

SECRET = "4111-1111"


def raw(**changes: Any) -> RawMessage:
    values: dict[str, Any] = {
        "body": SECRET.encode(), "headers": {"task": "t"}, "properties": {}, "content_type": "application/json",
        "content_encoding": "utf-8", "queue": "orders",
    }  # fmt: skip
    return RawMessage(**(values | changes))


REFUSAL = Rejected(Reason.KEY_UNKNOWN, "no trusted key 'x'")


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

    monkeypatch.setattr("safecelery.runtime.dead_letter_queue.Producer.publish", broken)
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
    assert dead_letter_queue(app, "d").queue_arguments == QUORUM_ARGUMENTS
