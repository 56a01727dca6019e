"""The second stage of the prefilter: files that reach Celery through names another module of the tree exports.

``core/jobs.py`` says ``from celery import shared_task`` and defines ``def job(...): return shared_task(...)``; a module
that says ``from core.jobs import job`` never mentions Celery. So what the first stage's modules export that looks like
an app, a base class or a decorator is searched for in the imports of every other file, and again with what those
export, until nothing new is found. The search is by the last part of the module's name: generous, and cheap.

Every name has a kind, which says what of it is followed further::

    a   an app, or something with a ``task`` method     ``app = Celery()``
    d   a decorator                                     ``def job(...): return shared_task(...)``
    c   a base class of tasks                           ``class Base(Task)``
    f   makes an app when called                        ``def make_celery()``, ``class App(Celery)``
    m   a module, in the exports of its package
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

__all__ = [
    "Exports",
    "Outline",
    "Wanted",
    "exports_of",
    "imported_tails",
    "imports_any",
    "merge",
    "outline_of",
    "wanted_of",
]

Exports: TypeAlias = dict[str, set[str]]
"""Last part of a module's name -> names worth importing from it, each with its kind before it: ``d:job``."""

Wanted: TypeAlias = dict[bytes, dict[bytes, tuple[bytes, ...]]]
"""The same for searching bytes: module -> name -> for a module, which attributes of it, each with its dot."""

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


class Definition:
    """A function, a class or an assignment at module level."""

    __slots__ = ("body", "decorators", "head", "name", "what")

    def __init__(self, what: str, name: str, decorators: str, head: str, body: str) -> None:
        self.what = what
        """``def``, ``class`` or ``=``."""
        self.name = name
        self.decorators = decorators
        self.head = head
        """The bases of a class."""
        self.body = body


class Outline:
    """The module level of a parsed module: what it imports, and the text of what it defines."""

    __slots__ = ("defined", "imported")

    def __init__(self) -> None:
        self.imported: list[tuple[str, str, str]] = []
        """Local name, whole name of the module, name in it ("" for the module itself, "*" for all)."""
        self.defined: list[Definition] = []


def outline_of(tree: ast.Module, source: str) -> Outline:
    """Collect the outline, also from inside ``if``, ``try`` and ``with`` at module level."""
    outline = Outline()
    lines = source.split("\n")
    for node in _module_level(tree.body):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            outline.imported += [(alias.asname or alias.name, module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            outline.imported += [(alias.asname or alias.name, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            outline.defined.append(_definition(node, lines))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno]).partition("=")[2]
            outline.defined += [
                Definition("=", target.id, "", "", text) for target in targets if isinstance(target, ast.Name)
            ]
    return outline


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _module_level(node.body)
            for handler in getattr(node, "handlers", ()):
                yield from _module_level(handler.body)
            yield from _module_level(getattr(node, "orelse", []))
            yield from _module_level(getattr(node, "finalbody", []))


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str]) -> Definition:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    decorators = "\n".join(lines[first - 1 : node.lineno - 1])
    body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    if not isinstance(node, ast.ClassDef):
        return Definition("def", node.name, decorators, "", body)
    bases = ""
    if node.bases:
        bases = "\n".join(lines[node.lineno - 1 : node.bases[-1].end_lineno]).partition("(")[2]
    return Definition("class", node.name, decorators, bases, body)


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
        names = known.get(_tail(module, folder), ())
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


def _tail(module: str, folder: str) -> str:
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


def wanted_of(fresh: Mapping[str, set[str]], known: Mapping[str, set[str]]) -> Wanted:
    """What to search for. A module that is known to its package is wanted again when it exports something new."""
    wanted: Wanted = {}
    for key, names in known.items():
        for name in names:
            kind, _, bare = name.partition(":")
            if kind == "m":
                if bare in fresh:
                    attributes = tuple(b"." + _raw(each.partition(":")[2]) for each in fresh[bare] if each[0] != "m")
                    wanted.setdefault(_raw(key), {})[_raw(bare)] = attributes
            elif name in fresh.get(key, ()):
                wanted.setdefault(_raw(key), {}).setdefault(_raw(bare), ())
    return wanted


def _raw(name: str) -> bytes:
    """As source has it. The name of a file may hold bytes that are no UTF-8: nothing imports that, nothing fails."""
    return name.encode("utf-8", "surrogatepass")


def imported_tails(data: bytes, folder: str) -> frozenset[bytes]:
    """The last part of every module a file imports or imports from, by the look of its bytes."""
    return frozenset(tail for tail, _ in _imports(data, folder))


def imports_any(data: bytes, wanted: Wanted, folder: str) -> bool:
    """Whether a file imports one of the names, by the look of its bytes: no parsing, and rather once too often."""
    for tail, listed in _imports(data, folder):
        names = wanted.get(tail)
        if names is None:
            continue
        if listed is not None:
            if _any_name(data, listed, names):
                return True
        elif any(not inner and b"." + name in data for name, inner in names.items()):
            return True
    return False


def _imports(data: bytes, folder: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Last part of a module's name, and the text after ``import`` if it is ``from module import``."""
    pieces = data.split(b"import")
    for index in range(1, len(pieces)):
        right = pieces[index]
        if right[:1] not in _AFTER_IMPORT:
            continue
        left = pieces[index - 1]
        line = left[left.rfind(b"\n") + 1 :]
        if not line.strip() and left[-200:].rstrip().endswith(b"\\"):  # from x \ import y
            before = left[-200:].rstrip()
            line = before[before.rfind(b"\n") + 1 : -1]
        at = line.rfind(b"from ")
        if at >= 0:
            module = line[at + 5 :].strip()
            yield module.rpartition(b".")[2] or _raw(_tail(module.decode("latin-1"), folder)), right
        elif not line.strip():
            for part in right.partition(b"\n")[0].split(b","):
                words = part.split()
                if words:
                    yield words[0].rpartition(b".")[2], None


_AFTER_IMPORT: Final = frozenset({b" ", b"\t", b"(", b"\\", b"*"})
_WORD: Final = re.compile(rb"\w+")


def _any_name(data: bytes, right: bytes, names: Mapping[bytes, tuple[bytes, ...]]) -> bool:
    """Whether one of the names is in the list that follows ``import``; of a module, also one of its attributes."""
    stripped = right.lstrip(b" \t\\\r\n")
    end = stripped.find(b")" if stripped.startswith(b"(") else b"\n")
    listed = stripped[:end] if end >= 0 else stripped
    if listed.startswith(b"*"):
        return True
    return any(
        word in names and (not names[word] or any(attribute in data for attribute in names[word]))
        for word in _WORD.findall(listed)
    )
