"""The second stage of the prefilter: files that reach Celery through names another module of the tree exports.

``core/jobs.py`` says ``from celery import shared_task`` and defines ``def job(...): return shared_task(...)``; a module
that says ``from core.jobs import job`` never mentions Celery. So what the first stage's modules export that looks like
an app, a base class or a decorator is searched for in the imports of every other file, and again with what those
export, until nothing new is found. What a module exports is told here, from its outline; the search is in imported.py.

Every name has a kind, which says what of it is followed further::

    a   an app, or something with a ``task`` method     ``app = Celery()``
    d   a decorator                                     ``def job(...): return shared_task(...)``
    c   a base class of tasks                           ``class Base(Task)``
    f   makes an app when called                        ``def make_celery()``, ``class App(Celery)``
    m   a module, in the exports of its package
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from safecelery.lint.source.outline import Definition, Outline

__all__ = ["Exports", "exports_of", "merge", "tail_of"]

Exports: TypeAlias = dict[str, set[str]]
"""Last part of a module's name -> names worth importing from it, each with its kind before it: ``d:job``."""

SEEDS: Final = {
    "Celery": "f",
    "PeriodicTask": "c",
    "SafeCelery": "f",
    "SafeTask": "c",
    "Task": "c",
    "app_or_default": "f",
    "create_app": "f",
    "current_app": "a",
    "periodic_task": "d",
    "shared_task": "d",
    "task": "d",
}
"""Names with which everything begins, if they are imported from a package with Celery in its name."""

_CALLED_TASK: Final = re.compile(r"\.(?:task|register_task)\(")


class _Mentions:
    """The names of each kind that a module knows, as patterns."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {"a": set(), "d": {"shared_task"}, "c": set(), "f": set()}
        self._patterns: dict[tuple[str, str], re.Pattern[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Another name, dotted for one in a module."""
        if name not in self._names[kind]:
            self._names[kind].add(name)
            for key in [key for key in self._patterns if key[0] == kind]:
                del self._patterns[key]

    def any(self, kind: str, text: str, after: str = "") -> bool:
        """Whether the text mentions a name of this kind, followed by ``after``."""
        for name in self._names[kind]:
            if name in text:
                break
        else:
            return False
        pattern = self._patterns.get((kind, after))
        if pattern is None:
            names = "|".join(map(re.escape, sorted(self._names[kind])))
            pattern = self._patterns[kind, after] = re.compile(rf"(?<![\w.])(?:{names})\b{after}")
        return pattern.search(text) is not None

    def makes_tasks(self, text: str) -> bool:
        """Whether the text uses a decorator."""
        return (
            self.any("d", text)
            or self.any("a", text, r"\.(?:task|register_task)\b")
            or (("task(" in text) and _CALLED_TASK.search(text) is not None)
        )

    def kind_of(self, definition: Definition) -> str | None:
        """What a definition is; None for a task, and for what has nothing to do with Celery."""
        if definition.decorators and self.makes_tasks(definition.decorators):
            return None
        body = definition.body
        if definition.what == "class":
            if self.any("c", definition.head) or self.any("a", definition.head, r"\.Task\b"):
                return "c"
            return "f" if self.any("f", definition.head) or self.makes_tasks(body) else None
        if self.makes_tasks(body):
            return "d"
        if definition.what == "def":
            return "f" if self.any("f", body, r"\s*\(") or self._returns_app(body) else None
        if self.any("a", body, r"\.Task\b") or self.any("c", body):
            return "c"
        return "a" if self.any("f", body, r"\s*\(") or self.any("a", body, r"\s*$") else None

    def _returns_app(self, body: str) -> bool:
        return "return" in body and any(
            self.any("a", line.partition("return")[2], r"\s*$") for line in body.split("\n") if "return " in line
        )


def exports_of(outline: Outline, known: Mapping[str, set[str]], folder: str) -> set[str]:
    """The names of a module through which another could reach Celery, with their kinds.

    ``folder`` is the dotted path of the folder it lies in. Functions that are tasks themselves are left out: calling
    them is a hint of its own.
    """
    mentions = _Mentions()
    exported: dict[str, str] = {}
    for local, module, name in outline.imported:
        names = known.get(tail_of(module, folder), ())
        if not names and name and name not in SEEDS:
            continue  # nearly all
        if name in ("", "*"):
            prefix = f"{local}." if name == "" else ""
            for kind, each in (item.split(":", 1) for item in names):
                if kind != "m":
                    mentions.add(kind, prefix + each)
                    if name:
                        exported[each] = kind
            if name == "" and module == "celery":
                for each, kind in SEEDS.items():
                    mentions.add(kind, f"{local}.{each}")
            continue
        for kind in "adcf":
            if f"{kind}:{name}" in names:
                mentions.add(kind, local)
                exported[local] = kind
        if "m:" + name in names:
            for kind, each in (item.split(":", 1) for item in known.get(name, ())):
                if kind != "m":
                    mentions.add(kind, f"{local}.{each}")
        if name in SEEDS and "celery" in module.partition(".")[0].lower():
            mentions.add(SEEDS[name], local)
    again = True
    while again:
        again = False
        for definition in outline.defined:
            if definition.name in exported:
                continue
            found = mentions.kind_of(definition)
            if found is not None:
                exported[definition.name] = found
                mentions.add(found, definition.name)
                again = True
    return {f"{kind}:{name}" for name, kind in exported.items()}


def tail_of(module: str, folder: str) -> str:
    """The last part of a module's name; for ``.`` and ``..`` the folder that is meant."""
    tail = module.rpartition(".")[2]
    if tail:
        return tail
    parts = folder.split(".")
    return parts[-len(module)] if 0 < len(module) <= len(parts) else ""


def merge(known: Exports, folder: str, stem: str, names: Iterable[str]) -> Exports:
    """Add what a module exports; gives what was not known before."""
    names = set(names)
    fresh: Exports = {}
    if not names:
        return fresh
    above, _, parent = folder.rpartition(".")
    if stem == "__init__":
        stem, parent = parent, above.rpartition(".")[2]
    for key, values in ((stem, names), (parent, {"m:" + stem})):
        new = values - known.get(key, set())
        if key and new:
            known.setdefault(key, set()).update(new)
            fresh.setdefault(key, set()).update(new)
    return fresh
