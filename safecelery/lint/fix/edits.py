"""What a fix is, and how it is put into a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from safecelery.deferred import dataclass

__all__ = ["Edit", "Fix", "edited", "overlap", "shifted"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Characters ``start`` to ``end`` (not counted) of a text become ``text``; equal ones mean: put it in there."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One repair. Its edits belong together: all of them are made, or none.

    ``safe``: afterwards the code does what its text already said, or only a failed task waits differently; no value is
    invented, and nobody gets another result. Everything else is for ``--unsafe-fixes``, and for people to look at.
    """

    description: str
    """What it does, as an instruction: ``rename ignore_results to ignore_result``."""
    edits: tuple[Edit, ...]
    safe: bool


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not overlap. Raises ValueError if they do."""
    parts: list[str] = []
    at = 0
    ordered = sorted(edits)
    if overlap(ordered):
        raise ValueError("edits overlap")
    for edit in ordered:
        parts += (text[at : edit.start], edit.text)
        at = edit.end
    return "".join((*parts, text[at:]))


def overlap(edits: Sequence[Edit]) -> bool:
    """Whether two edits change the same character, or put something in at the same place."""
    ordered = sorted(edits)
    return any(second.start < first.end or second.start == first.start for first, second in pairwise(ordered))


def shifted(line: int, edits: Iterable[Edit], starts: Sequence[int], text: str) -> int:
    """Where a line (from 1) of the old text is in the new one. ``starts`` are the offsets at which its lines begin."""
    if not 1 <= line <= len(starts):
        return line
    begin = starts[line - 1]
    moved = 0
    for edit in edits:
        if edit.end <= begin:
            moved += edit.text.count("\n") - text.count("\n", edit.start, edit.end)
    return line + moved
