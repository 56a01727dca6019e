"""What is on the wire: every task message carries an envelope, and a plain Celery worker could still read it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from celery import chord, group

from tests.integration.envelope import claims_of
from tests.integration.stage import IDLE, RawItem, Stage


def send_by_name(stage: Stage) -> None:
    stage.app.send_task("service.add", (1, 2), queue=IDLE)


def send_a_group(stage: Stage) -> None:
    group(stage.sign("add", n, n).set(queue=IDLE) for n in range(3)).apply_async()


def send_a_chord(stage: Stage) -> None:
    header = [stage.sign("add", n, n).set(queue=IDLE) for n in range(2)]
    chord(header, stage.sign("total").set(queue=IDLE)).apply_async()


def send_chunks(stage: Stage) -> None:
    stage.app.tasks["service.add"].chunks([(1, 2), (3, 4)], 1).apply_async(queue=IDLE)


def send_compressed(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((1, 2), queue=IDLE, compression="gzip")


def send_with_a_link(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((1, 2), queue=IDLE, link=stage.sign("note"))


@pytest.mark.parametrize(
    "send", [send_by_name, send_a_group, send_a_chord, send_chunks, send_compressed, send_with_a_link]
)
def test_every_message_carries_an_envelope_for_its_queue(stage: Stage, send: Callable[[Stage], None]) -> None:
    send(stage)
    items = stage.take(IDLE)
    assert items
    for item in items:
        claims = claims_of(item)
        assert claims["typ"] == "task"
        assert claims["kid"].startswith("producer-")
        assert claims["aud"] == {"queue": IDLE}
        assert claims["ct"] == "application/json"
        assert claims["hdr"]["task"] == item.headers["task"]


def test_a_plain_worker_can_still_read_the_message(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((1,), {"y": 2}, queue=IDLE)
    (item,) = stage.take(IDLE)
    assert item.content_type == "application/json"
    args, kwargs, _ = json.loads(item.body)
    assert (args, kwargs) == ([1], {"y": 2})
    assert item.headers["task"] == "service.add"


def resend(stage: Stage, item: RawItem, queue: str) -> None:
    properties = {"correlation_id": item.headers["id"]}
    stage.put(queue, item.body, item.headers, **properties)


def test_a_message_taken_off_a_queue_is_worthless_on_another(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((5005, 0), queue=IDLE)
    (item,) = stage.take(IDLE)
    refused = stage.refusals("audience-mismatch")
    resend(stage, item, "extra")
    stage.until_refused("audience-mismatch", refused + 1)
    assert stage.witnesses("add", x=5005) == []


def test_what_the_sender_never_set_is_not_there(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((1, 2), queue=IDLE)
    (item,) = stage.take(IDLE)
    assert claims_of(item)["props"].keys() <= {"correlation_id", "reply_to", "priority"}
