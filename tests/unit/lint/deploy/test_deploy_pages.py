"""The blocks of every page about deployment files, read by the readers and judged by the rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from safecelery.policy import evaluate, load_policy
from safecelery.policy.facts import DeployFacts, FileFacts, PackageFacts
from safecelery.policy.rule import PASS, Fail, Rule
from safecelery.policy.rules import CATALOGUE
from safecelery.policy.shipped import shipped_directory
from tests.unit.lint.deploy.deploy_pages import Case, cases_of, facts_of

BASELINE = load_policy("baseline")
RULES = [rule for rule in CATALOGUE if rule.subject in (DeployFacts, PackageFacts, FileFacts)]
CASES = [
    pytest.param(rule, case, id=f"{rule.code}-{section}-{number}", marks=())
    for section in ("Bad", "Good")
    for rule in RULES
    for number, case in enumerate(
        cases_of((shipped_directory() / "rules" / f"{rule}.md".replace(" ", "-")).read_text("utf-8"), section), start=1
    )
]
BAD = [case for case in CASES if "-Bad-" in str(case.id)]
GOOD = [case for case in CASES if "-Good-" in str(case.id)]


def test_every_rule_has_cases_of_both_kinds() -> None:
    assert {str(case.id)[:6] for case in BAD} == {str(case.id)[:6] for case in GOOD} == {rule.code for rule in RULES}


@pytest.mark.parametrize(("rule", "case"), BAD)
def test_a_bad_case_breaks_its_rule(rule: Rule, case: Case, tmp_path: Path) -> None:
    facts = [fact for fact in facts_of(case, tmp_path) if isinstance(fact, rule.subject)]
    assert any(isinstance(rule.check(fact, BASELINE.limits), Fail) for fact in facts)


@pytest.mark.parametrize(("rule", "case"), GOOD)
def test_a_good_case_keeps_its_rule_and_breaks_no_other(rule: Rule, case: Case, tmp_path: Path) -> None:
    facts = facts_of(case, tmp_path)
    assert facts or rule.subject is FileFacts  # a file that is no secret leaves none
    for fact in facts:
        assert evaluate(fact, BASELINE, today=date(2025, 6, 15)).violations == ()
        if isinstance(fact, rule.subject):
            assert rule.check(fact, BASELINE.limits) is PASS
