"""When two facts may share one answer."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.lint.sameness import are_same
from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, CodeFacts, Place


def call(**more: Any) -> CallFacts:
    given: dict[str, Any] = {
        "task": "shop.charge", "where": Place("a.py", 3), "time_limit": 1, "soft_time_limit": UNKNOWN,
        "task_time_limit": None, "task_soft_time_limit": ABSENT, "serializer": "json", "retries": 1.5,
        "unknown_options": ("a", "b"),
    }  # fmt: skip
    return CallFacts(**{**given, **more})


@pytest.mark.parametrize(
    "more", [{}, {"where": Place("a.py", 3)}, {"unknown_options": ("a", "b")}, {"delay_s": {"x": [1]}}]
)
def test_equal_facts_are_the_same(more: dict[str, Any]) -> None:
    assert are_same(call(**more), call(**{**more, "retries": 3 / 2}))


@pytest.mark.parametrize(
    "more",
    [
        {"time_limit": True},
        {"time_limit": 1.0},
        {"time_limit": UNKNOWN},
        {"where": Place("a.py", 4)},
        {"unknown_options": ("a",)},
        {"unknown_options": ["a", "b"]},
        {"delay_s": {1}},
        {"delay_s": object()},
        {"retries": float("nan")},
    ],
)
def test_what_a_message_would_show_differently_is_not(more: dict[str, Any]) -> None:
    assert not are_same(call(), call(**more))


def test_types_tell_apart_deep_inside() -> None:
    assert not are_same(call(delay_s={"x": [1]}), call(delay_s={"x": [True]}))


def test_facts_of_different_kinds_differ() -> None:
    code = CodeFacts(kind="naive-eta", where=Place("a.py", 3), task="shop.charge", detail="")
    assert not are_same(call(), code)
