"""The rules of family 7: each fails for places of its own kind only, and is undecided where the detector was."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.policy import load_policy
from safecelery.policy.facts import CodeFacts, Place
from safecelery.policy.kinds import KINDS
from safecelery.policy.rule import PASS, Fail, Rule, Undecided
from safecelery.policy.rules import task_code, task_process, task_sending, task_trust

RULES = (*task_sending.RULES, *task_code.RULES, *task_process.RULES, *task_trust.RULES)
LIMITS = load_policy("baseline").limits


def a_place(kind: str, **changes: Any) -> CodeFacts:
    facts: dict[str, Any] = {"kind": kind, "where": Place("shop/tasks.py", 7), "task": "shop.charge", "detail": "seen"}
    return CodeFacts(**(facts | changes))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
class TestRulesOfPlaces:
    def test_a_place_of_its_kind_fails_and_says_what_was_met(self, rule: Rule[CodeFacts]) -> None:
        assert rule.check(a_place(rule.name), LIMITS) == Fail("seen")

    def test_a_place_the_detector_is_not_sure_of_is_undecided(self, rule: Rule[CodeFacts]) -> None:
        assert rule.check(a_place(rule.name, certain=False), LIMITS) == Undecided("seen")

    def test_places_of_all_other_kinds_pass(self, rule: Rule[CodeFacts]) -> None:
        for kind in [*KINDS, "", "no-such-kind"]:
            assert kind == rule.name or rule.check(a_place(kind), LIMITS) is PASS


def test_codes_and_kinds_are_used_once() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES) >= 40
    assert all("SFC701" <= rule.code <= "SFC799" for rule in RULES)
