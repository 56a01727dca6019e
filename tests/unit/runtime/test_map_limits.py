"""A map may take its target's limits once per item, and never more than its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from safecelery.runtime.execute import ClampedRequest

OWN = (100.0, 90.0)


def limits(args: list[Any], kwargs: dict[str, Any], *, name: str = "celery.map") -> tuple[float | None, float | None]:
    request = ClampedRequest.__new__(ClampedRequest)
    request._app = SimpleNamespace(tasks={"nap": SimpleNamespace(granted_limits=(3.0, 2.0))})
    request._task = SimpleNamespace(name=name, granted_limits=OWN)
    request._args, request._kwargs = args, kwargs
    return request.time_limits


@pytest.mark.parametrize("target", ["nap", {"task": "nap"}])
@pytest.mark.parametrize("name", ["celery.map", "celery.starmap"])
def test_the_targets_limits_hold_for_each_item(name: str, target: object) -> None:
    assert limits([], {"task": target, "it": [1]}, name=name) == (3.0, 2.0)
    assert limits([target, [1, 2, 3]], {}, name=name) == (9.0, 6.0)


def test_a_long_list_does_not_lift_the_maps_own_limits() -> None:
    assert limits([], {"task": {"task": "nap"}, "it": [1] * 1000}) == OWN


@pytest.mark.parametrize("items", [[], None, 5])
def test_no_items_are_as_good_as_one(items: object) -> None:
    assert limits([], {"task": {"task": "nap"}, "it": items}) == (3.0, 2.0)


@pytest.mark.parametrize("target", [{"task": "unknown"}, {}, None, [{"task": "nap"}]])
def test_an_unknown_target_leaves_the_maps_own_limits(target: object) -> None:
    assert limits([], {"task": target, "it": [1]}) == OWN


def test_any_other_task_has_its_own_limits() -> None:
    assert limits([], {"task": {"task": "nap"}, "it": [1]}, name="shop.map") == OWN
