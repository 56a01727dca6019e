"""How the code of a task retries itself, and how it gives its message back (celery/app/task.py, ``Task.retry``)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from safecelery.lint.code.site import Site

if TYPE_CHECKING:
    from safecelery.lint.code.body import Body

__all__ = ["retries", "retry_sites"]

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
#: What Retry derives from (celery/exceptions.py): a handler of these takes it too.
_BROAD = frozenset({"Exception", "BaseException", "CeleryError", "TaskPredicate"})


class _Around(NamedTuple):
    """What surrounds a statement."""

    swallowed: str = ""
    """The handler that would take Retry, as it is written; "" if none does."""
    maybe: bool = False
    """That handler raises again somewhere, perhaps just then."""
    handling: bool = False
    """Inside an except clause, where there is an error to pass on."""
    last: bool = True
    """Nothing of the function runs after this statement."""


def retries(body: Body) -> Iterator[Site]:
    """Places of the kinds ``retry-*`` and ``reject-requeue`` in one task, nested functions left out."""
    met = next((call.node for call in body.calls if call.attr in ("retry", "Reject")), None)
    if met is None:
        return
    try:
        yield from list(_sites(body.function))
    except RecursionError:  # elif after elif, by the hundred
        yield Site("retry-swallowed", met, "a retry in code that is nested too deeply to follow", certain=False)


def retry_sites(function: _Function) -> Iterator[dict[str, object]]:
    """The same for a function alone, as dictionaries of ``kind``, ``line`` and ``column`` (from 1, in bytes),
    ``detail`` and ``certain``. Raises RecursionError for code nested by the hundred."""
    for kind, node, detail, certain in _sites(function):
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        yield {"kind": kind, "line": line, "column": offset + 1, "detail": detail, "certain": certain}


def _sites(function: _Function) -> Iterator[Site]:
    yield from _block(function.body, _Around(), _receivers(function))


def _receivers(function: _Function) -> frozenset[str]:
    """Names that stand for the task: its own, ``current_task``, and the first parameter of a bound one."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    first = parameters[0].arg if parameters else ""
    bound = first == "self" or any(
        keyword.arg == "bind" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    )
    return frozenset({function.name, "current_task", *((first,) if bound and first else ())})


def _block(body: list[ast.stmt], around: _Around, tasks: frozenset[str]) -> Iterator[Site]:
    for number, statement in enumerate(body):
        after = body[number + 1] if number + 1 < len(body) else None
        ends = around.last if after is None else isinstance(after, ast.Return | ast.Raise)
        yield from _statement(statement, around._replace(last=ends), tasks)


def _statement(statement: ast.stmt, around: _Around, tasks: frozenset[str]) -> Iterator[Site]:
    if isinstance(statement, _SCOPES):
        return
    if isinstance(statement, ast.Try | ast.TryStar):
        yield from _try(statement, around, tasks)
        return
    inner = around
    if isinstance(statement, ast.For | ast.AsyncFor | ast.While):
        inner = around._replace(last=False)
    elif isinstance(statement, ast.With | ast.AsyncWith) and any(_suppresses(item) for item in statement.items):
        inner = around._replace(swallowed="suppress()", maybe=False)
    elif isinstance(statement, ast.If) and any(_last_name(n) == "max_retries" for n in ast.walk(statement.test)
                                               if isinstance(n, ast.Name | ast.Attribute)):  # fmt: skip
        inner = around._replace(handling=False)  # there is another way for the last time
    for name, value in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody") and isinstance(value, list):
            yield from _block(value, inner, tasks)
        elif name == "cases":
            for case in value:
                yield from _block(case.body, inner, tasks)
        else:
            for part in value if isinstance(value, list) else (value,):
                if isinstance(part, ast.AST):
                    yield from _expression(part, statement, around, tasks)


