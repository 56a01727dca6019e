"""The modules of a source tree, made from its records as the interpreter asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from safecelery.lint.model.scope import Module

if TYPE_CHECKING:
    from safecelery.lint.source import SourceTree

__all__ = ["TreeModules"]


class TreeModules:
    """Implements :class:`safecelery.lint.model.interpreter.Modules` over a source tree."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self._modules: dict[str, Module] = {}
        self._found: dict[tuple[str, str], Any] = {}

    def find_module(self, dotted: str, importer: Any) -> Any:
        """The record of a module of the tree, or None."""
        key = (dotted, importer.shown if importer is not None else "")
        if key not in self._found:
            self._found[key] = self.tree.find_module(dotted, importer)
        return self._found[key]

    def module_of(self, record: Any) -> Module:
        """The module of a record; the same object each time."""
        path = record.shown
        module = self._modules.get(path)
        if module is None:
            ir = record.ir
            module = Module(
                name=self.tree.module_name(record),
                path=path,
                body=ir.get("body", []),
                calls=ir.get("calls", []),
                record=record,
                is_package=path.endswith("__init__.py"),
            )
            self._modules[path] = module
        return module

    def by_path(self, path: str) -> Module:
        """The module that is already known under the path findings print. Raises KeyError."""
        return self._modules[path]

    def all_modules(self) -> Iterator[Module]:
        """Every module met so far."""
        return iter(list(self._modules.values()))

    def paths(self) -> list[str]:
        """The paths of all python files of the tree, as findings print them."""
        return self.tree.python_paths()
