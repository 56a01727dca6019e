"""What nobody said, and what nobody hears of: each rule fails, passes and abstains."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy.facts import ABSENT, UNKNOWN
from safecelery.policy.profile import load_policy
from safecelery.policy.rule import PASS, Fail, Undecided
from safecelery.policy.rules import BY_CODE
from tests.unit.policy.policy_builders import a_call, a_schedule, a_task, some_settings

LIMITS = load_policy("baseline").limits


def verdict(code: str, facts: Any) -> str:
    found = BY_CODE[code].check(facts, LIMITS)
    return {Fail: "fail", Undecided: "undecided"}.get(type(found), "pass" if found is PASS else "?")


@pytest.mark.parametrize(
    ("expires", "own", "expected"),
    [
        (ABSENT, None, "fail"),
        (ABSENT, ABSENT, "fail"),
        (None, None, "fail"),
        (60, UNKNOWN, "pass"),
        (UNKNOWN, 60, "pass"),
        (UNKNOWN, None, "undecided"),
        (ABSENT, UNKNOWN, "undecided"),
    ],
)
def test_a_call_expires_by_itself_or_by_its_task(expires: object, own: object, expected: str) -> None:
    assert verdict("SFC529", a_call(expires_s=expires, task_expires_s=own)) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, "pass"),
        ({"broker_connection_retry": True}, "pass"),
        ({"broker_connection_retry": False}, "fail"),
        ({"broker_connection_retry": False, "broker_connection_retry_on_startup": False}, "pass"),
        ({"broker_connection_retry": UNKNOWN}, "undecided"),
        ({"broker_connection_retry": False, "broker_connection_retry_on_startup": UNKNOWN}, "undecided"),
    ],
)
def test_retries_at_startup_are_stated_where_retries_are_off(stated: dict[str, object], expected: str) -> None:
    assert verdict("SFC533", some_settings(stated)) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, "fail"),
        ({"task_ignore_result": False}, "fail"),
        ({"task_ignore_result": True}, "pass"),
        ({"result_backend": "django-db"}, "pass"),
        ({"result_backend": None}, "pass"),
        ({"result_backend": UNKNOWN}, "undecided"),
    ],
)
def test_results_are_kept_or_declined(stated: dict[str, object], expected: str) -> None:
    assert verdict("SFC817", some_settings(stated)) == expected


@pytest.mark.parametrize(
    ("stated", "hours", "expected"),
    [
        ({}, True, "fail"),
        ({}, False, "pass"),
        ({}, UNKNOWN, "undecided"),
        ({"timezone": "UTC"}, True, "pass"),
        ({"timezone": UNKNOWN}, True, "undecided"),
        ({"enable_utc": False}, True, "pass"),
    ],
)
def test_a_schedule_that_names_hours_names_the_clock(stated: dict[str, object], hours: object, expected: str) -> None:
    assert verdict("SFC930", some_settings(stated, names_hours=hours)) == expected


@pytest.mark.parametrize(
    ("crontab", "period", "expected"),
    [
        (("minute", "day_of_week"), 3600, "fail"),
        (("minute", "day_of_month"), 3600, "fail"),
        (("minute", "hour", "day_of_week"), 86400, "pass"),
        (("minute", "day_of_week"), 300, "pass"),
        (("minute",), 3600, "pass"),
        (("day_of_week",), 60, "pass"),
        (ABSENT, 3600, "pass"),
        (UNKNOWN, 3600, "undecided"),
    ],
)
def test_a_crontab_with_days_names_the_hour(crontab: object, period: int, expected: str) -> None:
    assert verdict("SFC420", a_schedule(crontab=crontab, period_s=period)) == expected


@pytest.mark.parametrize(
    ("code", "field", "value", "expected"),
    [
        ("SFC928", "named", True, "pass"),
        ("SFC928", "named", False, "fail"),
        ("SFC928", "named", UNKNOWN, "undecided"),
        ("SFC929", "imported", True, "pass"),
        ("SFC929", "imported", False, "fail"),
        ("SFC929", "imported", UNKNOWN, "undecided"),
        ("SFC929", "imported", ABSENT, "pass"),
    ],
)
def test_a_task_is_named_and_imported(code: str, field: str, value: object, expected: str) -> None:
    assert verdict(code, a_task(**{field: value})) == expected


@pytest.mark.parametrize(("empty", "expected"), [(True, "fail"), (False, "pass"), (UNKNOWN, "pass")])
def test_a_configuration_holds_settings(empty: object, expected: str) -> None:
    assert verdict("SFC931", some_settings(source_empty=empty, namespace="SHOP")) == expected


def test_a_missing_limit_names_the_worker_that_sets_none() -> None:
    found = BY_CODE["SFC401"].check(a_task(time_limit=None, no_hard_limit_at="Procfile:2"), LIMITS)
    assert isinstance(found, Fail)
    assert "Procfile:2" in found.detail


def test_command_lines_that_all_set_a_limit_stand_in_for_the_setting() -> None:
    assert verdict("SFC412", some_settings()) == "fail"
    assert verdict("SFC412", some_settings(commands_limit=True)) == "pass"
