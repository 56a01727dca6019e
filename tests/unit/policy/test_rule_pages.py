"""Every rule has a page, every page a rule; and the page's examples are the rule's test."""

from __future__ import annotations

import re

import pytest

from safecelery.policy import CATALOGUE, Rule, evaluate, load_policy
from safecelery.policy.rule import PASS, Fail, Family
from safecelery.policy.shipped import shipped_directory
from tests.unit.policy.policy_builders import TODAY, facts_in, sections

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

    def test_bad_examples_break_the_rule(self, rule: Rule) -> None:
        bad = facts_in(sections(page_of(rule))["Bad"])
        assert bad
        for facts in bad:
            assert isinstance(facts, rule.subject)
            assert isinstance(rule.check(facts, BASELINE.limits), Fail)

    def test_good_examples_keep_this_rule_and_break_no_other(self, rule: Rule) -> None:
        good = facts_in(sections(page_of(rule))["Good"])
        assert good
        for facts in good:
            assert isinstance(facts, rule.subject)
            assert rule.check(facts, BASELINE.limits) is PASS
            assert evaluate(facts, BASELINE, today=TODAY).violations == ()
