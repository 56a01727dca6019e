"""Arguments against annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from safecelery import ArgumentsRejected, SettingsError
from safecelery.runtime.arguments import ArgumentChecker, plain


class Item(BaseModel):
    """An argument."""

    sku: str
    tags: list[str] = []


def checker(function: Callable[..., Any], *, bound: bool = False) -> ArgumentChecker:
    return ArgumentChecker("orders.t", function, skip_first=bound)


def everything(a: int, /, b: str, *rest: float, c: Item, d: bool = False, **more: int) -> None: ...


def test_what_fits_comes_back_as_annotated() -> None:
    args, kwargs = checker(everything)((1, "b", 2), {"c": {"sku": "pen"}, "extra": 3})
    assert args == (1, "b", 2.0)
    assert kwargs == {"c": Item(sku="pen"), "d": False, "extra": 3}


@pytest.mark.parametrize(
    ("args", "kwargs", "named"),
    [
        (("x", "b"), {"c": {"sku": "s"}}, "a"),
        ((1, 2), {"c": {"sku": "s"}}, "b"),
        ((1, "b", "z"), {"c": {"sku": "s"}}, "2"),
        ((1, "b"), {}, "c"),
        ((1, "b"), {"c": {"sku": "s", "tags": [1]}}, "c.tags.0"),
        ((1, "b"), {"c": {"sku": "s"}, "d": "perhaps"}, "d"),
        ((1, "b"), {"c": {"sku": "s"}, "extra": "z"}, "extra"),
        ((), {"c": {"sku": "s"}}, "a"),
    ],
)
def test_what_does_not_fit_is_named(args: tuple[Any, ...], kwargs: dict[str, Any], named: str) -> None:
    with pytest.raises(ArgumentsRejected, match=rf"'orders.t' do not fit:\n(.*\n)*  {named}: "):
        checker(everything)(args, kwargs)


def test_no_value_is_told() -> None:
    def secret(pin: Annotated[int, Field(lt=10)]) -> None: ...

    with pytest.raises(ArgumentsRejected) as caught:
        checker(secret)((4111,), {})
    assert "4111" not in str(caught.value)


def test_a_bound_tasks_first_parameter_is_the_task() -> None:
    def bound(self: Any, n: int) -> None: ...

    assert checker(bound, bound=True)((5,), {}) == ((5,), {})


def test_without_annotations_only_the_number_counts() -> None:
    def free(a, b=1):  # type: ignore[no-untyped-def]
        ...

    assert checker(free)(("anything",), {}) == (("anything",), {"b": 1})
    with pytest.raises(ArgumentsRejected):
        checker(free)((1, 2, 3), {})


def test_defaults_of_positional_parameters_stay_callable() -> None:
    def positional(a: int, b: int = 2, /, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    args, kwargs = checker(positional)((1,), {})
    assert positional(*args, **kwargs) == (1, 2, 3)


def test_wrapped_functions_are_checked_by_what_they_wrap() -> None:
    import functools

    def inner(n: int) -> None: ...

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> None: ...

    with pytest.raises(ArgumentsRejected):
        checker(outer)(("x",), {})


class Impossible:
    """Pydantic cannot make a schema of its annotation."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic import PydanticUserError

        raise PydanticUserError("not possible", code=None)


def test_annotations_that_cannot_be_checked_are_refused_early() -> None:
    def odd(x: Impossible) -> None: ...

    with pytest.raises(SettingsError, match=r"'orders.t': its annotations cannot be checked: not possible"):
        checker(odd)


def test_plain_leaves_everything_else_alone() -> None:
    marker = object()
    item = Item(sku="s", tags=["t"])
    given = {"a": [item, (item,)], "b": marker, 5: "x"}
    assert plain(given) == {"a": [{"sku": "s", "tags": ["t"]}, [{"sku": "s", "tags": ["t"]}]], "b": marker, 5: "x"}
