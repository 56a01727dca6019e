"""8xx: settings that sound safe and do nothing; beside each the file of Celery 5.7 that would have to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from safecelery.policy.facts import UNKNOWN, SettingsFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.settings_reading import result_store, setting, stated

__all__ = ["RULES"]

_PROMISES: Final = frozenset({
    "signed", "signed_data", "sign", "signing", "signing_key", "signature", "verify", "verify_signature", "encrypt",
    "encrypted", "encryption", "encryption_key", "secure", "security", "hmac", "hmac_key", "checksum",
})  # fmt: skip
_COMPRESSING: Final = frozenset({
    "redis", "rediss", "sentinel", "cassandra", "gs", "mongodb", "mongodb+srv", "dynamodb", "file",
})  # fmt: skip
"""``supports_result_compression = True`` in celery/backends/."""


def _promises(facts: SettingsFacts, _: Limits) -> Verdict:
    for name in ("result_backend_transport_options", "broker_transport_options"):
        options = stated(facts, name)
        if isinstance(options, Mapping):
            found = [key for key in options if isinstance(key, str) and key.lower() in _PROMISES]
            if found:
                return Fail(f"{name} holds {shown(found[0])}")
    return PASS


def _persistent(facts: SettingsFacts, _: Limits) -> Verdict:
    # celery/backends/base.py, prepare_persistent: rpc.py is its only caller.
    if stated(facts, "result_persistent") is not True:
        return PASS
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    return PASS if kind == "rpc" or (kind and "." in kind) else Fail(f"result_persistent, and results go to {kind}")


def _track_started(facts: SettingsFacts, _: Limits) -> Verdict:
    # celery/app/trace.py: track_started = not eager and (task.track_started and not ignore_result)
    if stated(facts, "task_track_started") is not True:
        return PASS
    kind, ignored = result_store(facts), setting(facts, "task_ignore_result")
    if kind is None:
        return Fail("there is no result backend")
    if ignored is True:
        return Fail("task_ignore_result is True")
    return PASS if kind is not UNKNOWN and ignored is not UNKNOWN else unreadable("whether results are stored")


def _compression(facts: SettingsFacts, _: Limits) -> Verdict:
    # celery/backends/base.py, prepare_compression: a warning, then None.
    method = stated(facts, "result_compression")
    if not isinstance(method, str) or not method:
        return PASS
    kind = result_store(facts)
    if kind is UNKNOWN:
        return unreadable("the result backend")
    if kind is None:
        return PASS
    known = kind.startswith(("db+", "database+", "cache+")) or kind in (
        "rpc",
        "django-db",
        "django-cache",
        "elasticsearch",
    )
    if known and kind not in _COMPRESSING:
        return Fail(f"result_compression is {shown(method)}, results go to {kind}")
    return PASS


def _failure_expiry(facts: SettingsFacts, _: Limits) -> Verdict:
    # supports_failure_expires (celery/backends/base.py) is Redis's alone.
    if stated(facts, "result_failure_expires") in (None, UNKNOWN) or "result_failure_expires" not in facts.stated:
        return PASS
    kind = result_store(facts)
    if kind is UNKNOWN:
        return Undecided("result_failure_expires is stated, and the result backend cannot be determined")
    if kind is None or kind in ("redis", "rediss", "sentinel") or "." in kind:
        return PASS
    return Fail(f"result_failure_expires is stated, and results go to {kind}")


RULES = (
    Rule(
        code="SFC812",
        name="signed-in-name-only",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_promises,
        message="states a security option that nobody reads: nothing is signed or encrypted",
        fix="remove it; sign messages and results with create_app",
    ),
    Rule(
        code="SFC813",
        name="result-persistent-in-vain",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_persistent,
        message="asks for persistent results of a backend that does not read the setting",
        fix="remove result_persistent; whether results outlive a restart is a setting of the store itself",
    ),
    Rule(
        code="SFC814",
        name="track-started-in-vain",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_track_started,
        message="asks for a STARTED state that is never stored",
        fix="remove task_track_started, or store results",
    ),
    Rule(
        code="SFC815",
        name="result-compression-in-vain",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_compression,
        message="asks for compressed results of a backend that stores them as they are",
        fix="remove result_compression",
    ),
    Rule(
        code="SFC816",
        name="failure-expiry-in-vain",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_failure_expiry,
        message="sets an expiry of failures that its result backend does not know",
        fix="remove result_failure_expires; only Redis has it",
    ),
)
