"""The tables of Celery's names against the installed Celery: an upgrade that adds or drops one fails here."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import celery
import kombu
import kombu.serialization
import pytest
from amqp.basic_message import Message
from celery import Task
from celery.app import autoretry, defaults
from celery.app import task as task_module
from celery.app.amqp import AMQP
from celery.canvas import Signature
from celery.concurrency import ALIASES
from kombu.messaging import Producer

from safecelery.lint.project.options import FROM_CONFIG
from safecelery.policy.defaults import SAFETASK_DEFAULTS
from safecelery.policy.setting_defaults import SETTING_DEFAULTS
from safecelery.policy.vocabulary import (
    CALL_OPTIONS,
    JSON,
    JSON_CONTENT,
    POOLS,
    POOLS_ENFORCING_LIMITS,
    RETRY_OPTIONS,
    SAFETASK_OPTIONS,
    SETTINGS,
    SIGNATURE_OPTIONS,
    TASK_MEMBERS,
    TASK_OPTIONS,
    TASK_OPTIONS_WITHHELD,
    misspelt_task_options,
    unknown_call_options,
    unknown_task_options,
)

CELERY = Path(celery.__file__).parent


def parameters(function: Any, *without: str) -> set[str]:
    """The named parameters of a function."""
    named = [p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return {name for name in named if name not in ("self", *without)}


def test_task_options_are_what_a_declaration_can_say() -> None:
    decorator = parameters(celery.Celery._task_from_fun, "fun") | {"shared", "filter", "lazy"}
    assert inspect.getsource(celery.Celery.task).count("shared=True, filter=None, lazy=True") == 1
    attributes = {name for name in dir(Task) if not name.startswith("_")}
    published = set(
        re.findall(r"'(\w+)'", inspect.getsource(task_module).split("extract_exec_options = ")[1].split(")")[0])
    )
    deprecated = set(re.findall(r"'(\w+)'", inspect.getsource(Task.bind).split("for attr in (")[1].split(")")[0]))
    retried = set(re.findall(r"options\.get\(\s*'(\w+)'", inspect.getsource(autoretry)))
    assert retried >= {"autoretry_for", "retry_jitter"}
    from_config = {name for name, _ in Task.from_config}
    everything = decorator | attributes | published | deprecated | retried | from_config
    assert everything - TASK_MEMBERS - set(TASK_OPTIONS_WITHHELD) == TASK_OPTIONS - SAFETASK_OPTIONS


def test_task_members_and_withheld_options_exist_and_do_not_overlap() -> None:
    withheld = frozenset(TASK_OPTIONS_WITHHELD)
    assert set(dir(Task)) >= TASK_MEMBERS | withheld
    assert not TASK_MEMBERS & TASK_OPTIONS
    assert not withheld & (TASK_OPTIONS | TASK_MEMBERS)


def test_call_options_are_what_a_call_can_ask() -> None:
    send = parameters(celery.Celery.send_task, "name") | parameters(Task.apply_async)
    message = parameters(AMQP.as_task_v2) - {"name", "callbacks", "errbacks", "create_sent_event", "now", "timezone"}
    source = inspect.getsource(AMQP._create_task_sender).split("def send_task_message(")[1].split(")")[0]
    sender = set(re.findall(r"(\w+)=None", source)) - {"event_dispatcher"}
    withheld = {"body", "content_type", "content_encoding"}  # a body of the caller's own, unserialized
    publish = parameters(Producer.publish) - withheld
    properties = {name for name, _ in Message.PROPERTIES} - withheld - {"application_headers"}
    transport = (Path(kombu.__file__).parent / "transport" / "SQS" / "__init__.py").read_text(encoding="utf-8")
    handed_on = set(re.findall(r"message\['properties'\](?:\.pop\(|\[)'(\w+)'", transport)) - {"delivery_tag"}
    handed_on |= set(re.findall(r"for key in \('(\w+)', '(\w+)'\)", transport)[0])
    assert send | message | sender | publish | properties | handed_on == CALL_OPTIONS


def test_a_retry_adds_what_the_request_knows_of_its_delivery() -> None:
    source = (CELERY / "worker" / "request.py").read_text(encoding="utf-8")
    block = source.split("self._delivery_info = {")[1].split("}")[0]
    assert set(re.findall(r"'(\w+)': ", block)) - CALL_OPTIONS == RETRY_OPTIONS


def test_a_signature_takes_a_few_more() -> None:
    assert CALL_OPTIONS | parameters(Signature.__init__, "task") == SIGNATURE_OPTIONS


def test_settings_are_those_declared_and_those_read_undeclared() -> None:
    assert defaults.SETTING_KEYS <= SETTINGS
    undeclared = SETTINGS - defaults.SETTING_KEYS
    read: set[str] = set()
    for path in (CELERY / "backends").glob("*.py"):
        read |= set(re.findall(r"(?:_get|conf\.get)\(\s*'(\w+)'", path.read_text(encoding="utf-8")))
    assert read - defaults.SETTING_KEYS == undeclared


def test_pools() -> None:
    assert set(ALIASES) | {"custom"} == POOLS
    enforcing = {name for name, path in ALIASES.items() if path == "celery.concurrency.prefork:TaskPool"}
    assert enforcing == POOLS_ENFORCING_LIMITS


def test_json_is_spelt_as_kombu_spells_it() -> None:
    assert kombu.serialization.registry.name_to_type[JSON] in JSON_CONTENT
    assert kombu.serialization.prepare_accept_content(JSON_CONTENT) == {"application/json"}


def test_defaults_come_from_the_settings_celery_takes_them_from() -> None:
    assert dict(Task.from_config) == FROM_CONFIG
    for name in (*FROM_CONFIG.values(), "task_annotations"):
        assert defaults.DEFAULTS[name] == SETTING_DEFAULTS[name]


def test_the_defaults_of_safetask_are_those_of_the_class() -> None:
    from safecelery.task import SafeTask

    for option, value in SAFETASK_DEFAULTS.items():
        actual = getattr(SafeTask, option)
        if option == "autoretry_for":
            actual = tuple(f"{error.__module__}.{error.__qualname__}" for error in actual)
        assert actual == value, option


def test_unknown_options_are_listed_in_order() -> None:
    assert unknown_task_options(["time_limit", "zzz", "bind", "aaa"]) == ("aaa", "zzz")
    assert unknown_call_options({"countdwn": 5, "queue": "q", "aaa": 1}) == ("aaa", "countdwn")


@pytest.mark.parametrize("stamps", [["tenant"], ("tenant",), {"tenant"}])
def test_a_stamp_is_an_option_of_its_own(stamps: object) -> None:
    assert unknown_call_options({"stamped_headers": stamps, "tenant": "x"}) == ()


@pytest.mark.parametrize("stamps", ["tenant", None, 3, [["tenant"]], {"tenant": 1}])
def test_stamped_headers_of_any_other_shape_excuse_nothing(stamps: object) -> None:
    assert unknown_call_options({"stamped_headers": stamps, "tenant": "x"}) == ("tenant",)


def test_a_class_attribute_is_misspelt_if_it_nearly_is_an_option() -> None:
    ordinary = ["currency", "timeout", "run", "send_event", "Request", "time_limit", "_time_limt"]
    assert misspelt_task_options([*ordinary, "time_limt", "acks_lat", "max_retrys"]) == (
        "acks_lat",
        "max_retrys",
        "time_limt",
    )
