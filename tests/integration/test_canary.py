"""No plain text anywhere: one canary goes through everything that a task can go through, and everybody looks for it.

The same is done without encryption, where it has to be found in every place: a search that cannot find is no search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import chain, chord, group

from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.canary_app import GATE, QUEUE
from tests.integration.canary_stage import CanaryRun, canary_run, shows
from tests.integration.stage import TIMEOUT, eventually

DEAD = "safecelery.dead-letters"
HOUR_S = 3600
#: What has to be there to be looked at.
EVENTS = ["task-sent", "task-received", "task-succeeded", "task-failed", "task-retried", "task-started"]
LINES = [
    "TaskPool: Apply", "received", "succeeded in", "raised unexpected", "retry: ", "the request is <Context",
    "body-malformed", "Task handler raised error",
]  # fmt: skip


def deep(value: str) -> Any:
    """Deeper than a body may be: refused once it is read."""
    nested: Any = value
    for _ in range(120):
        nested = [nested]
    return nested


def live(run: CanaryRun) -> None:
    """All that a secret task can go through."""
    dead = run.stage.depth(DEAD)
    run.send("keep")
    run.send("spill")
    run.send("again")
    run.send("show")
    run.send("die")
    run.until("die")
    chain(run.app.tasks["service.first"].si().set(queue=QUEUE), run.sign("keep")).apply_async()
    run.app.tasks["service.first"].apply_async((), queue=QUEUE, link=run.sign("keep"))
    run.send("spill", link_error=run.sign("keep"))
    group(run.sign("keep"), run.sign("keep")).apply_async()
    chord([run.app.tasks["service.first"].si().set(queue=QUEUE)] * 2, run.sign("keep")).apply_async()
    chord([run.sign("keep"), run.sign("keep")], run.sign("keep")).apply_async()
    run.app.tasks["service.keep"].map([run.canary]).apply_async(queue=QUEUE, ignore_result=True)
    run.until("keep", 11)
    run.until("spill", 2)
    run.until("again", 2)
    run.until("show")
    run.send("once")
    run.until("once")
    run.send("once")
    run.send("keep", countdown=HOUR_S)
    run.app.send_task("service.keep", (deep(run.canary),), queue=QUEUE)
    eventually(lambda: run.stage.depth(DEAD) > dead, what="a dead letter")


def asked(run: CanaryRun) -> str:
    """What remote control tells of tasks that run and that wait."""
    run.send("keep", countdown=30)
    lingering = run.send("linger")
    run.until("linger", when="begins")
    inspect = run.app.control.inspect(timeout=TIMEOUT, limit=1)
    replies = [inspect.active(), inspect.reserved(), inspect.scheduled(), inspect.query_task(lingering.id)]
    (run.stage.directory / GATE).touch()
    assert lingering.id in str(replies)
    run.until("linger", when="ends")
    return str(replies)


@pytest.fixture(scope="module", params=[True, False], ids=["encrypted", "plain"])
def run(
    request: pytest.FixtureRequest, broker: RedisServer | RabbitServer, redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CanaryRun]:  # fmt: skip
    with canary_run(broker, redis_server, tmp_path_factory.mktemp("canary"), encrypt=request.param) as ready:
        live(ready)
        ready.replies = asked(ready)  # type: ignore[attr-defined]
        for kind in EVENTS:
            eventually(lambda kind=kind: any(event["type"] == kind for event in ready.events), what=f"a {kind}")
        for line in LINES:
            eventually(lambda line=line: line in ready.worker.log, what=f"{line!r} in the log")
        eventually(lambda: any(b"spill" in path.read_bytes() for path in ready.mails.glob("*")), what="a mail")
        yield ready


def test_the_canary_shows_where_it_is_not_encrypted_and_nowhere_else(run: CanaryRun) -> None:
    found = {place: shows(data, run.canary) for place, data in run.places().items()}
    assert found == dict.fromkeys(found, not run.encrypt)


def test_who_has_the_key_reads_what_they_return_and_raise(run: CanaryRun) -> None:
    assert run.send("keep").get(timeout=60) == run.canary
    with pytest.raises(ValueError, match=run.canary):
        run.send("spill").get(timeout=60)
    parts = chord([run.sign("keep"), run.sign("keep")], run.app.tasks["service.count"].s().set(queue=QUEUE))
    assert parts.apply_async().get(timeout=60) == 2 * len(run.canary)


def test_remote_control_does_not_tell_it(run: CanaryRun) -> None:
    assert shows(run.replies.encode(), run.canary) is not run.encrypt  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_of_event_was_there_to_be_looked_at(run: CanaryRun, kind: str) -> None:
    assert any(event["type"] == kind for event in run.events)


@pytest.mark.parametrize("line", LINES)
def test_every_kind_of_log_line_was_there_to_be_looked_at(run: CanaryRun, line: str) -> None:
    assert line in run.worker.log


def test_errors_were_mailed(run: CanaryRun) -> None:
    assert any(b"spill" in path.read_bytes() for path in run.mails.glob("*"))
