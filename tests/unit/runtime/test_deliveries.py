"""A worker's account of what it claimed: complete first, then answer; give back what it did not begin."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected, StoreUnavailable
from safecelery.runtime.deliveries import Delivery
from safecelery.runtime.execute import ClampedRequest
from safecelery.stores.interface import Admitted, Held, Poison, Replayed
from safecelery.telemetry.deliveries import DELIVERIES, Happened
from tests.unit.runtime.ledger_fakes import JTI, LEASE_S, MOST, FakeMessage, World


@pytest.fixture
def world() -> World:
    DELIVERIES.clear()
    return World()


def answer(delivery: Delivery) -> list[str]:
    """What the ledger knew when the broker was answered."""
    told: list[str] = []
    delivery.settle(lambda: told.append("answered"))
    return told


def test_the_ledger_knows_before_the_broker(world: World) -> None:
    delivery = world.mine()
    known: list[Any] = []
    delivery.settle(lambda: known.append(world.elsewhere()))
    assert known == [Replayed()]


def test_a_fresh_copy_of_a_completed_message_is_refused(world: World) -> None:
    answer(world.mine())
    with pytest.raises(Rejected) as refusal:
        world.claim()
    assert refusal.value.reason is Reason.REPLAYED


@pytest.mark.parametrize("waited", [True, False])
def test_one_that_the_broker_delivers_again_or_that_waited_is_dropped(world: World, waited: bool) -> None:
    answer(world.mine())
    message = FakeMessage(redelivered=not waited)
    message.waited = waited
    assert world.claim(message) is None
    assert message.answers == ["ack"]
    assert DELIVERIES[Happened.DUPLICATE_DROPPED] == 1


def test_one_that_runs_waits_unacknowledged_and_is_told_once(world: World) -> None:
    world.mine()
    message = FakeMessage()
    assert world.claim(message) is None
    assert message.answers == []
    world.consumer.passes(11)
    assert world.looked == [message]
    assert world.claim(message) is None
    assert DELIVERIES[Happened.HELD] == 1


def test_a_worker_that_stood_still_does_not_take_its_own_message_over(world: World) -> None:
    delivery = world.mine()
    world.consumer.passes(LEASE_S + 1)  # the thread that renews stood still, too
    copy = FakeMessage()
    assert world.claim(copy) is None
    assert (copy.answers, DELIVERIES[Happened.TAKEN_OVER]) == ([], 0)
    assert answer(delivery) == ["answered"]
    assert world.claim(copy) is None
    assert copy.answers == ["ack"]
    assert DELIVERIES[Happened.DUPLICATE_DROPPED] == 1


def test_a_message_given_back_too_often_is_poison(world: World) -> None:
    for _ in range(MOST):
        world.mine().give_back(counts=True)
    with pytest.raises(Rejected) as refusal:
        world.claim()
    assert (refusal.value.reason, refusal.value.deliveries) == (Reason.POISON, MOST)
    assert DELIVERIES[Happened.TAKEN_OVER] == MOST - 1


def test_without_the_store_nothing_is_admitted(world: World) -> None:
    world.store.down = True
    with pytest.raises(StoreUnavailable):
        world.claim()


def test_without_the_store_the_broker_is_not_answered_until_it_is_back(world: World) -> None:
    delivery = world.mine()
    world.store.down = True
    told = answer(delivery)
    world.consumer.passes(30)
    assert told == []
    delivery.give_back(counts=True)  # nobody gives back what is done
    world.deliveries.connection_lost(set(), set())
    world.store.down = False
    world.consumer.passes(15)
    assert told == ["answered"]
    assert world.elsewhere() == Replayed()


def test_it_answers_twice_where_celery_does(world: World) -> None:
    delivery = world.mine()
    assert answer(delivery) == ["answered"]
    assert answer(delivery) == ["answered"]


def test_giving_back_to_a_store_that_is_down_leaves_the_lease_to_end(world: World) -> None:
    delivery = world.mine()
    world.store.down = True
    delivery.give_back(counts=True)
    world.store.down = False
    world.deliveries.renew_all()
    assert isinstance(world.elsewhere(), Held)
    world.consumer.passes(LEASE_S + 1)
    assert isinstance(world.elsewhere(), Admitted)


def test_renewal_keeps_every_lease_in_few_round_trips(world: World) -> None:
    for n in range(1200):
        world.mine(f"{JTI}{n}")
    world.consumer.passes(LEASE_S - 1)
    world.deliveries.renew_all()
    world.consumer.passes(LEASE_S - 1)
    assert all(isinstance(world.elsewhere(f"{JTI}{n}"), Held) for n in range(1200))


def test_a_lease_that_was_lost_is_told_once_and_its_run_still_answered(world: World) -> None:
    delivery = world.mine()
    world.consumer.passes(LEASE_S + 1)
    assert isinstance(world.elsewhere(), Admitted)
    world.deliveries.renew_all()
    world.deliveries.renew_all()
    assert DELIVERIES[Happened.LEASE_LOST] == 1
    assert answer(delivery) == ["answered"]
    assert isinstance(world.elsewhere(), Held), "the late one completed what is another's"


def test_with_the_connection_goes_what_was_not_begun_and_what_runs_is_kept(world: World) -> None:
    runs, handed, waits = (world.mine(JTI + name) for name in ("runs", "handed", "waits"))
    world.deliveries.connection_lost({id(runs.message)}, {id(runs.message), id(handed.message)})
    found = world.elsewhere(JTI + "waits")
    assert isinstance(found, Admitted)
    assert found.delivery == 1, "one that only waited here counted"
    world.consumer.passes(LEASE_S - 1)
    world.deliveries.renew_all()
    world.consumer.passes(2)
    assert isinstance(world.elsewhere(JTI + "runs"), Held)
    assert isinstance(world.elsewhere(JTI + "handed"), Admitted)
    assert not waits._deliveries._store.renew([(waits.entry, waits.token)], 1)[0]


def test_one_that_was_handed_over_and_begins_after_all_is_renewed_again(world: World) -> None:
    delivery = world.mine()
    world.deliveries.connection_lost(set(), {id(delivery.message)})
    delivery.accepted()
    world.consumer.passes(LEASE_S - 1)
    world.deliveries.renew_all()
    world.consumer.passes(2)
    assert isinstance(world.elsewhere(), Held)


def test_at_the_end_everything_is_given_back_and_what_had_begun_counts(world: World) -> None:
    begun, waits = world.mine(JTI + "begun"), world.mine(JTI + "waits")
    world.deliveries.start()
    world.deliveries.start()
    world.deliveries.close({id(begun.message)})
    assert not world.deliveries._renewal.is_alive()
    assert world.elsewhere(JTI + "begun") == Admitted(3, 2)
    assert world.elsewhere(JTI + "waits") == Admitted(4, 1)
    assert isinstance(waits, Delivery)


def test_the_thread_renews_and_survives_what_goes_wrong() -> None:
    world = World()
    world.deliveries._lease_s = 0.03
    calls: list[int] = []

    def fails() -> None:
        calls.append(1)
        raise StoreUnavailable("down") if len(calls) % 2 else RuntimeError("odd")

    world.deliveries.renew_all = fails  # type: ignore[method-assign]
    world.deliveries.start()
    deadline = time.monotonic() + 20
    while len(calls) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    world.deliveries.close(set())
    assert len(calls) >= 4


# By way of Celery's request ------------------------------------------------------------------------------------------


class Answers:
    """Celery's own callbacks of a request."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def ack(self, logger: Any, errors: Any) -> None:
        self.said.append("ack")

    def reject(self, logger: Any, errors: Any, requeue: bool) -> None:
        self.said.append("requeue" if requeue else "reject")


