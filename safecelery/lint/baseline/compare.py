"""Findings against the baseline: what is new, what is known, what is fixed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from safecelery.deferred import dataclass
from safecelery.lint.baseline.file import Entry, entry_of
from safecelery.lint.finding import Finding

__all__ = ["Comparison", "Covered", "compare"]

_Key: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What a run looked at. Of anything else it cannot say that a finding is gone."""

    paths: tuple[Path, ...]
    """The files and directories that were asked for."""
    codes: frozenset[str]
    """The rules that ran."""
    unread: frozenset[str] = frozenset()
    """Files that could not be read to their end, as findings name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the baseline makes of a run."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    fixed: tuple[Entry, ...]
    """Looked for, and no longer there."""
    renamed: tuple[tuple[str, str], ...]
    """Paths that are gone, each with the file that its entries were found in again."""
    updated: tuple[Entry, ...]
    """What an update writes: every finding of this run that may be known, and the entries it could not look for."""


def compare(findings: Sequence[Finding], entries: Iterable[Entry], *, directory: Path, covered: Covered) -> Comparison:
    """Tell known findings from new ones. ``directory`` is that of the baseline file.

    A finding is known by its fingerprint, which lines do not enter. Where a file with entries no longer exists, and
    another that the baseline does not know has findings of the same code, subject and message (the names of the two
    files and modules set aside), it counts as renamed; an entry excuses one finding at the most.
    """
    old = {entry.fingerprint: entry for entry in entries}
    pairs = [(finding, entry_of(finding, directory)) for finding in findings]
    known = {id(finding) for finding, entry in pairs if entry is not None and entry.fingerprint in old}
    seen = {entry.fingerprint for _, entry in pairs if entry is not None}
    left = [entry for entry in old.values() if entry.fingerprint not in seen]
    open_ = [(finding, entry) for finding, entry in pairs if entry is not None and id(finding) not in known]
    moved, matched, renamed = _renamed(left, open_, {entry.path for entry in old.values()}, directory)
    known |= moved
    left = [entry for entry in left if entry not in matched]
    gone = _looked_for(left, directory, covered)
    kept = set(left) - gone
    return Comparison(
        new=tuple(finding for finding in findings if id(finding) not in known),
        known=tuple(finding for finding in findings if id(finding) in known),
        fixed=tuple(sorted(gone)),
        renamed=tuple(renamed),
        updated=tuple(sorted({*kept, *(entry for _, entry in pairs if entry is not None)})),
    )


def _looked_for(entries: list[Entry], directory: Path, covered: Covered) -> set[Entry]:
    """The entries that this run would have found again."""
    here = Path.cwd()
    roots = {(here / path).resolve() for path in covered.paths}
    unread = {(here / path).resolve() for path in covered.unread}
    places = {path: (directory / path).resolve() for path in {entry.path for entry in entries}}
    looked = {
        path for path, place in places.items() if place not in unread and not roots.isdisjoint((place, *place.parents))
    }
    return {entry for entry in entries if entry.path in looked and entry.code in covered.codes}


def _renamed(
    left: list[Entry], found: list[tuple[Finding, Entry]], old_paths: set[str], directory: Path
) -> tuple[set[int], set[Entry], list[tuple[str, str]]]:
    """Findings that are known under another path, the entries they used up, and the pairs of paths."""
    by_old: defaultdict[str, list[Entry]] = defaultdict(list)
    gone = {path for path in {entry.path for entry in left} if not (directory / path).exists()}
    for entry in left:
        if entry.path in gone:
            by_old[entry.path].append(entry)
    by_new: defaultdict[str, list[tuple[Finding, Entry]]] = defaultdict(list)
    for finding, entry in found:
        if entry.path not in old_paths:
            by_new[entry.path].append((finding, entry))
    candidates = []
    for before, entries in by_old.items():
        keys = Counter(map(_key, entries))
        for after, items in by_new.items():
            common = (keys & Counter(_key(entry) for _, entry in items)).total()
            if common:
                candidates.append((-common, before, after))
    moved: set[int] = set()
    matched: set[Entry] = set()
    renamed: list[tuple[str, str]] = []
    used: set[str] = set()
    for _, before, after in sorted(candidates):
        if before in used or after in used:
            continue
        used |= {before, after}
        renamed.append((before, after))
        waiting: defaultdict[_Key, list[Entry]] = defaultdict(list)
        for entry in by_old[before]:
            waiting[_key(entry)].append(entry)
        for finding, entry in by_new[after]:
            if waiting[_key(entry)]:
                matched.add(waiting[_key(entry)].pop())
                moved.add(id(finding))
    return moved, matched, renamed


def _key(entry: Entry) -> _Key:
    """Code, subject and message, without the names that a rename changes: of the file and of its module."""
    subject, message = (text.replace(entry.path, "{file}") for text in (entry.subject, entry.message))
    for name in _modules(entry.path):
        if subject == name or subject.startswith(f"{name}."):
            return entry.code, "{module}" + subject.removeprefix(name), message.replace(name, "{module}")
    return entry.code, subject, message


def _modules(path: str) -> list[str]:
    """The names a file may be imported by, longest first: ``src.shop.tasks``, ``shop.tasks``, ``tasks``."""
    parts = [part for part in PurePosixPath(path).with_suffix("").parts if part not in ("..", "/")]
    if parts and parts[-1] == "__init__":
        parts.pop()
    return [".".join(parts[start:]) for start in range(len(parts))]
