"""The law of the facts: the verdict from source is UNKNOWN or equals the live verdict.

Live means a real SafeTask registered with a real app, read by ``safecelery.task.task_facts``.
"""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st

from safecelery.app import SafeCelery
from safecelery.errors import UnknownOptionError
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.lint.model.tasks import read_tasks
from safecelery.policy import ABSENT, CATALOGUE, UNKNOWN, Level, Place, load_policy
from safecelery.policy.defaults import CELERY_DEFAULTS
from safecelery.policy.facts import AppFacts, CallFacts, TaskFacts, TransportFacts
from safecelery.policy.rule import Fail, Undecided, Verdict
from safecelery.runtime.guard import Guard
from safecelery.settings import BrokerSettings, SafeCelerySettings
from safecelery.task import task_facts
from tests.property.task_strategies import Declaration, declarations, literal_declarations

BASELINE = load_policy("baseline")
#: Registers anything, so that a task that breaks rules can be looked at.
PERMISSIVE = replace(BASELINE, levels=dict.fromkeys(BASELINE.levels, Level.WARN))
TASK_RULES = [rule for rule in CATALOGUE if rule.subject is TaskFacts]

#: What an app may say about tasks that say nothing.
APP_SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"task_time_limit": 60, "task_soft_time_limit": 50},
    {"task_time_limit": True, "task_acks_late": True},
    {"task_reject_on_worker_lost": True, "task_retry_on_worker_lost": True},
)


@cache
def app_with(index: int) -> SafeCelery:
    configured = SafeCelerySettings(broker=BrokerSettings(url=("memory://",)))
    guard = Guard(configured, PERMISSIVE, Keyring(None, TrustStore.empty()))
    app = SafeCelery("generated", guard=guard, set_as_current=False)
    app.conf.update(APP_SETTINGS[index])
    return app


def defaults_of(app: SafeCelery) -> dict[str, object]:
    return {name: app.conf[name] for name in CELERY_DEFAULTS}


def live_facts(declaration: Declaration, app: SafeCelery) -> TaskFacts | None:
    """The task as registered; None where an unknown option is refused before there is a task."""
    module = ModuleType("generated")
    vars(module)["app"] = app
    try:
        exec(compile(declaration.source, "generated.py", "exec"), vars(module))
    except UnknownOptionError:
        return None
    except (OverflowError, TypeError, ValueError):
        reject()  # Celery itself takes no such value; there is no task to compare with
    return task_facts(vars(module)["TASK"])


def source_facts(declaration: Declaration, defaults: dict[str, object]) -> TaskFacts:
    (facts,) = read_tasks(declaration.source, "generated.py", defaults)
    return facts


apps = st.integers(0, len(APP_SETTINGS) - 1)


@settings(max_examples=400)
@given(declarations(), apps, st.sets(st.sampled_from(sorted(CELERY_DEFAULTS)), max_size=2))
def test_the_verdict_from_source_is_unknown_or_the_live_one(
    declaration: Declaration, index: int, unreadable: set[str]
) -> None:
    app = app_with(index)
    live = live_facts(declaration, app)
    source = source_facts(declaration, {k: v for k, v in defaults_of(app).items() if k not in unreadable})
    decided = 0
    for rule in TASK_RULES:
        from_source = rule.check(source, BASELINE.limits)
        if isinstance(from_source, Undecided):
            continue
        decided += 1
        if live is not None:
            assert from_source == rule.check(live, BASELINE.limits), rule
        elif rule.name == "unknown-task-option":
            assert isinstance(from_source, Fail)
    event("decided all" if decided == len(TASK_RULES) else "decided some" if decided else "decided none")


@given(literal_declarations(), apps)
def test_what_is_literal_is_read_completely(declaration: Declaration, index: int) -> None:
    app = app_with(index)
    live = live_facts(declaration, app)
    assert live is not None
    source = source_facts(declaration, defaults_of(app))
    assert replace(source, where=live.where, **{name: getattr(live, name) for name in _NOT_IN_ONE_FILE}) == live


