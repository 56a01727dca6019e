"""Messages that leave before the data they speak of is committed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, Function, keyword
from safecelery.lint.code.names import last_name
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import chain_of, is_dispatch

__all__ = ["dispatch_before_commit", "dispatch_in_transaction", "on_commit"]

_WRITES: Final = frozenset(("add", "add_all", "flush", "delete", "merge", "bulk_save_objects"))


def _is_atomic(node: ast.expr) -> bool:
    """``transaction.atomic``, with or without brackets, and functions named for it: ``traced_atomic_transaction``."""
    return "atomic" in last_name(node).lower().split("_")


def _reads_only(node: ast.expr) -> bool:
    """``atomic(using=REPLICA)``: a transaction of a database that nobody writes to."""
    using = keyword(node, "using") if isinstance(node, ast.Call) else None
    return using is not None and any(
        word in ast.unparse(using).lower() for word in ("replica", "readonly", "read_only")
    )


def _begins(node: ast.expr) -> bool:
    """``session.begin()`` of SQLAlchemy: commits at the end of the block."""
    chain = chain_of(node)
    return (
        isinstance(node, ast.Call)
        and chain[-1:] == ["begin"]
        and any(part in "".join(chain[:-1]).lower() for part in ("session", "engine"))
    )


def _decorated_atomic(node: Function) -> bool:
    return any(_is_atomic(decorator) for decorator in node.decorator_list)


def dispatch_in_transaction(body: Body) -> Iterator[Site]:
    """``x.delay()`` in an atomic block or function, unless it is put off by a lambda or nested function."""
    for call in body.calls:
        if is_dispatch(call.node) and (inside := _transaction_around(body, call.node)):
            if _in_on_commit(body, call.node):
                continue
            yield Site("dispatch-in-transaction", call.node, f".{call.attr}() inside {inside}")


def _transaction_around(body: Body, node: ast.AST) -> str:
    for child, parent in body.ancestors_here(node):
        if isinstance(parent, ast.With | ast.AsyncWith) and child in parent.body:
            for item in parent.items:
                if _reads_only(item.context_expr):
                    return ""
                if _is_atomic(item.context_expr) or _begins(item.context_expr):
                    return f"the {last_name(item.context_expr)} block of line {parent.lineno}"
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and child in parent.body:
            return f"the atomic function {parent.name}" if _decorated_atomic(parent) else ""
    return ""


def _in_on_commit(body: Body, node: ast.AST) -> bool:
    return any(isinstance(parent, ast.Call) and last_name(parent) == "on_commit" for _, parent in body.ancestors(node))


def dispatch_before_commit(body: Body) -> Iterator[Site]:
    """``session.add(order); task.delay(order.id); session.commit()``, in one line of execution."""
    writes = [call for call in body.calls if call.attr in _WRITES and _session(call.node)]
    if not writes:
        return
    commits = [call for call in body.calls if call.attr == "commit"]
    for call in body.calls:
        if not is_dispatch(call.node):
            continue
        line = call.node.lineno
        for write in writes:
            session = _session(write.node)
            same = [commit.node for commit in commits if _session(commit.node) == session]
            if (
                write.node.lineno < line
                and _dominates(body, write.node, call.node)
                and not any(write.node.lineno <= commit.lineno <= line for commit in same)
                and any(commit.lineno > line and _dominates(body, commit, call.node) for commit in same)
            ):
                yield Site(
                    "dispatch-before-commit", call.node, f".{call.attr}() between {session}.{write.attr}() and commit()"
                )
                break


def _session(node: ast.Call) -> str:
    """``db.session`` of ``db.session.add(x)``; "" unless it is called a session."""
    if not isinstance(node.func, ast.Attribute):
        return ""
    chain = chain_of(node.func.value)
    return ".".join(chain) if chain and chain[-1].lower().endswith("session") else ""


def _dominates(body: Body, first: ast.AST, second: ast.AST) -> bool:
    """The list of statements that holds ``first`` holds, deeper or not, ``second`` too, in the same function."""
    statement = body.statement_of(first)
    parent = body.parents[statement]
    block = next(
        (
            statements
            for name in ("body", "orelse", "finalbody")
            if isinstance(statements := getattr(parent, name, None), list) and statement in statements
        ),
        [],
    )
    return any(child in block for child, _ in body.ancestors_here(second))


def _commits_within(body: Body, call: ast.AST, loop: ast.AST) -> bool:
    """The transaction begins and ends in each round of the loop, and so does what waits for it."""
    for _, parent in body.ancestors_here(call):
        if parent is loop:
            return False
        if isinstance(parent, ast.With) and any(_is_atomic(item.context_expr) for item in parent.items):
            return True
    return False


def on_commit(body: Body) -> Iterator[Site]:
    """``on_commit(task.delay(x))`` calls at once; ``on_commit(lambda: task.delay(x))`` in a loop sends the last x."""
    for call in body.calls:
        if call.attr != "on_commit" or not call.node.args:
            continue
        handed = call.node.args[0]
        if is_dispatch(handed):
            yield Site("on-commit-called-now", call.node, f"on_commit() is handed what .{last_name(handed)}() returns")
        loop = body.loop_around(call.node)
        if not isinstance(handed, ast.Lambda) or not isinstance(loop, ast.For | ast.AsyncFor):
            continue
        if _commits_within(body, call.node, loop):
            continue
        own = {argument.arg for argument in [*handed.args.args, *handed.args.kwonlyargs]}
        own |= {n.id for n in ast.walk(handed.body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound = [node for part in [loop.target, *loop.body] for node in ast.walk(part)]
        targets = {node.id for node in bound if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        late = sorted({n.id for n in ast.walk(handed.body) if isinstance(n, ast.Name)} & targets - own)
        if late:
            yield Site("on-commit-late-binding", call.node, f"the lambda reads {late[0]!r} after the loop has ended")
