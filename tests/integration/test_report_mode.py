"""Report mode: unsigned senders are served and named, forgers are not, and nothing unsigned harms the worker."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest
from celery import Celery, chain

from safecelery import SafeCelery
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import free_ports
from tests.integration.stage import TIMEOUT, Stage, eventually

QUEUE, DEAD = "reported", "reported.dead-letters"
SECRET = "4111-1111-1111-1111"


@dataclass(slots=True)
class Reporting:
    """A second worker on the stage's broker, in report mode, and a plain Celery app that sends to it."""

    stage: Stage
    worker: CeleryProcess
    plain: Celery
    metrics: str

    def refused(self, count: int) -> list[str]:
        """Reasons of so many dead letters of this worker, as soon as they are there."""
        eventually(lambda: self.stage.depth(DEAD) >= count, what=f"{count} dead letters")
        return [json.loads(item.body)["reason"] for item in self.stage.take(DEAD)]

    def reported(self, reason: str) -> list[str]:
        """Log lines about messages that ran although they would be refused for that reason."""
        return [line for line in self.worker.log.splitlines() if f"message would be refused: {reason} " in line]


@pytest.fixture(scope="module")
def reporting(stage: Stage) -> Iterator[Reporting]:
    (port,) = free_ports(1)
    worker = CeleryProcess(
        "service.app", "worker", ["-c", "1", "-Q", QUEUE, "-n", "reporting@%h"],
        directory=stage.directory, name="reporting",
        env={
            **stage.environment("reporting"),
            "SAFECELERY_FIREWALL__MODE": "report",
            "SAFECELERY_DEAD_LETTER_QUEUE": DEAD,
            **({"SAFECELERY_METRICS__PORT": str(port)} if find_spec("prometheus_client") else {}),
        },
    )  # fmt: skip
    plain = Celery("plain", broker=stage.broker.url, backend=stage.app.backend.url, set_as_current=False)
    plain.conf.update(
        broker_use_ssl=stage.broker.broker_ssl, redis_backend_use_ssl=stage.app.conf.redis_backend_use_ssl,
        task_default_queue=QUEUE, task_create_missing_queues=True,
        **({} if stage.on_redis else {"task_default_queue_type": "quorum", "task_default_exchange_type": "topic"}),
    )  # fmt: skip
    with worker:
        yield Reporting(stage, worker, plain, f"http://127.0.0.1:{port}/metrics")
    plain.pool.force_close_all()
    plain.close()


def put(reporting: Reporting, body: bytes, headers: dict[str, Any], **properties: Any) -> None:
    reporting.stage.put(QUEUE, body, headers, **properties)


def headers(**changes: Any) -> dict[str, Any]:
    return {"task": "service.add", "id": "made-up", "lang": "py", **changes}


def body(*args: Any) -> bytes:
    return json.dumps([args, {}, {}]).encode()


def test_a_worker_in_report_mode_says_so_at_its_start(reporting: Reporting) -> None:
    assert "REPORT MODE: the firewall of this worker keeps nobody out" in reporting.worker.log
    assert "SFC313 firewall-only-reports" in reporting.worker.log
    assert "REPORT MODE" not in reporting.stage.worker.log


def test_a_plain_celery_application_is_served_and_named(reporting: Reporting) -> None:
    result = reporting.plain.send_task("service.add", (2, 3), argsrepr=SECRET, headers={"tenant": SECRET})
    assert reporting.stage.app.AsyncResult(result.id).get(timeout=TIMEOUT) == 5
    line = eventually(lambda: reporting.reported("envelope-missing"))[-1]
    assert "queue=reported key=None task=service.add" in line
    assert SECRET not in reporting.worker.log


def test_its_canvas_compression_schedule_and_expiry_work(reporting: Reporting) -> None:
    add = reporting.plain.signature("service.add", queue=QUEUE)
    work = chain(add.clone((1, 2)), add.clone((10,)), app=reporting.plain)
    last = work.apply_async(compression="gzip", countdown=1, expires=600)
    assert reporting.stage.app.AsyncResult(last.id).get(timeout=TIMEOUT) == 13


def test_a_retry_of_an_unsigned_message_is_signed_by_the_worker(reporting: Reporting) -> None:
    result = reporting.plain.send_task("service.flaky", (1,))
    assert reporting.stage.app.AsyncResult(result.id).get(timeout=TIMEOUT) == 1
    assert len([line for line in reporting.reported("envelope-missing") if "service.flaky" in line]) == 1


def test_limits_hold_all_the_same(reporting: Reporting) -> None:
    result = reporting.plain.send_task("service.nap", (30,), time_limit=600, soft_time_limit=600)
    outcome = reporting.stage.app.AsyncResult(result.id)
    outcome.get(timeout=TIMEOUT, propagate=False)
    assert type(outcome.result).__name__ in ("SoftTimeLimitExceeded", "TimeLimitExceeded")


def test_signed_messages_for_another_queue_run_and_are_reported(reporting: Reporting, producer: SafeCelery) -> None:
    """The producer may not use this queue: ``queues`` of its key does not name it."""
    result = producer.send_task("service.add", (20, 3), queue=QUEUE)
    assert reporting.stage.app.AsyncResult(result.id).get(timeout=TIMEOUT) == 23
    line = eventually(lambda: reporting.reported("queue-not-granted"))[-1]
    assert "key=producer-" in line


