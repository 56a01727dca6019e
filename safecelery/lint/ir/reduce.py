"""A module's syntax tree in its reduced form."""

from __future__ import annotations

import ast

from safecelery.lint.ir import Reduced
from safecelery.lint.ir.sending import sending_calls
from safecelery.lint.ir.statements import Reducer
from safecelery.lint.mentions import SENDING, lines_of, may_configure, mentioned, reads_results

__all__ = ["reduce_module"]


def reduce_module(tree: ast.Module, source: str) -> Reduced:
    """The module as ``{"body": [statement], "calls": [call], "talking": [...], "reads_results": ..., "configures": ...,
    "words": [...]}``.

    ``talking`` are the functions that may be tasks and whose text talks to another machine, each ``[line of the first
    decorator, whether it calls retry itself]``. ``reads_results`` is true if the module reads results of tasks, null if
    it may; ``configures`` is whether calling one of its functions may configure an app or declare a task.
    ``words`` are those of :data:`safecelery.lint.mentions.WORDS` that occur anywhere in it.
    ``calls`` are the places that send tasks from inside functions, each
    ``[line, column, line of the enclosing function's first decorator, [import statement of that function], call]``.
    """
    reducer = Reducer(source)
    body = reducer.block(tree.body)
    lines = lines_of(source, SENDING)
    calls = sending_calls(tree, reducer, lines) if lines else []
    return {
        "body": body,
        "calls": calls,
        "talking": reducer.talking,
        "reads_results": reads_results(source),
        "configures": may_configure(source),
        "words": mentioned(source),
    }