#: What a reader of one file leaves UNKNOWN: it needs the whole app.
_NOT_IN_ONE_FILE = frozenset(
    {"acks_on_timeout", "dont_autoretry_for", "routing_options", "visibility_timeout_s", "duplicate_of"}
)


def test_the_live_side_really_sees_values() -> None:
    """Guards the two tests above against comparing nothing."""
    options = "name='generated.seen', shared=False, time_limit=31, max_retries=None"
    source = f"@app.task({options})\ndef seen(): ...\nTASK = seen\n"
    live = live_facts(Declaration("generated.seen", source, {}), app_with(0))
    assert live is not None
    assert (live.name, live.time_limit, live.max_retries, live.acks_late) == ("generated.seen", 31, None, True)


# --- the rules themselves: an UNKNOWN never turns one answer into another ------------------------------------------

_anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.integers(),
    st.just(10**5000),
    st.floats(),
    st.sampled_from(["json", "pickle", "30", "", 2, 30, 25, ABSENT, Decimal(30), (), [], {}, object()]),
)
_tri = st.booleans()
_names = st.lists(st.sampled_from(["time_limt", "x" * 200, "countdwn"]), max_size=2).map(tuple)
_exceptions = st.sampled_from([(), ("builtins.OSError",), (UNKNOWN, "builtins.KeyError")])
_content = st.frozensets(st.sampled_from(["json", "application/json", "pickle"]), max_size=2)
_where = st.just(Place("x.py", 1))

_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "where": _where,
    "name": st.just("shop.charge"),
    "task": st.just("shop.charge"),
    "autoretry_for": _exceptions,
    "unknown_options": _names,
    "unknown_settings": _names,
    "accept_content": _content,
    "result_accept_content": st.one_of(st.none(), _content),
    "production": _tri,
    "signing": _tri,
    "tls": _tri,
    "verified": _tri,
    "host_checked": _tri,
    "local": _tri,
    "trusted_keys": st.one_of(st.none(), st.integers(-1, 3)),
    "role": st.sampled_from(["broker", "results"]),
    "url": st.just("rediss://:***@redis.example"),
    "scheme": st.just("rediss"),
    "tls_floor": st.sampled_from([None, "TLSv1", "TLSv1.2", "TLSv1.3", "1.2"]),
    "password": st.sampled_from(["none", "default", "set"]),
    "worker_pool": st.sampled_from(["prefork", "processes", "threads", "made.up:Pool"]),
    "brokers": st.just(()),
    "results": st.none(),
}
#: Never unknown: they name the subject, or are transports with unknowns of their own.
_ALWAYS_KNOWN = frozenset({"where", "name", "task", "role", "url", "results"})


def facts_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{field.name: _BY_NAME.get(field.name, _anything) for field in fields(kind)})


@pytest.mark.parametrize("kind", [TaskFacts, CallFacts, TransportFacts, AppFacts])
@given(data=st.data())
def test_hiding_a_fact_never_turns_one_answer_into_another(kind: type[Any], data: st.DataObject) -> None:
    known = data.draw(facts_of(kind))
    names = [field.name for field in fields(kind) if field.name not in _ALWAYS_KNOWN]
    hidden = replace(known, **dict.fromkeys(data.draw(st.sets(st.sampled_from(names), min_size=1)), UNKNOWN))
    for rule in CATALOGUE:
        if rule.subject is kind:
            before: Verdict = rule.check(known, BASELINE.limits)
            after: Verdict = rule.check(hidden, BASELINE.limits)
            assert isinstance(after, Undecided) or type(after) is type(before), rule


@pytest.mark.parametrize("kind", [TaskFacts, CallFacts, TransportFacts, AppFacts])
def test_with_every_fact_hidden_no_rule_decides(kind: type[Any]) -> None:
    named = {"name": "t", "task": "t", "where": Place("x"), "role": "broker", "url": "redis://h", "results": None}
    facts = kind(**{field.name: named.get(field.name, UNKNOWN) for field in fields(kind)})
    for rule in CATALOGUE:
        if rule.subject is kind:
            verdict = rule.check(facts, BASELINE.limits)
            assert isinstance(verdict, Undecided), (rule, verdict)
