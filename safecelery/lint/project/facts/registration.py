"""Does some worker import a task's module? Celery only knows the tasks of modules that somebody imports.

A worker imports the module of its app, what ``include`` and ``imports`` name, what ``autodiscover_tasks`` finds, and
whatever all of these import. Any import anywhere in the tree is taken to be reached, and so is any text that spells the
module's name: what is left has no way into a worker at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from safecelery.lint.ir import Node
from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import Seq, Val, unknown
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.programs import calls_of
from safecelery.lint.project.objects import Task
from safecelery.policy.facts import ABSENT, UNKNOWN, Absent, DeployFacts, Tri

__all__ = ["Registration"]


class Registration:
    """Worked out for a module when the first of its tasks asks."""

    def __init__(self, analysis: Analysis, processes: Sequence[DeployFacts]) -> None:
        self._analysis = analysis
        self._apps = analysis.judged_apps()
        self._answers: dict[str, Tri | Absent] = {}
        self._named: set[str] = set()
        """Modules that settings or a command line name."""
        self._found: list[tuple[tuple[str, ...] | None, str]] = []
        """By ``autodiscover_tasks``: the packages, None for those of Django's settings; the modules' last name."""
        self.blocker: Val | None = None
        """The list of modules that cannot be read, if there is one."""
        self._imports: set[str] | None = None
        """Modules that modules which have to do with Celery import at their top: cheaper to ask than every file."""
        self._texts: list[tuple[str, bytes]] | None = None
        if self._apps:
            self._read_settings()
            self._read_discovery()
            for process in processes:
                if isinstance(process.app, str):
                    self._named.add(process.app.partition(":")[0])
                if process.app is UNKNOWN or {"--include", "-I"} & set(process.options):
                    self.blocker = unknown(f"the command line at {process.where}")

    def imported(self, task: Task) -> Tri | Absent:
        """Whether some worker imports the module of the task; ABSENT in a tree without an app."""
        if not self._apps:
            return ABSENT
        path = task.module.path
        if path not in self._answers:
            self._answers[path] = self._answer(task)
        return self._answers[path]

    def _answer(self, task: Task) -> Tri:
        module = task.module
        if any(app.module is module for app in self._analysis.apps) or not module.name:
            return True
        names = self._analysis.modules.tree.names_of(module.record.file) or (module.name,)
        if any(self._is_named(name) or self._is_discovered(name) for name in names):
            return True
        if self.blocker is not None:
            return UNKNOWN
        if self._imports is None:
            running = self._analysis.modules.running()
            last = {name.rpartition(".")[2] for name in self._task_modules()}
            self._imports = {name for each in running for name in _imports(each, last)}
        if not self._imports.isdisjoint(names):
            return True
        return self._is_imported(module)

    def _task_modules(self) -> Iterator[str]:
        """Every name under which a module with tasks may be imported."""
        tree = self._analysis.modules.tree
        for module in {id(task.module): task.module for task in self._analysis.tasks}.values():
            yield from tree.names_of(module.record.file) or (module.name,)

    def _is_named(self, name: str) -> bool:
        return any(one == name or name.endswith(f".{one}") or one.startswith(f"{name}.") for one in self._named)

    def _is_discovered(self, name: str) -> bool:
        package, _, last = name.rpartition(".")
        for packages, related in self._found:
            if last == related and (
                packages is None or any(package == p or package.endswith(f".{p}") for p in packages)
            ):
                return True
            if not related and packages is not None and name in packages:
                return True  # related_name=None imports the packages themselves
        return False

    def _read_settings(self) -> None:
        for app in self._apps:
            conf = self._analysis.conf(app)
            if conf is None:
                continue
            for setting in ("include", "imports"):
                value = conf.value(setting)
                modules = plain(value)
                if isinstance(modules, str):
                    modules = [modules]
                if modules is UNKNOWN:
                    self.blocker = value
                    items = value.data.items if isinstance(value.data, Seq) else []
                    modules = [plain(item) for item in items]
                self._named |= {one for one in modules or () if isinstance(one, str)}

    def _read_discovery(self) -> None:
        for module in self._analysis.modules.running():
            if "autodiscover_tasks" in module.words:
                for call in calls_of(module.body, "autodiscover_tasks"):
                    self._discovered(module, call)

    def _discovered(self, module: Module, call: Node) -> None:
        _, _, _, args, keywords = call
        given: dict[str, Node] = dict(zip(("packages", "related_name", "force"), args, strict=False))
        given |= {key: node for key, node in keywords if key is not None}
        frame = Frame(module, {})
        named = self._analysis.it.evaluate(given["related_name"], frame) if "related_name" in given else Val("tasks")
        related = plain(named)
        packages: Any = None
        if "packages" in given and given["packages"][0] != "lam":
            value: Val = self._analysis.it.evaluate(given["packages"], frame)
            read = plain(value)
            packages = None if read is UNKNOWN else tuple(p for p in read or () if isinstance(p, str)) or None
        if related is UNKNOWN:
            self.blocker = named
        self._found.append((packages, related if isinstance(related, str) else ""))

    def _is_imported(self, module: Module) -> bool:
        """Some other file imports the module, or spells its name. Read as bytes: any file of the tree may do it."""
        above, _, last = module.name.rpartition(".")
        parent, name = re.escape(above.rpartition(".")[2]).encode(), re.escape(last).encode()
        folder = str(Path(module.record.file.absolute).parent)
        if module.is_package:
            folder = str(Path(folder).parent)
        beside = re.compile(
            rb"(?:from\s+\.[\w.]*\s+import|import)\s[^#\n]*\b%b\b|from\s+\.+(?:\w+\.)*%b\b|import\s*\([^)]*\b%b\b"
            % (name, name, name)
        )
        anywhere = re.compile(
            rb"\b%b\.%b\b|\b%b\s+import\s+(?:\([^)]*|[^\n]*)\b%b\b" % (parent, name, parent, name)
            if parent
            else rb"\bimport\s[^\n]*\b%b\b|\bfrom\s+%b\b|[\"']%b[\"'.:]" % (name, name, name)
        )
        for path, text in self._files():
            if path == module.record.file.absolute or name not in text:
                continue
            if anywhere.search(text) or (path.startswith(folder) and beside.search(text)):
                return True
        return False

    def _files(self) -> Iterator[tuple[str, bytes]]:
        if self._texts is None:
            self._texts = []
            for file in self._analysis.modules.tree.python_files:
                if not file.is_test:
                    try:
                        self._texts.append((file.absolute, Path(file.absolute).read_bytes()))
                    except (OSError, ValueError):
                        continue  # it is among the unread files
        return iter(self._texts)


def _imports(module: Module, last: Collection[str]) -> Iterator[str]:
    """Absolute names of what is imported by the statements of a module, those in functions left out.

    Of what is imported from another module only names in ``last``: those that a module may have.
    """
    package = module.package.split(".") if module.package else []
    for node in module.body:
        tag = node[0]
        if tag == "imp":
            yield from (name for name, _ in node[2] if name != module.name)
        elif tag == "from":
            _, _, level, source, members = node
            above = package[: len(package) - level + 1] if level else []
            origin = ".".join([*above, *([source] if source else [])])
            if origin != module.name:
                yield origin
            for name, _ in members:
                if name in last:
                    yield f"{origin}.{name}"
