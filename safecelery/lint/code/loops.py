"""Loops: endless ones, one message per item, and tasks that send themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, spelled
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import DISPATCH, chain_of, is_dispatch

__all__ = ["endless_loop", "self_dispatch", "task_called_inline", "task_per_item"]

_CHUNKS: Final = ("chunk", "batch", "slice", "page", "group", "partition", "split")
_STRAIGHT: Final = (ast.Expr, ast.Assign, ast.Return, ast.With, ast.FunctionDef, ast.AsyncFunctionDef, ast.Try)
_LATER: Final = ("countdown", "eta")


def endless_loop(body: Body) -> Iterator[Site]:
    """``while True`` that nothing inside ends."""
    for loop in body.of(ast.While):
        if isinstance(loop.test, ast.Constant) and loop.test.value and not _ends(body, loop):
            yield Site("endless-loop", loop, "nothing inside ends `while True`")


def _ends(body: Body, loop: ast.While) -> bool:
    for node in body.inside([*loop.body]):
        if isinstance(node, ast.Return | ast.Raise | ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Break) and _loop_of(body, node) is loop:
            return True
        if isinstance(node, ast.Call) and (
            last_name(node) in ("exit", "_exit", "retry", "abort") or "raise" in last_name(node)
        ):
            return True
        # next(iterator) ends it by StopIteration, when nothing catches that
        if isinstance(node, ast.Call) and last_name(node) in ("next", "anext") and len(node.args) == 1:
            return True
    return False


def _loop_of(body: Body, node: ast.AST) -> ast.AST | None:
    for child, parent in body.ancestors_here(node):
        if isinstance(parent, ast.For | ast.AsyncFor | ast.While) and child in parent.body:
            return parent
    return None


def task_per_item(body: Body) -> Iterator[Site]:
    """``for x in xs: task.delay(x)``; not over pieces, nor over what is written out, nor spread out in time."""
    told: set[ast.AST] = set()  # a loop that chooses between tasks is one place
    for call in body.calls:
        if not is_dispatch(call.node) or _several_at_once(call.node):
            continue
        loop = body.loop_around(call.node)
        if loop is not None and loop in told:
            continue
        if loop is not None:
            over = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else None
            target = loop.target if isinstance(loop, ast.For | ast.AsyncFor) else None
        else:
            over, target = _comprehended(body, call.node)
        if over is None or target is None or _few(body, over, target):
            continue
        if any(entry.arg is None or entry.arg in _LATER for entry in call.node.keywords):
            continue  # spread out in time, or perhaps: **options
        if loop is not None:
            told.add(loop)
        yield Site("task-per-item", call.node, f".{call.attr}() for each of `{spelled(over)}`")


def _several_at_once(call: ast.Call) -> bool:
    """``group(...).delay()``, or a task that takes a whole piece: ``work.delay(batch_ids)``."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        return True
    values = [*call.args, *(entry.value for entry in call.keywords)]
    names = [last_name(node).lower() for value in values for node in ast.walk(value) if isinstance(node, ast.Name)]
    return any(word in name for name in names for word in ("chunk", "batch")) or any(
        isinstance(node, ast.Slice) for value in values for node in ast.walk(value)
    )


def _comprehended(body: Body, node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    for child, parent in body.ancestors_here(node):
        if isinstance(parent, ast.ListComp | ast.GeneratorExp | ast.SetComp) and child is parent.elt:
            return parent.generators[-1].iter, parent.generators[-1].target
    return None, None


def _few(body: Body, over: ast.expr, target: ast.expr) -> bool:
    """Pieces instead of items, a sequence that is written out, or a range with a step."""
    value = body.value_of(over)
    if isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.Constant) and value is not over:
        return bool(getattr(value, "elts", ()) or getattr(value, "keys", ()))
    if isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return True
    chain = chain_of(value)
    if chain[-1:] == ["range"]:
        return True
    if any(name.isupper() for name in chain):
        return True  # a constant of the module or of the settings
    told = " ".join(
        [*chain, *chain_of(over), *(last_name(n) for n in ast.walk(target) if isinstance(n, ast.Name))]
    ).lower()
    return any(word in told for word in _CHUNKS)


def self_dispatch(body: Body) -> Iterator[Site]:
    """A task that sends itself again at once, every time: no condition around the call, no way out before it."""
    own = body.function.name
    bound = bool(body.parameters) and body.parameters[0].arg == "self"
    for call in body.calls:
        func = call.node.func
        if call.attr not in DISPATCH or not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name):
            continue
        again = func.value.id == own or (func.value.id == "self" and bound)
        if not again or func.value.id in body.names.aliases or any(keyword(call.node, name) for name in _LATER):
            continue
        if _unconditional(body, call.node):
            yield Site("endless-self-dispatch", call.node, f"{func.value.id}.{call.attr}() in every run")


def _unconditional(body: Body, node: ast.Call) -> bool:
    around = [parent for _, parent in body.ancestors(node)]
    if not all(isinstance(parent, _STRAIGHT) for parent in around):
        return False
    ways_out = [*body.of(ast.Return), *body.of(ast.Raise)]
    return not any(way.lineno < node.lineno for way in ways_out)


def task_called_inline(body: Body) -> Iterator[Site]:
    """``other_task(x)``: runs here and now, without the other's limits, retries and queue."""
    others = body.module.task_names
    for call in body.calls:
        func = call.node.func
        if (
            isinstance(func, ast.Name)
            and func.id in others
            and func.id != body.function.name
            and func.id not in body.values
        ):
            yield Site("task-called-inline", call.node, f"{func.id}() runs inside this task")
