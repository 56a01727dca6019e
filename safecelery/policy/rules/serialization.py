"""1xx: JSON only. Any other serializer runs code, or hides what a message holds."""

from __future__ import annotations

from safecelery.policy.facts import ABSENT, UNKNOWN, AppFacts, CallFacts, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict
from safecelery.policy.vocabulary import JSON, JSON_CONTENT

__all__ = ["RULES"]


def _is_json(option: str, value: object) -> Verdict:
    if value == JSON:
        return PASS
    if value is UNKNOWN:
        return unreadable(option)
    return Fail(f"{option} is {shown(value)}")


def _task_serializer(app: AppFacts, _: Limits) -> Verdict:
    return _is_json("task_serializer", app.task_serializer)


def _result_serializer(app: AppFacts, _: Limits) -> Verdict:
    return _is_json("result_serializer", app.result_serializer)


def _event_serializer(app: AppFacts, _: Limits) -> Verdict:
    return _is_json("event_serializer", app.event_serializer)


def _only_json(option: str, accepted: frozenset[str]) -> Verdict:
    if not accepted:
        return Fail(f"{option} is empty")
    extra = sorted(accepted - JSON_CONTENT)
    return Fail(f"{option} also allows {', '.join(extra)}") if extra else PASS


def _accept_content(app: AppFacts, _: Limits) -> Verdict:
    if app.accept_content is UNKNOWN:
        return unreadable("accept_content")
    return _only_json("accept_content", app.accept_content)


def _result_accept_content(app: AppFacts, _: Limits) -> Verdict:
    if app.result_accept_content is UNKNOWN:
        return unreadable("result_accept_content")
    if app.result_accept_content is None:  # then accept_content counts, which has a rule of its own
        return PASS
    return _only_json("result_accept_content", app.result_accept_content)


def _task_option(task: TaskFacts, _: Limits) -> Verdict:
    return _is_json("serializer", task.serializer)


def _call_option(call: CallFacts, _: Limits) -> Verdict:
    # None falls back to the app's serializer (celery/app/amqp.py, send_task_message), which has a rule of its own.
    if call.serializer is ABSENT or call.serializer is None or call.serializer == JSON:
        return PASS
    return _is_json("serializer", call.serializer)


RULES = (
    Rule(
        code="SFC101",
        name="task-serializer-not-json",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_task_serializer,
        message="sends tasks in a format other than JSON",
        fix="set task_serializer = 'json', or leave it out",
    ),
    Rule(
        code="SFC102",
        name="result-serializer-not-json",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_result_serializer,
        message="stores results in a format other than JSON",
        fix="set result_serializer = 'json', or leave it out",
    ),
    Rule(
        code="SFC103",
        name="event-serializer-not-json",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_event_serializer,
        message="sends events in a format other than JSON",
        fix="set event_serializer = 'json', or leave it out",
    ),
    Rule(
        code="SFC104",
        name="accept-content-not-json-only",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_accept_content,
        message="accepts messages in a format other than JSON",
        fix="set accept_content = ['json']",
    ),
    Rule(
        code="SFC105",
        name="result-accept-content-not-json-only",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_result_accept_content,
        message="reads results in a format other than JSON",
        fix="set result_accept_content = ['json'], or leave it out",
    ),
    Rule(
        code="SFC106",
        name="task-overrides-serializer",
        subject=TaskFacts,
        severity=Severity.CRITICAL,
        check=_task_option,
        message="is sent in a format other than JSON",
        fix="remove the serializer option from the task",
    ),
    Rule(
        code="SFC107",
        name="call-overrides-serializer",
        subject=CallFacts,
        severity=Severity.CRITICAL,
        check=_call_option,
        message="is called in a format other than JSON",
        fix="remove the serializer option from the call",
    ),
)
