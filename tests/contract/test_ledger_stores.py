"""What every store promises: a message is run by one holder at a time, never again once completed, and not for ever."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from safecelery.errors import SettingsError, StoreUnavailable
from safecelery.stores import STORES, open_store
from safecelery.stores.interface import Admitted, Begun, Busy, Held, Known, Poison, Replayed, Store
from tests.contract.store_places import OPENERS, Place
from tests.contract.store_processes import claims_of_processes

LONG, SHORT = 600.0, 0.05


@pytest.fixture(params=sorted(OPENERS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return OPENERS[request.param](request, tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    opened = open_store(place.url, place.tls)
    yield opened
    opened.close()


@pytest.fixture
def jti() -> str:
    """An id that no other test uses."""
    return secrets.token_hex(12)


def claim(
    store: Store, jti: str, holder: str = "w1", *, lease_s: float = LONG, ttl_s: float = LONG, most: int = 3
) -> Any:
    return store.claim(jti, holder, lease_s=lease_s, ttl_s=ttl_s, max_deliveries=most)


def until(probe: Callable[[], bool]) -> None:
    """Some time has passed for the store."""
    deadline = time.monotonic() + 20
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_scheme_is_tried_here_or_shares_its_code_with_one_that_is() -> None:
    assert set(STORES) == {"redis", "rediss", "sqlite", "postgresql", "memory"}
    assert STORES["redis"] is STORES["rediss"]
    assert STORES["sqlite"] is STORES["postgresql"]


def test_an_unknown_scheme_is_refused_without_showing_the_url() -> None:
    with pytest.raises(SettingsError, match=r"sqlit'.*did you mean 'sqlite'") as caught:
        open_store("sqlit://user:secret@host/db", {})
    assert "secret" not in str(caught.value)


def test_the_first_claim_is_admitted_and_the_second_sees_who_holds_it(store: Store, jti: str) -> None:
    first = claim(store, jti)
    assert isinstance(first, Admitted)
    assert first.delivery == 1
    second = claim(store, jti, "w2")
    assert isinstance(second, Held)
    assert second.holder == "w1"
    assert 0 < second.for_s <= LONG


def test_the_same_holder_is_not_admitted_twice(store: Store, jti: str) -> None:
    claim(store, jti, "w1")
    assert isinstance(claim(store, jti, "w1"), Held)


def test_a_completed_message_is_never_admitted_again(store: Store, jti: str) -> None:
    token = claim(store, jti).token
    assert store.complete([(jti, token)])[0]
    assert store.complete([(jti, token)])[0], "an answer that got lost is asked for again"
    assert claim(store, jti) == Replayed()
    assert not store.release(jti, token, counts=True)
    assert store.renew([(jti, token)], LONG) == [False]
    assert claim(store, jti) == Replayed()


def test_a_released_message_is_admitted_at_once_with_a_higher_token(store: Store, jti: str) -> None:
    first = claim(store, jti)
    assert store.release(jti, first.token, counts=True)
    second = claim(store, jti, "w2")
    assert second.delivery == 2
    assert second.token > first.token


def test_a_release_that_does_not_count_leaves_the_budget_alone(store: Store, jti: str) -> None:
    for _ in range(5):
        admitted = claim(store, jti, most=1)
        assert admitted.delivery == 1
        store.release(jti, admitted.token, counts=False)


def test_a_message_claimed_too_often_is_poison_for_good(store: Store, jti: str) -> None:
    for _ in range(3):
        store.release(jti, claim(store, jti).token, counts=True)
    assert claim(store, jti) == Poison(3)
    assert claim(store, jti) == Poison(3)


def test_a_lease_that_ended_is_taken_over_and_counts(store: Store, jti: str) -> None:
    first = claim(store, jti, lease_s=SHORT)
    until(lambda: isinstance(claim(store, jti, "w2"), Admitted))
    assert claim(store, jti).holder == "w2"
    assert not store.complete([(jti, first.token)])[0], "the late holder completed what is another's by now"
    assert not store.release(jti, first.token, counts=False)
    assert store.renew([(jti, first.token)], LONG) == [False]
    assert isinstance(claim(store, jti), Held)


def test_many_are_completed_at_once_and_each_has_its_answer(store: Store, jti: str) -> None:
    mine, late, given_back = (claim(store, jti + name) for name in ("mine", "late", "back"))
    store.release(jti + "back", given_back.token, counts=True)
    ended = [(jti + "mine", mine.token), (jti + "late", late.token + 1), (jti + "none", 1),
             (jti + "back", given_back.token), (jti + "mine", mine.token)]  # fmt: skip
    assert store.complete(ended) == [True, False, False, False, True]
    assert claim(store, jti + "mine") == Replayed()
    assert isinstance(claim(store, jti + "late"), Held)
    assert store.complete([]) == []


def test_a_late_holder_whose_lease_nobody_took_may_still_complete(store: Store, jti: str) -> None:
    first = claim(store, jti, lease_s=0.001)
    time.sleep(0.01)
    assert store.complete([(jti, first.token)])[0]
    assert claim(store, jti) == Replayed()


def test_renewal_keeps_a_lease_beyond_its_end_and_tells_which_are_lost(store: Store, jti: str) -> None:
    mine = claim(store, jti, lease_s=0.5)
    other = claim(store, jti + "other")
    assert store.renew([(jti, mine.token), (jti + "other", other.token + 1), (jti + "none", 1)], LONG) == [
        True, False, False,
    ]  # fmt: skip
    held = claim(store, jti, "w2")
    assert isinstance(held, Held)
    assert held.for_s > 1
    assert store.renew([], LONG) == []


def test_a_released_message_cannot_be_completed_or_renewed_by_who_gave_it_back(store: Store, jti: str) -> None:
    first = claim(store, jti)
    store.release(jti, first.token, counts=True)
    assert not store.complete([(jti, first.token)])[0]
    assert store.renew([(jti, first.token)], LONG) == [False]
    assert isinstance(claim(store, jti), Admitted)


def test_an_entry_is_forgotten_when_its_time_is_over_and_not_before(store: Store, jti: str) -> None:
    done = claim(store, jti, lease_s=0.01, ttl_s=3)
    store.complete([(jti, done.token)])
    assert claim(store, jti) == Replayed()
    until(lambda: isinstance(claim(store, jti), Admitted))
    again = claim(store, jti)
    assert isinstance(again, Held)
    assert not store.complete([(jti, done.token)])[0]


def test_an_entry_lives_as_long_as_its_lease_is_renewed(store: Store, jti: str) -> None:
    admitted = claim(store, jti, lease_s=SHORT, ttl_s=3)
    claim(store, jti + "twin", lease_s=SHORT, ttl_s=3, most=1)
    assert store.renew([(jti, admitted.token)], LONG) == [True]
    until(lambda: isinstance(claim(store, jti + "twin", most=1), Admitted))  # poison, until it is forgotten
    assert isinstance(claim(store, jti), Held)


def test_sweeping_leaves_what_lives(store: Store, jti: str) -> None:
    token = claim(store, jti).token
    store.complete([(jti, token)])
    claim(store, jti + "old", lease_s=0.001, ttl_s=0.001)
    time.sleep(0.05)
    assert store.sweep() >= 0
    assert store.sweep() == 0
    assert claim(store, jti) == Replayed()
    store.ping()


def test_of_many_threads_that_claim_at_once_one_is_admitted(store: Store, jti: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        for turn in range(20):
            found = list(pool.map(lambda n, turn=turn: claim(store, f"{jti}{turn}", f"w{n}"), range(8)))
            assert sorted(type(one).__name__ for one in found) == ["Admitted"] + ["Held"] * 7


def test_of_many_processes_that_claim_at_once_one_is_admitted(place: Place, jti: str) -> None:
    if not place.shared:
        pytest.skip("lives in one process")
    names = [f"{jti}{turn}" for turn in range(25)]
    answers = claims_of_processes(place, names, processes=3)
    for name in names:
        assert sorted(answer[name] for answer in answers) == ["Admitted", "Held", "Held"]


def test_an_operation_is_done_once_and_its_outcome_told_to_the_others(store: Store, jti: str) -> None:
    begun = store.begin(jti, "a", lease_s=LONG)
    assert isinstance(begun, Begun)
    busy = store.begin(jti, "b", lease_s=LONG)
    assert isinstance(busy, Busy)
    assert busy.holder == "a"
    assert 0 < busy.for_s <= LONG
    assert store.keep(jti, begun.token, b'{"a": "\x00\xff"}', ttl_s=LONG)
    assert store.begin(jti, "b", lease_s=LONG) == Known(b'{"a": "\x00\xff"}')
    assert not store.keep(jti, begun.token, b"other", ttl_s=LONG)
    assert not store.abandon(jti, begun.token)
    assert not store.extend(jti, begun.token, LONG)


def test_an_operation_that_came_to_nothing_is_the_next_ones(store: Store, jti: str) -> None:
    begun = store.begin(jti, "a", lease_s=LONG)
    assert store.abandon(jti, begun.token)
    assert isinstance(store.begin(jti, "b", lease_s=LONG), Begun)


def test_a_crashed_operations_lease_ends_and_its_holder_cannot_write_any_more(store: Store, jti: str) -> None:
    first = store.begin(jti, "a", lease_s=SHORT)
    until(lambda: isinstance(store.begin(jti, "b", lease_s=LONG), Begun))
    assert not store.keep(jti, first.token, b"late", ttl_s=LONG)
    assert not store.abandon(jti, first.token)
    assert isinstance(store.begin(jti, "c", lease_s=LONG), Busy)


def test_an_operations_lease_can_be_prolonged(store: Store, jti: str) -> None:
    first = store.begin(jti, "a", lease_s=5)
    assert store.extend(jti, first.token, LONG)
    found = store.begin(jti, "b", lease_s=LONG)
    assert isinstance(found, Busy)
    assert found.for_s > 5


def test_an_outcome_is_forgotten_when_its_time_is_over(store: Store, jti: str) -> None:
    begun = store.begin(jti, "a", lease_s=LONG)
    store.keep(jti, begun.token, b"1", ttl_s=0.2)
    until(lambda: isinstance(store.begin(jti, "b", lease_s=LONG), Begun))


@pytest.mark.redis
def test_an_entry_of_redis_that_cannot_be_read_counts_as_completed(
    request: pytest.FixtureRequest, tmp_path: Path, jti: str
) -> None:
    place = OPENERS["redis"](request, tmp_path)
    with redis.Redis.from_url(place.url, **place.tls) as client:
        client.set(f"safecelery:ledger:{jti}", "held x 1 2 w")
    store = open_store(place.url, place.tls)
    assert claim(store, jti) == Replayed()
    store.close()


@pytest.mark.redis
def test_an_entry_of_redis_that_is_no_string_keeps_no_other_waiting(
    request: pytest.FixtureRequest, tmp_path: Path, jti: str
) -> None:
    """An error would be that of a store that does not answer, for which a worker lets everything wait."""
    place = OPENERS["redis"](request, tmp_path)
    store = open_store(place.url, place.tls)
    fine, lost = claim(store, f"{jti}a"), claim(store, f"{jti}b")
    assert isinstance(fine, Admitted)
    assert isinstance(lost, Admitted)
    with redis.Redis.from_url(place.url, **place.tls) as client:
        for name in (jti, f"{jti}b"):
            client.delete(f"safecelery:ledger:{name}")
            client.rpush(f"safecelery:ledger:{name}", "x")
    assert claim(store, jti) == Replayed()
    both = [(f"{jti}b", lost.token), (f"{jti}a", fine.token)]
    assert store.renew(both, 5) == [False, True]
    assert store.complete(both) == [False, True]
    assert store.release(f"{jti}b", lost.token, counts=True) is False
    store.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "sqlite:////nowhere/at/all/ledger.db"])
def test_a_store_that_cannot_be_reached_says_so(url: str) -> None:
    away = open_store(url, {})
    try:
        for ask in (
            away.ping,
            lambda: claim(away, "x" * 16),
            lambda: away.complete([("x" * 16, 1)]),
            lambda: away.renew([("x" * 16, 1)], 5),
            lambda: away.begin("key", "a", lease_s=5),
        ):
            with pytest.raises(StoreUnavailable):
                ask()
    finally:
        away.close()
