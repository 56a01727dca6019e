"""Every command takes what its handler can work with, and nothing else; the table has all of Celery's."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any

import pytest
from celery.worker.control import Panel
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.firewall.control import ALIASES, COMMANDS, check_arguments

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("ping", {}),
    ("active", {"safe": None}),
    ("active", {"safe": True}),
    ("conf", {"with_defaults": False}),
    ("query_task", {"ids": ["a", "b"]}),
    ("query_task", {"ids": "a"}),
    ("registered", {"taskinfoitems": ["rate_limit"], "builtins": True}),
    ("registered", {"taskinfoitems": None}),
    ("hello", {"from_node": "a@host", "revoked": ["1"]}),
    ("memdump", {"samples": 10}),
    ("objgraph", {"num": 200, "max_depth": 10, "type": "Request"}),
    ("rate_limit", {"task_name": "a", "rate_limit": "10/m"}),
    ("rate_limit", {"task_name": "a", "rate_limit": "0.5/h"}),
    ("rate_limit", {"task_name": "a", "rate_limit": 10}),
    ("rate_limit", {"task_name": "a", "rate_limit": None}),
    ("rate_limit", {"task_name": "a", "rate_limit": ""}),
    ("time_limit", {"task_name": "a", "soft": 1.5, "hard": 3}),
    ("time_limit", {"task_name": "a", "soft": None, "hard": None}),
    ("revoke", {"task_id": ["a"], "terminate": False, "signal": "SIGTERM"}),
    ("revoke", {"task_id": "a", "signal": "KILL"}),
    ("revoke", {"task_id": "a", "signal": 15}),
    ("revoke", {"task_id": "a", "signal": None}),
    ("revoke_by_stamped_headers", {"headers": {"stamp": ["a"]}, "terminate": True, "signal": "SIGTERM"}),
    ("revoke_by_stamped_headers", {"headers": ["stamp=a"]}),
    ("terminate", {"signal": "SIGTERM", "task_id": ["a"]}),
    ("pool_grow", {"n": 1}),
    ("pool_shrink", {}),
    ("autoscale", {"max": 10, "min": 0}),
    ("autoscale", {"max": None, "min": None}),
    ("pool_restart", {"modules": None, "reload": False, "reloader": None}),
    ("pool_restart", {"modules": ["shop.tasks"]}),
    ("add_consumer", {"queue": "q", "exchange": None, "exchange_type": "direct", "routing_key": None}),
    ("add_consumer", {"queue": "q", "durable": True, "auto_delete": False}),
    ("cancel_consumer", {"queue": "q"}),
    ("shutdown", {"msg": "so long"}),
]
BAD: list[tuple[str, dict[str, Any]]] = [
    ("ping", {"state": 1}),
    ("active", {"safe": 1}),
    ("rate_limit", {"task_name": "a"}),
    ("rate_limit", {"task_name": "a", "rate_limit": True}),
    ("rate_limit", {"task_name": "a", "rate_limit": -1}),
    ("rate_limit", {"task_name": "a", "rate_limit": "nan/s"}),
    ("rate_limit", {"task_name": "a", "rate_limit": "1/s\n"}),
    ("rate_limit", {"task_name": "a", "rate_limit": "\u0661/s"}),
    ("time_limit", {"task_name": "a", "soft": 0}),
    ("time_limit", {"task_name": "a", "soft": True}),
    ("time_limit", {"task_name": "a", "soft": 1e12}),
    ("revoke", {"task_id": ""}),
    ("revoke", {"task_id": [["a"]]}),
    ("revoke", {"task_id": "a", "terminate": 1}),
    ("revoke", {"task_id": "a", "signal": "sigterm"}),
    ("revoke", {"task_id": "a", "signal": "_DFL"}),
    ("revoke", {"task_id": "a", "signal": 9999}),
    ("revoke", {"task_id": "a", "signal": True}),
    ("revoke_by_stamped_headers", {"headers": {"a": 1}}),
    ("revoke_by_stamped_headers", {"headers": ["a=b=c"]}),
    ("registered", {"taskinfoitems": ["a.b"]}),
    ("pool_grow", {"n": True}),
    ("pool_grow", {"n": 0}),
    ("pool_grow", {"n": 1001}),
    ("shutdown", {"msg": "two\nlines"}),
    ("add_consumer", {"queue": "x" * 1025}),
    ("pool_restart", {"modules": ["a"], "reloader": "b"}),
]


@pytest.mark.parametrize(("method", "arguments"), GOOD)
def test_what_celery_sends_passes(method: str, arguments: dict[str, Any]) -> None:
    check_arguments(method, arguments)


@pytest.mark.parametrize(("method", "arguments"), BAD)
def test_what_a_handler_cannot_work_with_is_refused(method: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        check_arguments(method, arguments)
    assert caught.value.reason is Reason.COMMAND_ARGUMENTS


def test_the_table_has_every_command_of_celery_but_the_one_that_publishes() -> None:
    assert set(COMMANDS) | set(ALIASES) | {"election"} == set(Panel.data)
    assert {alias: meta.alias for alias, meta in Panel.meta.items() if meta.alias} == {
        name: alias for alias, name in ALIASES.items()
    }


@pytest.mark.parametrize("method", sorted(COMMANDS))
def test_the_table_names_arguments_that_the_handler_has(method: str) -> None:
    parameters = inspect.signature(Panel.data[method]).parameters
    takes = COMMANDS[method]
    named = {name for name, parameter in parameters.items() if parameter.kind is not inspect.Parameter.VAR_KEYWORD}
    options = {"durable", "auto_delete"} if method == "add_consumer" else set()
    assert {*takes.required, *takes.optional} - options == named - {"state"}
    needed = {name for name in named - {"state"} if parameters[name].default is inspect.Parameter.empty}
    assert needed <= takes.required.keys()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(COMMANDS)), st.data())
def test_no_value_breaks_the_check(method: str, data: st.DataObject) -> None:
    names = st.sampled_from(sorted({*COMMANDS[method].required, *COMMANDS[method].optional, "other"}))
    with suppress(Rejected):
        check_arguments(method, data.draw(st.dictionaries(names, JSON)))
