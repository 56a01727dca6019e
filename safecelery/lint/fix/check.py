"""The proof that a fix changed what it meant to, and nothing else."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from safecelery.lint.fix.edits import Edit
from safecelery.lint.fix.source import Source

__all__ = ["same_outside"]


def same_outside(before: Source, after: Source, edits: Sequence[Edit]) -> bool:
    """Whether the two syntax trees agree in everything that no edit touched. Raises Unfixable if one has no tree."""
    ordered = sorted(edits)
    old = [(edit.start, edit.end) for edit in ordered]
    new, moved = [], 0
    for edit in ordered:
        new.append((edit.start + moved, edit.start + moved + len(edit.text)))
        moved += len(edit.text) - (edit.end - edit.start)
    return list(_untouched(before, before.tree, old)) == list(_untouched(after, after.tree, new))


def _untouched(source: Source, node: ast.AST, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The largest parts of a tree that no span touches, and what is left of those that one does, in order."""
    for child in ast.iter_child_nodes(node):
        if not hasattr(child, "end_lineno") or isinstance(child, ast.expr_context):
            if isinstance(child, ast.arguments | ast.comprehension | ast.withitem | ast.match_case):
                yield from _untouched(source, child, spans)
            continue
        start, end = source.span(child)  # type: ignore[arg-type]  # those with an end have all four numbers
        for decorator in getattr(child, "decorator_list", ()):  # they stand before what they belong to
            start = min(start, source.span(decorator)[0])
        # What is put behind the last line of a class belongs to it.
        last = end + isinstance(child, ast.ClassDef)
        touching = [span for span in _near(spans, start, end) if span[0] < last and span[1] > start]
        if not touching:
            # The same kind of node over the same text is the same node, at a fraction of what a dump costs.
            yield f"{type(child).__name__} {source.text[start:end]}"
            continue
        if any(span[0] <= start and end <= span[1] for span in touching):
            continue  # all of it is what the edit wrote, or took away
        wraps = child in getattr(node, "decorator_list", ()) and _ends_in(touching, end)  # @task -> @task(a=1)
        if not wraps:
            yield f"{type(child).__name__} {getattr(child, 'name', '')}("
        yield from _untouched(source, child, spans)
        if not wraps:
            yield ")"


def _ends_in(spans: Sequence[tuple[int, int]], end: int) -> bool:
    """Whether a part ends in what an edit wrote: then the edit made it."""
    return any(start < end <= stop for start, stop in spans)


def _near(spans: Sequence[tuple[int, int]], start: int, end: int) -> Sequence[tuple[int, int]]:
    first = bisect_right(spans, (start, -1))
    return [span for span in spans[max(0, first - 1) :] if span[0] <= end]
