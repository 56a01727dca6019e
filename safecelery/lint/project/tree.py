"""The modules of a source tree, made as the interpreter asks for them and read when it needs their text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from safecelery.lint.model.scope import Module

if TYPE_CHECKING:
    from safecelery.lint.source import FileRecord, SourceTree
    from safecelery.lint.source.record import PythonFile

__all__ = ["ModuleText", "TreeModules"]


class ModuleText:
    """A python file of the tree that is read when somebody asks for its text."""

    __slots__ = ("_record", "file", "tree")

    def __init__(self, tree: SourceTree, file: PythonFile, record: FileRecord | None = None) -> None:
        self.tree = tree
        self.file = file
        self._record = record

    @property
    def ir(self) -> dict[str, Any]:
        """The reduced module; empty if the file cannot be parsed, which the tree reports."""
        if self._record is None:
            self._record = self.tree.load(self.file.absolute)
        found = self._record.ir if self._record is not None else None
        return found if isinstance(found, dict) else {}

    @property
    def unread(self) -> str:
        """What of the file could not be read, if anything."""
        if not self.ir or self._record is None or not self._record.unread_parts:
            return "" if self._record is None or self.ir else f"{self.file.path}, which could not be read"
        return f"{self.file.path}, of which a part could not be read"


class TreeModules:
    """Implements :class:`safecelery.lint.model.interpreter.Modules` over a source tree."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self._modules: dict[str, Module] = {}
        """By absolute path."""
        self._shown: dict[str, Module] = {}
        self._relevant = {record.absolute: record for record in tree.records}
        self.uses_init_subclass = False
        """Some class of the tree acts when it is derived from."""

    def find_module(self, dotted: str, importer: ModuleText | None) -> PythonFile | None:
        """The file of a module of the tree, or None."""
        return self.tree.find_file(dotted, importer.file if importer is not None else None)

    def module_of(self, file: PythonFile) -> Module:
        """The module of a file; the same object each time."""
        module = self._modules.get(file.absolute)
        if module is None:
            names = self.tree.names_of(file)
            record = self._relevant.get(file.absolute)
            module = Module(
                name=names[0] if names else "",
                path=self.tree.shown(file.absolute),
                record=ModuleText(self.tree, file, record),
                is_package=file.absolute.endswith("__init__.py"),
                relevant=record is not None or self.tree.concerns_celery(file),
            )
            self._modules[file.absolute] = self._shown[module.path] = module
        return module

    def running(self) -> list[Module]:
        """The modules that may have to do with Celery."""
        return [self.module_of(record.file) for record in self.tree.records]

    def by_path(self, path: str) -> Module:
        """The module that is already known under the path findings print. Raises KeyError."""
        return self._shown[path]

    def all_modules(self) -> Iterator[Module]:
        """Every module met so far."""
        return iter(list(self._modules.values()))

    def beside(self, module: Module, pattern: str) -> list[Module]:
        """The modules whose file matches a glob relative to the folder of ``module``, in order of path."""
        import fnmatch
        from os.path import dirname, join, normpath

        wanted = normpath(join(dirname(module.record.file.absolute), pattern))  # noqa: PTH118, PTH120  (text to match)
        files = [file for file in self.tree.python_files if fnmatch.fnmatch(file.absolute, wanted)]
        return [self.module_of(file) for file in sorted(files, key=lambda file: file.absolute)]
