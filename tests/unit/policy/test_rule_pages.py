"""Every rule has a page, every page a rule; and the page's examples are the rule's test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from safecelery.lint.echoes import ECHOES
from safecelery.policy import CATALOGUE, Rule, evaluate, load_policy
from safecelery.policy.document import Level
from safecelery.policy.rule import PASS, Fail, Family
from safecelery.policy.shipped import shipped_directory
from tests.unit.policy.page_cases import linted, page_cases
from tests.unit.policy.policy_builders import TODAY, sections

PAGES = shipped_directory() / "rules"
HEADINGS = ["Why", "Bad", "Good", "How to fix", "When it stays silent", "References"]
BASELINE = load_policy("baseline")


def page_of(rule: Rule) -> str:
    return (PAGES / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")


def test_rules_and_pages_correspond_one_to_one() -> None:
    assert sorted(path.name for path in PAGES.iterdir()) == sorted(f"{r.code}-{r.name}.md" for r in CATALOGUE)


def test_codes_and_names_are_unique_and_well_formed() -> None:
    assert len({rule.code for rule in CATALOGUE}) == len({rule.name for rule in CATALOGUE}) == len(CATALOGUE)
    for rule in CATALOGUE:
        assert re.fullmatch(r"SFC\d{3}", rule.code)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
        assert rule.family in Family


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.code)
class TestPage:
    def test_has_title_and_every_heading_in_order(self, rule: Rule) -> None:
        page = page_of(rule)
        assert page.startswith(f"# {rule.code} {rule.name}\n")
        assert rule.message in page
        assert list(sections(page)) == HEADINGS
        assert all(body.strip() for body in sections(page).values())

    def test_bad_examples_break_the_rule(self, rule: Rule, tmp_path: Path) -> None:
        cases = page_cases(sections(page_of(rule))["Bad"])
        assert cases
        for number, case in enumerate(cases):
            for facts in case.facts:
                assert isinstance(facts, rule.subject)
                assert isinstance(rule.check(facts, BASELINE.limits), Fail), facts
            if case.files:
                result = linted(case, tmp_path / str(number), rule)
                found = {finding.code for finding in result.findings}
                assert rule.code in found or ECHOES.get(rule.code) in found, (case.files, result)

    def test_good_examples_keep_this_rule_and_break_no_other(self, rule: Rule, tmp_path: Path) -> None:
        cases = page_cases(sections(page_of(rule))["Good"])
        assert cases
        for number, case in enumerate(cases):
            for facts in case.facts:
                assert isinstance(facts, rule.subject)
                assert rule.check(facts, BASELINE.limits) is PASS
                assert evaluate(facts, BASELINE, today=TODAY).violations == ()
            if case.files:
                result = linted(case, tmp_path / str(number), rule)
                assert not result.unread
                assert rule.code not in {finding.code for finding in result.findings}, (case.files, result.findings)
                assert not any(rule.code in finding.message for finding in result.undecided), result.undecided
                if "create_app" in _written(tmp_path / str(number)):
                    errors = [finding for finding in result.findings if finding.level is Level.ERROR]
                    assert not errors


def _written(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
