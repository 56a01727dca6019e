from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from safecelery.errors import PolicyFileError, PolicyViolationError
from safecelery.policy import CATALOGUE, CLEAN, UNKNOWN, Level, Policy, Waiver, enforce, evaluate, load_policy
from safecelery.policy import profile as profile_module
from safecelery.policy.facts import CallFacts, TaskFacts
from safecelery.policy.rule import Rule, Severity
from tests.unit.policy.policy_builders import TODAY, WHERE, a_call, a_task, a_transport, an_app

BASELINE = load_policy("baseline")


def with_levels(**levels: Level) -> Policy:
    return replace(BASELINE, levels={**BASELINE.levels, **levels})


def waiving(rule: str = "early-acknowledgement", expires: date = TODAY, **more: Any) -> Policy:
    waiver = Waiver(rule=rule, reason="legacy", owner="payments", expires=expires, **more)
    return replace(BASELINE, waivers=(waiver,))


def codes(items: Any) -> list[str]:
    return [item.code for item in items]


@pytest.mark.parametrize("facts", [a_task(), a_call(), a_transport()], ids=lambda facts: type(facts).__name__)
def test_a_subject_that_keeps_every_rule_has_the_clean_report(facts: Any) -> None:
    assert evaluate(facts, BASELINE, today=TODAY) is CLEAN
    assert enforce(facts, BASELINE) is CLEAN


def test_an_app_that_keeps_every_rule_passes_with_its_transports() -> None:
    assert evaluate(an_app(), BASELINE, today=TODAY) == CLEAN


def test_every_violation_is_listed_with_code_place_and_fix() -> None:
    with pytest.raises(PolicyViolationError) as caught:
        enforce(a_task(time_limit=None, acks_late=False, retry_jitter=0), BASELINE)
    assert codes(caught.value.violations) == ["SFC401", "SFC501", "SFC605"]
    assert caught.value.subject == "shop.charge"
    first = str(caught.value.violations[0])
    assert first.startswith("SFC401 hard-time-limit-missing: shop.charge has no hard time limit")
    assert "[shop/tasks.py:7] fix: state time_limit=SECONDS" in first
    assert "3 violations" in str(caught.value)


def test_a_warning_is_reported_and_not_raised() -> None:
    report = enforce(a_task(acks_late=False), with_levels(SFC501=Level.WARN))
    assert codes(report.warnings) == ["SFC501"]
    assert report.violations == ()


def test_a_rule_that_is_off_is_not_asked() -> None:
    assert evaluate(a_task(acks_late=False), with_levels(SFC501=Level.OFF), today=TODAY) is CLEAN


class TestUnknown:
    def test_is_a_violation_by_default(self) -> None:
        with pytest.raises(PolicyViolationError, match=r"SFC501 .* is unknown \(acks_late cannot be determined\)"):
            enforce(a_task(acks_late=UNKNOWN), BASELINE)

    def test_passes_where_the_caller_says_so_and_is_still_reported(self) -> None:
        report = enforce(a_task(acks_late=UNKNOWN), BASELINE, unknown="pass")
        assert codes(report.unknowns) == ["SFC501"]
        assert report.violations == ()

    def test_of_a_warning_is_no_violation(self) -> None:
        report = enforce(a_task(acks_late=UNKNOWN), with_levels(SFC501=Level.WARN))
        assert [(item.code, item.level) for item in report.unknowns] == [("SFC501", Level.WARN)]

    def test_does_not_hide_a_violation_beside_it(self) -> None:
        with pytest.raises(PolicyViolationError) as caught:
            enforce(a_task(acks_late=UNKNOWN, time_limit=None), BASELINE, unknown="pass")
        assert codes(caught.value.violations) == ["SFC401"]

    def test_any_other_answer_than_fail_or_pass_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'ignore'"):
            enforce(a_task(), BASELINE, unknown="ignore")  # type: ignore[arg-type]


class TestNothingChecked:
    def test_is_no_pass_when_every_rule_of_a_subject_is_off(self) -> None:
        off = {rule.code: Level.OFF for rule in CATALOGUE if rule.subject is CallFacts}
        with pytest.raises(PolicyFileError, match="no active rule for CallFacts"):
            evaluate(a_call(), with_levels(**off), today=TODAY)

    def test_is_no_pass_for_something_that_is_no_facts(self) -> None:
        with pytest.raises(PolicyFileError, match="no active rule for dict"):
            evaluate({}, BASELINE, today=TODAY)  # type: ignore[arg-type]

    def test_is_no_pass_when_the_table_of_rules_is_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(profile_module, "CATALOGUE", ())
        with pytest.raises(PolicyFileError, match="no active rule for TaskFacts"):
            evaluate(a_task(), replace(BASELINE), today=TODAY)


def _broken_rule(answer: Any) -> Rule[TaskFacts]:
    return Rule(
        code="SFC999", name="broken-rule", subject=TaskFacts, severity=Severity.LOW, check=lambda *_: answer,
        message="is odd", fix="mend the rule",
    )  # fmt: skip


@pytest.mark.parametrize("answer", [None, True, False, "pass"])
def test_a_rule_that_answers_something_else_is_an_error_and_no_pass(
    answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_module, "CATALOGUE", (*CATALOGUE, _broken_rule(answer)))
    policy = with_levels(SFC999=Level.ERROR)
    with pytest.raises(TypeError, match="SFC999 broken-rule answered"):
        evaluate(a_task(), policy, today=TODAY)


