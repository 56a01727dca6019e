"""What is handed to a task with a call: objects that go stale, cannot be written as JSON, or should not travel."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, spelled
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import (
    DISPATCH,
    is_file,
    is_instance,
    is_none,
    is_queryset,
    secret_name,
    sounds_secret,
)

__all__ = ["arguments"]

_NOT_JSON: Final = {
    "set": "a set",
    "frozenset": "a frozenset",
    "complex": "a complex number",
    "object": "an object",
    "range": "a range",
    "memoryview": "a memoryview",
    "map": "an iterator",
    "filter": "an iterator",
    "zip": "an iterator",
    "datetime.timedelta": "a timedelta",
}
# kombu.utils.json registers these from kombu 5.3 on; before, they arrive as text, or not at all.
_KOMBU_ONLY: Final = {
    "datetime.datetime.now": "a datetime",
    "datetime.datetime.utcnow": "a datetime",
    "datetime.datetime.today": "a datetime",
    "datetime.datetime": "a datetime",
    "datetime.datetime.fromisoformat": "a datetime",
    "datetime.datetime.strptime": "a datetime",
    "datetime.date.today": "a date",
    "datetime.date": "a date",
    "django.utils.timezone.now": "a datetime",
    "decimal.Decimal": "a Decimal",
    "uuid.uuid4": "a UUID",
    "uuid.UUID": "a UUID",
    "bytes": "bytes",
}


def arguments(body: Body) -> Iterator[Site]:
    """Every argument of every call that publishes a task or builds a signature of one."""
    for call in body.calls:
        if not isinstance(call.node.func, ast.Attribute):
            continue
        if call.attr in DISPATCH or call.attr in ("s", "si"):
            for name, value in _handed(call.node, call.attr):
                yield from _judge(body, call.node, name, value)


def _handed(call: ast.Call, attr: str) -> Iterator[tuple[str, ast.expr]]:
    """(name or "", value) of each argument the task will get."""
    if attr in ("delay", "s", "si"):
        for value in call.args:
            yield "", value
        for entry in call.keywords:
            if entry.arg is not None:
                yield entry.arg, entry.value
        return
    rest = call.args[1:] if attr == "send_task" else call.args
    positional = rest[0] if rest else keyword(call, "args")
    named = rest[1] if len(rest) > 1 else keyword(call, "kwargs")
    if isinstance(positional, ast.List | ast.Tuple):
        for value in positional.elts:
            yield "", value
    if isinstance(named, ast.Dict):
        for key, value in zip(named.keys, named.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(named, ast.Call) and last_name(named) == "dict":
        for entry in named.keywords:
            if entry.arg is not None:
                yield entry.arg, entry.value


def _judge(body: Body, call: ast.Call, name: str, value: ast.expr) -> Iterator[Site]:
    told = f"{name}=" if name else ""
    shown = told + (spelled(value) if isinstance(value, ast.Name | ast.Attribute) else "...")
    if is_instance(body, value) or _request_user(value):
        yield Site("model-instance-as-argument", value, f"{shown} is a model object")
    elif is_file(body, value):
        yield Site("handle-as-argument", value, f"{shown} is an open file")
    elif isinstance(value, ast.Name) and value.id == "request" and _is_parameter(body, "request"):
        yield Site("handle-as-argument", value, f"{shown} is the web request")
    elif isinstance(value, ast.Name) and value.id == "self" and _is_self(body, call):
        yield Site("handle-as-argument", value, f"{shown} is the object itself")
    elif is_queryset(body, value):
        yield Site("non-json-argument", value, f"{shown} is a query, not a list")
    elif kind := _not_json(body, value):
        yield Site("non-json-argument", value, f"{shown} is {kind}")
    elif kind := _kombu_only(body, value):
        yield Site("argument-not-plain-json", value, f"{shown} is {kind}")
    if not isinstance(value, ast.Constant) and not is_none(value):
        secret = name if sounds_secret(name) else "" if name.endswith("_id") else secret_name(value)
        if secret:
            yield Site("secret-as-argument", value, f"{secret!r} travels in the message")


def _request_user(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "user" and last_name(node.value) == "request"


def _is_parameter(body: Body, name: str) -> bool:
    return any(parameter.arg == name for parameter in body.parameters) and not any(
        parameter.arg == name
        and parameter.annotation is not None
        and last_name(parameter.annotation) in ("dict", "Dict", "str")
        for parameter in body.parameters
    )


def _is_self(body: Body, call: ast.Call) -> bool:
    """``task.delay(self)`` in a method; not ``Task.delay(self, ...)``, which calls an overridden method."""
    parameters = body.parameters
    if not parameters or parameters[0].arg != "self" or not isinstance(call.func, ast.Attribute):
        return False
    return not (isinstance(call.func.value, ast.Call) and last_name(call.func.value) == "super")


def _not_json(body: Body, node: ast.expr) -> str:
    value = body.value_of(node)
    if isinstance(value, ast.Set | ast.SetComp):
        return "a set"
    if isinstance(value, ast.Lambda):
        return "a lambda"
    if isinstance(value, ast.GeneratorExp):
        return "a generator"
    if isinstance(value, ast.Call):
        return _NOT_JSON.get(body.names.resolve(value.func), "")
    return ""


def _kombu_only(body: Body, node: ast.expr) -> str:
    value = body.value_of(node)
    if isinstance(value, ast.Constant) and isinstance(value.value, bytes):
        return "bytes"
    if isinstance(value, ast.Call):
        return _KOMBU_ONLY.get(body.names.resolve(value.func), "")
    return ""
