"""Nothing refused is lost: it is kept whole, with the reason, and only then acknowledged."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from safecelery import SafeCelery
from safecelery.runtime.dead_letter_queue import dead_letter_queue
from tests.integration.stage import IDLE, Stage, eventually

DEAD = "safecelery.dead-letters"
SECRET = "4111-1111-1111-1111"
BODY = json.dumps([[SECRET], {}, {}]).encode()


def headers(**changes: Any) -> dict[str, Any]:
    return {"task": "service.add", "id": "made-up", "lang": "py", **changes}


def letters(stage: Stage, count: int = 1) -> list[dict[str, Any]]:
    eventually(lambda: stage.depth(DEAD) >= count, what="a dead letter")
    return [json.loads(item.body) for item in stage.take(DEAD)]


@pytest.fixture(autouse=True)
def empty(stage: Stage) -> None:
    """Each test begins without dead letters."""
    with stage.app.connection_for_write() as connection:
        dead_letter_queue(stage.app, DEAD)(connection.default_channel).declare()
    stage.take(DEAD)


def test_an_unsigned_message_is_kept_whole_with_the_reason(stage: Stage) -> None:
    stage.put("celery", BODY, headers(), correlation_id="made-up")
    (letter,) = letters(stage)
    assert set(letter) == {
        "v", "id", "reason", "detail", "queue", "worker", "at", "key", "task", "task_id", "claimed_task", "deliveries",
        "original",
    }  # fmt: skip
    assert letter["v"] == 1
    assert letter["reason"] == "envelope-missing"
    assert letter["queue"] == "celery"
    assert letter["worker"].startswith("celery@")
    assert (letter["task"], letter["key"], letter["claimed_task"]) == (None, None, "service.add")
    assert datetime.fromisoformat(letter["at"]).tzinfo is not None
    original = letter["original"]
    assert set(original) == {"body", "headers", "properties", "content_type", "content_encoding"}
    assert base64.b64decode(original["body"]) == BODY
    assert original["headers"]["task"] == "service.add"
    assert original["properties"]["correlation_id"] == "made-up"
    assert original["content_type"] == "application/json"
    assert original["content_encoding"] == "utf-8"


@pytest.mark.parametrize(
    ("body", "given", "properties", "reason"),
    [
        (b"\x80\x04\x95cposix\nsystem\n.", headers(), {"content_type": "application/x-python-serialize"}, "missing"),
        (b"", {}, {}, "missing"),
        (BODY, headers(safecelery="rubbish"), {}, "envelope-malformed"),
        (BODY, headers(safecelery=["a"]), {}, "envelope-malformed"),
        (BODY, headers(safecelery=""), {}, "envelope-malformed"),
        (BODY, headers(safecelery="e30.e30"), {}, "version-unsupported"),
        (b"x" * 1_048_577, headers(), {}, "too-large"),
    ],
)
def test_each_kind_of_rubbish_is_kept_byte_for_byte(
    stage: Stage, body: bytes, given: dict[str, Any], properties: dict[str, Any], reason: str
) -> None:
    encoding = {"content_encoding": "binary"} if properties else {}
    stage.put("celery", body, given, **properties, **encoding)
    (letter,) = letters(stage)
    assert reason in letter["reason"]
    assert base64.b64decode(letter["original"]["body"]) == body


def test_what_is_no_message_at_all_is_kept_too(stage: Stage) -> None:
    if not stage.on_redis:
        stage.put("celery", b"\xff\xfe not text", {}, content_type="text/plain", content_encoding="utf-16")
        (letter,) = letters(stage)
        assert base64.b64decode(letter["original"]["body"]) == b"\xff\xfe not text"
        return
    for item in (b"not json", b"[]", b'{"body": 1}', b"\xff\xfe", b'{"properties": {"delivery_tag": 1}}'):
        with stage.admin() as client:
            client.lpush("celery", item)
        (letter,) = letters(stage)
        assert letter["reason"] == "envelope-missing"
        assert base64.b64decode(letter["original"]["body"]) == item


def test_the_original_is_acknowledged_and_the_worker_lives(stage: Stage) -> None:
    held = 0
    if stage.on_redis:
        with stage.admin() as client:  # what workers of other tests were killed with
            held = client.hlen("safecelery:held:celery")
    for _ in range(5):
        stage.put("celery", BODY, headers())
    assert len(letters(stage, 5)) == 5
    eventually(lambda: stage.depth("celery") == 0)
    if stage.on_redis:
        with stage.admin() as client:
            eventually(lambda: client.hlen("safecelery:held:celery") <= held)
    assert stage.worker.running
    assert stage.call("add", 2, 2) == 4


def test_the_log_names_the_reason_and_never_the_body(stage: Stage) -> None:
    before = stage.refusals("envelope-missing")
    stage.put("celery", BODY, headers(argsrepr=f"({SECRET},)", secret=SECRET))
    stage.until_refused("envelope-missing", before + 1)
    line = [line for line in stage.worker.log.splitlines() if "message refused: envelope-missing" in line][-1]
    assert "queue=celery" in line
    assert "key=None" in line
    assert SECRET not in stage.worker.log


def test_a_verified_but_refused_message_names_key_and_task(stage: Stage, producer: SafeCelery) -> None:
    before = stage.refusals("task-unknown")
    producer.send_task("service.nobody", (SECRET,))
    (letter,) = letters(stage)
    assert letter["reason"] == "task-unknown"
    assert (letter["task"], letter["claimed_task"]) == ("service.nobody", None)
    assert letter["key"].startswith("producer-")
    assert SECRET.encode() in base64.b64decode(letter["original"]["body"])
    stage.until_refused("task-unknown", before + 1)
    line = [line for line in stage.worker.log.splitlines() if "service.nobody" in line][-1]
    assert "key=producer-" in line
    assert SECRET not in stage.worker.log


def test_a_kept_original_can_be_sent_again_as_it_was(stage: Stage) -> None:
    """Its envelope is still good: what was refused for its queue runs once it is put where it belongs."""
    stage.app.tasks["service.add"].apply_async((6006, 0), queue=IDLE)
    (item,) = stage.take(IDLE)
    stage.put("celery", item.body, item.headers)
    (letter,) = letters(stage)
    assert letter["reason"] == "audience-mismatch"
    assert letter["original"]["headers"]["safecelery"] == item.headers["safecelery"]
