"""3xx: signed messages, and keys to check them with."""

from __future__ import annotations

from safecelery.policy.facts import UNKNOWN, AppFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_count, must_be_true, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]

_PROTOCOL = 2


def _signing(app: AppFacts, _: Limits) -> Verdict:
    return must_be_true("signing", app.signing)


def _trusted_keys(app: AppFacts, _: Limits) -> Verdict:
    if app.trusted_keys is UNKNOWN:
        return unreadable("the number of trusted keys")
    if app.trusted_keys is None:
        return PASS  # a producer receives no tasks
    if is_count(app.trusted_keys) and app.trusted_keys > 0:
        return PASS
    return Fail(f"the number of trusted keys is {shown(app.trusted_keys)}")


def _protocol(app: AppFacts, _: Limits) -> Verdict:
    if app.task_protocol is UNKNOWN:
        return unreadable("task_protocol")
    if is_count(app.task_protocol) and app.task_protocol == _PROTOCOL:
        return PASS
    return Fail(f"task_protocol is {shown(app.task_protocol)}")


def _report_mode(app: AppFacts, _: Limits) -> Verdict:
    who: object = app.report_mode
    if who is UNKNOWN:
        return unreadable("firewall.mode")
    if not isinstance(who, tuple):
        return Fail(f"who is in report mode is {shown(who)}")
    return Fail(f"report mode is on for {', '.join(map(str, who))}") if who else PASS


RULES = (
    Rule(
        code="SFC301",
        name="signing-off",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_signing,
        message="obeys any message that reaches its queue",
        fix="make the app with create_app, leave signing on, give the service a key: safecelery keys generate OWNER",
    ),
    Rule(
        code="SFC302",
        name="no-trusted-key",
        subject=AppFacts,
        severity=Severity.HIGH,
        check=_trusted_keys,
        message="trusts no key, so it could not accept any message",
        fix="list the public key of each sender, with its grants, in the trust store",
    ),
    Rule(
        code="SFC303",
        name="task-protocol-not-2",
        subject=AppFacts,
        severity=Severity.HIGH,
        check=_protocol,
        message="uses a message protocol whose task name and id are not in the signed headers",
        fix="leave task_protocol at 2",
    ),
    Rule(
        code="SFC313",
        name="firewall-only-reports",
        subject=AppFacts,
        severity=Severity.CRITICAL,
        check=_report_mode,
        message="runs messages that its firewall objects to",
        fix="set firewall.mode to enforce and take mode = 'report' out of the trust store, once all senders sign",
    ),
)
