"""Which jobs a pool's children have begun. That a stopping worker hears of them: ``integration/test_ledger.py``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency.asynpool import AsynPool

from safecelery.runtime.handover import hear_who_began


@pytest.fixture
def silent() -> Iterator[int]:
    """The end of a pipe into which nobody says anything."""
    reader, writer = os.pipe()
    yield reader
    os.close(reader)
    os.close(writer)


def a_pool(*jobs: Any) -> Any:
    children = AsynPool.__new__(AsynPool)  # the real one forks
    children.__dict__.update(_cache=dict(enumerate(jobs)), _active_writers=set())
    return SimpleNamespace(_pool=children)


def a_job(output: int, *, accepted: bool = False, written: bool = True, alive: bool = True) -> Any:
    child = SimpleNamespace(outqR_fd=output, _is_alive=lambda: alive)
    return SimpleNamespace(_write_to=child if written else None, _accepted=accepted)


OTHERS = {"none": None, "other": object(), "solo": SimpleNamespace(_pool=None), "idle": a_pool()}


@pytest.mark.parametrize("pool", OTHERS.values(), ids=OTHERS)
def test_a_pool_without_work_in_children_has_nothing_to_say(pool: Any) -> None:
    assert hear_who_began(pool) == 0


def test_jobs_that_were_begun_or_that_no_living_child_has_are_not_waited_for(silent: int) -> None:
    pool = a_pool(a_job(silent, accepted=True), a_job(silent, written=False), a_job(silent, alive=False))
    assert hear_who_began(pool, within_s=float("inf")) == 0


def test_a_child_that_says_nothing_is_not_waited_for_longer_than_allowed(silent: int) -> None:
    assert hear_who_began(a_pool(a_job(silent), a_job(silent)), within_s=0.01) == 2
