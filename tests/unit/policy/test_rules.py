"""What the pages do not show: the edges of rules, and what they answer when facts are unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest

from safecelery.policy import ABSENT, UNKNOWN, load_policy
from safecelery.policy.facts import Facts
from safecelery.policy.reading import is_count, is_duration, shown
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from tests.unit.policy.policy_builders import a_call, a_task, a_transport, an_app

LIMITS = load_policy("baseline").limits
HUGE = 10**5000


def ask(name: str, facts: Facts) -> Verdict:
    return BY_CODE[CODE_BY_NAME[name]].check(facts, LIMITS)


def fails(verdict: Verdict) -> str:
    assert isinstance(verdict, Fail)
    return verdict.detail


@pytest.mark.parametrize("value", [1, 0.001, 3600, HUGE, 1e300, HTTPStatus.OK], ids=shown)
def test_a_duration_is_a_positive_finite_number(value: object) -> None:
    assert is_duration(value)


@pytest.mark.parametrize(
    "value", [True, False, 0, -1, 0.0, -0.5, float("nan"), float("inf"), "30", None, Decimal(30), UNKNOWN, ABSENT, [30]]
)
def test_nothing_else_is_a_duration(value: object) -> None:
    assert not is_duration(value)


@pytest.mark.parametrize("value", [True, False, -1, 1.0, "3", None, UNKNOWN])
def test_nothing_but_a_whole_number_from_zero_is_a_count(value: object) -> None:
    assert not is_count(value)
    assert is_count(0)


def test_messages_show_plain_short_values_only() -> None:
    assert [shown(v) for v in (None, True, 30, "json")] == ["None", "True", "30", "'json'"]
    assert shown("secret" * 20) == "a long str"
    assert shown(HUGE) == "a huge number"
    assert shown({"password": "secret"}) == "a dict"


class TestTimeLimits:
    @pytest.mark.parametrize("value", [True, 0, -1, float("nan"), float("inf"), "30", [], Decimal(30)])
    @pytest.mark.parametrize("option", ["time_limit", "soft_time_limit"])
    def test_no_value_but_a_duration_is_accepted(self, option: str, value: object) -> None:
        assert option in fails(ask("time-limit-not-a-duration", a_task(**{option: value})))

    def test_a_bad_limit_is_seen_beside_an_unknown_one(self) -> None:
        task = a_task(time_limit=UNKNOWN, soft_time_limit=0)
        assert "soft_time_limit" in fails(ask("time-limit-not-a-duration", task))

    def test_a_huge_limit_is_too_high_and_not_a_crash(self) -> None:
        assert "a huge number" in fails(ask("hard-time-limit-too-high", a_task(time_limit=HUGE)))

    def test_a_limit_that_was_never_given_is_missing(self) -> None:
        assert "not stated" in fails(ask("hard-time-limit-missing", a_task(time_limit=ABSENT)))

    def test_the_maximum_itself_is_allowed(self) -> None:
        assert ask("hard-time-limit-too-high", a_task(time_limit=LIMITS.max_time_limit_s)) is PASS


class TestCalls:
    @pytest.mark.parametrize("own", [30, UNKNOWN, None, ABSENT, True])
    def test_no_call_goes_beyond_the_policy_whatever_the_task_says(self, own: object) -> None:
        call = a_call(time_limit=LIMITS.max_time_limit_s + 1, task_time_limit=own)
        assert "time_limit" in fails(ask("call-raises-time-limit", call))

    def test_a_task_beyond_the_policy_does_not_raise_the_ceiling(self) -> None:
        call = a_call(time_limit=5000, task_time_limit=9000)
        assert "3600" in fails(ask("call-raises-time-limit", call))

    def test_a_task_without_limit_leaves_the_policys(self) -> None:
        assert ask("call-raises-time-limit", a_call(time_limit=3600, task_time_limit=None)) is PASS

    def test_a_limit_within_the_policy_of_an_unknown_task_is_undecided(self) -> None:
        verdict = ask("call-raises-time-limit", a_call(time_limit=60, task_time_limit=UNKNOWN))
        assert verdict == Undecided("the task's time_limit cannot be determined")

    @pytest.mark.parametrize(
        "rule", ["call-raises-time-limit", "call-lifts-time-limit", "call-time-limits-out-of-order"]
    )
    def test_an_unreadable_limit_is_undecided(self, rule: str) -> None:
        assert isinstance(ask(rule, a_call(time_limit=UNKNOWN)), Undecided)

    def test_the_soft_limit_alone_is_compared_too(self) -> None:
        assert "soft_time_limit" in fails(ask("call-raises-time-limit", a_call(soft_time_limit=26)))
        assert "soft_time_limit" in fails(ask("call-lifts-time-limit", a_call(soft_time_limit=None)))

    @pytest.mark.parametrize("delay", ["soon", True, float("inf"), None, HUGE], ids=shown)
    def test_a_delay_is_a_number_within_reach(self, delay: object) -> None:
        fails(ask("call-too-far-ahead", a_call(delay_s=delay)))

    def test_a_retry_count_of_none_is_celerys_zero(self) -> None:
        assert ask("call-retries-out-of-range", a_call(retries=None)) is PASS

    def test_the_serializer_of_none_is_the_apps(self) -> None:
        assert ask("call-overrides-serializer", a_call(serializer=None)) is PASS

    def test_a_misspelt_option_is_answered_with_the_nearest(self) -> None:
        assert "did you mean 'countdown'" in fails(ask("unknown-call-option", a_call(unknown_options=("countdwn",))))


class TestRetries:
    @pytest.mark.parametrize(
        ("rule", "change"),
        [
            ("retry-backoff-off", {"retry_backoff": False}),
            ("retry-jitter-off", {"retry_jitter": None}),
            ("retry-backoff-unbounded", {"retry_backoff_max": float("inf")}),
            ("retry-backoff-too-long", {"retry_backoff_max": 7200}),
        ],
    )
    def test_speak_only_of_tasks_that_retry_by_themselves(self, rule: str, change: dict[str, Any]) -> None:
        assert isinstance(ask(rule, a_task(**change)), Fail)
        assert ask(rule, a_task(**change, autoretry_for=())) is PASS
        undecided = ask(rule, a_task(**change, autoretry_for=UNKNOWN))
        assert isinstance(undecided, Undecided)
        assert "autoretry_for" in undecided.because

    @pytest.mark.parametrize("value", ["yes", None, -1, float("inf"), float("nan")])
    def test_backoff_is_true_or_a_factor(self, value: object) -> None:
        fails(ask("retry-backoff-off", a_task(retry_backoff=value)))

    @pytest.mark.parametrize(
        ("autoretry_for", "backoff", "verdict"),
        [
            (UNKNOWN, True, Undecided),
            ((), UNKNOWN, Undecided),
            (UNKNOWN, False, type(PASS)),
            (("x.Y",), UNKNOWN, type(PASS)),
        ],
    )
    def test_backoff_without_autoretry_needs_both_facts(
        self, autoretry_for: object, backoff: object, verdict: type
    ) -> None:
        task = a_task(autoretry_for=autoretry_for, retry_backoff=backoff)
        assert isinstance(ask("backoff-without-autoretry", task), verdict)

    def test_a_huge_count_is_too_high_and_not_a_crash(self) -> None:
        fails(ask("max-retries-too-high", a_task(max_retries=HUGE)))


TRANSPORT_RULES = {
    "plain-text-transport": {"tls": False},
    "tls-chain-not-verified": {"verified": False},
    "tls-host-name-not-checked": {"host_checked": False},
    "tls-floor-too-low": {"tls_floor": None},
    "transport-password-missing-or-default": {"password": "default"},
}


@pytest.mark.parametrize(("rule", "broken"), TRANSPORT_RULES.items())
class TestTransports:
    def test_are_free_outside_production_and_on_this_host(self, rule: str, broken: dict[str, Any]) -> None:
        assert isinstance(ask(rule, a_transport(**broken)), Fail)
        assert ask(rule, a_transport(**broken, production=False)) is PASS
        assert ask(rule, a_transport(**broken, local=True)) is PASS

    @pytest.mark.parametrize("unclear", ["production", "local"])
    def test_are_undecided_if_it_is_unclear_whether_it_counts(
        self, rule: str, broken: dict[str, Any], unclear: str
    ) -> None:
        assert isinstance(ask(rule, a_transport(**broken, **{unclear: UNKNOWN})), Undecided)
        assert ask(rule, a_transport(**{unclear: UNKNOWN})) is PASS

    def test_are_undecided_if_the_fact_itself_is_unknown(self, rule: str, broken: dict[str, Any]) -> None:
        unknown = dict.fromkeys(broken, UNKNOWN)
        assert isinstance(ask(rule, a_transport(**unknown)), Undecided)
        assert ask(rule, a_transport(**unknown, local=True)) is PASS


def test_the_floor_is_the_policys() -> None:
    strict = replace(LIMITS, tls_floor="TLSv1.3")
    rule = BY_CODE["SFC204"]
    assert rule.check(a_transport(tls_floor="TLSv1.2"), LIMITS) is PASS
    assert "TLSv1.3" in fails(rule.check(a_transport(tls_floor="TLSv1.2"), strict))
    assert rule.check(a_transport(tls_floor="TLSv1.3"), strict) is PASS


def test_a_floor_nobody_knows_is_too_low() -> None:
    fails(ask("tls-floor-too-low", a_transport(tls_floor="TLSv9")))


def test_the_pool_is_the_policys_and_must_enforce_limits() -> None:
    narrow = replace(LIMITS, allowed_pools=("prefork",))
    assert "processes" in fails(BY_CODE["SFC411"].check(an_app(worker_pool="processes"), narrow))
    wide = replace(LIMITS, allowed_pools=("prefork", "gevent"))
    assert BY_CODE["SFC411"].check(an_app(worker_pool="gevent"), wide) is PASS
    fails(BY_CODE["SFC410"].check(an_app(worker_pool="gevent"), wide))


@pytest.mark.parametrize("protocol", [1, True, "2", None, 2.0])
def test_the_protocol_is_exactly_two(protocol: object) -> None:
    fails(ask("task-protocol-not-2", an_app(task_protocol=protocol)))


@pytest.mark.parametrize("keys", [0, -1, True])
def test_a_worker_trusts_at_least_one_key(keys: object) -> None:
    fails(ask("no-trusted-key", an_app(trusted_keys=keys)))


@pytest.mark.parametrize("who", [("every sender",), ("web", "beat"), None, "web", ["web"]])
def test_a_firewall_keeps_every_sender_out(who: object) -> None:
    fails(ask("firewall-only-reports", an_app(report_mode=who)))
    assert ask("firewall-only-reports", an_app(report_mode=())) is PASS


@pytest.mark.parametrize("value", [1, "yes", None, False])
def test_late_acknowledgement_is_exactly_true(value: object) -> None:
    fails(ask("early-acknowledgement", a_task(acks_late=value)))


def test_what_else_is_accepted_is_named() -> None:
    detail = fails(ask("accept-content-not-json-only", an_app(accept_content=frozenset({"json", "yaml", "pickle"}))))
    assert detail == "accept_content also allows pickle, yaml"
