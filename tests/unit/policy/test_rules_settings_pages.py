"""Rules over the settings of an app: the pages as cases, what they answer when facts are unknown, and that any value
gives a verdict."""

from __future__ import annotations

import re
from typing import Any

import pytest

from safecelery.policy import ABSENT, UNKNOWN, Rule, load_policy
from safecelery.policy.facts import ScheduleFacts, SettingsFacts, TrustFacts
from safecelery.policy.rule import PASS, Fail, Pass, Undecided, Verdict
from safecelery.policy.rules import BY_CODE, CATALOGUE, CODE_BY_NAME
from safecelery.policy.setting_defaults import SETTING_DEFAULTS
from safecelery.policy.shipped import shipped_directory
from tests.unit.policy.page_settings import settings_facts_in
from tests.unit.policy.policy_builders import a_schedule, a_trusted_key, sections, some_settings

LIMITS = load_policy("baseline").limits
MINE = re.compile(r"SFC(10[89]|11\d|20[789]|21\d|30[4-9]|31\d|41[2-9]|8\d\d)")
OF_SETTINGS = [rule for rule in CATALOGUE if MINE.fullmatch(rule.code) and rule.subject is SettingsFacts]
REDIS = "rediss://redis.example/1?ssl_cert_reqs=required"


def ask_settings(name: str, *, complete: bool = True, production: Any = True, **stated: Any) -> Verdict:
    facts = some_settings(stated, complete=complete, production=production)
    return BY_CODE[CODE_BY_NAME[name]].check(facts, LIMITS)


@pytest.mark.parametrize("rule", OF_SETTINGS, ids=lambda rule: rule.code)
class TestPagesOfSettings:
    def blocks(self, rule: Rule[Any], heading: str) -> list[Any]:
        page = (shipped_directory() / "rules" / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")
        return settings_facts_in(sections(page)[heading])

    def test_each_bad_block_breaks_the_rule(self, rule: Rule[Any]) -> None:
        blocks = self.blocks(rule, "Bad")
        assert blocks
        for facts in blocks:
            assert isinstance(rule.check(facts, LIMITS), Fail)

    def test_each_good_block_keeps_it(self, rule: Rule[Any]) -> None:
        blocks = self.blocks(rule, "Good")
        assert blocks
        for facts in blocks:
            assert rule.check(facts, LIMITS) is PASS

    def test_nothing_is_called_broken_where_nothing_can_be_read(self, rule: Rule[Any]) -> None:
        unread = some_settings({}, complete=False, production=UNKNOWN)
        every = some_settings(dict.fromkeys(SETTING_DEFAULTS, UNKNOWN), production=UNKNOWN)
        assert not isinstance(rule.check(unread, LIMITS), Fail)
        assert not isinstance(rule.check(every, LIMITS), Fail)


def test_an_app_that_states_nothing_but_a_safe_broker_and_limits_breaks_none_of_them() -> None:
    facts = some_settings(
        {"broker_url": "rediss://redis.example/0", "broker_use_ssl": {"ssl_cert_reqs": 2}, "task_time_limit": 300,
         "task_soft_time_limit": 270, "accept_content": ["json"]},
        results_read=False,
    )  # fmt: skip
    said = "results-neither-kept-nor-declined"  # a remark that asks for a line, off in every policy that ships
    assert [
        rule.code for rule in OF_SETTINGS if rule.name != said and isinstance(rule.check(facts, LIMITS), Fail)
    ] == []


ODD: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**4000, "", "x", "é\n@:/?;", "://", ";;", b"bytes", [], [[]],
    [UNKNOWN], (1, None), {}, {1: 2}, {"ssl_cert_reqs": UNKNOWN}, {"password": UNKNOWN}, {"context": 3}, frozenset({1}),
    object(), UNKNOWN, ABSENT,
]  # fmt: skip


@pytest.mark.parametrize("rule", OF_SETTINGS, ids=lambda rule: rule.code)
def test_any_value_in_any_setting_gives_a_verdict(rule: Rule[Any]) -> None:
    for value in ODD:
        for name in SETTING_DEFAULTS:
            assert isinstance(rule.check(some_settings({name: value}), LIMITS), Pass | Fail | Undecided)
        for complete in (True, False):
            facts = some_settings(dict.fromkeys(SETTING_DEFAULTS, value), complete=complete, results_read=True)
            assert isinstance(rule.check(facts, LIMITS), Pass | Fail | Undecided)


@pytest.mark.parametrize("value", ODD)
def test_any_value_in_a_trusted_key_or_a_schedule_gives_a_verdict(value: Any) -> None:
    for rule in CATALOGUE:
        if rule.subject is TrustFacts and MINE.fullmatch(rule.code):
            assert isinstance(rule.check(a_trusted_key(expires_s=value), LIMITS), Pass | Fail | Undecided)
        if rule.subject is ScheduleFacts and MINE.fullmatch(rule.code):
            entry = a_schedule(period_s=value, task_time_limit=value)
            assert isinstance(rule.check(entry, LIMITS), Pass | Fail | Undecided)


class TestResults:
    def test_a_result_backend_that_cannot_be_read_leaves_endless_results_open(self) -> None:
        assert isinstance(ask_settings("results-never-expire", result_backend=UNKNOWN, result_expires=None), Undecided)
        assert ask_settings("results-never-expire", result_backend=UNKNOWN) is PASS

    def test_results_that_are_not_stored_need_no_expiry(self) -> None:
        assert ask_settings("results-never-expire", result_expires=None) is PASS
        assert ask_settings("results-never-expire", result_backend="rpc://", result_expires=None) is PASS

    def test_whether_results_are_read_must_be_known(self) -> None:
        assert isinstance(ask_settings("results-stored-for-nobody", result_backend=REDIS), Undecided)

    def test_a_backend_by_class_path_is_nobody_we_know(self) -> None:
        own = "shop.backends.Ours"
        for name in ("result-persistent-in-vain", "failure-expiry-in-vain", "result-compression-in-vain"):
            options = {"result_persistent": True, "result_failure_expires": 60, "result_compression": "zlib"}
            assert ask_settings(name, result_backend=own, **options) is PASS

    def test_memory_outside_production_is_for_tests(self) -> None:
        memory = "cache+memory://"
        assert ask_settings("results-of-one-process", production=False, result_backend=memory) is PASS
        open_case = ask_settings("results-of-one-process", production=UNKNOWN, result_backend=memory)
        assert isinstance(open_case, Undecided)
