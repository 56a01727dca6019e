"""Rules about comments that excuse, and about verdicts left open."""

from __future__ import annotations

import pytest

from safecelery.policy import UNKNOWN, load_policy
from safecelery.policy.facts import Facts
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict
from safecelery.policy.rules import BY_CODE
from tests.unit.policy.policy_builders import a_suppression, a_verdict

LIMITS = load_policy("baseline").limits


def ask(code: str, facts: Facts) -> Verdict:
    return BY_CODE[code].check(facts, LIMITS)


@pytest.mark.parametrize("code", ["SFC003", "SFC004", "SFC005"])
def test_a_comment_with_code_reason_and_a_finding_is_fine(code: str) -> None:
    assert ask(code, a_suppression()) is PASS


def test_each_fault_of_a_comment_breaks_its_own_rule_and_says_what() -> None:
    assert ask("SFC003", a_suppression(problem="no code in brackets")) == Fail("no code in brackets")
    assert ask("SFC004", a_suppression(unused=("SFC401", "SFC402"))) == Fail("nothing here breaks SFC401, SFC402")
    assert ask("SFC005", a_suppression(unknown=("'SFC4O1'",))) == Fail("'SFC4O1'")


def test_whether_a_comment_is_used_is_open_where_the_file_could_not_be_read() -> None:
    assert isinstance(ask("SFC004", a_suppression(unused=UNKNOWN)), Undecided)


def test_a_verdict_left_open_is_reported_with_what_stood_in_the_way() -> None:
    assert ask("SFC002", a_verdict(because="time_limit cannot be determined")) == Fail(
        "time_limit cannot be determined"
    )
    assert ask("SFC002", a_verdict()) is PASS
