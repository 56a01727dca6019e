"""One module: its imports, its top-level values, and the functions worth walking.

A task is always decorated, or the ``run`` of a class with bases, or handed to a decorator by name; all other functions
are skipped unless a line in them holds a word that counts outside of tasks too. That decision takes no walk: it asks
the text for the lines of such words.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, Function
from safecelery.lint.code.names import Names, last_name
from safecelery.lint.decorators import NO_TASK
from safecelery.lint.mentions import indented, lines_at, lines_of, within

__all__ = ["Module"]

_ANYWHERE_WORDS: Final = (
    *(".delay", ".apply_async", "send_task(", ".s(", ".si(", "on_commit("),
    *("AutoAddPolicy", "WarningPolicy"),
)

_COMPOUND: Final = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.AsyncWith, ast.AsyncFor, ast.TryStar)


class Module:
    """What detectors may ask of a module."""

    __slots__ = ("_decorators", "_words", "handed_over", "names", "source", "task_names", "tree", "values")

    def __init__(self, tree: ast.Module, source: str) -> None:
        self.tree = tree
        self.source = source
        self.names = Names()
        self.values: dict[str, ast.expr] = {}
        """Top-level names bound exactly once, by a plain assignment."""
        self.task_names: dict[str, Function] = {}
        """Top-level functions with a decorator whose name ends in ``task``."""
        self._words = lines_of(source, _ANYWHERE_WORDS)
        self._decorators = lines_at(source, indented(source, "@"))
        self.handed_over: set[str] = set()
        """Names of functions handed to a call that looks like a task decorator: ``app.task(f)``."""
        self._learn(tree.body)

    def _learn(self, statements: list[ast.stmt]) -> None:
        for node in _flat(statements):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.names.learn(node)
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr):
                value = node.value
                if isinstance(value, ast.Call) and last_name(value).endswith("task"):
                    self.handed_over.update(argument.id for argument in value.args if isinstance(argument, ast.Name))
                target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
                if isinstance(target, ast.Name) and value is not None:
                    # A second binding: nothing is certain of it any more.
                    self.values[target.id] = target if target.id in self.values else value
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                last_name(decorator).endswith("task") for decorator in node.decorator_list
            ):
                self.task_names[node.name] = node

    def bodies(self) -> Iterator[Body]:
        """The functions worth a walk, each once, outermost first."""
        yield from self._among(self.tree.body, "", run_class=False)

    def _among(self, statements: list[ast.stmt], owner: str, *, run_class: bool) -> Iterator[Body]:
        for node in _flat(statements):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from self._function(node, owner, run_class=run_class)
            elif isinstance(node, ast.ClassDef):
                yield from self._among(node.body, node.name, run_class=bool(node.bases) and _runs(node))

    def _function(self, node: Function, owner: str, *, run_class: bool) -> Iterator[Body]:
        decorated = not node.name.startswith("test_") and any(
            last_name(decorator) not in NO_TASK for decorator in node.decorator_list
        )
        if decorated or run_class or node.name in self.handed_over:
            yield Body(node, owner, self, task_like=True)
            return
        end = node.end_lineno or node.lineno
        nested: list[Body] = []
        if within(self._decorators, node.lineno, end):
            nested = list(self._among(node.body, owner, run_class=False))
        yield from nested
        # What a nested task holds was looked at already, but a word outside of it is still to be seen.
        spans = [(body.function.lineno, body.function.end_lineno or 0) for body in nested]
        start = bisect_left(self._words, node.lineno)
        for line in self._words[start:]:
            if line > end:
                break
            if not any(first <= line <= last for first, last in spans):
                yield Body(node, owner, self, task_like=False)
                break


def _flat(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in order, those inside of compound ones too; what functions and classes hold is not entered.

    A loop of its own instead of recursion: a chain of a thousand ``elif`` is a thousand levels deep.
    """
    todo = statements[::-1]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, _COMPOUND):
            parts = [*node.body]
            for handler in getattr(node, "handlers", ()):
                parts += handler.body
            parts += getattr(node, "orelse", ())
            parts += getattr(node, "finalbody", ())
            todo += parts[::-1]


def _runs(node: ast.ClassDef) -> bool:
    return any(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == "run" for item in node.body)
