from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from safecelery.errors import PolicyFileError
from safecelery.policy import Waiver

GOOD: dict[str, Any] = {"rule": "SFC501", "reason": "legacy", "owner": "payments", "expires": date(2030, 1, 1)}


def test_takes_a_rule_by_name_and_keeps_its_code() -> None:
    assert Waiver(**GOOD | {"rule": "early-acknowledgement"}) == Waiver(**GOOD)


@pytest.mark.parametrize("field", ["rule", "reason", "owner", "scope"])
@pytest.mark.parametrize("value", ["", "  ", None, 3])
def test_every_text_is_mandatory(field: str, value: object) -> None:
    with pytest.raises(PolicyFileError, match=f"a waiver needs '{field}'"):
        Waiver(**GOOD | {field: value})


@pytest.mark.parametrize("value", ["2030-01-01", None, datetime(2030, 1, 1)])
def test_it_ends_on_a_date(value: object) -> None:
    with pytest.raises(PolicyFileError, match="needs a date"):
        Waiver(**GOOD | {"expires": value})


@pytest.mark.parametrize(
    ("scope", "covered"),
    [("*", True), ("shop.*", True), ("shop.charge", True), ("shop", False), ("SHOP.*", False), ("billing.*", False)],
)
def test_its_scope_is_a_glob_on_the_subjects_name(scope: str, covered: bool) -> None:
    assert Waiver(**GOOD, scope=scope).covers("shop.charge") is covered
