"""Work beside the main process: its result is the same as if it had been done here, and so is its failure."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from safecelery.lint.aside import Aside, later
from safecelery.lint.source import child
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, Place
from tests.unit.lint.source.source_trees import forked

HERE = os.getpid()
Result = TypeVar("Result")


def aside(work: Callable[[], Result]) -> Callable[[], Result]:
    """One piece of work, in a process of its own."""
    helper = Aside()
    waiting = helper.begin(work)

    def result() -> Result:
        try:
            return waiting()
        finally:
            helper.close()

    return result


@pytest.fixture
def helper() -> Iterator[Aside]:
    made = Aside()
    yield made
    made.close()


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
        assert not child.can_fork()
    finally:
        stop.set()
        thread.join()


def test_no_child_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    children = forked(monkeypatch)
    aside(os.getpid)()
    (pid,) = children
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


# --- several pieces of work -------------------------------------------------------------------------------------------


def test_one_process_does_all_the_work_and_goes_when_told(helper: Aside, monkeypatch: pytest.MonkeyPatch) -> None:
    children = forked(monkeypatch)
    assert {helper.begin(os.getpid)() for _ in range(3)} == set(children)
    helper.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(children[0], os.WNOHANG)


def test_results_may_be_asked_for_in_any_order_and_again(helper: Aside) -> None:
    first, second, third = (helper.begin(int, text) for text in ("1", "2", "3"))
    assert (third(), first(), second(), third()) == (3, 1, 2, 3)


def test_large_work_after_a_large_result_that_nobody_has_read(helper: Aside) -> None:
    first = helper.begin(bytes, 1_000_000)
    second = helper.begin(len, b"x" * 1_000_000)
    assert (second(), len(first())) == (1_000_000, 1_000_000)


def test_what_fails_is_done_here_and_so_is_all_that_follows(helper: Aside) -> None:
    assert helper.begin(os.getpid)() != HERE
    failing = helper.begin(int, "no number")
    following = helper.begin(os.getpid)
    with pytest.raises(ValueError, match="no number"):
        failing()
    assert following() == HERE


def test_work_that_cannot_be_sent_is_done_here(helper: Aside) -> None:
    assert helper.begin(os.getpid)() != HERE
    assert helper.begin(lambda: os.getpid())() == HERE
    assert helper.begin(os.getpid)() != HERE


def test_nobody_waits_for_work_whose_result_nobody_wants(helper: Aside) -> None:
    waiting = threading.Event()  # which the child would wait for, and nobody sets
    helper.begin(waiting.wait)
    helper.close()


def test_a_process_that_never_began_is_closed_all_the_same() -> None:
    Aside().close()


def test_later_does_the_work_when_it_is_asked_for() -> None:
    done: list[int] = []
    waiting = later(done.append, 1)
    assert done == []
    waiting()
    assert done == [1]
