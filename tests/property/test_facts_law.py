"""The law of the facts: the verdict from source is UNKNOWN or equals the live verdict.

Live means a real task, registered with a real app of Celery's or of ours. Source means that the same text was linted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest
from celery import Celery
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st

from safecelery.app import SafeCelery
from safecelery.audit.tasks import task_facts as audited_task_facts
from safecelery.errors import PolicyViolationError, UnknownOptionError
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.lint.deploy import Deployment
from safecelery.lint.project.analysis import analyse
from safecelery.lint.project.facts import subjects_of
from safecelery.lint.source import collect
from safecelery.policy import ABSENT, CATALOGUE, UNKNOWN, Level, Place, load_policy
from safecelery.policy.facts import AppFacts, CallFacts, TaskFacts, TransportFacts
from safecelery.policy.rule import Fail, Undecided, Verdict
from safecelery.runtime.guard import Guard
from safecelery.settings import BrokerSettings, SafeCelerySettings
from safecelery.task import task_facts as safe_task_facts
from tests.property.task_strategies import Declaration, configurations, declarations, literal_declarations

BASELINE = load_policy("baseline")
#: Registers anything, so that a task that breaks rules can be looked at.
PERMISSIVE = replace(BASELINE, levels=dict.fromkeys(BASELINE.levels, Level.WARN))
TASK_RULES = [rule for rule in CATALOGUE if rule.subject is TaskFacts]


def safe_app() -> SafeCelery:
    configured = SafeCelerySettings(broker=BrokerSettings(url=("memory://",)))
    guard = Guard(configured, PERMISSIVE, Keyring(None, TrustStore.empty()))
    return SafeCelery("generated", guard=guard, set_as_current=False)


def plain_app() -> Celery:
    return Celery("generated", set_as_current=False)


@dataclass(frozen=True)
class Kind:
    """One kind of app: how it is made live, what a module that makes it says, how its tasks are read."""

    make: Callable[[], Any]
    app: str
    root: str
    facts: Callable[[Any, Any], TaskFacts]


KINDS = {
    "safecelery": Kind(
        safe_app,
        "from safecelery import create_app\n\napp = create_app('generated')\n",
        "from safecelery import SafeTask as Root\n",
        lambda task, app: safe_task_facts(task),
    ),
    "plain": Kind(
        plain_app,
        "from celery import Celery\n\napp = Celery('generated')\n",
        "from celery import Task as Root\n",
        audited_task_facts,
    ),
}


def live_facts(kind: Kind, declaration: Declaration, configuration: str) -> TaskFacts | None:
    """The task as registered; None where an unknown option is refused before there is a task."""
    module = ModuleType("generated")
    app = vars(module)["app"] = kind.make()
    try:
        exec(compile(configuration, "generated_conf.py", "exec"), {"app": app})
        exec(compile(kind.root + declaration.source, "generated.py", "exec"), vars(module))
        return kind.facts(app.tasks[vars(module)["TASK"].name], app)
    except UnknownOptionError:
        return None
    except (OverflowError, TypeError, ValueError, PolicyViolationError):
        reject()  # Celery itself takes no such value; there is no task to compare with


def source_facts(kind: Kind, declaration: Declaration, configuration: str) -> TaskFacts:
    """The task as the linter reads it."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "jobs.py").write_text(kind.app + configuration + kind.root + declaration.source)
        tree = collect([folder], cache_dir=None, second=False)
        found = [subject.facts for subject in subjects_of(analyse(tree), Deployment(), None)]
    (facts,) = [facts for facts in found if isinstance(facts, TaskFacts)]
    return facts


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@settings(max_examples=250, deadline=None)
@given(declaration=declarations(), configuration=configurations())
def test_the_verdict_from_source_is_unknown_or_the_live_one(
    kind: Kind, declaration: Declaration, configuration: str
) -> None:
    live = live_facts(kind, declaration, configuration)
    source = source_facts(kind, declaration, configuration)
    decided = 0
    for rule in TASK_RULES:
        from_source = rule.check(source, BASELINE.limits)
        if isinstance(from_source, Undecided):
            continue
        decided += 1
        if live is None:
            if rule.name == "unknown-task-option":
                assert isinstance(from_source, Fail)
            continue
        from_live = rule.check(live, BASELINE.limits)
        assert isinstance(from_live, Undecided) or from_source == from_live, rule
    event("decided all" if decided == len(TASK_RULES) else "decided some" if decided else "decided none")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@settings(max_examples=100, deadline=None)
@given(declaration=literal_declarations(), configuration=configurations().filter(lambda text: "__import__" not in text))
def test_what_is_literal_is_read_completely(kind: Kind, declaration: Declaration, configuration: str) -> None:
    live = live_facts(kind, declaration, configuration)
    assert live is not None
    source = source_facts(kind, declaration, configuration)
    for name in _READ_COMPLETELY:
        read, real = getattr(source, name), getattr(live, name)
        assert (read, type(read)) == (real, type(real)), name


_READ_COMPLETELY = (
    "name", "time_limit", "soft_time_limit", "acks_late", "reject_on_worker_lost", "retry_on_worker_lost",
    "autoretry_for", "retry_backoff", "retry_backoff_max", "retry_jitter", "max_retries", "retry_kwargs",
    "default_retry_delay", "unknown_options",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_both_sides_really_see_values(kind: Kind) -> None:
    """Guards the tests above against comparing nothing."""
    options = "name='generated.seen', shared=False, time_limit=31, max_retries=None"
    declaration = Declaration("generated.seen", f"@app.task({options})\ndef seen(): ...\nTASK = seen\n", {})
    conf = "app.conf.task_soft_time_limit = 30\n"
    for facts in (live_facts(kind, declaration, conf), source_facts(kind, declaration, conf)):
        assert facts is not None
        assert (facts.name, facts.time_limit, facts.soft_time_limit, facts.max_retries) == (
            "generated.seen", 31, 30, None
        )  # fmt: skip


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
    "report_mode": _names,
    "accept_content": _content,
    "result_accept_content": st.one_of(st.none(), _content),
    "production": _tri,
    "signing": _tri,
    "tls": _tri,
    "verified": _tri,
    "host_checked": _tri,
    "local": _tri,
    "trusted_keys": st.one_of(st.none(), st.integers(-1, 3)),
    "no_hard_limit_at": st.sampled_from(["", "Procfile:3"]),
    "no_soft_limit_at": st.sampled_from(["", "Procfile:3"]),
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
_ALWAYS_KNOWN = frozenset({"where", "name", "task", "role", "url", "results", "no_hard_limit_at", "no_soft_limit_at"})


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
