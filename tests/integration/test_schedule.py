"""Work for later: countdown and ETA, without a worker that holds it in memory where the broker can."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from safecelery import PolicyViolationError
from tests.integration.envelope import claims_of
from tests.integration.stage import IDLE, TIMEOUT, Stage, eventually


def test_a_countdown_runs_when_it_is_due_and_not_before(stage: Stage) -> None:
    sent = time.time()
    stage.app.tasks["service.add"].apply_async((1000, 1), countdown=2).get(timeout=TIMEOUT)
    (run,) = stage.witnesses("add", x=1000)
    assert run["at"] - sent >= 1.0  # RabbitMQ's delay counts whole seconds


@pytest.mark.parametrize("zone", [UTC, None], ids=["aware", "naive"])
def test_an_eta_runs_when_it_is_due_and_not_before(stage: Stage, zone: object) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    mark = 2000 if zone else 2001
    eta = due if zone else due.replace(tzinfo=None)
    stage.app.tasks["service.add"].apply_async((mark, 1), eta=eta).get(timeout=TIMEOUT)
    (run,) = stage.witnesses("add", x=mark)
    assert run["at"] >= due.timestamp() - 1.0


def test_an_eta_in_the_past_runs_at_once(stage: Stage) -> None:
    late = datetime.now(UTC) - timedelta(hours=1)
    assert stage.app.tasks["service.add"].apply_async((3000, 1), eta=late).get(timeout=TIMEOUT) == 3001


def test_what_is_due_later_is_held_by_the_broker(stage: Stage) -> None:
    """RabbitMQ: in a delay queue, away from any worker. Redis cannot; there a worker holds what is due soon."""
    result = stage.app.tasks["service.add"].apply_async((4000, 1), countdown=12)
    if stage.on_redis:
        with stage.admin() as client:
            eventually(lambda: any(result.id.encode() in held for held in client.hvals("safecelery:held:celery")))
    else:
        eventually(lambda: sum(stage.depth(f"celery_delayed_{level}") for level in range(4)), what="a delayed message")
        assert list(stage.app.control.inspect(timeout=TIMEOUT, limit=1).scheduled().values()) == [[]]
    assert stage.witnesses("add", x=4000) == []
    assert result.get(timeout=TIMEOUT) == 4001


def test_what_is_due_later_is_valid_until_later(stage: Stage) -> None:
    """The signature would otherwise expire before the message is due."""
    limits = stage.app.guard.policy.limits
    longest = limits.max_eta_s
    if stage.on_redis:  # which hands out again what is unacknowledged for longer
        longest = stage.app.conf.broker_transport_options["visibility_timeout"]
    ahead = int(longest) - 60
    stage.app.tasks["service.add"].apply_async((1, 1), queue=IDLE, countdown=ahead)
    (item,) = stage.take(IDLE if stage.on_redis else f"celery_delayed_{ahead.bit_length() - 1}")
    claims = claims_of(item)
    assert claims["exp"] - claims["iat"] >= limits.max_message_age_s + ahead - 1


@pytest.mark.parametrize("how", ["countdown", "eta"])
def test_further_ahead_than_the_policy_allows_is_refused(stage: Stage, how: str) -> None:
    ahead = stage.app.guard.policy.limits.max_eta_s + 60
    value = ahead if how == "countdown" else datetime.now(UTC) + timedelta(seconds=ahead)
    with pytest.raises(PolicyViolationError, match="SFC504"):
        stage.app.tasks["service.add"].apply_async((1, 1), **{how: value})


def test_further_ahead_than_redis_waits_for_an_acknowledgement_is_refused(stage: Stage) -> None:
    """It would run once for every time that Redis gave up waiting."""
    if not stage.on_redis:
        return
    ahead = stage.app.conf.broker_transport_options["visibility_timeout"] + 60
    with pytest.raises(PolicyViolationError, match="SFC507"):
        stage.app.tasks["service.add"].apply_async((1, 1), countdown=ahead)
