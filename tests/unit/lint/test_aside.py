"""Work beside the main process: its result is the same as if it had been done here, and so is its failure."""

from __future__ import annotations

import os
import threading

import pytest

from safecelery.lint.aside import aside
from safecelery.lint.source import second
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, Place
from tests.unit.lint.source.source_trees import forked

HERE = os.getpid()


@pytest.fixture(autouse=True)
def may_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecelery.lint.aside.can_fork", lambda: True)


def test_it_is_done_in_another_process() -> None:
    assert aside(os.getpid)() != HERE


def test_facts_come_back_as_they_were_with_the_marks_for_absent_and_unknown() -> None:
    made = DeployFacts(
        role="worker", command="celery worker", where=Place("Procfile", 1), pool=ABSENT, concurrency=UNKNOWN
    )
    found = aside(lambda: [made])()
    assert found == [made]
    assert found[0].pool is ABSENT
    assert found[0].concurrency is UNKNOWN


def test_what_does_not_fit_through_the_pipe_is_done_here() -> None:
    assert aside(lambda: threading.Lock())().acquire(blocking=False)


def test_a_child_that_dies_costs_nothing_but_time() -> None:
    def work() -> int:
        if os.getpid() != HERE:
            os._exit(9)
        return 7

    assert aside(work)() == 7


def test_what_the_work_raises_is_raised_where_its_result_is_asked_for() -> None:
    def work() -> int:
        raise RuntimeError("no such day")

    result = aside(work)
    with pytest.raises(RuntimeError, match="no such day"):
        result()


def test_a_result_larger_than_a_pipe_holds_arrives() -> None:
    assert len(aside(lambda: b"x" * 1_000_000)()) == 1_000_000


def test_where_forking_is_not_safe_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecelery.lint.aside.can_fork", lambda: False)
    assert aside(os.getpid)() == HERE


def test_no_fork_beside_other_threads() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert not second.can_fork()
    finally:
        stop.set()
        thread.join()


def test_no_child_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    children = forked(monkeypatch)
    aside(os.getpid)()
    (child,) = children
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)