HOSTILE: list[tuple[str, bytes, dict[str, Any], dict[str, Any]]] = [
    ("signature that is none", body(1, 1), headers(safecelery="rubbish"), {}),
    ("no task", body(1, 1), {"id": "x"}, {}),
    ("no id", body(1, 1), {"task": "service.add"}, {}),
    ("id a list", body(1, 1), headers(id=["x"]), {}),
    ("id an object", body(1, 1), headers(id={"a": 1}), {}),
    ("id with a line break", body(1, 1), headers(id="x\nmessage admitted"), {}),
    ("unknown task", body(1, 1), headers(task="no.such.task"), {}),
    ("hostile task name", body(1, 1), headers(task="\x1b[31mservice.add\n"), {}),
    ("pickle", b"\x80\x04N.", headers(), {"content_type": "application/x-python-serialize"}),
    ("text", body(1, 1), headers(), {"content_type": "application/text"}),
    ("other encoding", body(1, 1), headers(), {"content_encoding": "utf-16"}),
    ("not JSON", b"{", headers(), {}),
    ("protocol 1", json.dumps({"task": "service.add", "id": "x", "args": [1, 1]}).encode(), {}, {}),
    ("hybrid", json.dumps({"task": "service.add", "args": [1, 1]}).encode(), headers(), {}),
    ("one part", b"[[1, 1]]", headers(), {}),
    ("too large", b'[["' + b"x" * 1_048_577 + b'"], {}, {}]', headers(), {}),
    ("bomb", zlib.compress(bytes(8 << 20)), headers(compression="application/x-gzip"), {}),
    ("unknown compression", body(1, 1), headers(compression="zstd"), {}),
    ("compression a list", body(1, 1), headers(compression=["gzip"]), {}),
    ("nested body", b'[[' + b"[" * 5000 + b"]" * 5000 + b"], {}, {}]", headers(), {}),
    ("nested for the pickler", b'[[' + b"[" * 200 + b"]" * 200 + b"], {}, {}]", headers(), {}),
    ("time limit as text", body(1, 1), headers(timelimit="10"), {}),
    ("time limit negative", body(1, 1), headers(timelimit=[-1, None]), {}),
    ("eta no date", body(1, 1), headers(eta="soon"), {}),
    ("eta at the end of time", body(1, 1), headers(eta="9999-12-31T23:59:59"), {}),
    ("expires a number", body(1, 1), headers(expires=5), {}),
    ("retries as text", body(1, 1), headers(retries="1"), {}),
    ("member of the request", body(1, 1), headers(errbacks=[]), {}),
    ("stamps a list", body(1, 1), headers(stamps=[]), {}),
    ("many headers", body(1, 1), headers(**{f"x{n}": 1 for n in range(200)}), {}),
    ("long header", body(1, 1), headers(x="y" * 20_000), {}),
    ("callback a name", json.dumps([[1, 1], {}, {"callbacks": ["service.secret"]}]).encode(), headers(), {}),
    ("reply_to with a line break", body(1, 1), headers(), {"reply_to": "a\nb"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "said", "properties"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_what_could_harm_the_worker_is_refused_in_either_mode(
    reporting: Reporting, given: bytes, said: dict[str, Any], properties: dict[str, Any]
) -> None:
    before = reporting.stage.witness_file.read_text()
    put(reporting, given, said, **properties)
    (reason,) = reporting.refused(1)
    assert reason not in ("envelope-missing", "internal")
    assert reporting.stage.witness_file.read_text() == before
    assert reporting.worker.running
    assert "\x1b" not in reporting.worker.log


def test_bytes_that_are_no_message_are_refused(reporting: Reporting) -> None:
    if reporting.stage.on_redis:
        with reporting.stage.admin() as client:
            client.lpush(QUEUE, b"\xff not a message")
    else:
        put(reporting, b"\xff not a message", {}, content_type="text/plain")
    assert reporting.refused(1) == ["content-disallowed"]


def test_a_forged_signature_is_refused_though_the_unsigned_message_would_run(
    reporting: Reporting, producer: SafeCelery
) -> None:
    producer.send_task("service.add", (1, 1), queue="idle-report")
    (item,) = eventually(lambda: reporting.stage.take("idle-report"))
    item.headers["safecelery"] = item.headers["safecelery"][:-4] + "AAAA"
    put(reporting, item.body, item.headers)
    assert reporting.refused(1) == ["signature-invalid"]


def test_the_numbers_can_be_read_over_http(reporting: Reporting) -> None:
    pytest.importorskip("prometheus_client")
    with urllib.request.urlopen(reporting.metrics, timeout=TIMEOUT) as answer:
        text = answer.read().decode()
    labels = 'mode="report",owner="",queue="reported",reason="envelope-missing",task="service.add"'
    assert f"safecelery_refusals_total{{{labels}}}" in text
    assert 'safecelery_messages_admitted_total{owner="producer",queue="reported",task="service.add"}' in text
    assert "safecelery_firewall_seconds_bucket" in text
    assert re.search(r'safecelery_key_expires_days{key="\S+",owner="reporting",use="own"} 0\.9', text)
    assert 'owner="producer",use="trusted"} 0.9' in text
    assert 'safecelery_trust_loaded_timestamp_seconds{file="trust"} ' in text
    assert "no.such.task" not in text
    assert SECRET not in text


def test_it_sums_up_when_it_stops(reporting: Reporting) -> None:
    reporting.worker.stop()
    assert "would be refused (envelope-missing " in reporting.worker.log
    assert base64.b64encode(SECRET.encode()).decode() not in reporting.worker.log
