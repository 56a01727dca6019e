"""Running a task that has an idempotency key: once, told again, free after a failure, and waiting takes no slot."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import Ignore, Reject, Retry

from safecelery import SafeCelery, SettingsError
from safecelery.errors import OutcomeUnavailable, StoreUnavailable
from safecelery.runtime import outcomes
from safecelery.runtime.guard import guard_of
from safecelery.runtime.idempotency import Idempotency
from safecelery.runtime.outcome_code import OutcomeCode
from safecelery.runtime.outcomes import run_once
from safecelery.runtime.startup import _refuse_keys_without_store
from safecelery.settings import LEDGER_OFF
from safecelery.stores.interface import Begun
from safecelery.stores.memory import MemoryStore
from tests.unit.apps import an_app


class Declined(Exception):
    """Declared as an outcome."""


class Twice(Exception):
    """Cannot be made of its own arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def made(*errors: type[Exception]) -> Idempotency:
    def charge(order_id: str) -> None: ...

    task = SimpleNamespace(
        name="shop.charge", idempotency_key="{order_id}", idempotency_ttl=60, idempotency_errors=errors
    )
    found = Idempotency.declared(task, charge, skip_first=False, where="shop.py:1")
    assert found is not None
    return found


class World:
    """A task in a pool process, whose store is in memory."""

    def __init__(self, app: SafeCelery, store: MemoryStore) -> None:
        self.store = store
        self.ran = 0
        self.sent: list[dict[str, Any]] = []
        self.declared = made(Declined, Twice)
        request = SimpleNamespace(hostname="celery@h", id="1", args=["a"], kwargs={}, retries=3)
        self.task = SimpleNamespace(app=app, name="shop.charge", request=request, signature_from_request=self._again)

    def _again(self, request: Any, args: Any, kwargs: Any, **options: Any) -> Any:
        return SimpleNamespace(apply_async=lambda: self.sent.append(options))

    def run(self, result: Any = "done") -> Any:
        def call() -> Any:
            self.ran += 1
            if isinstance(result, BaseException):
                raise result
            return result

        return run_once(self.task, self.declared, "key", call)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    store = MemoryStore()
    monkeypatch.setattr(outcomes, "_STORES", {})
    monkeypatch.setattr(outcomes, "open_ledger", lambda app: store)
    monkeypatch.setattr(outcomes, "_PAUSE_S", 0.001)
    return World(an_app(tmp_path), store)


@pytest.mark.parametrize("value", [None, 0, "text", {"a": [1, None]}, Decimal("1.5"), UUID(int=1)])
def test_the_second_call_gets_what_the_first_returned(world: World, value: Any) -> None:
    assert world.run(value) == value
    assert world.run("other") == value
    assert world.ran == 1


@pytest.mark.parametrize("error", [ValueError("x"), Retry("x"), Ignore(), Reject("x"), KeyboardInterrupt()])
def test_after_a_failure_the_next_call_runs(world: World, error: BaseException) -> None:
    with pytest.raises(type(error)):
        world.run(error)
    assert world.run() == "done"


def test_a_declared_failure_is_an_outcome(world: World) -> None:
    for _ in range(2):
        with pytest.raises(Declined, match="no money"):
            world.run(Declined("no money"))
    assert world.ran == 1


@pytest.mark.parametrize("value", [object(), "x" * 2_000_000, Declined(object()), Twice("a", "b")])
def test_an_outcome_that_cannot_be_kept_is_not_made_again(world: World, value: Any) -> None:
    if isinstance(value, Exception):
        with pytest.raises(type(value)):
            world.run(value)
    else:
        assert world.run(value) is value
    with pytest.raises(OutcomeUnavailable):
        world.run()
    assert world.ran == 1


def test_an_exception_that_is_not_declared_any_more_is_not_made_by_the_stores_word(world: World) -> None:
    with pytest.raises(Declined):
        world.run(Declined())
    world.declared = made()
    with pytest.raises(OutcomeUnavailable, match="does not declare"):
        world.run()


