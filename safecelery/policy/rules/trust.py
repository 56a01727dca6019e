"""3xx: the keys of a trust store, each with what its owner may do and until when."""

from __future__ import annotations

from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, TrustFacts, Unknown
from safecelery.policy.limits import Limits
from safecelery.policy.reading import is_duration, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]

_DAY: Final = 86_400
_LONGEST_DAYS: Final = 3 * 365
"""NIST SP 800-57 part 1, table 1: a private signature key is used for one to three years."""


def _no_expiry(key: TrustFacts, _: Limits) -> Verdict:
    if key.revoked is True:
        return PASS
    if key.expires_s is UNKNOWN:
        return unreadable("expires")
    return Fail("expires is not stated") if key.expires_s is ABSENT or key.expires_s is None else PASS


def _far_expiry(key: TrustFacts, _: Limits) -> Verdict:
    left = key.expires_s
    if key.revoked is True or not is_duration(left) or left <= _LONGEST_DAYS * _DAY:
        return PASS  # missing and unreadable dates are SFC307's
    return Fail(f"it expires in {left // (365 * _DAY):.0f} years" if left < 1e12 else "it expires in a thousand years")


def _expired(key: TrustFacts, _: Limits) -> Verdict:
    left = key.expires_s
    if key.revoked is True or isinstance(left, bool) or not isinstance(left, int | float):
        return PASS
    return Fail("its date is past") if left <= 0 else PASS


def _of_everything(patterns: tuple[str, ...] | Unknown, grant: str) -> Verdict:
    if patterns is UNKNOWN:
        return unreadable(grant)
    # "**" and "*.*" are no narrower in practice: every task name of a package has a dot.
    found = [pattern for pattern in patterns if isinstance(pattern, str) and pattern and not pattern.strip("*.")]
    return Fail(f"{grant} holds {shown(found[0])}") if found else PASS


def _every_task(key: TrustFacts, _: Limits) -> Verdict:
    return PASS if key.revoked is True else _of_everything(key.send, "send")


def _every_queue(key: TrustFacts, _: Limits) -> Verdict:
    return PASS if key.revoked is True else _of_everything(key.queues, "queues")


def _every_command(key: TrustFacts, _: Limits) -> Verdict:
    return PASS if key.revoked is True else _of_everything(key.control, "control")


RULES = (
    Rule(
        code="SFC307",
        name="trust-without-expiry",
        subject=TrustFacts,
        severity=Severity.HIGH,
        check=_no_expiry,
        message="is believed for ever",
        fix="state expires, a date with time and zone: 2027-01-31T00:00:00Z",
    ),
    Rule(
        code="SFC308",
        name="trust-expiry-too-far",
        subject=TrustFacts,
        severity=Severity.MEDIUM,
        check=_far_expiry,
        message="is believed for longer than a signing key should be used",
        fix="let it expire within three years, and hand out the next one before",
    ),
    Rule(
        code="SFC309",
        name="trust-expired",
        subject=TrustFacts,
        severity=Severity.MEDIUM,
        check=_expired,
        message="is no longer valid, so what its owner sends is refused",
        fix="hand out a new key, and remove this one when no message of it is under way",
    ),
    Rule(
        code="SFC310",
        name="grant-of-every-task",
        subject=TrustFacts,
        severity=Severity.HIGH,
        check=_every_task,
        message="may send every task, so whoever steals it may too",
        fix="list the tasks its owner sends, with a pattern per package: send = ['billing.*']",
    ),
    Rule(
        code="SFC311",
        name="grant-of-every-queue",
        subject=TrustFacts,
        severity=Severity.LOW,
        check=_every_queue,
        message="may send to every queue",
        fix="list the queues its owner sends to",
    ),
    Rule(
        code="SFC312",
        name="grant-of-every-command",
        subject=TrustFacts,
        severity=Severity.HIGH,
        check=_every_command,
        message="may give every remote command, shutdown included",
        fix="list the commands its owner needs: control = ['ping', 'revoke']",
    ),
)
