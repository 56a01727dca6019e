"""The pages of family 7 are the detectors' tests: each Bad block has the page's kind, no Good block has."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Any

import pytest

from safecelery.lint.code import detect
from safecelery.policy.facts import CodeFacts
from safecelery.policy.kinds import KINDS
from safecelery.policy.rule import Rule
from safecelery.policy.rules import BY_CODE
from safecelery.policy.shipped import shipped_directory
from tests.unit.policy.policy_builders import sections

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RULES = [rule for code, rule in BY_CODE.items() if code.startswith("SFC7")]
LEVELS = tomllib.loads((shipped_directory() / "baseline.toml").read_text(encoding="utf-8"))["rules"]
ERRORS = {rule.name for rule in RULES if LEVELS[rule.name] == "error"}


def blocks_of(rule_code: str, heading: str) -> list[str]:
    page = next((shipped_directory() / "rules").glob(f"{rule_code}-*.md")).read_text(encoding="utf-8")
    return BLOCK.findall(sections(page)[heading])


def kinds_met(source: str) -> list[str]:
    return [site["kind"] for site in detect(ast.parse(source), source) if site["certain"]]


def test_every_rule_of_the_family_asks_for_one_kind_that_the_table_names() -> None:
    assert RULES
    assert all(rule.subject is CodeFacts and rule.name in KINDS for rule in RULES)


def test_every_kind_that_a_page_meets_is_in_the_table() -> None:
    blocks = [block for rule in RULES for heading in ("Bad", "Good") for block in blocks_of(rule.code, heading)]
    met = {kind for block in blocks for kind in kinds_met(block)}
    assert {rule.name for rule in RULES} <= met <= set(KINDS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestPageOfCode:
    def test_each_bad_block_is_such_a_place(self, rule: Rule[Any]) -> None:
        blocks = blocks_of(rule.code, "Bad")
        assert blocks
        for block in blocks:
            assert rule.name in kinds_met(block), block

    def test_no_good_block_is_one_nor_breaks_a_rule_of_level_error(self, rule: Rule[Any]) -> None:
        blocks = blocks_of(rule.code, "Good")
        assert blocks
        for block in blocks:
            met = set(kinds_met(block))
            assert rule.name not in met, block
            assert not met & ERRORS, block