class TestTransportsOfAnApp:
    def test_every_broker_of_a_failover_list_is_checked(self) -> None:
        second = a_transport(url="redis://backup:6379", tls=False)
        with pytest.raises(PolicyViolationError) as caught:
            enforce(an_app(brokers=(a_transport(), second)), BASELINE)
        assert [(v.code, v.subject) for v in caught.value.violations] == [("SFC201", "broker redis://backup:6379")]

    def test_the_result_backend_is_checked(self) -> None:
        report = evaluate(an_app(results=a_transport(role="results", verified=False)), BASELINE, today=TODAY)
        assert [(v.code, v.subject.split()[0]) for v in report.violations] == [("SFC202", "results")]

    def test_no_result_backend_is_fine(self) -> None:
        assert evaluate(an_app(results=None), BASELINE, today=TODAY) == CLEAN

    def test_no_broker_is_a_violation(self) -> None:
        assert codes(evaluate(an_app(brokers=()), BASELINE, today=TODAY).violations) == ["SFC206"]

    def test_brokers_that_cannot_be_read_are_unknown(self) -> None:
        assert codes(evaluate(an_app(brokers=UNKNOWN), BASELINE, today=TODAY).unknowns) == ["SFC206"]

    def test_an_unreadable_result_backend_cannot_slip_through(self) -> None:
        with pytest.raises(PolicyFileError, match="no active rule for Unknown"):
            evaluate(an_app(results=UNKNOWN), BASELINE, today=TODAY)

    def test_the_apps_own_findings_come_first(self) -> None:
        app = an_app(signing=False, brokers=(a_transport(tls=False, verified=UNKNOWN),))
        report = evaluate(app, with_levels(SFC301=Level.WARN), today=TODAY)
        assert (codes(report.violations), codes(report.warnings), codes(report.unknowns)) == (
            ["SFC201"],
            ["SFC301"],
            ["SFC202"],
        )


class TestWaivers:
    def test_excuse_until_the_last_day_and_are_reported(self) -> None:
        report = enforce(a_task(acks_late=False), waiving(), today=TODAY)
        assert [(w.violation.code, w.waiver.owner) for w in report.waived] == [("SFC501", "payments")]
        assert report.violations == ()

    def test_excuse_what_cannot_be_decided(self) -> None:
        report = enforce(a_task(acks_late=UNKNOWN), waiving(), today=TODAY)
        assert len(report.waived) == 1
        assert report.unknowns == ()

    def test_expired_the_violation_is_back_and_the_waiver_is_one_too(self) -> None:
        with pytest.raises(PolicyViolationError) as caught:
            enforce(a_task(acks_late=False), waiving(), today=TODAY + timedelta(days=1))
        assert codes(caught.value.violations) == ["SFC501", "SFC001"]
        assert "payments" in str(caught.value.violations[1])

    def test_expired_it_is_a_violation_even_if_nothing_needs_it(self) -> None:
        report = evaluate(a_task(), waiving(), today=TODAY + timedelta(days=1))
        assert codes(report.violations) == ["SFC001"]

    @pytest.mark.parametrize(("level", "count"), [(Level.WARN, 1), (Level.OFF, 0)])
    def test_expired_it_weighs_what_the_policy_says(self, level: Level, count: int) -> None:
        policy = replace(waiving(), levels={**BASELINE.levels, "SFC001": level})
        report = evaluate(a_task(), policy, today=TODAY + timedelta(days=1))
        assert (len(report.warnings), report.violations) == (count, ())

    def test_excuse_only_their_scope(self) -> None:
        policy = waiving(scope="billing.*")
        assert codes(evaluate(a_task(acks_late=False), policy, today=TODAY).violations) == ["SFC501"]
        assert evaluate(a_task(acks_late=False, name="billing.pay"), policy, today=TODAY).violations == ()

    def test_out_of_scope_an_expired_one_is_nobodys_violation(self) -> None:
        report = evaluate(a_task(), waiving(scope="billing.*"), today=TODAY + timedelta(days=1))
        assert report == CLEAN

    def test_excuse_only_their_rule(self) -> None:
        report = evaluate(a_task(acks_late=False, time_limit=None), waiving(), today=TODAY)
        assert codes(report.violations) == ["SFC401"]

    def test_of_a_transport_holds_inside_its_app(self) -> None:
        policy = waiving("plain-text-transport", scope="broker redis://legacy*")
        app = an_app(brokers=(a_transport(url="redis://legacy:6379", tls=False),))
        report = evaluate(app, policy, today=TODAY)
        assert (codes(report.violations), len(report.waived)) == ([], 1)


def test_today_is_the_day_in_utc_unless_given() -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    tomorrow = yesterday + timedelta(days=2)
    with pytest.raises(PolicyViolationError, match="SFC001"):
        enforce(a_task(), waiving(expires=yesterday))
    assert enforce(a_task(), waiving(expires=tomorrow)) is CLEAN


def test_a_violation_remembers_where_and_how_bad() -> None:
    (violation,) = evaluate(a_task(serializer="pickle"), BASELINE, today=TODAY).violations
    assert (violation.where, violation.severity, violation.level) == (WHERE, Severity.CRITICAL, Level.ERROR)
