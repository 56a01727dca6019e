"""What a task tells others: secrets in logs, and times without a zone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, words
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import chain_of, is_none, secret_name

__all__ = ["naive_eta", "secret_logged"]

_LEVELS: Final = words("debug info warning warn error exception critical log")
_ARGUMENTS: Final = (["self", "request", "args"], ["self", "request", "kwargs"])
_NAIVE: Final = frozenset(
    f"datetime.datetime.{name}" for name in ("now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp")
)


def secret_logged(body: Body) -> Iterator[Site]:
    """``logger.info(password)``, ``print(kwargs)``, ``log.debug(self.request.args)``."""
    arguments = body.function.args
    whole = {argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument is not None}
    for call in body.calls:
        if not (call.name == "print" or (call.attr in _LEVELS and _is_logger(call.node))):
            continue
        for value in _shown(call.node):
            secret = secret_name(value)
            if secret and secret.lower() != "token":  # too often the name of an identifier
                yield Site("secret-logged", value, f"{secret!r} is written to the log")
            elif isinstance(value, ast.Name) and value.id in whole and value.id not in body.values:
                yield Site("secret-logged", value, f"all of {value.id!r} is written to the log")
            elif isinstance(value, ast.Attribute) and chain_of(value) in _ARGUMENTS:
                yield Site("secret-logged", value, f"all of {'.'.join(chain_of(value))} is written to the log")


def _is_logger(call: ast.Call) -> bool:
    chain = chain_of(call.func)
    return len(chain) > 1 and any(word in chain[-2].lower() or word in chain[0].lower() for word in ("log", "logger"))


def _shown(call: ast.Call) -> Iterator[ast.expr]:
    """Each value that the text shows: positional ones, and those inside of f-strings and ``%``."""
    todo: list[ast.expr] = [*call.args]
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.JoinedStr):
            todo += [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
            todo += [node.left, node.right]
        elif isinstance(node, ast.Tuple):
            todo += node.elts
        elif isinstance(node, ast.Call) and last_name(node) == "format":
            todo += [*node.args, *(entry.value for entry in node.keywords)]
        elif isinstance(node, ast.Call) and last_name(node) in ("str", "repr", "dumps"):
            todo += node.args
        else:
            yield node


def naive_eta(body: Body) -> Iterator[Site]:
    """``eta=datetime.utcnow() + ...``: a time without a zone is read in the app's zone."""
    for call in body.calls:
        if call.attr not in ("apply_async", "send_task", "retry", "signature", "set"):
            continue
        for option in ("eta", "expires"):
            value = keyword(call.node, option)
            if value is not None and not is_none(value) and (made := _naive(body, value)):
                yield Site("naive-eta", value, f"{option} is made with {made}() without a time zone")


def _naive(body: Body, node: ast.expr, depth: int = 0) -> str:
    value = body.value_of(node)
    if isinstance(value, ast.BinOp) and depth < 8:
        return _naive(body, value.left, depth + 1) or _naive(body, value.right, depth + 1)
    if not isinstance(value, ast.Call):
        return ""
    name = body.names.resolve(value.func)
    if name not in _NAIVE:
        # datetime.now().replace(tzinfo=...), make_aware(...): made aware, or not known
        return ""
    aware = keyword(value, "tz") is not None or len(value.args) > (1 if "fromtimestamp" in name else 0)
    return "" if aware else name.removeprefix("datetime.")
