"""When a retry comes, and how many there are, without a server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from celery.exceptions import Reject, Retry
from hypothesis import given
from hypothesis import strategies as st

from safecelery import SafeTask, TransientError
from tests.unit.apps import an_app


@pytest.fixture(scope="module")
def retrying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SafeTask[..., Any]]:
    """A bound task of an app with the in-memory broker, in the middle of a run."""
    app = an_app(tmp_path_factory.mktemp("retries"), memory=True)

    @app.task(name="orders.again", bind=True, time_limit=5, soft_time_limit=4, max_retries=3, retry_backoff_max=40)
    def again(self: SafeTask[..., Any]) -> None: ...

    yield again
    app.close()


def asked(task: SafeTask[..., Any], retries: int, **how: Any) -> float:
    """Seconds until the retry that is sent."""
    task.push_request(
        id="x", args=(), kwargs={}, retries=retries, called_directly=False, timelimit=[None, None],
        delivery_info={"exchange": "", "routing_key": "celery"},
    )  # fmt: skip
    try:
        with pytest.raises(Retry) as caught:
            task.retry(**how)
    finally:
        task.pop_request()
    return float(caught.value.when)


@given(retries=st.integers(0, 2))
def test_without_a_time_a_retry_backs_off_with_jitter_and_never_comes_at_once(
    retrying: SafeTask[..., Any], retries: int
) -> None:
    assert 1 <= asked(retrying, retries) <= min(40, max(1, 2**retries))


@given(countdown=st.integers(0, 100))
def test_a_stated_time_is_kept(retrying: SafeTask[..., Any], countdown: int) -> None:
    assert asked(retrying, 0, countdown=countdown) == countdown


@given(jitter=st.integers(0, 100))
def test_what_autoretry_asks_for_never_comes_at_once(retrying: SafeTask[..., Any], jitter: int) -> None:
    assert asked(retrying, 0, exc=TransientError("again"), countdown=jitter) == max(1, jitter)


@pytest.mark.parametrize("stated", [None, 2, 99])
def test_a_run_cannot_ask_for_more_retries_than_the_task_has(retrying: SafeTask[..., Any], stated: int | None) -> None:
    granted = 3 if stated is None else min(3, stated)
    outcomes = []
    for retries in itertools.count():
        retrying.push_request(
            id="x", args=(), kwargs={}, retries=retries, called_directly=False, timelimit=[None, None],
            delivery_info={"exchange": "", "routing_key": "celery"},
        )  # fmt: skip
        try:
            retrying.retry(exc=TransientError("again"), max_retries=stated)
        except (Retry, Reject, TransientError) as outcome:
            outcomes.append(type(outcome))
        finally:
            retrying.pop_request()
        if outcomes[-1] is not Retry:
            break
    assert outcomes == [Retry] * granted + [TransientError]
