"""What a sender writes into a message does not make its task one of somebody else's chord, nor end that chord."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import chord
from celery.signals import before_task_publish

from safecelery.message.result import REPLACES
from safecelery.runtime.chord_binding import chord_digest
from safecelery.testing.servers import RedisServer
from tests.integration.gathered_app import QUEUE
from tests.integration.gathered_stage import Gathered, gathered
from tests.integration.stage import TIMEOUT, eventually

KEPT_AS = "_safecelery_chord"


@pytest.fixture(scope="module")
def run(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gathered]:
    with gathered(redis_server, tmp_path_factory.mktemp("smuggled"), "redis") as ready:
        yield ready


def honest(run: Gathered, go: Path) -> tuple[Any, dict[str, Any]]:
    """A chord that waits for ``go``, the first of its tasks done; and its callback, as it is read on the broker."""
    seen: list[dict[str, Any]] = []

    def see(body: Any, **_: Any) -> None:
        seen.append(dict(body[2]["chord"] or {}))

    before_task_publish.connect(see, weak=False)
    try:
        loot = run.app.tasks["service.loot"]
        header = [loot.si(run.canary).set(queue=QUEUE), run.sign("wait", str(go), "waited")]
        sent = chord(header, loot.s().set(queue=QUEUE)).apply_async()
    finally:
        before_task_publish.disconnect(see)
    assert run.app.AsyncResult(sent.parent.results[0].id).get(timeout=TIMEOUT) == run.canary
    return sent, seen[0]


def mine(run: Gathered, task: str = "service.loot") -> Any:
    """The thief's callback."""
    return run.thief.signature(task).set(queue=QUEUE, task_id=uuid.uuid4().hex)


def send(run: Gathered, sent: Any, index: int, callback: Any, **options: Any) -> None:
    """A task of the thief's, which says that it is of the group of that chord."""
    told = run.thief.tasks["service.one"].apply_async(
        queue=QUEUE, group_id=sent.parent.id, group_index=index, chord=callback, **options
    )
    assert run.app.AsyncResult(told.id).get(timeout=TIMEOUT) == 1


def test_a_header_does_not_say_which_chord_a_task_is_of(run: Gathered, tmp_path: Path) -> None:
    sent, callback = honest(run, go := tmp_path / "go")
    loot = mine(run)
    for index in (1, 2):
        send(run, sent, index, loot, headers={KEPT_AS: chord_digest(callback)})
    go.touch()
    assert sent.get(timeout=TIMEOUT) == [run.canary, "waited"]
    assert not run.app.AsyncResult(loot.id).ready()


def test_nor_does_a_stamp_of_a_task_that_fails_with_its_chain(run: Gathered, tmp_path: Path) -> None:
    """Celery makes a request of its options."""
    sent, callback = honest(run, go := tmp_path / "go")
    loot, fails, one = (
        mine(run),
        run.thief.tasks["celery.accumulate"].si(index=1).set(queue=QUEUE),
        run.thief.tasks["service.one"],
    )
    for index in (1, 2):
        last = one.si().set(
            queue=QUEUE, group_id=sent.parent.id, group_index=index, chord=loot, task_id=uuid.uuid4().hex,
            stamped_headers=[KEPT_AS], **{KEPT_AS: chord_digest(callback)},
        )  # fmt: skip
        fails.apply_async(chain=[last])
        eventually(lambda last=last: run.app.AsyncResult(last.id).ready())  # type: ignore[misc]
    go.touch()
    assert sent.get(timeout=TIMEOUT) == [run.canary, "waited"]
    assert not run.app.AsyncResult(loot.id).ready()


def test_a_stamp_does_not_make_a_task_answer_for_anothers(run: Gathered, tmp_path: Path) -> None:
    sent = run.sign("wait", str(go := tmp_path / "go"), "waited").apply_async()
    fails = run.thief.tasks["celery.accumulate"].si(index=1).set(queue=QUEUE)
    last = run.thief.tasks["service.one"].si().set(
        queue=QUEUE, task_id=sent.id, stamped_headers=[REPLACES],
        **{REPLACES: {"id": sent.id, "task": "service.wait"}},
    )  # fmt: skip
    fails.apply_async(chain=[last])
    eventually(lambda: run.worker.log.count("canvas-option") or run.app.AsyncResult(sent.id).ready())
    go.touch()
    assert sent.get(timeout=TIMEOUT) == "waited"


@pytest.mark.parametrize("form", ["of a list", "that its sender may not send"])
def test_a_chord_is_not_ended_by_a_task_with_a_callback(run: Gathered, tmp_path: Path, form: str) -> None:
    sent, _ = honest(run, go := tmp_path / "go")
    callback = [mine(run)] if form == "of a list" else mine(run, "elsewhere.loot")
    for index in (1, 2):
        one = run.thief.tasks["service.one"]
        told = one.apply_async(queue=QUEUE, group_id=sent.parent.id, group_index=index, chord=callback)
        eventually(lambda told=told: told.id in run.worker.log)  # type: ignore[misc]
    eventually(lambda: run.worker.log.count(told.id) > 1)
    go.touch()
    assert sent.get(timeout=TIMEOUT) == [run.canary, "waited"]
