"""Edges of the rules about serializers, signing, trust and limits in settings."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy import ABSENT, UNKNOWN, load_policy
from safecelery.policy.facts import Facts
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from tests.unit.policy.policy_builders import a_schedule, a_task, a_trusted_key, some_settings

THE_LIMITS = load_policy("baseline").limits


def verdict_of(name: str, facts: Facts) -> Verdict:
    return BY_CODE[CODE_BY_NAME[name]].check(facts, THE_LIMITS)


def verdict_on(name: str, **stated: Any) -> Verdict:
    return verdict_of(name, some_settings(stated))


class TestSerializers:
    def test_pickle_nobody_sends_is_named_as_needless(self) -> None:
        verdict = verdict_on("code-running-content-accepted", accept_content=["json", "pickle"])
        assert isinstance(verdict, Fail)
        assert "nothing it sends uses" in verdict.detail

    @pytest.mark.parametrize(
        "accepted", [["json", "msgpack"], ["yaml"], ["signed-pickle"], {"application/x-yaml"}, "json"]
    )
    def test_formats_that_run_no_code_are_another_rules(self, accepted: object) -> None:
        assert verdict_on("code-running-content-accepted", accept_content=accepted) is PASS

    def test_an_unreadable_list_is_undecided(self) -> None:
        assert isinstance(verdict_on("code-running-content-accepted", accept_content=UNKNOWN), Undecided)
        assert isinstance(verdict_on("code-running-content-accepted", accept_content=[UNKNOWN]), Undecided)

    def test_a_serializer_may_be_accepted_by_its_mime_type(self) -> None:
        accepted = ["application/x-msgpack"]
        assert verdict_on("serializer-not-accepted", task_serializer="msgpack", accept_content=accepted) is PASS
        own = verdict_on("serializer-not-accepted", task_serializer="ours", accept_content=["application/x-ours"])
        assert isinstance(own, Undecided)


class TestSigning:
    def test_whole_messages_may_carry_any_body(self) -> None:
        facts = some_settings({"task_serializer": "auth"}, signing=True)
        assert verdict_of("signature-covers-body-only", facts) is PASS

    def test_keys_beside_an_unknown_serializer_are_undecided(self) -> None:
        verdict = verdict_on("signing-keys-in-vain", security_key="/key", task_serializer=UNKNOWN)
        assert isinstance(verdict, Undecided)
        assert verdict_on("signing-keys-in-vain", security_key="/key", task_serializer="auth") is PASS

    @pytest.mark.parametrize("grant", ["send", "queues", "control"])
    def test_a_revoked_key_may_grant_what_it_likes(self, grant: str) -> None:
        name = {"send": "grant-of-every-task", "queues": "grant-of-every-queue", "control": "grant-of-every-command"}
        assert isinstance(verdict_of(name[grant], a_trusted_key(**{grant: ("*",)})), Fail)
        assert verdict_of(name[grant], a_trusted_key(**{grant: ("*",)}, revoked=True)) is PASS
        assert isinstance(verdict_of(name[grant], a_trusted_key(**{grant: UNKNOWN})), Undecided)

    def test_an_unreadable_date_is_not_a_missing_one(self) -> None:
        assert isinstance(verdict_of("trust-without-expiry", a_trusted_key(expires_s=UNKNOWN)), Undecided)
        assert isinstance(verdict_of("trust-without-expiry", a_trusted_key(expires_s=ABSENT)), Fail)


class TestLimits:
    def test_a_limit_under_a_wrong_name_is_forgiven_where_the_right_one_stands_too(self) -> None:
        wrong = a_task(unknown_options=("task_time_limit",), time_limit=None)
        assert isinstance(verdict_of("time-limit-under-another-name", wrong), Fail)
        assert verdict_of("time-limit-under-another-name", a_task(unknown_options=("task_time_limit",))) is PASS
        assert verdict_of("time-limit-under-another-name", a_task(unknown_options=("colour",))) is PASS
        assert isinstance(verdict_of("time-limit-under-another-name", a_task(unknown_options=UNKNOWN)), Undecided)

    def test_a_period_as_long_as_the_limit_is_long_enough(self) -> None:
        assert verdict_of("schedule-overlaps-itself", a_schedule(period_s=30, task_time_limit=30)) is PASS
        assert isinstance(verdict_of("schedule-overlaps-itself", a_schedule(period_s=UNKNOWN)), Undecided)
        assert verdict_of("schedule-overlaps-itself", a_schedule(period_s=1, task_time_limit=None)) is PASS

    def test_a_limit_nobody_can_read_is_neither_missing_nor_wrong(self) -> None:
        assert isinstance(verdict_on("default-time-limit-missing", task_time_limit=UNKNOWN), Undecided)
        assert verdict_on("default-time-limit-not-a-duration", task_time_limit=UNKNOWN) is PASS
        assert verdict_on("default-time-limits-out-of-order", task_time_limit=UNKNOWN, task_soft_time_limit=9) is PASS

    @pytest.mark.parametrize("stated", [("minute",), ("minute", "hour"), (), ABSENT])
    def test_a_crontab_that_states_its_minute_or_nothing_is_meant(self, stated: object) -> None:
        assert verdict_of("crontab-minute-left-open", a_schedule(crontab=stated)) is PASS

    def test_a_crontab_without_its_minute_runs_in_each(self) -> None:
        assert isinstance(verdict_of("crontab-minute-left-open", a_schedule(crontab=("hour",))), Fail)
        assert isinstance(verdict_of("crontab-minute-left-open", a_schedule(crontab=UNKNOWN)), Undecided)
