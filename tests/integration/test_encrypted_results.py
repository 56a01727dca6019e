"""What became of encrypted tasks, told on by others: chords that gather it, and tasks that they stand in for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from celery import chain, chord, group
from celery.exceptions import ChordError

from safecelery import RemoteError, SealError
from safecelery.testing.servers import RedisServer
from tests.integration.gathered_stage import Gathered, gathered
from tests.integration.stage import TIMEOUT, eventually


@pytest.fixture(scope="module", params=["redis", "sqlite"])
def run(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gathered]:
    with gathered(redis_server, tmp_path_factory.mktemp("gathered"), request.param) as ready:
        yield ready


def headers(run: Gathered) -> dict[str, Any]:
    """Headers of chords, with one that fails in each; the canary is in what others return, too."""
    spill, keep, one = run.sign("spill", run.canary), run.sign("keep", run.canary), run.sign("one")
    return {
        "flat": [keep, spill],
        "a plain one is the last": [keep, spill, chain(one, one)],
        "nested": [chain(one, group(keep, spill)), one],
    }


@pytest.mark.parametrize("body", ["one", "keep"])
@pytest.mark.parametrize("name", ["flat", "a plain one is the last", "nested"])
def test_what_an_encrypted_part_raised_is_not_told_in_the_name_of_the_chord(
    run: Gathered, name: str, body: str
) -> None:
    before = run.worker.log.count("ERROR")
    sent = chord(headers(run)[name], run.sign(body, *["x"] * (body == "keep"))).apply_async()
    with pytest.raises((ChordError, ValueError)):
        sent.get(timeout=TIMEOUT)
    with pytest.raises(ChordError, match="what it raised is encrypted"):
        run.app.AsyncResult(sent.id).get(timeout=TIMEOUT)
    eventually(lambda: run.worker.log.count("ERROR") >= before + 2, what="errors of the task and of the chord")
    assert run.places() == {"log": False, "mails": False, "results": False}


def test_nor_is_what_they_returned_when_the_body_cannot_be_sent(run: Gathered) -> None:
    sent = chord([run.sign("keep", run.canary), run.sign("one")], run.app.tasks["service.keep"].s().set(queue="none"))
    if not run.stage.results_url.startswith("redis"):  # the task that waits for the parts carries the body
        with pytest.raises(SealError, match="no valid encryption key"):
            sent.apply_async()
        return
    with pytest.raises(ChordError, match="no valid encryption key"):
        sent.apply_async().get(timeout=TIMEOUT)
    eventually(lambda: "its body was not sent" in run.worker.log, what="a line in the log")
    eventually(lambda: b"its body was not sent" in run.mails(), what="a mail")
    assert run.places() == {"log": False, "mails": False, "results": False}


def test_the_tasks_after_one_that_failed_do_not_tell_what_it_raised(run: Gathered) -> None:
    sent = chain(run.sign("spill", run.canary), run.sign("one"), run.sign("one")).apply_async()
    for after in (sent, sent.parent):
        with pytest.raises(RemoteError, match=r"ValueError: \(encrypted\)"):
            run.app.AsyncResult(after.id).get(timeout=TIMEOUT)
    with pytest.raises(ValueError, match=run.canary):
        run.app.AsyncResult(sent.parent.parent.id).get(timeout=TIMEOUT)
    assert run.places() == {"log": False, "mails": False, "results": False}


def test_nor_does_a_chord_that_such_a_chain_is_a_part_of(run: Gathered) -> None:
    header = [chain(run.sign("spill", run.canary), run.sign("one")), run.sign("one")]
    sent = chord(header, run.sign("one")).apply_async()
    with pytest.raises(ChordError, match="encrypted"):
        run.app.AsyncResult(sent.id).get(timeout=TIMEOUT)
    assert run.places() == {"log": False, "mails": False, "results": False}


def test_who_stands_in_for_a_plain_task_answers_encrypted(run: Gathered) -> None:
    assert run.sign("stands-in").apply_async().get(timeout=TIMEOUT) == run.canary
    assert run.places() == {"log": False, "mails": False, "results": False}


def test_what_is_not_encrypted_shows_in_all_these_places(run: Gathered) -> None:
    """A search that cannot find is no search."""
    canary, run.canary = run.canary, f"canary{secrets.token_hex(12)}"
    try:
        with pytest.raises((ChordError, ValueError), match=run.canary):
            chord([run.sign("loud", run.canary), run.sign("one")], run.sign("one")).apply_async().get(timeout=TIMEOUT)
        eventually(lambda: all(run.places().values()), what=f"the canary everywhere: {run.places()}")
    finally:
        run.canary = canary
