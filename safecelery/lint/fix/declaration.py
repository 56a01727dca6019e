"""Where a task is declared, and how an option of it is stated there: by its decorator or as a class attribute."""

from __future__ import annotations

import ast
import tokenize
from typing import Final, TypeAlias

from safecelery.deferred import dataclass
from safecelery.lint.fix.arguments import (
    add_keyword,
    keyword_of,
    remove_keyword,
    rename_keyword,
    replace_value,
    spreads,
)
from safecelery.lint.fix.edits import Edit
from safecelery.lint.fix.literals import literal
from safecelery.lint.fix.source import Source
from safecelery.policy.facts import ABSENT, UNKNOWN

__all__ = ["Declaration", "declaration_at"]

_DECORATORS: Final = ("task", "shared_task")
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration in a source."""

    source: Source
    node: ast.ClassDef | ast.Call | ast.Name | ast.Attribute
    """The class, or the decorator's expression, with or without brackets."""

    @property
    def stated(self) -> dict[str, ast.expr | None]:
        """The options stated here, each with its value; None for one that is not a plain ``name = value``."""
        if isinstance(self.node, ast.Call):
            return {keyword.arg: keyword.value for keyword in self.node.keywords if keyword.arg is not None}
        found: dict[str, ast.expr | None] = {}
        for name, statement in self._attributes():
            plain = isinstance(statement, ast.AnnAssign) or (
                isinstance(statement, ast.Assign)
                and len(statement.targets) == 1
                and isinstance(statement.targets[0], ast.Name)
            )
            found[name] = statement.value if plain and name not in found else None  # type: ignore[attr-defined]
        return found

    def value(self, name: str) -> object:
        """A literal option, ABSENT if it is not stated here, UNKNOWN if it is anything else."""
        stated = self.stated
        if name not in stated:
            return UNKNOWN if isinstance(self.node, ast.Call) and spreads(self.node) else ABSENT
        node = stated[name]
        return UNKNOWN if node is None else literal(node)

    def set(self, name: str, text: str) -> tuple[Edit, ...]:
        """State an option: replace a literal, or add it. Nothing if it is there as an expression, or may be."""
        if self.value(name) is UNKNOWN:
            return ()
        node = self.stated.get(name)
        if node is not None:
            return replace_value(self.source, node, text)
        if isinstance(self.node, ast.ClassDef):
            return self._add_attribute(f"{name} = {text}")
        if isinstance(self.node, ast.Call):
            return add_keyword(self.source, self.node, f"{name}={text}")
        end = self.source.span(self.node)[1]
        return (Edit(end, end, f"({name}={text})"),)

    def rename(self, old: str, new: str) -> tuple[Edit, ...]:
        """Give an option that is stated here another name."""
        if isinstance(self.node, ast.Call):
            keyword = keyword_of(self.node, old)
            return () if keyword is None else rename_keyword(self.source, keyword, new)
        statements = [statement for name, statement in self._attributes() if name == old]
        if len(statements) != 1 or self.stated.get(old) is None:
            return ()
        (statement,) = statements
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target  # type: ignore[attr-defined]
        start, end = self.source.span(target)
        return (Edit(start, end, new),) if self.source.text[start:end] == old else ()

    def remove(self, name: str) -> tuple[Edit, ...]:
        """Take out a keyword of the decorator. Class attributes are left alone: other code may read them."""
        if not isinstance(self.node, ast.Call):
            return ()
        keyword = keyword_of(self.node, name)
        return () if keyword is None else remove_keyword(self.source, self.node, keyword)

    def _attributes(self) -> list[tuple[str, ast.stmt]]:
        if not isinstance(self.node, ast.ClassDef):
            return []
        found: list[tuple[str, ast.stmt]] = []
        for statement in self.node.body:
            if isinstance(statement, ast.AnnAssign):
                targets = [statement.target] if statement.value is not None else []
            elif isinstance(statement, ast.Assign):
                targets = [node for target in statement.targets for node in ast.walk(target)]  # type: ignore[misc]
            else:
                targets = []
                if isinstance(statement, _Function | ast.ClassDef):
                    found.append((statement.name, statement))
            found += [(node.id, statement) for node in targets if isinstance(node, ast.Name)]
        return found

    def _add_attribute(self, text: str) -> tuple[Edit, ...]:
        """A line of its own below the head of the class, or below its docstring."""
        source, node = self.source, self.node
        assert isinstance(node, ast.ClassDef)  # noqa: S101  # the caller has looked
        first = node.body[0]
        documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        indent = source.indent(_beginning(source, first))
        if indent is None:  # class A(Task): pass
            return ()
        after = source.span(first)[1] if documented else source.span(node)[0]
        for token in source.tokens[source.token_at(after) :]:
            if token.kind == tokenize.NEWLINE:
                return (Edit(token.start, token.start, f"{source.newline}{indent}{text}"),)
        return (Edit(len(source.text), len(source.text), f"{source.newline}{indent}{text}"),)


def declaration_at(source: Source, line: int) -> Declaration | None:
    """The declaration whose decorators or head are on a line; None if there is none that can be changed."""
    nearest: tuple[int, Declaration] | None = None
    for node in source.declarations:
        first = min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)
        if not first <= line <= max(node.lineno, node.body[0].lineno - 1):
            continue
        found = Declaration(source, node) if isinstance(node, ast.ClassDef) else _decorated(source, node)
        if found is not None and (nearest is None or first > nearest[0]):
            nearest = first, found
    return None if nearest is None else nearest[1]


def _decorated(source: Source, node: _Function) -> Declaration | None:
    for decorator in node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if source.aliases.get(name, name) in _DECORATORS and isinstance(decorator, ast.Call | ast.Name | ast.Attribute):
            return Declaration(source, decorator)
    return None


def _beginning(source: Source, statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    if decorators:
        # The "@" stands before the expression.
        return source.text.rindex("@", 0, source.span(decorators[0])[0])
    return source.span(statement)[0]
