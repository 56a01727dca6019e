"""Rules of automatic and of own retries beyond their pages."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy import ABSENT, UNKNOWN, load_policy
from safecelery.policy.facts import Facts
from safecelery.policy.rule import PASS, Fail, Verdict
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from tests.unit.policy.policy_builders import a_place_in_code, a_task

LIMITS = load_policy("baseline").limits


def judged(name: str, facts: Facts) -> Verdict:
    return BY_CODE[CODE_BY_NAME[name]].check(facts, LIMITS)


def label(verdict: Verdict) -> str:
    return "pass" if verdict is PASS else "fail" if isinstance(verdict, Fail) else "undecided"


@pytest.mark.parametrize(
    ("rule", "names", "verdict"),
    [
        ("autoretry-for-everything", ("builtins.Exception",), "fail"),
        ("autoretry-for-everything", ("shop.errors.Exception",), "pass"),
        ("autoretry-for-everything", (UNKNOWN, "builtins.Exception"), "fail"),
        ("autoretry-for-everything", (UNKNOWN,), "undecided"),
        ("autoretry-for-everything", UNKNOWN, "undecided"),
        ("autoretry-for-exit", ("builtins.BaseException",), "fail"),
        ("autoretry-for-exit", ("builtins.Exception",), "pass"),
        ("autoretry-never-sees-it", ("celery.exceptions.TimeLimitExceeded",), "fail"),
        ("autoretry-never-sees-it", ("billiard.exceptions.TimeLimitExceeded",), "fail"),
        ("autoretry-never-sees-it", ("billiard.exceptions.WorkerLostError",), "fail"),
        ("autoretry-never-sees-it", ("shop.errors.Retry",), "pass"),
        ("autoretry-never-sees-it", ("celery.exceptions.SoftTimeLimitExceeded",), "pass"),
        ("autoretry-of-a-verdict", ("celery.exceptions.SoftTimeLimitExceeded",), "fail"),
        ("autoretry-of-a-verdict", ("celery.exceptions.Reject",), "fail"),
        ("autoretry-of-a-verdict", ("celery.exceptions.Ignore",), "pass"),
    ],
)
def test_what_is_retried_is_known_by_its_full_name(rule: str, names: Any, verdict: str) -> None:
    assert label(judged(rule, a_task(autoretry_for=names))) == verdict


@pytest.mark.parametrize(
    ("rule", "change", "verdict"),
    [
        ("retry-options-without-autoretry", {"autoretry_for": (), "retry_kwargs": {"max_retries": 1}}, "fail"),
        ("retry-options-without-autoretry", {"autoretry_for": (), "dont_autoretry_for": ("x.Y",)}, "fail"),
        ("retry-options-without-autoretry", {"autoretry_for": (), "retry_kwargs": UNKNOWN}, "undecided"),
        ("retry-options-without-autoretry", {"autoretry_for": UNKNOWN, "retry_kwargs": {"countdown": 1}}, "undecided"),
        ("retry-options-without-autoretry", {"autoretry_for": UNKNOWN}, "pass"),
        ("retry-kwargs-unknown", {"retry_kwargs": {"max_retries": 1, "countdown": 2, "queue": "slow"}}, "pass"),
        ("retry-kwargs-unknown", {"retry_kwargs": UNKNOWN}, "undecided"),
        ("retry-kwargs-unknown", {"retry_kwargs": {3: 4}}, "fail"),
        ("retry-countdown-overwritten", {"retry_kwargs": {"countdown": UNKNOWN}}, "fail"),
        ("retry-countdown-overwritten", {"retry_kwargs": {"countdown": 5}, "retry_backoff": False}, "pass"),
        ("retry-countdown-overwritten", {"retry_kwargs": {"countdown": 5}, "retry_backoff": UNKNOWN}, "undecided"),
        ("autoretry-of-zero-times", {"max_retries": False}, "pass"),
        ("autoretry-of-zero-times", {"max_retries": 0, "autoretry_for": UNKNOWN}, "undecided"),
        ("autoretry-of-zero-times", {"max_retries": None}, "pass"),
        ("retries-outlive-expiry", {"expires_s": 15, "retry_jitter": False}, "fail"),
        ("retries-outlive-expiry", {"expires_s": 15}, "pass"),
        ("retries-outlive-expiry", {"expires_s": 14}, "fail"),
        ("retries-outlive-expiry", {"expires_s": UNKNOWN}, "undecided"),
        ("retries-outlive-expiry", {"expires_s": 5, "retry_jitter": UNKNOWN}, "undecided"),
        ("retries-outlive-expiry", {"expires_s": 5, "autoretry_for": ()}, "pass"),
        ("backoff-does-not-grow", {"retry_backoff": 600}, "fail"),
        ("backoff-does-not-grow", {"retry_backoff": 599}, "pass"),
        ("backoff-does-not-grow", {"retry_backoff": 600, "retry_backoff_max": UNKNOWN}, "undecided"),
        ("retry-delay-not-a-duration", {"default_retry_delay": ABSENT}, "pass"),
        ("retry-delay-not-a-duration", {"default_retry_delay": None}, "fail"),
        ("retry-delay-not-a-duration", {"default_retry_delay": UNKNOWN}, "undecided"),
        ("retry-delay-too-long", {"default_retry_delay": LIMITS.max_retry_backoff_s}, "pass"),
        ("io-without-retries", {"does_io": True, "autoretry_for": ()}, "fail"),
        ("io-without-retries", {"does_io": True}, "pass"),
        ("io-without-retries", {"does_io": UNKNOWN}, "pass"),
        ("io-without-retries", {"does_io": UNKNOWN, "autoretry_for": ()}, "undecided"),
    ],
)
def test_edges(rule: str, change: dict[str, Any], verdict: str) -> None:
    assert label(judged(rule, a_task(**change))) == verdict


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("retry_jitter", "'retry_jitter' belongs beside retry_kwargs, on the task"),
        ("max_retry", "'max_retry' (did you mean max_retries?)"),
        ("colour", "'colour'"),
    ],
)
def test_a_strange_key_is_answered_with_where_it_belongs(key: str, told: str) -> None:
    verdict = judged("retry-kwargs-unknown", a_task(retry_kwargs={key: 1}))
    assert isinstance(verdict, Fail)
    assert verdict.detail == told


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("max_retry", "max_retries"),
        ("ignore_results", "ignore_result"),
        ("interval_start", "default_retry_delay"),
        ("interval_step", "retry_backoff"),
        ("task_time_limit", "time_limit"),
        ("time_limt", "time_limit"),
    ],
)
def test_an_option_without_effect_is_answered_with_what_was_meant(option: str, meant: str) -> None:
    verdict = judged("unknown-task-option", a_task(unknown_options=(option,)))
    assert isinstance(verdict, Fail)
    assert verdict.detail == f"{option!r} (did you mean {meant!r}?)"


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("retry-swallowed", "retry-swallowed"),
        ("retry-without-exc", "retry-without-exc"),
        ("retry-goes-on", "retry-goes-on"),
        ("retry-at-a-fixed-pace", "retry-fixed-countdown"),
    ],
)
def test_places_in_code_are_judged_by_their_kind(rule: str, kind: str) -> None:
    assert label(judged(rule, a_place_in_code(kind=kind))) == "fail"
    assert label(judged(rule, a_place_in_code(kind=kind, certain=False))) == "undecided"
    assert label(judged(rule, a_place_in_code(kind="another"))) == "pass"
