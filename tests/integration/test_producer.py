"""A service without task code: it has a key and sends by name."""

from __future__ import annotations

import kombu
import pytest

from safecelery import (
    PolicyViolationError,
    ResultRefused,
    SafeCelery,
    SealError,
    UnknownOptionError,
    create_app,
)
from tests.integration.envelope import claims_of
from tests.integration.stage import IDLE, TIMEOUT, Stage, eventually, let_go


def test_send_task_by_name(stage: Stage, producer: SafeCelery) -> None:
    assert stage.app.AsyncResult(producer.send_task("service.add", (2, 3)).id).get(timeout=TIMEOUT) == 5


def test_who_trusts_nobody_reads_no_results(stage: Stage, producer: SafeCelery) -> None:
    sent = producer.send_task("service.add", (2, 3))
    stage.app.AsyncResult(sent.id).get(timeout=TIMEOUT)
    with pytest.raises(ResultRefused, match="SAFECELERY_SIGNING__TRUST_FILE"):
        sent.get(timeout=TIMEOUT)


def test_a_canvas_by_name(stage: Stage, producer: SafeCelery) -> None:
    work = producer.signature("service.add", (1, 1)) | producer.signature("service.add", (5,))
    assert stage.app.AsyncResult(work.apply_async().id).get(timeout=TIMEOUT) == 7


def test_what_it_sends_carries_its_key(stage: Stage, producer: SafeCelery) -> None:
    producer.send_task("service.add", (2, 3), queue=IDLE, countdown=0)
    (item,) = stage.take(IDLE)
    assert claims_of(item)["kid"].startswith("producer-")


def test_a_misspelt_option_is_refused_with_the_right_name(producer: SafeCelery) -> None:
    with pytest.raises(UnknownOptionError, match=r"'countdwn' \(did you mean 'countdown'\?\)") as caught:
        producer.send_task("service.add", (1, 2), countdwn=5)
    assert "test_producer.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"serializer": "pickle"}, "SFC107"),
        ({"time_limit": 0}, "SFC408"),
        ({"time_limit": None}, "SFC408"),
        ({"time_limit": 10**9}, "SFC407"),
        ({"retries": -50}, "SFC609"),
        ({"countdown": 10**9}, "SFC504"),
    ],
)
def test_a_call_that_breaks_the_policy_is_not_sent(
    stage: Stage, producer: SafeCelery, options: dict[str, object], rule: str
) -> None:
    with pytest.raises(PolicyViolationError, match=rule) as caught:
        producer.send_task("service.add", (1, 2), queue=IDLE, **options)
    assert "fix:" in str(caught.value)
    assert "test_producer.py:" in str(caught.value)


def test_a_task_that_no_worker_knows_becomes_a_dead_letter(stage: Stage, producer: SafeCelery) -> None:
    before = stage.refusals("task-unknown")
    sent = producer.send_task("service.nobody", ("private",))
    stage.until_refused("task-unknown", before + 1)
    line = [line for line in stage.worker.log.splitlines() if "task-unknown" in line and "service.nobody" in line][-1]
    assert "private" not in stage.worker.log
    assert sent.id not in line


def test_a_message_beyond_the_size_limit_is_not_sent(producer: SafeCelery) -> None:
    with pytest.raises(SealError, match=r"'service.total'.*1048576; pass a reference"):
        producer.send_task("service.total", ("x" * 2_000_000,), queue=IDLE)


def test_a_producer_of_celerys_own_is_refused(stage: Stage, producer: SafeCelery) -> None:
    with (
        kombu.Connection(stage.broker.url, ssl=stage.broker.broker_ssl) as connection,
        pytest.raises(SealError, match="would send it unsigned"),
    ):
        producer.send_task("service.add", (1, 2), producer=kombu.Producer(connection))


def test_an_ungranted_task_is_refused_by_the_worker(stage: Stage) -> None:
    stage.keys.add("stranger", send=["other.*"], queues=["celery"])
    stranger = create_app("stranger", stage.settings("stranger", trust=False), set_as_current=False)
    before = stage.worker.log.count("message refused: ")
    stranger.send_task("service.secret", ("by a stranger",), expires=300)
    eventually(lambda: stage.worker.log.count("message refused: ") > before, what="the refusal")
    assert not stage.witnesses("secret", what="by a stranger")
    let_go(stranger)
