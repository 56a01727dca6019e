"""The task's own shape: its parameters, their defaults, and state it shares with other runs in the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body
from safecelery.lint.code.names import last_name, spelled, words
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import is_true

__all__ = ["UNTYPED", "global_state", "mutable_default", "unvalidated_argument"]

_LOOSE: Final = frozenset(("dict", "Dict", "Any", "object", "Mapping", "MutableMapping", "list", "List"))
UNTYPED: Final = " has no type"
"""How the words about a parameter without an annotation end."""
_CONTAINERS: Final = frozenset(("dict", "list", "set", "defaultdict", "OrderedDict", "deque", "Counter"))
_CHANGES: Final = words("append add update extend insert setdefault pop clear remove discard popitem appendleft")


def unvalidated_argument(body: Body) -> Iterator[Site]:
    """Parameters that say nothing of what they take. One site for a task, naming them all."""
    arguments = body.function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if positional and (positional[0].arg in ("self", "cls") or _is_bound(body)):
        positional = positional[1:]
    loose: list[str] = []
    for parameter in [*positional, *arguments.kwonlyargs]:
        kind = parameter.annotation
        if kind is None:
            loose.append(f"{parameter.arg}{UNTYPED}")
        elif isinstance(kind, ast.Name | ast.Attribute) and last_name(kind) in _LOOSE:
            loose.append(f"{parameter.arg}: {last_name(kind)}")
    if arguments.vararg is not None and arguments.vararg.annotation is None:
        loose.append(f"*{arguments.vararg.arg}")
    if arguments.kwarg is not None and not _unpacked(arguments.kwarg.annotation):
        loose.append(f"**{arguments.kwarg.arg}")
    if loose:
        yield Site("unvalidated-argument", body.function, ", ".join(loose[:4]) + (", ..." if len(loose) > 4 else ""))


def _is_bound(body: Body) -> bool:
    return any(
        isinstance(decorator, ast.Call) and any(k.arg == "bind" and is_true(k.value) for k in decorator.keywords)
        for decorator in body.function.decorator_list
    )


def _unpacked(annotation: ast.expr | None) -> bool:
    """``**kwargs: Unpack[Options]``, or a type that says something."""
    return annotation is not None and last_name(annotation) not in _LOOSE


def mutable_default(body: Body) -> Iterator[Site]:
    """``def task(items=[])``: one list for all runs of the process."""
    arguments = body.function.args
    for default in [*arguments.defaults, *arguments.kw_defaults]:
        literal = isinstance(default, ast.List | ast.Dict | ast.Set)
        made = isinstance(default, ast.Call) and isinstance(default.func, ast.Name) and default.func.id in _CONTAINERS
        if default is not None and (literal or made):
            yield Site("mutable-default", default, "one list, dict or set is the default of all runs")


def global_state(body: Body) -> Iterator[Site]:
    """A ``global`` that is bound, or a container of the module that is changed."""
    stored = {node.id for node in body.of(ast.Name) if not isinstance(node.ctx, ast.Load)}
    for node in body.of(ast.Global):
        for name in node.names:
            if name in stored:
                yield Site("global-state-written", node, f"global {name}")
    for call in body.calls:
        func = call.node.func
        if call.attr in _CHANGES and isinstance(func, ast.Attribute) and _is_container(body, func.value):
            yield Site("global-state-written", call.node, f"{spelled(func)}() changes a container of the module")
    targets: list[ast.expr] = [target for assign in body.of(ast.Assign) for target in assign.targets]
    targets += [node.target for node in body.of(ast.AugAssign)]
    for target in targets:
        if isinstance(target, ast.Subscript) and _is_container(body, target.value):
            yield Site("global-state-written", target, f"{spelled(target.value)}[...] is set in the module")


def _is_container(body: Body, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name) or node.id in body.values or node.id not in body.module.values:
        return False
    value = body.module.values[node.id]
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name | ast.Attribute) and last_name(value.func) in _CONTAINERS
    return isinstance(value, ast.Dict | ast.List | ast.Set)
