from __future__ import annotations

from dataclasses import replace

import pytest

from safecelery.errors import PolicyFileError
from safecelery.policy import Limits, load_policy

LIMITS = load_policy("baseline").limits
DURATIONS = ["max_time_limit_s", "max_soft_time_limit_s", "max_retry_backoff_s", "max_message_age_s", "max_eta_s"]
COUNTS = ["max_message_bytes", "max_deliveries"]
ZERO_ALLOWED = ["max_retries", "max_clock_skew_s", "max_canvas_signatures"]


def with_limit(name: str, value: object) -> Limits:
    return replace(LIMITS, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [True, None, "60", float("nan"), float("inf"), -1, [60]])
@pytest.mark.parametrize("name", [*DURATIONS, *COUNTS, *ZERO_ALLOWED])
def test_what_is_no_number_is_no_limit(name: str, value: object) -> None:
    with pytest.raises(PolicyFileError, match=name):
        with_limit(name, value)


@pytest.mark.parametrize("name", [*DURATIONS, *COUNTS])
def test_zero_does_not_switch_a_limit_off(name: str) -> None:
    with pytest.raises(PolicyFileError, match=f"{name} must be positive"):
        with_limit(name, 0)


@pytest.mark.parametrize("name", ZERO_ALLOWED)
def test_zero_is_a_limit_where_it_means_something(name: str) -> None:
    assert getattr(with_limit(name, 0), name) == 0


@pytest.mark.parametrize("name", [*COUNTS, "max_retries", "max_canvas_signatures"])
def test_counts_are_whole(name: str) -> None:
    with pytest.raises(PolicyFileError, match="whole number"):
        with_limit(name, 1.5)


@pytest.mark.parametrize("name", DURATIONS)
def test_durations_may_be_fractions_and_of_any_size(name: str) -> None:
    assert getattr(with_limit(name, 0.5), name) == 0.5
    assert getattr(with_limit(name, 10**400), name) == 10**400


@pytest.mark.parametrize("value", [(), ["prefork"], "prefork", ("prefrk",), None])
def test_allowed_pools_must_name_pools(value: object) -> None:
    with pytest.raises(PolicyFileError, match="allowed_pools"):
        with_limit("allowed_pools", value)


@pytest.mark.parametrize("value", ["TLSv1.1", "SSLv3", "1.2", "", None, True])
def test_a_tls_floor_below_1_2_is_no_floor(value: object) -> None:
    with pytest.raises(PolicyFileError, match="tls_floor"):
        with_limit("tls_floor", value)