def _try(statement: ast.Try | ast.TryStar, around: _Around, tasks: frozenset[str]) -> Iterator[Site]:
    body = around._replace(last=around.last and not statement.orelse and not statement.finalbody)
    taker = next((handler for handler in statement.handlers if _takes_retry(handler)), None)
    guarded = body
    if taker is not None and not _names_retry(taker) and not _passes_on(taker):
        guarded = body._replace(
            swallowed=f"except {ast.unparse(taker.type)}" if taker.type is not None else "except",
            maybe=any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(taker)),
        )
    yield from _block(statement.body, guarded, tasks)
    for handler in statement.handlers:
        yield from _block(handler.body, body._replace(handling=True), tasks)
    yield from _block(statement.orelse, around._replace(last=around.last and not statement.finalbody), tasks)
    yield from _block(statement.finalbody, around, tasks)


def _expression(node: ast.AST, statement: ast.stmt, around: _Around, tasks: frozenset[str]) -> Iterator[Site]:
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, _SCOPES):
            continue
        if isinstance(part, ast.Call):
            yield from _call(part, statement, around, tasks)
        stack.extend(reversed(list(ast.iter_child_nodes(part))))


def _call(call: ast.Call, statement: ast.stmt, around: _Around, tasks: frozenset[str]) -> Iterator[Site]:
    target = call.func
    if _last_name(target) == "Reject":
        yield from _reject(call, statement)
        return
    if not (
        isinstance(target, ast.Attribute)
        and target.attr == "retry"
        and isinstance(target.value, ast.Name)
        and target.value.id in tasks
    ):
        return
    said = f"{target.value.id}.retry"
    options = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    spread = len(options) < len(call.keywords) or any(isinstance(arg, ast.Starred) for arg in call.args)
    throw = options.get("throw", call.args[3] if len(call.args) > 3 else None)
    stays = isinstance(throw, ast.Constant) and not throw.value
    if around.swallowed and not stays:
        yield _site("retry-swallowed", call, f"{said} in the try body of '{around.swallowed}'", not around.maybe)
    if around.handling and not spread and "exc" not in options and len(call.args) < 3:
        yield _site("retry-without-exc", call, f"{said} in an except clause without exc")
    if stays and not around.last and isinstance(statement, ast.Expr) and statement.value is call:
        yield _site("retry-goes-on", call, f"{said} with throw=False, and more to do after it")
    countdown = options.get("countdown", call.args[5] if len(call.args) > 5 else None)
    if countdown is not None and "eta" not in options and _is_number(countdown):
        yield _site("retry-fixed-countdown", call, f"{said} with countdown={ast.unparse(countdown)}")


def _reject(call: ast.Call, statement: ast.stmt) -> Iterator[Site]:
    if not isinstance(statement, ast.Raise):
        return
    given = [keyword.value for keyword in call.keywords if keyword.arg == "requeue"] + call.args[1:2]
    if given and not (isinstance(given[0], ast.Constant) and not given[0].value):
        sure = isinstance(given[0], ast.Constant)
        yield _site("reject-requeue", call, f"Reject with requeue={ast.unparse(given[0])}", sure)


def _site(kind: str, node: ast.expr, detail: str, certain: bool = True) -> Site:
    return Site(kind, node, " ".join(detail.split())[:200], certain)


def _last_name(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _caught(handler: ast.ExceptHandler) -> list[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [_last_name(kind) for kind in kinds]


def _takes_retry(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or any(name == "Retry" or name in _BROAD for name in _caught(handler))


def _names_retry(handler: ast.ExceptHandler) -> bool:
    """Somebody thought of Retry: it is named, in the clause or in its body."""
    return "Retry" in _caught(handler) or any(
        _last_name(node) == "Retry" for node in ast.walk(handler) if isinstance(node, ast.Name | ast.Attribute)
    )


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Whatever it took, it raises again at its end: ``raise``, or ``raise error``."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and (
        last.exc is None or (handler.name is not None and _last_name(last.exc) == handler.name)
    )


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and _last_name(call.func) == "suppress"
        and any(_last_name(kind) in _BROAD for kind in call.args)
    )


def _is_number(node: ast.expr) -> bool:
    """A literal, or arithmetic of literals."""
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
