"""3xx and 9xx: files that are secrets, lying where others can read, copy or change them."""

from __future__ import annotations

from safecelery.policy.facts import UNKNOWN, FileFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]

_OTHERS = 0o077


def _in_repository(file: FileFacts, _: Limits) -> Verdict:
    if file.kind != "private-key" or file.example or file.in_repository is False:
        return PASS
    return Fail(file.detail)


def _open(file: FileFacts, _: Limits) -> Verdict:
    if file.kind != "private-key" or file.example:
        return PASS
    mode = file.mode
    if mode is UNKNOWN:
        return unreadable("the mode")
    return Fail(f"its mode is {mode:04o}") if isinstance(mode, int) and mode & _OTHERS else PASS


def _state(file: FileFacts, _: Limits) -> Verdict:
    if file.kind != "state-file" or file.in_repository is False or file.example:
        return PASS
    return Fail(file.detail)


def _trust_store(file: FileFacts, _: Limits) -> Verdict:
    if file.kind != "trust-store" or file.holds_private_key is False or file.example:
        return PASS
    return unreadable("its content") if file.holds_private_key is UNKNOWN else Fail(file.detail)


RULES = (
    Rule(
        code="SFC330",
        name="private-key-in-repository",
        subject=FileFacts,
        severity=Severity.CRITICAL,
        check=_in_repository,
        message="is a private key among the source files",
        fix="take it out of the repository and its history, replace the key, and keep the new one in a secret store",
    ),
    Rule(
        code="SFC331",
        name="key-file-open-to-others",
        subject=FileFacts,
        severity=Severity.HIGH,
        check=_open,
        message="is a private key that other users may read",
        fix="chmod 600 the file; if others could log in, replace the key",
    ),
    Rule(
        code="SFC332",
        name="pickled-state-in-repository",
        subject=FileFacts,
        severity=Severity.HIGH,
        check=_state,
        message="is a pickled file that Celery loads, among the source files",
        fix="delete it from the repository, and add celerybeat-schedule* to .gitignore",
    ),
    Rule(
        code="SFC333",
        name="private-key-in-trust-store",
        subject=FileFacts,
        severity=Severity.CRITICAL,
        check=_trust_store,
        message="hands a secret to everybody who may only check signatures",
        fix="keep public keys only; a shared secret is referred to as file:PATH or env:NAME",
    ),
)
