"""Which files import a name that matters, by the look of their bytes: nothing is parsed for it.

The search is by the last part of the module's name: generous, and cheap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from safecelery.lint.source.wrappers import tail_of

__all__ = ["Wanted", "imported_tails", "imports_any", "wanted_of"]

Wanted: TypeAlias = dict[bytes, dict[bytes, tuple[bytes, ...]]]
"""What to search for, as bytes: module -> name -> for a module, which attributes of it, each with its dot."""


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
            yield module.rpartition(b".")[2] or _raw(tail_of(module.decode("latin-1"), folder)), right
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
