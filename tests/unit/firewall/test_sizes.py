"""Headers have a number and lengths; the sender is told by the same words."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.sizes import MAX_HEADERS, MAX_NAME, MAX_TEXT, amiss, sizes
from tests.unit.firewall.messages import a_body, a_context, a_message


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {f"x{n}": n for n in range(MAX_HEADERS - 2)},
        {"x" * MAX_NAME: 1},
        {"x": "y" * MAX_TEXT},
        {"x": ["y" * MAX_TEXT, {"a": None}]},
    ],
)
def test_headers_of_ordinary_size_pass(headers: dict[str, Any]) -> None:
    sizes(a_message(**headers), a_body(), a_context())


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({f"x{n}": n for n in range(MAX_HEADERS + 1)}, "headers"),
        ({"x" * (MAX_NAME + 1): 1}, "name"),
        ({"x": "y" * (MAX_TEXT + 1)}, "'x'"),
    ],
)
def test_too_many_or_too_long_are_refused(headers: dict[str, Any], word: str) -> None:
    with pytest.raises(Rejected) as caught:
        sizes(a_message(**headers), a_body(), a_context())
    assert caught.value.reason is Reason.TOO_LARGE
    assert word in caught.value.detail
    assert len(caught.value.detail) < 200


def test_names_that_are_no_text_are_for_the_sealer_to_refuse() -> None:
    assert amiss({1: "x"}) is None