def test_while_another_is_at_it_a_call_comes_again_and_does_not_count(world: World) -> None:
    begun = world.store.begin("key", "other", lease_s=60)
    with pytest.raises(Retry):
        world.run()
    assert world.ran == 0
    (options,) = world.sent
    assert options["retries"] == 3
    assert 5 <= options["countdown"] <= 6
    assert isinstance(begun, Begun)
    world.store.keep("key", begun.token, OutcomeCode(guard_of(world.task.app), world.task, "key", 60).written(
        b'{"value": 7}'), ttl_s=60)  # fmt: skip
    assert world.run() == 7


def test_what_somebody_wrote_into_the_store_is_not_told(world: World) -> None:
    begun = world.store.begin("key", "anybody", lease_s=60)
    assert isinstance(begun, Begun)
    world.store.keep("key", begun.token, b'{"value": "forged"}', ttl_s=60)
    with pytest.raises(OutcomeUnavailable, match="not believed"):
        world.run()
    assert world.ran == 0


def test_without_the_store_a_call_comes_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.store, "begin", _down)
    with pytest.raises(Retry):
        world.run()
    assert (world.ran, len(world.sent)) == (0, 1)


def test_a_store_that_fails_afterwards_does_not_fail_what_was_done(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(world.store, "keep", _down)
    monkeypatch.setattr(world.store, "abandon", _down)
    assert world.run() == "done"
    assert caplog.text.count("its outcome was not kept") == 3


def test_a_store_that_fails_after_a_failure_leaves_that_failure(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(world.store, "abandon", _down)
    with pytest.raises(ValueError, match="mine"):
        world.run(ValueError("mine"))
    assert "its lease ends by itself" in caplog.text


def test_one_that_lost_its_lease_keeps_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(world.store, "keep", lambda *a, **k: False)
    assert world.run() == "done"
    assert "its lease was lost" in caplog.text


@pytest.mark.parametrize("answer", [True, False, StoreUnavailable("down")])
def test_a_thread_keeps_the_lease_as_long_as_there_is_one(
    world: World, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[int] = []

    def extend(*args: Any) -> bool:
        asked.append(1)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    world.store.extend = extend  # type: ignore[method-assign]
    with outcomes._renewed(world.store, "key", 1, 0.03):
        outcomes.threading.Event().wait(0.3)
    assert len(asked) == 1 if answer is False else len(asked) > 1
    assert ("was lost" in caplog.text) is (answer is False)


def _down(*args: Any, **options: Any) -> Any:
    raise StoreUnavailable("down")


def test_with_the_ledger_off_such_a_task_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "_STORES", {})
    app = an_app(tmp_path, ledger={"url": LEDGER_OFF})
    world = World(app, MemoryStore())
    with pytest.raises(SettingsError, match="turns off the store"):
        world.run()
    assert world.ran == 0


# On a task -----------------------------------------------------------------------------------------------------------


def test_a_task_declares_it_by_option_or_attribute(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True, profile="development")

    @app.task(name="shop.pay", time_limit=9, soft_time_limit=8, idempotency_key="pay:{order_id}", idempotency_ttl=60)
    def pay(order_id: str) -> str:
        return order_id

    assert pay._idempotency is not None
    assert pay._idempotency.ttl_s == 60
    assert pay("a") == pay("a") == "a", "called directly it is a function"
    with pytest.raises(SettingsError, match=r"shop\.pay.*has an idempotency_key"):
        _refuse_keys_without_store(app, None)
    with pytest.raises(SettingsError, match=r"names 'nothing'"):

        @app.task(name="shop.wrong", time_limit=9, soft_time_limit=8, idempotency_key="{nothing}")
        def wrong(order_id: str) -> None: ...

    assert "shop.wrong" not in app.tasks
