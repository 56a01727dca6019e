"""``safecelery rules``: the catalogue in three forms, and the page of one rule."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import get_args

import pytest
from click.testing import Result

from safecelery.cli.rules.catalogue import SUBJECTS
from safecelery.cli.rules.page import page_text, render_page
from safecelery.policy.facts import Facts
from safecelery.policy.profile import load_policy
from safecelery.policy.rules import BY_CODE, CATALOGUE

Run = Callable[..., Result]


def test_the_table_has_a_row_for_every_rule_in_order_of_code(run: Run) -> None:
    result = run("rules")
    assert result.exit_code == 0
    head, *rows = result.output.splitlines()
    assert head.split()[:4] == ["CODE", "NAME", "SEVERITY", "LEVEL"]
    assert [row.split()[0] for row in rows] == sorted(BY_CODE)


@pytest.mark.parametrize("policy", ["baseline", "strict", "migration"])
def test_levels_are_those_of_the_policy_that_was_named(run: Run, policy: str) -> None:
    rows = run("rules", "--policy", policy).output.splitlines()[1:]
    assert {row.split()[0]: row.split()[3] for row in rows} == dict(load_policy(policy).levels)


def test_json_carries_everything_a_tool_needs(run: Run) -> None:
    document = json.loads(run("rules", "--format", "json", "--policy", "migration").stdout)
    assert (document["schema"], document["policy"]) == (1, "migration")
    assert len(document["rules"]) == len(CATALOGUE)
    (found,) = [rule for rule in document["rules"] if rule["code"] == "SFC401"]
    assert found.pop("page").startswith("# SFC401 hard-time-limit-missing\n")
    rule = BY_CODE["SFC401"]
    assert found == {
        "code": "SFC401",
        "name": "hard-time-limit-missing",
        "family": "Time limits",
        "severity": "high",
        "level": "warn",
        "fixable": found["fixable"],
        "subject": "task",
        "message": rule.message,
        "fix": rule.fix,
    }


def test_markdown_links_every_rule_to_its_page(run: Run) -> None:
    text = run("rules", "--format", "markdown").stdout
    for rule in CATALOGUE:
        assert f"| [{rule.code}](../policies/rules/{rule.code}-{rule.name}.md) | {rule.name} |" in text


@pytest.mark.parametrize("word", ["SFC401", "sfc401", "hard-time-limit-missing", "Hard-Time-Limit-Missing"])
def test_a_rule_is_found_by_code_or_name_in_any_case(run: Run, word: str) -> None:
    result = run("rules", word)
    assert result.exit_code == 0
    assert result.output.startswith("SFC401 hard-time-limit-missing\n")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("SFC 401", "(did you mean 'SFC401'?)"), ("hard-limit-missing", "(did you mean 'hard-time-limit-missing'?)")],
)
def test_an_unknown_rule_gets_a_hint_and_exit_status_2(run: Run, word: str, hint: str) -> None:
    result = run("rules", word)
    assert result.exit_code == 2
    assert f"there is no rule {word!r} {hint}" in result.stderr


def test_a_rule_nothing_resembles_gets_no_hint(run: Run) -> None:
    result = run("rules", "42")
    assert result.exit_code == 2
    assert "did you mean" not in result.stderr


def test_an_unknown_policy_is_a_sentence(run: Run) -> None:
    result = run("rules", "--policy", "stricct")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: no policy 'stricct' (did you mean 'strict'?)")


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.code)
def test_every_page_is_readable_in_a_terminal(rule: object) -> None:
    markdown = page_text(rule)  # type: ignore[arg-type]
    text = render_page(markdown, width=80, colour=False)
    code = {f"    {line}".rstrip() for line in markdown.splitlines()}
    for line in text.splitlines():
        assert len(line) <= 80 or line in code or "://" in line
    assert "```" not in text
    assert "\n# " not in text
    assert "\x1b" not in text


def test_code_is_indented_and_kept_links_and_lists_are_unfolded() -> None:
    page = (
        "# SFC999 a-name\n\nFirst line\nand second.\n\n```toml facts\na  =  1\n\nb = 2\n```\n"
        "* see [the page](https://x.example/)\n"
    )
    assert render_page(page, width=80, colour=False) == (
        "SFC999 a-name\n\nFirst line and second.\n\n    facts:\n    a  =  1\n\n    b = 2\n"
        "* see the page <https://x.example/>\n"
    )


def test_colours_follow_the_choice_then_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b[1m" not in run("rules", "SFC401").output
    assert "\x1b[1m" in run("rules", "SFC401", "--color", "always").output
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in run("rules", "SFC401").output
    assert "\x1b[1m" not in run("rules", "SFC401", "--color", "never").output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1m" not in run("rules", "SFC401").output


def test_a_reader_that_stops_early_is_no_error() -> None:
    words = [sys.executable, "-m", "safecelery", "rules", "--format", "json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_every_kind_of_fact_has_a_word_for_what_is_checked() -> None:
    assert set(SUBJECTS) == set(get_args(Facts))
