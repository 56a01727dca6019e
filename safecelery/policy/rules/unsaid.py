"""Choices that nobody made, so that a default did: what expires, whose hours are meant, what becomes of results."""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, CallFacts, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_on, shown
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.settings_reading import setting, stated

__all__ = ["RULES"]


def _expires(call: CallFacts, _: Limits) -> Verdict:
    known = [value for value in (call.expires_s, call.task_expires_s) if value is not UNKNOWN]
    if any(value is not None and value is not ABSENT for value in known):
        return PASS
    unread = first_unknown(expires=call.expires_s, the_tasks_expires=call.task_expires_s)
    return unread or Fail("neither the call nor the task states expires")


def _startup(app: SettingsFacts, _: Limits) -> Verdict:
    retry, startup = stated(app, "broker_connection_retry"), stated(app, "broker_connection_retry_on_startup")
    if retry is ABSENT or is_on(retry) or (startup is not ABSENT and startup is not UNKNOWN and startup is not None):
        return PASS
    unread = first_unknown(broker_connection_retry=retry, broker_connection_retry_on_startup=startup)
    return unread or Fail(
        f"broker_connection_retry is {shown(retry)}, broker_connection_retry_on_startup is not stated"
    )


def _results(app: SettingsFacts, _: Limits) -> Verdict:
    backend, ignored = stated(app, "result_backend"), setting(app, "task_ignore_result")
    if (backend is not ABSENT and backend is not UNKNOWN) or is_on(ignored):
        return PASS
    unread = first_unknown(result_backend=backend, task_ignore_result=ignored)
    return unread or Fail("neither result_backend nor task_ignore_result is stated")


def _timezone(app: SettingsFacts, _: Limits) -> Verdict:
    zone, utc = stated(app, "timezone"), setting(app, "enable_utc")
    if app.names_hours is False or (zone is not ABSENT and zone is not UNKNOWN and zone is not None):
        return PASS
    if utc is not UNKNOWN and not is_on(utc):
        return PASS  # then the host's clock counts, which SFC914 speaks of
    return first_unknown(timezone=zone, the_schedule=app.names_hours) or Fail("timezone is not stated")


RULES = (
    Rule(
        code="SFC529",
        name="call-never-expires",
        subject=CallFacts,
        severity=Severity.LOW,
        check=_expires,
        message="stays in the queue until somebody runs it, however late that is",
        fix="state expires=SECONDS, after which the work is of no use",
    ),
    Rule(
        code="SFC533",
        name="startup-retry-unsaid",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_startup,
        message="refuses to wait for its broker at start today, and waits for ever with Celery 6",
        fix="state broker_connection_retry_on_startup = False",
    ),
    Rule(
        code="SFC817",
        name="results-neither-kept-nor-declined",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_results,
        message="throws away what tasks return without saying that it is meant to",
        fix="set task_ignore_result = True, or a result_backend",
    ),
    Rule(
        code="SFC930",
        name="timezone-not-stated",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_timezone,
        message="names hours in its schedule without saying of which clock, so they are hours of UTC",
        fix="set timezone to the zone that the hours are meant in: 'Europe/Paris', or 'UTC'",
    ),
)
