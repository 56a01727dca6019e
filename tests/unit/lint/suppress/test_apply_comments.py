"""What comments make of findings, and when a comment itself is at fault."""

from __future__ import annotations

from typing import Any

from safecelery.lint.finding import Finding
from safecelery.lint.suppress.apply import Suppressed, apply
from safecelery.lint.suppress.python import read_comments
from safecelery.policy import UNKNOWN, Level, Severity
from safecelery.policy.rule import Fail
from safecelery.policy.rules import BY_CODE
from safecelery.policy.rules.suppressions import RULES

ACTIVE = frozenset(BY_CODE)


def a_finding(code: str = "SFC401", line: int = 1, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "code": code,
        "name": BY_CODE[code].name,
        "severity": Severity.HIGH,
        "level": Level.ERROR,
        "message": "shop.charge has no hard time limit",
        "fix": "state one",
        "path": "shop/tasks.py",
        "line": line,
        "subject": "shop.charge",
    }
    return Finding(**(values | changes))


def applied(
    source: str, *findings: Finding, active: frozenset[str] = ACTIVE, unread: tuple[str, ...] = ()
) -> Suppressed:
    return apply(findings, {"shop/tasks.py": read_comments(source)}, active=active, unread=unread)


def broken(result: Suppressed) -> list[str]:
    """The codes of the rules that the comments break."""
    limits: Any = None  # these rules have no numbers
    return [r.code for facts in result.complaints for r in RULES if isinstance(r.check(facts, limits), Fail)]


def test_a_comment_with_code_and_reason_takes_the_finding_out() -> None:
    finding, other = a_finding(), a_finding(line=2)
    result = applied("x  # safecelery: ignore[SFC401] why\ny\n", finding, other)
    assert (result.kept, result.suppressed) == ((other,), (finding,))
    assert broken(result) == []


def test_names_and_prefixes_are_codes_too() -> None:
    for selector in ("hard-time-limit-missing", "SFC4", "SFC40"):
        result = applied(f"x  # safecelery: ignore[{selector}] why\n", a_finding())
        assert result.kept == ()


def test_a_comment_without_reason_is_not_obeyed_and_reported() -> None:
    result = applied("x  # safecelery: ignore[SFC401]\n", a_finding())
    assert len(result.kept) == 1
    assert broken(result) == ["SFC003"]


def test_codes_without_a_rule_are_reported_with_the_nearest() -> None:
    result = applied("x  # safecelery: ignore[hard-time-limit-mising, SFC401] why\n", a_finding())
    assert result.kept == ()
    assert broken(result) == ["SFC005"]
    assert result.complaints[0].unknown == ("'hard-time-limit-mising' (did you mean 'hard-time-limit-missing'?)",)


def test_everything_at_once_cannot_be_excused() -> None:
    result = applied("x  # safecelery: ignore[SFC] why\n", a_finding())
    assert len(result.kept) == 1
    assert broken(result) == ["SFC005"]


class TestUnused:
    SOURCE = "x  # safecelery: ignore[SFC401, SFC402] why\n"

    def test_codes_are_reported_one_by_one(self) -> None:
        result = applied(self.SOURCE, a_finding())
        assert broken(result) == ["SFC004"]
        assert result.complaints[0].unused == ("SFC402",)

    def test_only_of_rules_that_ran(self) -> None:
        assert broken(applied(self.SOURCE, a_finding(), active=ACTIVE - {"SFC402"})) == []

    def test_not_where_a_verdict_is_open(self) -> None:
        result = applied(self.SOURCE, a_finding("SFC002"))
        assert broken(result) == []
        assert len(result.kept) == 1

    def test_open_where_the_file_could_not_be_read(self) -> None:
        assert applied(self.SOURCE, unread=("shop/tasks.py",)).complaints[0].unused is UNKNOWN

    def test_of_two_comments_the_nearer_one_counts(self) -> None:
        source = "# safecelery: ignore-file[SFC401] all\nx  # safecelery: ignore[SFC401] why\n"
        result = applied(source, a_finding(line=2))
        assert [facts.unused for facts in result.complaints] == [("SFC401",), ()]


def test_a_comment_for_the_file_covers_findings_without_a_line() -> None:
    assert applied("# safecelery: ignore-file[SFC4] vendored\n", a_finding(line=0)).kept == ()


def test_an_open_verdict_can_be_accepted() -> None:
    assert applied("x  # safecelery: ignore[SFC002] read from a service\n", a_finding("SFC002")).kept == ()


def test_complaints_about_comments_and_waivers_cannot_be_excused() -> None:
    result = applied("x  # safecelery: ignore[SFC004, waiver-expired] why\n", a_finding("SFC001"))
    assert len(result.kept) == 1
    assert broken(result) == ["SFC003"]
    assert "SFC004, waiver-expired cannot be excused" in result.complaints[0].problem


def test_comments_of_another_file_excuse_nothing() -> None:
    comments = read_comments("x  # safecelery: ignore[SFC401] why\n")
    assert len(apply([a_finding()], {"shop/other.py": comments}, active=ACTIVE).kept) == 1