def request_of(delivery: Delivery | None, answers: Answers) -> ClampedRequest:
    made = ClampedRequest.__new__(ClampedRequest)
    made._message = SimpleNamespace(delivery=delivery)
    made._on_ack, made._on_reject = answers.ack, answers.reject
    made._connection_errors, made._eventer = (), None
    return made


def test_celerys_acknowledgement_completes(world: World) -> None:
    answers = Answers()
    request = request_of(world.mine(), answers)
    request.acknowledge()
    request.acknowledge()
    assert answers.said == ["ack"]
    assert world.elsewhere() == Replayed()


def test_celerys_rejection_completes_and_its_requeueing_counts(world: World) -> None:
    answers = Answers()
    request_of(world.mine(), answers).reject(requeue=False)
    assert world.elsewhere() == Replayed()
    request_of(world.mine(JTI + "2"), answers).reject(requeue=True)
    assert world.elsewhere(JTI + "2") == Admitted(3, 2)
    assert answers.said == ["reject", "requeue"]


def test_without_a_ledger_celery_answers_alone() -> None:
    answers = Answers()
    request_of(None, answers).acknowledge()
    request_of(None, answers).reject(requeue=True)
    request_of(None, answers).reject()
    assert answers.said == ["ack", "requeue", "reject"]


def test_poison_stays_poison(world: World) -> None:
    for _ in range(MOST):
        world.mine().give_back(counts=True)
    assert world.elsewhere() == Poison(MOST)
