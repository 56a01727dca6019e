"""Idempotency keys: what may be declared, and which calls are one operation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from safecelery import ArgumentsRejected, SettingsError
from safecelery.runtime.idempotency import Idempotency


class Colour(Enum):
    RED = "red"


class Order(BaseModel):
    id: str


def declared(key: Any, function: Any = None, **options: Any) -> Idempotency | None:
    def charge(order_id: str, amount: int = 1, *rest: int, colour: Any = None, **more: int) -> None: ...

    task = SimpleNamespace(name="shop.charge", idempotency_key=key, idempotency_ttl=60, idempotency_errors=())
    vars(task).update({f"idempotency_{name}": value for name, value in options.items()})
    return Idempotency.declared(task, function or charge, skip_first=False, where="shop.py:1")


def made(key: Any, function: Any = None, **options: Any) -> Idempotency:
    found = declared(key, function, **options)
    assert found is not None
    return found


def test_without_a_key_there_is_nothing() -> None:
    assert declared(None) is None


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("charge:{order}", r"no parameter of the task \(did you mean 'order_id'"),
        ("charge:{order_id.__class__}", "no parameter"),
        ("charge:{order_id[0]}", "no parameter"),
        ("charge:{0}", "no parameter"),
        ("charge:{}", "no parameter"),
        ("charge:{rest}", "no parameter"),
        ("charge:{more}", "no parameter"),
        ("charge:{order_id!r}", "no conversion"),
        ("charge:{order_id:>10}", "no format"),
        ("charge:{order_id", "no template"),
        ("charge", "names no parameter"),
        ("", "names no parameter"),
        (7, "a template such as"),
        (lambda order_id: order_id, "called with the task's arguments"),
    ],
)
def test_a_key_that_cannot_work_is_refused_where_it_is_written(key: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        declared(key)
    assert "shop.charge" in str(caught.value)
    assert "shop.py:1" in str(caught.value)


@pytest.mark.parametrize("ttl", [0, -1, True, "60", float("inf"), float("nan"), None])
def test_a_ttl_is_a_positive_number(ttl: Any) -> None:
    with pytest.raises(SettingsError, match="idempotency_ttl"):
        declared("{order_id}", ttl=ttl)


@pytest.mark.parametrize("errors", [BaseException, [int], ["ValueError"], [KeyboardInterrupt]])
def test_errors_are_exceptions_of_programs(errors: Any) -> None:
    with pytest.raises(SettingsError, match="idempotency_errors"):
        declared("{order_id}", errors=errors)


def test_one_error_may_stand_alone() -> None:
    assert made("{order_id}", errors=ValueError).errors == (ValueError,)


def test_how_arguments_are_passed_does_not_matter() -> None:
    key = made("charge:{order_id}:{amount}")
    assert key.name_of(("a",), {}) == key.name_of((), {"order_id": "a", "amount": 1}) == key.name_of(("a", 1), {})
    assert key.name_of(("a",), {}) != key.name_of(("a", 2), {})
    assert key.name_of(("a",), {}) == key.name_of(("a",), {"colour": "not in the key"})
    assert "a" * 20 not in key.name_of(("a" * 20,), {})


@given(st.lists(st.text(), min_size=2, max_size=2), st.lists(st.text(), min_size=2, max_size=2))
def test_no_text_of_arguments_makes_two_operations_one(left: list[str], right: list[str]) -> None:
    key = made("{order_id}:{colour}")

    def name(pair: list[str]) -> str:
        return key.name_of((pair[0],), {"colour": pair[1]})

    assert (name(left) == name(right)) == (left == right)


def test_tasks_do_not_share_operations() -> None:
    def other(order_id: str) -> None: ...

    first, second = made("{order_id}", other), made("{order_id}", other)
    object.__setattr__(second, "task", "shop.refund")
    assert first.name_of(("a",), {}) != second.name_of(("a",), {})


@pytest.mark.parametrize("value", ["a", 1, True, None, Decimal("1.50"), UUID(int=7), date(2026, 1, 2), Colour.RED])
def test_what_has_one_text_makes_a_key(value: Any) -> None:
    key = made("{colour}")
    assert key.name_of(("a",), {"colour": value}) == key.name_of(("b",), {"colour": value})


@pytest.mark.parametrize("value", [["a"], {"a": 1}, 1.5, object(), Order(id="secret"), b"x"])
def test_what_has_none_does_not_and_is_not_shown(value: Any) -> None:
    with pytest.raises(ArgumentsRejected, match="'colour'") as caught:
        made("{colour}").name_of(("a",), {"colour": value})
    assert "secret" not in str(caught.value)


def test_a_function_of_the_arguments_makes_a_key() -> None:
    def place(order: Order, note: str = "") -> None: ...

    key = made(lambda order, note="": order.id, place)
    assert key.name_of((Order(id="a"),), {}) == key.name_of((Order(id="a"), "x"), {})
    assert key.name_of((Order(id="a"),), {}) != key.name_of((Order(id="b"),), {})
    assert made(lambda *args, **kwargs: args[0].id, place).name_of((Order(id="a"),), {})


@pytest.mark.parametrize("gives", [None, "", 7])
def test_a_function_that_gives_no_text_makes_none(gives: Any) -> None:
    with pytest.raises(ArgumentsRejected, match="gave no text"):
        made(lambda *args, **kwargs: gives).name_of(("a",), {})
