"""1xx: serializers in the settings that run code, or that the own workers refuse.

The rules for "not JSON" are in serialization.py. What runs code has a rule of its own, so that a team which allows
msgpack, and switches the other off for it, still hears of pickle.
"""

from __future__ import annotations

from typing import Final

from safecelery.policy.facts import UNKNOWN, SettingsFacts, Stated, Unknown
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.settings_reading import setting

__all__ = ["RULES", "runs_code"]

_RUN_CODE: Final = ("pickle", "dill", "python-serialize", "marshal", "shelve")
_MIME: Final = {
    "application/json": "json",
    "application/x-python-serialize": "pickle",
    "application/x-yaml": "yaml",
    "application/x-msgpack": "msgpack",
    "application/data": "auth",
}
"""kombu/serialization.py (yaml there is ``safe_load``) and celery/security/serialization.py."""


def runs_code(name: object) -> bool:
    """The serializer, by name or MIME type, runs what a message says: pickle and its family.

    One that calls itself signed asks for a key first (SFC111 looks at its decoder); JSON it is not (SFC104).
    """
    if not isinstance(name, str) or "signed" in name.lower():
        return False
    return any(word in name.lower() for word in _RUN_CODE)


def _names(value: Stated) -> frozenset[str] | Unknown | None:
    """The serializers of an accept list; None for one that is not set."""
    if value is UNKNOWN:
        return UNKNOWN
    if value is None:
        return None
    if isinstance(value, str):
        return frozenset({value})
    if not isinstance(value, list | tuple | set | frozenset) or any(item is UNKNOWN for item in value):
        return UNKNOWN
    return frozenset(item for item in value if isinstance(item, str))


def _code_accepted(facts: SettingsFacts, _: Limits) -> Verdict:
    unread = []
    for option in ("accept_content", "result_accept_content"):
        names = _names(setting(facts, option))
        if names is UNKNOWN:
            unread.append(option)
        elif names and (found := sorted(name for name in names if runs_code(name))):
            return Fail(f"{option} allows {', '.join(found)}{_needless(facts)}")
    return unreadable(*unread) if unread else PASS


def _needless(facts: SettingsFacts) -> str:
    """What a reader wants to know next: whether anything still needs it."""
    used = [setting(facts, name) for name in ("task_serializer", "result_serializer")]
    return ", which nothing it sends uses" if all(name == "json" for name in used) else ""


def _accepts_itself(facts: SettingsFacts, _: Limits) -> Verdict:
    accepted = _names(setting(facts, "accept_content"))
    results = _names(setting(facts, "result_accept_content"))
    unread = []
    for option, names, stored in (
        ("task_serializer", accepted, False),
        ("result_serializer", accepted if results is None else results, True),
    ):
        serializer = setting(facts, option)
        if stored and setting(facts, "result_backend") is None:
            continue  # no results, so nobody reads one
        if serializer is UNKNOWN or names is UNKNOWN:
            unread.append(option if serializer is UNKNOWN else f"what is accepted beside {option}")
        elif isinstance(serializer, str) and names:
            known = {_MIME.get(name, name) for name in names}
            if serializer in known:
                continue
            if serializer not in _MIME.values() and any("/" in name for name in known):
                unread.append(f"the content type of {shown(serializer)}")  # an accepted MIME type may be its own
            else:
                return Fail(f"{option} is {shown(serializer)}, accepted is {', '.join(sorted(names))}")
    return Undecided(f"{' and '.join(unread)} cannot be determined") if unread else PASS


RULES = (
    Rule(
        code="SFC108",
        name="code-running-content-accepted",
        subject=SettingsFacts,
        severity=Severity.CRITICAL,
        check=_code_accepted,
        message="decodes pickle, so whoever can write to the broker or the result store runs code in it",
        fix="remove pickle from accept_content and result_accept_content, after the queues are drained",
    ),
    Rule(
        code="SFC109",
        name="serializer-not-accepted",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_accepts_itself,
        message="writes what it refuses to read",
        fix="make task_serializer and result_serializer 'json', and accept_content ['json']",
    ),
)
