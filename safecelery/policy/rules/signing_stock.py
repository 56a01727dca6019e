"""3xx: Celery's own message signing, where it promises more than it does (celery/security/)."""

from __future__ import annotations

from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.settings_reading import setting, stated

__all__ = ["RULES"]

_AUTH: Final = "auth"
_KEYS: Final = ("security_key", "security_certificate", "security_cert_store")
_BROKEN: Final = ("md5", "sha1")


def _body_only(facts: SettingsFacts, _: Limits) -> Verdict:
    # An app that signs as a whole (create_app) signs the headers too, whatever the body's serializer.
    if facts.signing is True or setting(facts, "task_serializer") != _AUTH:
        return PASS
    return Fail("task_serializer is 'auth'")


def _keys_in_vain(facts: SettingsFacts, _: Limits) -> Verdict:
    keys = [name for name in _KEYS if stated(facts, name) not in (None, "", ABSENT, UNKNOWN)]
    if not keys:
        return PASS
    serializer = setting(facts, "task_serializer")
    if serializer is UNKNOWN:
        return Undecided(f"{keys[0]} is stated, and task_serializer cannot be determined")
    if serializer == _AUTH:
        return PASS
    return Fail(f"{', '.join(keys)} and task_serializer {shown(serializer)}")


def _digest(facts: SettingsFacts, _: Limits) -> Verdict:
    digest = stated(facts, "security_digest")
    return (
        Fail(f"security_digest is {shown(digest)}") if isinstance(digest, str) and digest.lower() in _BROKEN else PASS
    )


RULES = (
    Rule(
        code="SFC304",
        name="signature-covers-body-only",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_body_only,
        message="signs the body of its messages, not the task's name, id, time limits, routing or age",
        fix="sign whole messages with create_app; a captured 'auth' message runs again, and as another task",
    ),
    Rule(
        code="SFC305",
        name="signing-keys-in-vain",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_keys_in_vain,
        message="states keys for signing and signs nothing",
        fix="sign with create_app, or remove the settings: they take effect with task_serializer 'auth' only",
    ),
    Rule(
        code="SFC306",
        name="signature-digest-broken",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_digest,
        message="signs with a digest for which collisions can be bought",
        fix="leave security_digest out (sha256)",
    ),
)
