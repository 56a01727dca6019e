"""Retries: bounded, with backoff, signed by the worker that asks for them."""

from __future__ import annotations

import pytest

from safecelery import ArgumentsRejected, SafeCelery, TransientError
from tests.integration.envelope import claims_of
from tests.integration.stage import IDLE, TIMEOUT, Stage, eventually


def test_a_transient_failure_is_retried_until_it_passes(stage: Stage) -> None:
    assert stage.call("flaky", 2) == 2


def test_retries_end_at_the_tasks_bound(stage: Stage) -> None:
    before = len(stage.witnesses("flaky"))
    with pytest.raises(TransientError):
        stage.app.tasks["service.flaky"].delay(99).get(timeout=60)
    runs = [line["retries"] for line in stage.witnesses("flaky")[before:]]
    assert runs == list(range(stage.app.tasks["service.flaky"].max_retries + 1))


def test_retries_wait_longer_each_time_but_never_longer_than_the_bound(stage: Stage) -> None:
    flaky = stage.app.tasks["service.flaky"]
    assert flaky.retry_backoff
    assert flaky.retry_jitter
    assert flaky.retry_backoff_max == 1


def test_a_retry_is_signed_by_the_worker_and_replaces_the_senders_signature(stage: Stage) -> None:
    result = stage.app.tasks["service.elsewhere"].delay()
    (item,) = eventually(lambda: stage.take(IDLE))
    claims = claims_of(item)
    assert claims["kid"].startswith("worker-")
    assert claims["aud"] == {"queue": IDLE}
    assert claims["hdr"]["retries"] == 1
    assert claims["hdr"]["id"] == result.id
    assert "safecelery" not in claims["hdr"]


@pytest.mark.parametrize(("task", "args"), [("service.add", ("one", "two")), ("service.stubborn", ("one",))])
def test_a_bad_argument_from_a_service_without_the_code_fails_and_is_not_retried(
    stage: Stage, producer: SafeCelery, task: str, args: tuple[str, ...]
) -> None:
    sent = producer.send_task(task, args)
    result = stage.app.AsyncResult(sent.id)
    with pytest.raises(ArgumentsRejected, match=task):
        result.get(timeout=TIMEOUT)
    assert result.state == "FAILURE"
    assert len([line for line in stage.worker.log.splitlines() if f"[{sent.id}] received" in line]) == 1
    assert not stage.witnesses("stubborn")
    assert not stage.witnesses("add", x="one")


@pytest.mark.parametrize("queue", ["celery", "extra"])
def test_a_retry_returns_to_the_queue_that_the_message_was_read_from(stage: Stage, queue: str) -> None:
    homing = stage.app.tasks["service.homing"]
    assert homing.apply_async(([],), queue=queue).get(timeout=TIMEOUT) == [queue] * 3


def test_a_retry_with_a_delay_returns_there_too(stage: Stage) -> None:
    homing = stage.app.tasks["service.homing"]
    assert homing.apply_async(([],), queue="extra", countdown=1).get(timeout=TIMEOUT) == ["extra"] * 3
